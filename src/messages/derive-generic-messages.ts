import { aggregateKey } from './aggregate.ts'
import { type DerivedMessage, deriveOrderMessages } from './derive-order-messages.ts'
import { MappingError } from './mapping-error.ts'
import type { GenericOrder } from './schemas/generic-order.ts'
import type { RawOrder } from './schemas/order-message.ts'
import type { ConfirmedShipment, PaymentPayload } from './schemas/order-messages.ts'

/** What a hub is told that does not derive it from `order:persist` itself. */
export type GenericMessage =
  | DerivedMessage
  | Readonly<{ type: 'shipment:confirm'; payload: ConfirmedShipment }>
  | Readonly<{ type: 'payment:ready' | 'payment:capture'; payload: PaymentPayload }>

/**
 * The order as it was last announced; `never`: it was not; `unknown`: it was, but how it stood then was not kept.
 */
export type LastAnnounced = RawOrder | 'never' | 'unknown'

/**
 * The messages that an order causes, in the order in which they leave: those that our hub tells from `order:persist`, by
 * the same rules; then what came to be since it was last announced, each once: a `shipment:confirm` for a shipment that
 * was shipped, a `payment:ready` for a payment that is pending while the order stands, a `payment:capture` for one
 * that is completed (protocol §5, §6.3, §6.7).
 *
 * Of one whose last announced state is unknown the update says so, `previous` and `diff` are null, and all that has come
 * to be is told: rather once more than not at all.
 * @param requested Somebody asks for it, or may know it otherwise: then it is told also where nothing has changed, without
 * a past.
 * @throws MappingError where no order can be told from it
 */
export function deriveGenericMessages(
  raw: RawOrder,
  last: LastAnnounced,
  requested: boolean,
): readonly GenericMessage[] {
  const previous = typeof last === 'string' ? undefined : last
  const changes = last === 'unknown' ? [] : derived(raw, previous)
  const isTold = last === 'unknown' || requested
  const messages = changes.length === 0 && isTold ? derived(raw, undefined).map(withoutPast) : changes
  const order = messages[0]?.payload.order
  if (order === undefined) return []
  const known = previous === undefined ? new Set<string>() : occurrences(previous)
  return [...messages, ...confirmedShipments(order, known), ...newPayments(raw, known)]
}

function derived(raw: RawOrder, previous: RawOrder | undefined): readonly DerivedMessage[] {
  const derivation = deriveOrderMessages(raw, previous)
  if (derivation.outcome === 'derived') return derivation.messages
  throw new MappingError(aggregateKey('order', String(raw.id)), 'number', derivation.reason)
}

function withoutPast(message: DerivedMessage): DerivedMessage {
  if (message.type !== 'order:new') return message
  return { type: 'order:updated', payload: { ...message.payload, previous: null, diff: null } }
}

function confirmedShipments(order: GenericOrder, known: ReadonlySet<string>): GenericMessage[] {
  const { number: order_number, email, shipping_address } = order
  return order.shipments
    .filter(({ number, status }) => status === 'shipped' && !known.has(`shipment:confirm ${number}`))
    .map((shipment) => ({
      type: 'shipment:confirm',
      payload: { shipment: { ...shipment, order_number, email, shipping_address } },
    }))
}

function newPayments(raw: RawOrder, known: ReadonlySet<string>): GenericMessage[] {
  return raw.payments.flatMap((payment) => {
    const type = paymentType(payment.state, raw.state)
    if (type === undefined || known.has(`${type} ${payment.id}`)) return []
    const told = { payment_id: String(payment.id), amount: payment.amount, currency: raw.currency }
    // What the gateway answered is not in the raw order.
    const payload = {
      payment: told,
      auth_code: null,
      timestamp: raw.updated_at,
      order_number: raw.number,
    }
    return [{ type, payload }]
  })
}

/** All that an order says to have come to be, by message and number. */
function occurrences({ state, shipments, payments }: RawOrder): ReadonlySet<string> {
  const shipped = shipments.filter((shipment) => shipment.state === 'shipped')
  return new Set([
    ...shipped.map(({ number }) => `shipment:confirm ${number}`),
    ...payments.map((payment) => `${paymentType(payment.state, state)} ${payment.id}`),
  ])
}

/** Of a canceled order nothing is to be captured. */
function paymentType(
  state: string | null,
  orderState: string | null,
): 'payment:ready' | 'payment:capture' | undefined {
  if (state === 'completed') return 'payment:capture'
  return state === 'pending' && orderState !== 'canceled' ? 'payment:ready' : undefined
}
