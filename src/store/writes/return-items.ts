import type { Db } from '../../postgres/pool.ts'
import type { Chosen, ReturnUnit } from './returnable-units.ts'
import { insertRow, NOW, updateRow } from './rows.ts'
import type { Shop } from './shop.ts'
import { splitUnit } from './split-unit.ts'

export type ReceivedItem = Readonly<{ id: string; isAccepted: boolean; isOpen: boolean }>

/** The days of `Spree::Config.return_eligibility_number_of_days`, as the shop has them of itself. */
const RETURN_DAYS = 365

/** `acceptance_status_errors`, as the shop's own validators write them (`ReturnItem::EligibilityValidator`). */
const NO_ERRORS = '--- {}\n'
const TOO_LATE = '---\n:number_of_days: Return item is outside the eligible time period\n'
const NO_RMA = '---\n:rma_required: Return item requires an RMA\n'

/**
 * Receives the pieces of a unit with a customer return: the return item (a new one where nobody has authorized it) received
 * and accepted, the unit returned. What has no RMA waits for the shop's decision, and so does what comes after the days of
 * the return, which the shop would reject: how many those are is its own setting.
 */
export async function receiveItem(
  db: Db,
  shop: Shop,
  orderId: string,
  customerReturnId: string,
  chosen: Chosen,
): Promise<ReceivedItem> {
  const { unit, quantity, isRest, resellable } = chosen
  const unitId = isRest ? unit.id : await splitUnit(db, shop, unit.id, quantity, 'returned')
  const decision = await decide(db, shop, orderId, unit)
  const received = {
    customer_return_id: customerReturnId,
    reception_status: 'received',
    acceptance_status: decision.status,
    ...(decision.errors === null ? {} : { acceptance_status_errors: decision.errors }),
    resellable,
  }
  const id = unit.itemId ?? (await insertItem(db, shop, orderId, unitId, chosen, received))
  if (unit.itemId !== null) await updateRow(db, shop, 'spree_return_items', id, received)
  if (isRest)
    await db.query(
      `update ${shop.table('spree_inventory_units')} set state = 'returned', updated_at = ${NOW} where id = $1::bigint`,
      [unitId],
    )
  const isAccepted = decision.status === 'accepted'
  return { id, isAccepted, isOpen: !isAccepted && decision.status !== 'rejected' }
}

async function decide(
  db: Db,
  shop: Shop,
  orderId: string,
  { acceptance, rmaId }: ReturnUnit,
): Promise<Readonly<{ status: string; errors: string | null }>> {
  if (acceptance !== null && acceptance !== 'pending') return { status: acceptance, errors: null }
  const { rows } = await db.query<{ late: boolean }>(
    `select completed_at + make_interval(days => $2::integer) <= ${NOW} as late
       from ${shop.table('spree_orders')}
      where id = $1::bigint`,
    [orderId, RETURN_DAYS],
  )
  if (rows[0]?.late) return { status: 'manual_intervention_required', errors: TOO_LATE }
  if (rmaId === null) return { status: 'manual_intervention_required', errors: NO_RMA }
  return { status: 'accepted', errors: NO_ERRORS }
}

/** What is paid back for it is the piece's share of its line and of the order's own adjustments, without tax (`DefaultRefundAmount`). */
async function insertItem(
  db: Db,
  shop: Shop,
  orderId: string,
  unitId: string,
  { unit, quantity }: Chosen,
  received: Readonly<Record<string, unknown>>,
): Promise<string> {
  // Not of tax; Solidus has dropped the ineligible.
  const eligible = shop.columns.has('spree_adjustments', 'eligible') ? 'and a.eligible' : ''
  const adjusted = (type: 'LineItem' | 'Order', id: string) => `coalesce(
                (select sum(a.amount)
                   from ${shop.table('spree_adjustments')} a
                  where a.adjustable_type = 'Spree::${type}'
                    and a.adjustable_id = ${id}
                    and a.source_type is distinct from 'Spree::TaxRate'
                    ${eligible}), 0)`
  const net =
    shop.family === 'solidus' ? `l.price * l.quantity + ${adjusted('LineItem', 'l.id')}` : 'l.pre_tax_amount'
  const { rows } = await db.query<{ amount: string }>(
    `with lines as (
       select l.id, l.quantity, ${net} as net from ${shop.table('spree_line_items')} l where l.order_id = $1::bigint
     ), share as (
       select own.net * $3::integer / own.quantity as amount, (select sum(net) from lines) as total
         from lines own
        where own.id = $2::bigint
     )
     select round(share.amount
              + coalesce(${adjusted('Order', '$1::bigint')} * share.amount / nullif(share.total, 0), 0), 4)::text as amount
       from share`,
    [orderId, unit.lineId, quantity],
  )
  const amount = rows[0]?.amount ?? '0'
  return insertRow(db, shop, 'spree_return_items', {
    inventory_unit_id: unitId,
    [shop.family === 'solidus' ? 'amount' : 'pre_tax_amount']: amount,
    ...received,
  })
}
