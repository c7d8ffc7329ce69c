import { type Amount, amountOf, amountText, apportion, sumOf } from '../messages/amount.ts'
import type { OrderImportPayload } from '../messages/schemas/order-import.ts'
import type {
  ImportedAddress,
  ImportedAdjustment,
  ImportedOrder,
  ImportedPayment,
  PaymentState,
} from '../store/writes/imported-order.ts'
import { NotApplicable, type Notification } from './handler.ts'
import { importedShipments } from './order-import-shipments.ts'

type Order = OrderImportPayload['order']
type Warn = (subject: string, description: string) => void

/**
 * The generic order as one to be written: pure. @throws NotApplicable where it is not one that waits to be shipped, or
 * does not add up.
 */
export function importedOrder(order: Order): { order: ImportedOrder; notifications: Notification[] } {
  const notifications: Notification[] = []
  const warn: Warn = (subject, description) =>
    notifications.push({ level: 'warn', subject, description: `order ${order.number}: ${description}` })
  refuseClosed(order)
  const lines = order.line_items.map((item) => ({
    sku: item.sku,
    quantity: item.quantity,
    price: amountOf(item.price),
  }))
  const bases = lines.map((line) => line.price * BigInt(line.quantity))
  const shipments = importedShipments(order)
  const { taxes, others, included } = checkedAdjustments(
    order,
    sumOf(bases),
    sumOf(shipments.map(({ cost }) => cost)),
    warn,
  )
  const shippingAddress = importedAddress(order.shipping_address)
  return {
    notifications,
    order: {
      number: order.number,
      channel: order.channel || 'spree',
      email: order.email,
      currency: order.currency,
      placedAt: new Date(order.placed_on).toISOString(),
      shippingAddress,
      billingAddress: order.billing_address ? importedAddress(order.billing_address) : shippingAddress,
      lines,
      taxes: taxes.map((tax) => ({
        ...tax,
        included,
        shares: apportion(tax.amount, bases),
        shipmentShares: shipments.map(() => 0n),
        rateId: null,
      })),
      discounts: others
        .filter(({ amount }) => amount < 0n)
        .map((discount) => ({ ...discount, shares: apportion(discount.amount, bases) })),
      fees: others.filter(({ amount }) => amount > 0n),
      shipments,
      namesShipments: order.shipments.length > 0,
      payments: importedPayments(order, warn),
    },
  }
}

const CLOSED = new Set(['canceled', 'cancelled', 'awaiting_return', 'returned'])
const SENT = new Set(['shipped', 'fulfilled', 'delivered', 'canceled', 'cancelled'])

/** Other words, foreign ones too, mean an order that the store is to ship: its states then follow from what is written. */
function refuseClosed(order: Order): void {
  if (CLOSED.has((order.status ?? '').toLowerCase())) {
    throw new NotApplicable(
      'order_closed',
      `Order ${order.number} is ${order.status}: only an order that the store is to ship can be imported.`,
    )
  }
  for (const shipment of order.shipments) {
    if (!shipment.shipped_at && !SENT.has((shipment.status ?? '').toLowerCase())) continue
    throw new NotApplicable(
      'shipment_closed',
      `Order ${order.number} has a shipment that is ${shipment.status || 'shipped'} already: only an order that the store is to ship can be imported.`,
    )
  }
}

type Adjustments = { taxes: ImportedAdjustment[]; others: ImportedAdjustment[]; included: boolean }

/**
 * What of the adjustments is tax, and whether the prices hold it: the reading under which item + shipping + adjustments
 * is the total. Shipping among the adjustments (Spree 1.x and 2.0) is told by the shipments' costs.
 */
function checkedAdjustments(order: Order, items: Amount, shipping: Amount, warn: Warn): Adjustments {
  const { number, totals } = order
  const adjustments = order.adjustments
    .map(({ name, value }) => ({ label: name, amount: amountOf(value) }))
    .filter(({ label, amount }) => amount !== 0n && label.trim().toLowerCase() !== 'shipping')
  const adjustment = sumOf(adjustments.map(({ amount }) => amount))
  const tax = amountOf(totals.tax ?? 0)
  const total = amountOf(totals.order)
  if (items !== amountOf(totals.item)) {
    throw new NotApplicable(
      'totals_mismatch',
      `Order ${number} does not add up: its line items come to ${amountText(items)}, totals.item says ${amountText(amountOf(totals.item))}.`,
    )
  }
  const taxes = taxesAmong(adjustments, tax)
  const others = adjustments.filter((one) => !taxes.includes(one))
  const sum = items + shipping + adjustment
  const included = taxes.length > 0 && sum - tax === total
  if (sum !== total && !included) {
    throw new NotApplicable(
      'totals_mismatch',
      `Order ${number} does not add up: items ${amountText(items)}, shipping ${amountText(shipping)} and adjustments ${amountText(adjustment)} come to ${amountText(sum)}, totals.order says ${amountText(total)}.`,
    )
  }
  if (tax !== 0n && taxes.length === 0) {
    warn(
      'tax was not found',
      `totals.tax is ${amountText(tax)}, but no adjustments come to it; they were taken as they are and the order says no tax`,
    )
  }
  return { taxes, others, included }
}

/** Those that are named a tax and come to it, else the one that is of its amount. */
function taxesAmong(adjustments: readonly ImportedAdjustment[], tax: Amount): ImportedAdjustment[] {
  if (tax <= 0n) return []
  const named = adjustments.filter(({ label }) => /\b(tax|vat|gst|hst|pst|mwst|tva|iva)\b/i.test(label))
  if (sumOf(named.map(({ amount }) => amount)) === tax) return named
  const alike = adjustments.filter(({ amount }) => amount === tax)
  return alike.length === 1 ? alike : []
}

const PAYMENT_STATES = new Map<string, PaymentState>([
  ['checkout', 'checkout'],
  ['processing', 'processing'],
  ['pending', 'pending'],
  ['authorized', 'pending'],
  ['completed', 'completed'],
  ['complete', 'completed'],
  ['captured', 'completed'],
  ['paid', 'completed'],
  ['failed', 'failed'],
  ['void', 'void'],
  ['voided', 'void'],
  ['invalid', 'invalid'],
])

/** Only what is said to be paid counts as paid. */
function importedPayments(order: Order, warn: Warn): ImportedPayment[] {
  const payments = order.payments.map((payment): ImportedPayment => {
    const state = PAYMENT_STATES.get(payment.status.toLowerCase())
    if (state === undefined) {
      warn(
        'payment status was not known',
        `a payment by ${payment.payment_method} is ${JSON.stringify(payment.status)}, which Spree has no word for; it was taken as not yet paid`,
      )
    }
    return { amount: amountOf(payment.amount), method: payment.payment_method, state: state ?? 'checkout' }
  })
  const paid = sumOf(payments.filter(({ state }) => state === 'completed').map(({ amount }) => amount))
  const told = order.totals.payment
  if (told != null && amountOf(told) !== paid) {
    warn(
      'payments differ from totals.payment',
      `its completed payments come to ${amountText(paid)}, totals.payment says ${amountText(amountOf(told))}; the payments count`,
    )
  }
  return payments
}

function importedAddress(address: Order['shipping_address']): ImportedAddress {
  return {
    firstname: address.firstname,
    lastname: address.lastname,
    company: address.company || null,
    address1: address.address1,
    address2: address.address2 || null,
    city: address.city,
    zipcode: address.zipcode || null,
    phone: address.phone || null,
    state: address.state || null,
    country: address.country.toUpperCase(),
  }
}
