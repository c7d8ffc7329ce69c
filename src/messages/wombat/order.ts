import type { OrderObject } from '../schemas/object-messages.ts'
import type { RawOrder } from '../schemas/order-message.ts'
import type { OrderParts } from '../snapshots/object-parts.ts'
import { addDecimals } from '../wire.ts'
import { objectAddress } from './address.ts'

type Payment = RawOrder['payments'][number]
type Totals = OrderObject['totals']

/** The order as `spree_wombat` and `solidus_flowlink` serialize it (protocol §9.5), in one form: the keys of both. */
export function orderObject(order: RawOrder, parts: OrderParts): OrderObject {
  const totals = objectTotals(order)
  return {
    id: order.number,
    status: order.state,
    channel: order.channel || 'spree',
    email: order.email,
    currency: order.currency,
    placed_on: order.completed_at ?? '',
    updated_at: order.updated_at,
    totals,
    adjustments: [
      { name: 'discount', value: Number(parts.promoTotal ?? promotionsOf(order)) },
      { name: 'tax', value: totals.tax },
      { name: 'shipping', value: totals.shipping },
    ],
    guest_token: null,
    shipping_instructions: order.special_instructions,
    line_items: order.line_items.map((item) => ({
      id: item.id,
      product_id: item.variant?.sku ?? null,
      name: item.variant?.name ?? null,
      quantity: item.quantity,
      price: Number(item.price),
    })),
    payments: order.payments.map((payment) => objectPayment(payment, order, parts)),
    promotions: parts.promotions.map(({ name, code, codes, categoryName, categoryCode }) => ({
      name,
      code: code ?? codes[0] ?? null,
      codes: (codes.length === 0 && code !== null ? [code] : codes).map((value) => ({ value })),
      category_name: categoryName,
      category_code: categoryCode,
    })),
    shipping_address: objectAddress(order.ship_address),
    billing_address: objectAddress(order.bill_address),
  }
}

export function objectTotals(order: RawOrder): Totals {
  return {
    item: Number(order.item_total),
    adjustment: Number(order.adjustment_total),
    tax: Number(taxOf(order)),
    shipping: Number(order.ship_total),
    payment: Number(sum(order.payments.filter(({ state }) => state === 'completed'))),
    order: Number(order.total),
  }
}

/** Of an order without tax rates that was imported: what was written in by hand. */
function taxOf({ tax_total, adjustments }: RawOrder): string {
  if (Number(tax_total) !== 0) return tax_total
  return sum(
    adjustments.filter(
      ({ label, originator_type }) => /^tax$/i.test(label ?? '') && originator_type === null,
    ),
  )
}

/** Of a store that keeps no such sum. */
function promotionsOf({ adjustments }: RawOrder): string {
  return sum(
    adjustments.filter(
      ({ originator_type, eligible }) => eligible && originator_type === 'Spree::PromotionAction',
    ),
  )
}

function sum(of: readonly Readonly<{ amount: string | null }>[]): string {
  return of.map(({ amount }) => amount ?? '0').reduce(addDecimals, '0')
}

export function objectPayment(
  payment: Payment,
  order: RawOrder,
  { paymentSources }: OrderParts,
): OrderObject['payments'][number] {
  const source = paymentSources.find(({ paymentId }) => Number(paymentId) === payment.id)
  const card = order.credit_cards.find(
    ({ id }) => source?.type === 'Spree::CreditCard' && source.id !== null && id === Number(source.id),
  )
  const name = card ? [card.first_name, card.last_name].filter(Boolean).join(' ') : ''
  return {
    id: payment.id,
    number: payment.number,
    status: payment.state,
    amount: Number(payment.amount),
    payment_method: payment.payment_method?.name ?? null,
    source: source
      ? {
          name: name || 'N/A',
          cc_type: card?.cc_type || 'N/A',
          last_digits: card?.last_digits || 'N/A',
          source_type: source.type,
        }
      : null,
  }
}
