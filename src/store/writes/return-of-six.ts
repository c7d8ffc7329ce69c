import type { Db } from '../../postgres/pool.ts'
import type { PlacedOrder } from './find-order.ts'
import { NotApplicable } from './not-applicable.ts'
import { rollUpShipments } from './order-shipping.ts'
import { piecesBySku } from './pieces-by-sku.ts'
import { restock } from './restock.ts'
import { tooFew } from './returnable-units.ts'
import type { ReceivedReturn, ReturnedGoods } from './returned-goods.ts'
import { insertRow, NOW } from './rows.ts'
import type { Shop } from './shop.ts'
import type { StockLocation } from './stock-place.ts'

/** A line of a return of 6.x; of one that is to be made, without ids. */
export type ReturnLine = Readonly<{
  id: string | null
  returnId: string | null
  number: string | null
  status: string
  itemId: string
  lineId: string
  sku: string
  variantId: string
  productId: string
  tracked: boolean
  quantity: number
  received: number
  resellable: boolean
  /** Whether the line of the order is taxed. */
  taxed: boolean
}>

const OPEN: ReadonlySet<string> = new Set(['requested', 'approved'])

/** The lines of all returns of an order, locked with their returns, and what has left and is in none of them. */
export async function lockReturnLines(
  db: Db,
  shop: Shop,
  orderId: string,
  { items }: ReturnedGoods,
): Promise<ReturnLine[]> {
  await db.query(
    `select id from ${shop.table('spree_returns')} where order_id = $1::bigint order by id for no key update`,
    [orderId],
  )
  const live = `
              select l.*, r.number, r.status
                from ${shop.table('spree_return_line_items')} l
                join ${shop.table('spree_returns')} r on r.id = l.return_id
               where r.order_id = $1::bigint
                 and r.status <> 'canceled'`
  const { rows } = await db.query<ReturnLine>(
    `with returned as (${live}
     ), lines as (
       select id, return_id, number, status, fulfillment_item_id, quantity, received_quantity, resellable
         from returned
        union all
       select null, null, null, 'new', i.id,
              coalesce(i.quantity, 1) - coalesce((select sum(quantity) from returned where fulfillment_item_id = i.id), 0),
              0, true
         from ${shop.table('spree_fulfillments')} f
         join ${shop.table('spree_fulfillment_items')} i on i.fulfillment_id = f.id
        where f.order_id = $1::bigint
          and i.status = 'shipped'
     )
     select lines.id::text, return_id::text as "returnId", lines.number, lines.status, i.id::text as "itemId",
            o.id::text as "lineId", v.sku, v.id::text as "variantId", v.product_id::text as "productId",
            coalesce(v.track_inventory, true) as tracked, lines.quantity::integer as quantity,
            received_quantity as received, resellable,
            o.included_tax_total <> 0 or o.additional_tax_total <> 0 as taxed
       from lines
       join ${shop.table('spree_fulfillment_items')} i on i.id = lines.fulfillment_item_id
       join ${shop.table('spree_line_items')} o on o.id = i.line_item_id
       join ${shop.table('spree_variants')} v on v.id = i.variant_id
      where v.sku = any($2::text[])
         or return_id is not null
      order by return_id desc nulls last, lines.id, i.id`,
    [orderId, items.map(({ sku }) => sku)],
  )
  return rows.filter(({ quantity }) => quantity > 0)
}

export function isOpen({ status }: ReturnLine): boolean {
  return OPEN.has(status)
}

/**
 * The lines that come back: those of the return that the RMA names, else of one that just these goods make up, the newest
 * first; else of a new one. @throws NotApplicable where there are too few, or an announced return would be received in part.
 */
export function chooseLines(lines: readonly ReturnLine[], { rma, items }: ReturnedGoods): ReturnLine[] {
  const wanted = piecesBySku(items)
  const announced = [...new Set(lines.filter(isOpen).map(({ returnId }) => returnId))].map((id) =>
    lines.filter(({ returnId }) => returnId === id),
  )
  const named = announced.find(([first]) => rma !== null && first?.number === rma)
  const whole = (named ? [named] : announced).find((own) => {
    const pieces = piecesBySku(own)
    return [...new Set([...pieces.keys(), ...wanted.keys()])].every(
      (sku) => pieces.get(sku) === wanted.get(sku),
    )
  })
  if (whole)
    return whole.map((line) => ({ ...line, resellable: line.resellable && isResellable(line, items) }))
  if (named)
    throw new NotApplicable(
      'other_pieces',
      `Return ${rma} announces other pieces than these: change it in the shop, or correct the message, then retry.`,
    )
  return chooseNew(lines, items)
}

function isResellable({ sku }: ReturnLine, items: ReturnedGoods['items']): boolean {
  return items.every((item) => item.sku !== sku || item.resellable)
}

