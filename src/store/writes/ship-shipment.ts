import { randomInt } from 'node:crypto'

import type { Db } from '../../postgres/pool.ts'
import type { Store } from '../store.ts'
import type { ConfirmedShipment } from './confirmed-shipment.ts'
import { lockShipment, type Shipment } from './find-shipment.ts'
import { shipStock } from './move-stock.ts'
import { NotApplicable } from './not-applicable.ts'
import { rollUpShipments } from './order-shipping.ts'
import { insertRow, NOW, utcNow } from './rows.ts'
import { writeSerials } from './serial-numbers.ts'
import { hasLeft, refuseUnshippable } from './shippable.ts'
import { type Shop, shopOf } from './shop.ts'
import { recordState } from './state-changes.ts'
import { setTracking, touchShipment, trackShipment } from './tracking.ts'
import { refuseFamilyOf20 } from './written-family.ts'

export type Shipped = Readonly<{
  was: 'shipped' | 'tracked' | 'same'
  orderNumber: string
  tracking: string | null
  /** What of the message the store has no place for. */
  left: readonly string[]
}>

/**
 * Marks a shipment as shipped, as the shop itself does it (`Shipment#ship!`, in Solidus `OrderShipping#ship_shipment`, in
 * 6.x `Fulfillments::Fulfill`) but for the mail to the customer. Of one that has left, only the tracking and serial numbers
 * that are new are written.
 * @throws NotApplicable for a shipment that is not there, or that the shop would not let go.
 */
export async function shipShipment(
  db: Db,
  store: Pick<Store, 'family' | 'columns'>,
  confirmed: ConfirmedShipment,
): Promise<Shipped> {
  refuseFamilyOf20(store.family)
  const shop = shopOf(store)
  const shipment = await lockShipment(db, shop, confirmed.number, confirmed.orderNumber)
  const isGone = hasLeft(shipment)
  if (!isGone) {
    await refuseUnshippable(db, shop, shipment)
    await refuseOtherPieces(db, shop, shipment, confirmed.pieces)
    if (shop.family === 'spree-6.0') await fulfill(db, shop, shipment, confirmed)
    else await ship(db, shop, shipment, confirmed)
  }
  const tracked = isGone && (await trackShipment(db, shop, shipment, confirmed))
  const { written, left } = await writeSerials(db, shop, shipment, confirmed.serials)
  if (isGone && written) await touchShipment(db, shop, shipment)
  return {
    was: isGone ? (tracked || written ? 'tracked' : 'same') : 'shipped',
    orderNumber: shipment.order.number,
    tracking: confirmed.tracking ?? shipment.tracking,
    left,
  }
}

/** What left must be what the shipment holds: a part of it would have to be split off first. */
async function refuseOtherPieces(
  db: Db,
  shop: Shop,
  { id, number, order }: Shipment,
  pieces: ConfirmedShipment['pieces'],
): Promise<void> {
  if (pieces === null) return
  const quantity = shop.columns.has(shop.units, 'quantity') ? 'coalesce(u.quantity, 1)' : '1'
  const { rows } = await db.query<{ sku: string; quantity: number }>(
    `select v.sku, sum(${quantity})::integer as quantity
       from ${shop.table(shop.units)} u
       join ${shop.table('spree_variants')} v on v.id = u.variant_id
      where u.${shop.unitShipment} = $1::bigint
        and u.${shop.state} <> 'canceled'
      group by v.sku
      order by v.sku`,
    [id],
  )
  const held = new Map(rows.map((row) => [row.sku, row.quantity]))
  const { bySku, areAll } = pieces
  const skus = new Set([...bySku.keys(), ...(areAll ? held.keys() : [])])
  if ([...skus].every((sku) => (held.get(sku) ?? 0) === (bySku.get(sku) ?? 0))) return
  const list = (of: ReadonlyMap<string, number>) =>
    [...of].map(([sku, count]) => `${count} of ${sku}`).join(', ')
  throw new NotApplicable(
    'other_pieces',
    `Shipment ${number} of order ${order.number} holds ${list(held)}, and the message says that ${list(bySku)} left: ` +
      'split the shipment in the shop, or correct the message, then retry.',
  )
}

/** Up to 5.x, and in Solidus with the carton in which it left, without which its admin shows nothing. */
async function ship(db: Db, shop: Shop, shipment: Shipment, confirmed: ConfirmedShipment): Promise<void> {
  const { id, order } = shipment
  const tracking = confirmed.tracking ?? shipment.tracking
  const shippedAt = confirmed.shippedAt ?? (await utcNow(db))
  const carton = shop.family === 'solidus' ? await packCarton(db, shop, shipment, tracking, shippedAt) : null
  await db.query(
    `update ${shop.table(shop.units)}
        set state = 'shipped', ${carton === null ? '' : 'carton_id = $2::bigint,'} updated_at = ${NOW}
      where shipment_id = $1::bigint
        and state = 'on_hand'`,
    carton === null ? [id] : [id, carton],
  )
  await db.query(
    `update ${shop.table('spree_shipments')}
        set state = 'shipped', tracking = $2, shipped_at = $3::timestamp, updated_at = ${NOW}
      where id = $1::bigint`,
    [id, tracking, shippedAt],
  )
  await recordState(db, shop, {
    of: 'Spree::Shipment',
    id,
    name: 'shipment',
    from: shipment.state,
    to: 'shipped',
    userId: shop.family === 'solidus' ? order.userId : null,
  })
  await rollUpShipments(db, shop, order.id)
}

async function packCarton(
  db: Db,
  shop: Shop,
  { id, locationId, order }: Shipment,
  tracking: string | null,
  shippedAt: string,
): Promise<string> {
  const { rows } = await db.query<{ method: string | null }>(
    `select shipping_method_id::text as method
       from ${shop.table('spree_shipping_rates')}
      where shipment_id = $1::bigint
        and selected
      order by cost, id
      limit 1`,
    [id],
  )
  return insertRow(db, shop, 'spree_cartons', {
    number: `C${String(randomInt(10 ** 11)).padStart(11, '0')}`,
    stock_location_id: locationId,
    address_id: order.shipAddressId,
    shipping_method_id: rows[0]?.method ?? null,
    tracking,
    shipped_at: shippedAt,
  })
}

/** 6.x: now the goods leave the shelf. */
async function fulfill(db: Db, shop: Shop, shipment: Shipment, confirmed: ConfirmedShipment): Promise<void> {
  const { id, order } = shipment
  await shipStock(db, shop, shipment)
  await setTracking(db, shop, shipment, confirmed)
  await db.query(
    `update ${shop.table('spree_fulfillment_items')}
        set status = 'shipped', updated_at = ${NOW}
      where fulfillment_id = $1::bigint
        and status = 'on_hand'`,
    [id],
  )
  await db.query(
    `update ${shop.table('spree_fulfillments')}
        set status = 'fulfilled', fulfilled_at = $2::timestamp, updated_at = ${NOW}
      where id = $1::bigint`,
    [id, confirmed.shippedAt ?? (await utcNow(db))],
  )
  await rollUpShipments(db, shop, order.id)
}
