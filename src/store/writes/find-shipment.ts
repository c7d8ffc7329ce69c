import type { Db } from '../../postgres/pool.ts'
import { lockOrder, type PlacedOrder } from './find-order.ts'
import { NotApplicable } from './not-applicable.ts'
import type { Shop } from './shop.ts'

export type Shipment = Readonly<{
  id: string
  number: string
  /** In the family's own word; see `hasLeft`. */
  state: string | null
  tracking: string | null
  locationId: string | null
  order: PlacedOrder
}>

type Found = Readonly<{ id: string; order_id: string; order_number: string; placed: boolean }>

/** As `findShipment`, and locks the order, then the shipment. */
export async function lockShipment(
  db: Db,
  shop: Shop,
  number: string,
  orderNumber: string | null,
): Promise<Shipment> {
  return lockFound(db, shop, number, await findShipment(db, shop, number, orderNumber))
}

export async function lockFound(
  db: Db,
  shop: Shop,
  number: string,
  { id, order_id }: Found,
): Promise<Shipment> {
  const order = await lockOrder(db, shop, order_id)
  return { ...(await lockRow(db, shop, id)), id, number, order }
}

/**
 * Finds a shipment of a placed order by its number. Of several with one number (no index forbids it before 3.3, nor in
 * Solidus) the order's number tells which is meant.
 * @throws NotApplicable where there is none, or it is not clear which.
 */
export async function findShipment(
  db: Db,
  shop: Shop,
  number: string,
  orderNumber: string | null,
): Promise<Found> {
  const found = (await findShipments(db, shop, number)).filter(({ placed }) => placed)
  const [shipment, ...others] = found.filter(
    (one) => orderNumber === null || one.order_number === orderNumber,
  )
  if (shipment && others.length === 0) return shipment
  const orders = found.map((one) => one.order_number).join(', ')
  if (shipment)
    throw new NotApplicable(
      'ambiguous_shipment',
      `There are several shipments ${number}, of the orders ${orders}: let the message say which by its order_number.`,
    )
  if (found.length > 0)
    throw new NotApplicable(
      'other_order',
      `Shipment ${number} is of order ${orders}, not of ${orderNumber}: correct the message or ship it in the shop.`,
    )
  throw new NotApplicable(
    'unknown_shipment',
    `This store has no shipment ${number} of a placed order: correct the number, then retry.`,
  )
}

/** All of that number; since 6.0 also those that are but shown by it. */
export async function findShipments(db: Db, shop: Shop, number: string): Promise<Found[]> {
  const shipments = shop.table(shop.shipments)
  const orders = shop.table('spree_orders')
  if (shop.family !== 'spree-6.0') {
    const { rows } = await db.query<Found>(
      `select s.id::text, o.id::text as order_id, o.number as order_number, o.completed_at is not null as placed
         from ${shipments} s
         join ${orders} o on o.id = s.order_id
        where s.number = $1
        order by s.id`,
      [number],
    )
    return rows
  }
  // Since 6.0 a number is made of the order's and the place among its parcels.
  const { rows } = await db.query<Found>(
    `select f.id::text, f.order_id::text, f.order_number, f.placed
       from (select s.id, o.id as order_id, o.number as order_number, o.completed_at is not null as placed,
                    coalesce(nullif(s.number, ''), o.number || '-F' || row_number() over (partition by o.id order by s.id)) as number
               from ${shipments} s
               join ${orders} o on o.id = s.order_id
              where o.id in (select order_id from ${shipments} where number = $1
                             union all
                             select id from ${orders} where number = $2)) f
      where f.number = $1
      order by f.id`,
    [number, number.replace(/-F\d+$/, '')],
  )
  return rows
}

async function lockRow(
  db: Db,
  shop: Shop,
  id: string,
): Promise<Pick<Shipment, 'state' | 'tracking' | 'locationId'>> {
  const tracking =
    shop.family === 'spree-6.0'
      ? `coalesce(
              (select d.tracking_number
                 from ${shop.table('spree_deliveries')} d
                where d.owner_type = 'Spree::Fulfillment'
                  and d.owner_id = s.id
                order by d.id
                limit 1), s.tracking)`
      : 's.tracking'
  const { rows } = await db.query<Pick<Shipment, 'state' | 'tracking' | 'locationId'>>(
    `select s.${shop.state} as state, ${tracking} as tracking, s.stock_location_id::text as "locationId"
       from ${shop.table(shop.shipments)} s
      where s.id = $1::bigint
        for no key update`,
    [id],
  )
  if (rows[0]) return rows[0]
  throw new Error(`Shipment ${id} went while it was being locked.`)
}
