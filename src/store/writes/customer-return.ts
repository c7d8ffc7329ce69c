import { randomInt } from 'node:crypto'

import type { Db } from '../../postgres/pool.ts'
import type { PlacedOrder } from './find-order.ts'
import { restock } from './restock.ts'
import { type ReceivedItem, receiveItem } from './return-items.ts'
import type { Chosen } from './returnable-units.ts'
import type { ReceivedReturn } from './returned-goods.ts'
import { insertRow, NOW } from './rows.ts'
import type { Shop } from './shop.ts'
import { recordState } from './state-changes.ts'
import type { StockLocation } from './stock-place.ts'

/**
 * Receives units of an order with a customer return, as `CustomerReturn#process_return!` does: items, units, stock, and the
 * order returned where nothing of it is left outside. What is accepted waits in a reimbursement: to pay it back is an act of
 * the shop, at a gateway.
 */
export async function receiveCustomerReturn(
  db: Db,
  shop: Shop,
  order: PlacedOrder,
  location: StockLocation,
  chosen: readonly Chosen[],
): Promise<ReceivedReturn> {
  const number = newNumber('CR')
  const id = await insertRow(db, shop, 'spree_customer_returns', {
    number,
    stock_location_id: location.id,
    store_id: order.storeId,
  })
  const items: ReceivedItem[] = []
  for (const one of chosen) items.push(await receiveItem(db, shop, order.id, id, one))
  const takesBack = await restocks(db, shop, location)
  // Stock in the order of variants, as everywhere.
  for (const { unit, quantity, resellable } of chosen.toSorted(byVariant)) {
    if (!resellable || !takesBack) continue
    const variant = { id: unit.variantId, productId: unit.productId, tracked: unit.tracked }
    const origin = originOf(shop, id, unit.rmaId)
    await restock(db, shop, { variant, location, quantity, origin })
  }
  await touchOrder(db, shop, order.id, [...new Set(chosen.map(({ unit }) => unit.shipmentId))])
  await markReturned(db, shop, order)
  const accepted = items.filter(({ isAccepted }) => isAccepted).map((item) => item.id)
  if (items.some(({ isOpen }) => isOpen)) return { id, number, open: 'decide', reimbursement: null }
  if (accepted.length === 0) return { id, number, open: null, reimbursement: null }
  if (await wasRefunded(db, shop, order.id)) return { id, number, open: 'decide', reimbursement: null }
  const reimbursement = await addReimbursement(db, shop, order.id, id, accepted)
  return { id, number, open: 'reimburse', reimbursement }
}

function byVariant(one: Chosen, other: Chosen): number {
  return Number(one.unit.variantId) - Number(other.unit.variantId)
}

function newNumber(prefix: string): string {
  return `${prefix}${String(randomInt(10 ** 9)).padStart(9, '0')}`
}

/** Solidus has locations from which what comes back is not sold again. */
async function restocks(db: Db, shop: Shop, { id }: StockLocation): Promise<boolean> {
  if (!shop.columns.has('spree_stock_locations', 'restock_inventory')) return true
  const { rows } = await db.query<{ takes: boolean }>(
    `select restock_inventory as takes from ${shop.table('spree_stock_locations')} where id = $1::bigint`,
    [id],
  )
  return rows[0]?.takes ?? true
}

function originOf(shop: Shop, customerReturnId: string, rmaId: string | null) {
  if (shop.family === 'solidus')
    return { originator_type: 'Spree::CustomerReturn', originator_id: customerReturnId }
  return { originator_type: rmaId && 'Spree::ReturnAuthorization', originator_id: rmaId }
}

async function touchOrder(
  db: Db,
  shop: Shop,
  orderId: string,
  shipmentIds: readonly string[],
): Promise<void> {
  await db.query(
    `update ${shop.table('spree_shipments')} set updated_at = ${NOW} where id = any($1::bigint[])`,
    [shipmentIds],
  )
  await db.query(`update ${shop.table('spree_orders')} set updated_at = ${NOW} where id = $1::bigint`, [
    orderId,
  ])
}

/** `Order#return!`, once all units are back; in Solidus those that were canceled for themselves do not count. */
async function markReturned(db: Db, shop: Shop, order: PlacedOrder): Promise<void> {
  const back = shop.family === 'solidus' ? ['returned', 'canceled'] : ['returned']
  const { rowCount } = await db.query(
    `update ${shop.table('spree_orders')}
        set state = 'returned', updated_at = ${NOW}
      where id = $1::bigint
        and state in ('complete', 'resumed', 'awaiting_return')
        and not exists (
              select
                from ${shop.table('spree_inventory_units')} u
                join ${shop.table('spree_shipments')} s on s.id = u.shipment_id
               where s.order_id = $1::bigint
                 and u.state <> all($2::text[]))`,
    [order.id, back],
  )
  if (rowCount === 0) return
  await recordState(db, shop, {
    of: 'Spree::Order',
    id: order.id,
    name: 'order',
    from: order.state,
    to: 'returned',
    userId: order.userId,
  })
}

/** The shop reimburses no order to which it has paid back something by hand: a person looks at it first. */
async function wasRefunded(db: Db, shop: Shop, orderId: string): Promise<boolean> {
  const { rows } = await db.query(
    `select
       from ${shop.table('spree_payments')} p
       left join ${shop.table('spree_refunds')} r on r.payment_id = p.id and r.reimbursement_id is null
      where p.order_id = $1::bigint
        and (r.id is not null or p.amount < 0 and p.state = 'completed')
      limit 1`,
    [orderId],
  )
  return rows.length > 0
}

/** As `Reimbursement.build_from_customer_return`, before it is performed: its total comes with the performance. */
async function addReimbursement(
  db: Db,
  shop: Shop,
  orderId: string,
  customerReturnId: string,
  itemIds: readonly string[],
): Promise<string> {
  const number = newNumber('RI')
  const id = await insertRow(db, shop, 'spree_reimbursements', {
    number,
    reimbursement_status: 'pending',
    customer_return_id: customerReturnId,
    order_id: orderId,
  })
  await db.query(
    `update ${shop.table('spree_return_items')}
        set reimbursement_id = $1::bigint, updated_at = ${NOW}
      where id = any($2::bigint[])`,
    [id, itemIds],
  )
  return number
}
