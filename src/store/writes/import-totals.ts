import { type Amount, sumOf } from '../../messages/amount.ts'
import type { ImportedLine, ImportedOrder, ImportedParcels } from './imported-order.ts'

/** Whether a discount lies on the lines (6.0), or on the order as a whole: so its adjustment is counted again. */
export type DiscountsOn = 'lines' | 'order'

export type Totals = Readonly<{
  item: Amount
  shipping: Amount
  includedTax: Amount
  additionalTax: Amount
  discount: Amount
  fee: Amount
  order: Amount
  /** Of the completed payments. */
  payment: Amount
}>

/** What the columns of an order sum up; the order is known to add up. */
export function orderTotals(order: ImportedOrder): Totals {
  const amounts = (list: readonly Readonly<{ amount: Amount }>[]) => sumOf(list.map(({ amount }) => amount))
  const item = sumOf(order.lines.map(lineAmount))
  const shipping = sumOf(order.shipments.map(({ cost }) => cost))
  const additionalTax = amounts(order.taxes.filter(({ included }) => !included))
  const discount = amounts(order.discounts)
  const fee = amounts(order.fees)
  return {
    item,
    shipping,
    includedTax: amounts(order.taxes.filter(({ included }) => included)),
    additionalTax,
    discount,
    fee,
    order: item + shipping + additionalTax + discount + fee,
    payment: amounts(order.payments.filter(({ state }) => state === 'completed')),
  }
}

export type LineTotals = Readonly<{
  includedTax: Amount
  additionalTax: Amount
  discount: Amount
  preTax: Amount
}>

/** The shares of the lines, in their order. */
export function lineTotals(order: ImportedOrder, discountsOn: DiscountsOn): LineTotals[] {
  const share = (list: readonly Readonly<{ shares: readonly Amount[] }>[], line: number) =>
    sumOf(list.map(({ shares }) => shares[line] ?? 0n))
  return order.lines.map((line, index) => {
    const includedTax = share(
      order.taxes.filter(({ included }) => included),
      index,
    )
    const discount = discountsOn === 'lines' ? share(order.discounts, index) : 0n
    return {
      includedTax,
      additionalTax: share(
        order.taxes.filter(({ included }) => !included),
        index,
      ),
      discount,
      preTax: lineAmount(line) + discount - includedTax,
    }
  })
}

export type ShipmentTotals = Readonly<{ includedTax: Amount; additionalTax: Amount }>

/** The taxes of the shipments, in their order. */
export function shipmentTotals(order: ImportedParcels): ShipmentTotals[] {
  const share = (included: boolean, index: number) =>
    sumOf(
      order.taxes
        .filter((tax) => tax.included === included)
        .map(({ shipmentShares }) => shipmentShares[index] ?? 0n),
    )
  return order.shipments.map((_, index) => ({
    includedTax: share(true, index),
    additionalTax: share(false, index),
  }))
}

export function lineAmount({ price, quantity }: ImportedLine): Amount {
  return price * BigInt(quantity)
}

/** As Spree up to 5 and Solidus tell it: `failed` where there are payments and none is of worth. */
export function paymentState(order: ImportedOrder, totals: Totals, worthless: readonly string[]): string {
  if (order.payments.length > 0 && order.payments.every(({ state }) => worthless.includes(state)))
    return 'failed'
  if (totals.payment === totals.order) return 'paid'
  return totals.payment < totals.order ? 'balance_due' : 'credit_owed'
}

/** As Spree 6 tells it: an authorisation is a payment that is pending, and an order for nothing is never paid. */
export function paymentStatus(order: ImportedOrder, totals: Totals): string {
  if (totals.payment === 0n) {
    return order.payments.some(({ state, amount }) => state === 'pending' && amount > 0n)
      ? 'authorized'
      : 'none'
  }
  if (totals.payment === totals.order) return 'paid'
  return totals.payment < totals.order ? 'partially_paid' : 'overcharged'
}
