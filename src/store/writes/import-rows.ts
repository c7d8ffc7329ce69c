import { amountText } from '../../messages/amount.ts'
import type { Db } from '../../postgres/pool.ts'
import { queryPrepared } from '../../postgres/prepared.ts'
import type { Columns } from '../columns.ts'
import { quoteName } from '../json-sql.ts'
import { sharesOf } from './import-adjustments.ts'
import type { Variant } from './import-references.ts'
import type { PlacedShipment } from './import-stock.ts'
import { type DiscountsOn, lineTotals, shipmentTotals } from './import-totals.ts'
import type { ImportWords } from './import-words.ts'
import type { ImportedOrder, ImportedParcels } from './imported-order.ts'
import { insertRows, type Row } from './insert-rows.ts'
import { NotApplicable } from './not-applicable.ts'

// What hangs on an order. A row names the columns of all families: `insertRows` takes those that the store has.

type Ids = Readonly<{ orderId: string; at: string }>

/** `variants` are in the order of the lines. @returns the lines' ids, in their order. */
export function insertLines(
  db: Db,
  columns: Columns,
  order: ImportedOrder,
  variants: readonly Variant[],
  discountsOn: DiscountsOn,
  { orderId, at }: Ids,
): Promise<string[]> {
  const totals = lineTotals(order, discountsOn)
  const rows = order.lines.map(({ quantity, price }, index): Row => {
    const { includedTax, additionalTax, discount, preTax } = totals[index] ?? NOTHING
    return {
      order_id: orderId,
      variant_id: variants[index]?.id ?? null,
      quantity,
      price: amountText(price),
      currency: order.currency,
      cost_price: variants[index]?.costPrice ?? null,
      tax_category_id: variants[index]?.taxCategoryId ?? null,
      adjustment_total: amountText(discount + additionalTax),
      additional_tax_total: amountText(additionalTax),
      included_tax_total: amountText(includedTax),
      promo_total: '0',
      discount_total: amountText(discount),
      taxable_adjustment_total: amountText(discount),
      pre_tax_amount: amountText(preTax),
    }
  })
  return insertRows(db, columns, 'spree_line_items', at, rows)
}

const NOTHING = { includedTax: 0n, additionalTax: 0n, discount: 0n, preTax: 0n }

/**
 * Shipments with their selected rate and their pieces; `methodIds` are in their order. @returns the shipments' ids.
 * @throws NotApplicable for a number that another shipment has.
 */
export async function insertShipments(
  db: Db,
  columns: Columns,
  words: ImportWords,
  order: ImportedParcels,
  shipments: readonly PlacedShipment[],
  ids: Ids &
    Readonly<{
      addressId: string
      methodIds: readonly string[]
      lineIds: readonly string[]
      variants: readonly Variant[]
      states: readonly string[]
    }>,
): Promise<string[]> {
  const { orderId, at } = ids
  const numbers = shipments.map(({ number }) => number ?? words.shipmentNumber())
  await refuseTaken(db, columns, words, order, numbers)
  const totals = shipmentTotals(order)
  const rows = shipments.map((shipment, index): Row => {
    const { includedTax, additionalTax } = totals[index] ?? UNTAXED
    return {
      order_id: orderId,
      number: numbers[index] ?? null,
      state: ids.states[index] ?? null,
      status: ids.states[index] ?? null,
      cost: words.shipmentsCost ? amountText(shipment.cost) : null,
      adjustment_total: amountText(additionalTax),
      additional_tax_total: amountText(additionalTax),
      included_tax_total: amountText(includedTax),
      pre_tax_amount: amountText(shipment.cost - includedTax),
      tracking: shipment.tracking,
      address_id: ids.addressId,
      stock_location_id: shipment.locationId,
    }
  })
  const shipmentIds = await insertRows(db, columns, words.shipments, at, rows)
  const rateIds = await insertRows(
    db,
    columns,
    words.rates,
    at,
    shipments.map(({ cost }, index) => ({
      [words.shipmentId]: shipmentIds[index] ?? null,
      [words.methodId]: ids.methodIds[index] ?? null,
      selected: true,
      cost: amountText(cost),
    })),
  )
  if (columns.has('spree_shipping_rate_taxes')) {
    const taxes = order.taxes.flatMap(({ rateId, shipmentShares }) =>
      sharesOf(shipmentShares).map(({ place, amount }) => ({
        amount: amountText(amount),
        tax_rate_id: rateId,
        shipping_rate_id: rateIds[place] ?? null,
      })),
    )
    await insertRows(db, columns, 'spree_shipping_rate_taxes', at, taxes)
  }
  const units = shipments.flatMap((shipment, index) =>
    shipment.units.flatMap(({ line, quantity, state }): Row[] => {
      const unit = {
        order_id: orderId,
        [words.shipmentId]: shipmentIds[index] ?? null,
        line_item_id: ids.lineIds[line] ?? null,
        variant_id: ids.variants[line]?.id ?? null,
        quantity,
        state,
        status: state,
        pending: false,
      }
      return words.unitsArePieces ? Array.from({ length: quantity }, () => unit) : [unit]
    }),
  )
  await insertRows(db, columns, words.units, at, units)
  return shipmentIds
}

const UNTAXED = { includedTax: 0n, additionalTax: 0n }

async function refuseTaken(
  db: Db,
  columns: Columns,
  words: ImportWords,
  order: ImportedParcels,
  numbers: readonly (string | null)[],
): Promise<void> {
  const given = numbers.filter((number) => number !== null)
  const { rows } = await queryPrepared<{ number: string }>(
    db,
    `select number from ${quoteName(columns.schema)}.${words.shipments} where number = any($1::text[])`,
    [given],
  )
  const taken = [...rows.map(({ number }) => number), ...given.filter((one, at) => given.indexOf(one) < at)]
  if (taken.length > 0) {
    throw new NotApplicable(
      'shipment_exists',
      `Order ${order.number} cannot be imported: there is a shipment ${taken.join(', ')} already.`,
    )
  }
}

/** `methodIds` by the names in the order. */
export async function insertPayments(
  db: Db,
  columns: Columns,
  words: ImportWords,
  order: ImportedOrder,
  methodIds: ReadonlyMap<string, string>,
  { orderId, at }: Ids,
): Promise<void> {
  const rows = order.payments.map(({ amount, method, state }): Row => {
    const number = words.paymentNumber()
    return {
      order_id: orderId,
      number,
      identifier: number,
      amount: amountText(amount),
      payment_method_id: methodIds.get(method) ?? null,
      state,
      status: state,
    }
  })
  await insertRows(db, columns, 'spree_payments', at, rows)
}

/** What Spree's own states would have left behind, without the steps of a checkout that nobody went through. */
export async function insertStateChanges(
  db: Db,
  columns: Columns,
  states: Readonly<{ order: string; payment: string; shipment: string }>,
  { orderId, at, userId }: Ids & Readonly<{ userId: string | null }>,
): Promise<void> {
  const row = (name: string, previous: string | null, next: string): Row => ({
    name,
    previous_state: previous,
    next_state: next,
    stateful_type: 'Spree::Order',
    stateful_id: orderId,
    user_id: userId,
  })
  await insertRows(db, columns, 'spree_state_changes', at, [
    row('order', 'cart', states.order),
    row('payment', null, states.payment),
    row('shipment', null, states.shipment),
  ])
}
