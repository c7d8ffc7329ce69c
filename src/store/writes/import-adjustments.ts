import { type Amount, amountText } from '../../messages/amount.ts'
import type { Db } from '../../postgres/pool.ts'
import type { Columns } from '../columns.ts'
import { lineAmount } from './import-totals.ts'
import type { ImportedAdjustment, ImportedOrder } from './imported-order.ts'
import { insertRows, type Row } from './insert-rows.ts'

export type AdjustmentIds = Readonly<{
  orderId: string
  /** In the order of the lines; of the shipments; of their methods. */
  lineIds: readonly string[]
  shipmentIds: readonly string[]
  methodIds: readonly string[]
  at: string
}>
type Shared = Readonly<ImportedAdjustment & { shares: readonly Amount[] }>

/**
 * From 2.2 to 5.x, and Solidus: closed, so that Spree recalculates none of them. Taxes lie on the lines and shipments, where
 * it counts them again; all else lies on the order, of no source, as the importers of both write it.
 */
export async function insertAdjustments(
  db: Db,
  columns: Columns,
  order: ImportedOrder,
  { orderId, lineIds, shipmentIds, at }: AdjustmentIds,
): Promise<void> {
  const row = (label: string, amount: Amount, of: Row): Row => ({
    order_id: orderId,
    label,
    amount: amountText(amount),
    source_type: null,
    source_id: null,
    included: false,
    eligible: true,
    state: 'closed',
    finalized: true,
    ...of,
  })
  const taxes = order.taxes.flatMap((tax) => {
    const on = (type: string, ids: readonly string[], shares: readonly Amount[]) =>
      sharesOf(shares).map(({ place, amount }) =>
        row(tax.label, amount, {
          source_type: 'Spree::TaxRate',
          source_id: tax.rateId,
          adjustable_type: type,
          adjustable_id: ids[place] ?? null,
          included: tax.included,
        }),
      )
    return [
      ...on('Spree::LineItem', lineIds, tax.shares),
      ...on('Spree::Shipment', shipmentIds, tax.shipmentShares),
    ]
  })
  const others = [...order.discounts, ...order.fees].map(({ label, amount }) =>
    row(label, amount, { adjustable_type: 'Spree::Order', adjustable_id: orderId }),
  )
  await insertRows(db, columns, 'spree_adjustments', at, [...taxes, ...others])
}

/** 6.0: taxes and discounts lie on the lines, fees on the order. */
export async function insertAdjustmentLines(
  db: Db,
  columns: Columns,
  order: ImportedOrder,
  { orderId, lineIds, at }: AdjustmentIds,
): Promise<void> {
  const onLines = (shared: Shared, more: (line: number, amount: Amount) => Row) =>
    sharesOf(shared.shares).map(({ place, amount }) => ({
      order_id: orderId,
      line_item_id: lineIds[place] ?? null,
      label: shared.label,
      amount: amountText(amount),
      ...more(place, amount),
    }))
  const taxLines = order.taxes.flatMap((tax) =>
    onLines(tax, (line, amount) => ({
      rate: rateOf(order, line, amount, tax.included),
      included: tax.included,
      country_code: order.shippingAddress.country,
    })),
  )
  const discounts = order.discounts.flatMap((discount) => onLines(discount, () => ({ kind: 'promotion' })))
  const fees = order.fees.map(({ label, amount }) => ({
    order_id: orderId,
    label,
    amount: amountText(amount),
    kind: 'custom',
  }))
  await insertRows(db, columns, 'spree_tax_lines', at, taxLines)
  await insertRows(db, columns, 'spree_discounts', at, discounts)
  await insertRows(db, columns, 'spree_fees', at, fees)
}

/** The shares that are not nothing, each with its place. */
export function sharesOf(shares: readonly Amount[]): { place: number; amount: Amount }[] {
  return shares.map((amount, place) => ({ place, amount })).filter(({ amount }) => amount !== 0n)
}

/** The rate that the tax comes to, to five decimals: the order does not say by which it was made. */
function rateOf(order: ImportedOrder, line: number, tax: Amount, included: boolean): string {
  const item = order.lines[line]
  const net = item ? lineAmount(item) - (included ? tax : 0n) : 0n
  return net <= 0n ? '0' : (Number(tax) / Number(net)).toFixed(5)
}