function chooseNew(lines: readonly ReturnLine[], items: ReturnedGoods['items']): ReturnLine[] {
  const left = new Map(lines.filter(({ status }) => status === 'new').map((line) => [line, line.quantity]))
  return items.flatMap(({ sku, quantity, resellable }) => {
    let wanted = quantity
    const chosen: ReturnLine[] = []
    for (const [line, pieces] of left) {
      const taken = Math.min(pieces, wanted)
      if (taken === 0 || line.sku !== sku) continue
      chosen.push({ ...line, quantity: taken, resellable })
      left.set(line, pieces - taken)
      wanted -= taken
    }
    if (wanted > 0 || quantity === 0) throw tooFew()
    return chosen
  })
}

/** Receives them, as `Returns::Receive` does after `Returns::Create` and `Returns::Approve`: to refund them is left to the shop. */
export async function receiveReturn(
  db: Db,
  shop: Shop,
  order: PlacedOrder,
  location: StockLocation,
  lines: readonly ReturnLine[],
): Promise<ReceivedReturn> {
  await refuseWithoutReturns(db, shop, location)
  const [first] = lines
  const own =
    first?.returnId != null
      ? { id: first.returnId, number: first.number ?? '' }
      : await addReturn(db, shop, order, location, lines)
  if (first?.returnId != null)
    await db.query(
      `update ${shop.table('spree_return_line_items')} l
          set received_quantity = l.quantity, resellable = own.resellable, updated_at = ${NOW}
         from unnest($1::bigint[], $2::boolean[]) own (id, resellable)
        where l.id = own.id`,
      [lines.map(({ id }) => id), lines.map(({ resellable }) => resellable)],
    )
  for (const line of lines.toSorted((one, other) => Number(one.variantId) - Number(other.variantId))) {
    if (!line.resellable) continue
    const variant = { id: line.variantId, productId: line.productId, tracked: line.tracked }
    const origin = { order_id: order.id, return_id: own.id }
    await restock(db, shop, { variant, location, quantity: line.quantity, origin })
  }
  await db.query(
    `update ${shop.table('spree_returns')}
        set status = 'received', approved_at = coalesce(approved_at, ${NOW}), received_at = ${NOW},
            stock_location_id = $2::bigint, updated_at = ${NOW}
      where id = $1::bigint`,
    [own.id, location.id],
  )
  await rollUpShipments(db, shop, order.id)
  return { ...own, open: 'reimburse', reimbursement: null }
}

async function refuseWithoutReturns(db: Db, shop: Shop, { id }: StockLocation): Promise<void> {
  const { rows } = await db.query<{ name: string }>(
    `select name from ${shop.table('spree_stock_locations')} where id = $1::bigint and not returns_enabled`,
    [id],
  )
  if (rows[0])
    throw new NotApplicable(
      'no_returns_there',
      `Stock location ${rows[0].name} takes no returns: let it, or correct the message, then retry.`,
    )
}

/** @throws NotApplicable for what is taxed: how its tax is credited is the business of the shop's tax provider. */
async function addReturn(
  db: Db,
  shop: Shop,
  order: PlacedOrder,
  location: StockLocation,
  lines: readonly ReturnLine[],
): Promise<Readonly<{ id: string; number: string }>> {
  if (lines.some(({ taxed }) => taxed))
    throw new NotApplicable(
      'taxed_return',
      `What comes back of order ${order.number} is taxed: announce the return in the shop, which credits the tax, then retry.`,
    )
  const number = await nextNumber(db, shop, order.storeId)
  const id = await insertRow(db, shop, 'spree_returns', {
    number,
    store_id: order.storeId,
    order_id: order.id,
    stock_location_id: location.id,
    status: 'requested',
  })
  for (const line of lines)
    await db.query(
      `insert into ${shop.table('spree_return_line_items')}
              (return_id, fulfillment_item_id, line_item_id, variant_id, quantity, received_quantity, pre_tax_amount,
               resellable, created_at, updated_at)
       select $1::bigint, $2::bigint, id, variant_id, $4::integer, $4::integer,
              round(pre_tax_amount * $4::integer / quantity, 4), $5::boolean, ${NOW}, ${NOW}
         from ${shop.table('spree_line_items')}
        where id = $3::bigint`,
      [id, line.itemId, line.lineId, line.quantity, line.resellable],
    )
  return { id, number }
}

/** The first return of a store is RET1001. */
async function nextNumber(db: Db, shop: Shop, storeId: string | null): Promise<string> {
  const { rows } = await db.query<{ value: string }>(
    `update ${shop.table('spree_number_sequences')}
        set value = coalesce(value, 0) + 1
      where store_id = $1::bigint
        and resource_type = 'return'
      returning value::text`,
    [storeId],
  )
  if (rows[0]) return `RET${rows[0].value}`
  await insertRow(db, shop, 'spree_number_sequences', {
    store_id: storeId,
    resource_type: 'return',
    value: '1001',
  })
  return 'RET1001'
}
