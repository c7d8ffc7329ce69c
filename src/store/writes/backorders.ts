import type { Db } from '../../postgres/pool.ts'
import { queryPrepared } from '../../postgres/prepared.ts'
import { quoteName } from '../json-sql.ts'
import { refreshShipments } from './order-shipping.ts'
import { NOW } from './rows.ts'
import type { Shop } from './shop.ts'
import { placeKey, type StockPlace } from './stock-place.ts'

type Unit = Readonly<{ id: string; order_id: string; shipment_id: string; quantity: number }>

/** Placed orders' units that wait for a variant at a location, the longest waiting order first. */
function waitingUnits(shop: Shop, variant = '$1::bigint', location = '$2::bigint'): string {
  const order = shop.columns.has(shop.units, 'order_id') ? 'u.order_id' : 's.order_id'
  return `
       from ${shop.table(shop.units)} u
       join ${shop.table(shop.shipments)} s on s.id = u.${shop.unitShipment}
       join ${shop.table('spree_orders')} o on o.id = ${order}
      where u.variant_id = ${variant}
        and u.${shop.state} = 'backordered'
        and s.stock_location_id = ${location}
        and s.${shop.state} is distinct from 'canceled'
        and o.completed_at is not null`
}

/** Orders are locked before stock, everywhere: these are the ones that `pieces` more can change. */
export async function lockWaitingOrders(
  db: Db,
  shop: Shop,
  variantId: string,
  locationId: string,
  pieces: number,
): Promise<void> {
  if (pieces <= 0) return
  await queryPrepared(
    db,
    `select id
       from ${shop.table('spree_orders')}
      where id in (select o.id ${waitingUnits(shop)} order by o.completed_at, u.id limit $3)
      order by id
        for no key update`,
    [variantId, locationId, pieces],
  )
}

/** Of these places, those whose pieces an order waits for, by `placeKey`. */
export async function findAwaited(
  db: Db,
  shop: Shop,
  places: readonly StockPlace[],
): Promise<ReadonlySet<string>> {
  const { rows } = await queryPrepared<StockPlace>(
    db,
    `select distinct place.variant_id::text as "variantId", place.location_id::text as "locationId"
       from unnest($1::bigint[], $2::bigint[]) place (variant_id, location_id)
      where exists (
              select ${waitingUnits(shop, 'place.variant_id', 'place.location_id')})`,
    [places.map(({ variantId }) => variantId), places.map(({ locationId }) => locationId)],
  )
  return new Set(rows.map(placeKey))
}

/**
 * Gives pieces that came in to the orders that wait for them, oldest first: `StockItem#process_backorders`. Of a unit of
 * more pieces than are left, the part that can be filled becomes a unit of its own.
 */
export async function fillBackorders(
  db: Db,
  shop: Shop,
  variantId: string,
  locationId: string,
  pieces: number,
): Promise<void> {
  // Where a unit has no quantity it is one piece.
  const quantity = shop.columns.has(shop.units, 'quantity') ? 'coalesce(u.quantity, 1)' : '1'
  const { rows } = await queryPrepared<Unit>(
    db,
    `select u.id::text as id, o.id::text as order_id, s.id::text as shipment_id, ${quantity} as quantity
       ${waitingUnits(shop)}
      order by o.completed_at, u.id
      limit $3
        for no key update of u`,
    [variantId, locationId, pieces],
  )
  let left = pieces
  const filled: Unit[] = []
  for (const unit of rows) {
    if (left === 0) break
    if (unit.quantity > left) await splitUnit(db, shop, unit.id, left)
    else await fillUnit(db, shop, unit.id)
    filled.push(unit)
    left -= Math.min(left, unit.quantity)
  }
  const orderIds = [...new Set(filled.map((unit) => unit.order_id))]
  for (const orderId of orderIds.sort((a, b) => Number(a) - Number(b))) {
    const shipmentIds = filled.filter((unit) => unit.order_id === orderId).map((unit) => unit.shipment_id)
    await refreshShipments(db, shop, orderId, shipmentIds)
  }
}

async function fillUnit(db: Db, shop: Shop, id: string): Promise<void> {
  await queryPrepared(
    db,
    `update ${shop.table(shop.units)} set ${shop.state} = 'on_hand', updated_at = ${NOW} where id = $1::bigint`,
    [id],
  )
}

async function splitUnit(db: Db, shop: Shop, id: string, pieces: number): Promise<void> {
  const own = new Set(['id', 'quantity', shop.state, 'created_at', 'updated_at'])
  const copied = shop.columns
    .of(shop.units)
    .filter((name) => !own.has(name))
    .map(quoteName)
  await queryPrepared(
    db,
    `with kept as (
       update ${shop.table(shop.units)} set quantity = quantity - $2::integer, updated_at = ${NOW} where id = $1::bigint
     )
     insert into ${shop.table(shop.units)} (${copied.join(', ')}, quantity, ${shop.state}, created_at, updated_at)
     select ${copied.join(', ')}, $2::integer, 'on_hand', ${NOW}, ${NOW}
       from ${shop.table(shop.units)}
      where id = $1::bigint`,
    [id, pieces],
  )
}
