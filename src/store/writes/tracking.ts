import type { Db } from '../../postgres/pool.ts'
import type { ConfirmedShipment } from './confirmed-shipment.ts'
import type { Shipment } from './find-shipment.ts'
import { insertRow, NOW, updateRow } from './rows.ts'
import type { Shop } from './shop.ts'

type Tracking = Pick<ConfirmedShipment, 'tracking' | 'trackingUrl' | 'carrier'>

/**
 * Writes the tracking number of a parcel where it is another than it has: in 6.x into its first delivery, which says the
 * carrier besides, in Solidus into the cartons of the shipment too, which mails and admin show. False: nothing was written.
 */
export async function setTracking(
  db: Db,
  shop: Shop,
  { id, tracking: before, order }: Shipment,
  { tracking, trackingUrl, carrier }: Tracking,
): Promise<boolean> {
  if (tracking === null || tracking === before) return false
  if (shop.family !== 'spree-6.0') {
    await updateRow(db, shop, 'spree_shipments', id, { tracking })
    if (shop.family === 'solidus') await trackCartons(db, shop, id, tracking)
    return true
  }
  const values = {
    tracking_number: tracking,
    status: 'pending',
    ...(trackingUrl === null ? {} : { tracking_url: trackingUrl }),
    ...(carrier === null ? {} : { carrier }),
  }
  const { rows } = await db.query<{ id: string }>(
    `select id::text
       from ${shop.table('spree_deliveries')}
      where owner_type = 'Spree::Fulfillment'
        and owner_id = $1::bigint
      order by id
      limit 1`,
    [id],
  )
  const [first] = rows
  if (first) await updateRow(db, shop, 'spree_deliveries', first.id, values)
  else
    await insertRow(db, shop, 'spree_deliveries', {
      owner_type: 'Spree::Fulfillment',
      owner_id: id,
      store_id: order.storeId,
      ...values,
    })
  return true
}

async function trackCartons(db: Db, shop: Shop, shipmentId: string, tracking: string): Promise<void> {
  await db.query(
    `update ${shop.table('spree_cartons')}
        set tracking = $2, updated_at = ${NOW}
      where id in (select carton_id from ${shop.table('spree_inventory_units')} where shipment_id = $1::bigint)
        and tracking is distinct from $2`,
    [shipmentId, tracking],
  )
}

/** The same of a parcel wherever it is; it and its order are touched, but in 6.x, where the delivery touches nothing. */
export async function trackShipment(
  db: Db,
  shop: Shop,
  shipment: Shipment,
  tracking: Tracking,
): Promise<boolean> {
  const tracked = await setTracking(db, shop, shipment, tracking)
  if (tracked && shop.family !== 'spree-6.0') await touchShipment(db, shop, shipment)
  return tracked
}

export async function touchShipment(db: Db, shop: Shop, { id, order }: Shipment): Promise<void> {
  await db.query(`update ${shop.table(shop.shipments)} set updated_at = ${NOW} where id = $1::bigint`, [id])
  await db.query(`update ${shop.table('spree_orders')} set updated_at = ${NOW} where id = $1::bigint`, [
    order.id,
  ])
}
