import { type Amount, amountText } from '../../messages/amount.ts'
import type { Db } from '../../postgres/pool.ts'
import type { Columns } from '../columns.ts'
import { type AdjustmentIds, sharesOf } from './import-adjustments.ts'
import type { ImportedOrder } from './imported-order.ts'
import { insertRows, type Row } from './insert-rows.ts'

/**
 * Before 2.2: what is charged besides the goods hangs on the order, shipping with its method as the originator; only a tax
 * that is in the prices hangs on the lines. Closed, so that Spree recalculates none of them.
 */
export async function insertCharges(
  db: Db,
  columns: Columns,
  order: ImportedOrder,
  { orderId, lineIds, shipmentIds, methodIds, at }: AdjustmentIds,
): Promise<void> {
  const row = (label: string, amount: Amount, of: Row = {}): Row => ({
    order_id: orderId,
    label,
    amount: amountText(amount),
    source_type: null,
    source_id: null,
    adjustable_type: 'Spree::Order',
    adjustable_id: orderId,
    originator_type: null,
    originator_id: null,
    mandatory: null,
    eligible: true,
    included: false,
    state: 'closed',
    ...of,
  })
  const shipping = order.shipments.map(({ cost }, index) =>
    row('Shipping', cost, {
      source_type: 'Spree::Shipment',
      source_id: shipmentIds[index] ?? null,
      originator_type: 'Spree::ShippingMethod',
      originator_id: methodIds[index] ?? null,
      mandatory: true,
    }),
  )
  const taxes = order.taxes.flatMap(({ label, amount, included, shares }) => {
    const tax = { originator_type: 'Spree::TaxRate', mandatory: true }
    if (!included) return [row(label, amount, { ...tax, source_type: 'Spree::Order', source_id: orderId })]
    return sharesOf(shares).map(({ place, amount: share }) => {
      const line = lineIds[place] ?? null
      return row(label, share, {
        ...tax,
        source_type: 'Spree::LineItem',
        source_id: line,
        adjustable_type: 'Spree::LineItem',
        adjustable_id: line,
        included: true,
      })
    })
  })
  const others = [...order.discounts, ...order.fees].map(({ label, amount }) => row(label, amount))
  await insertRows(db, columns, 'spree_adjustments', at, [...shipping, ...taxes, ...others])
}
