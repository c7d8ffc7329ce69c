import { genericOrder } from './generic-order.ts'
import type { RawPayload } from './message.ts'
import { isTouch, orderDiff } from './order-diff.ts'
import type { ReadyShipment, ToldOrder, UpdatedOrder } from './schemas/order-messages.ts'
import { type PushedOrder, pushedOrderSchema } from './schemas/pushed-order.ts'

/** What follows from a raw order (protocol §5, §6.2, §6.3). `original` is the raw order as it came. */
export type DerivedMessage =
  | Readonly<{ type: 'order:new' | 'order:canceled'; payload: ToldOrder }>
  | Readonly<{ type: 'order:updated'; payload: UpdatedOrder }>
  | Readonly<{ type: 'shipment:ready'; payload: ReadyShipment }>

/**
 * `derived`: `messages` in the order in which they leave, none if nothing changed; the raw order is from now on the last
 * known one of its number. `nothing`: no order can be told from the payload, for the reason given; what was known stays.
 */
export type OrderDerivation =
  | Readonly<{ outcome: 'derived'; messages: readonly DerivedMessage[] }>
  | Readonly<{ outcome: 'nothing'; reason: string }>

/** What `status` a completed order may have (protocol §6.1): an order without a time of completion is told by it. */
const AFTER_CHECKOUT: ReadonlySet<string> = new Set([
  'complete',
  'canceled',
  'awaiting_return',
  'returned',
  'resumed',
])

/**
 * The messages that a raw order causes (protocol §1.2): an unknown one `order:new`, a changed one `order:updated`, one that
 * turned to canceled `order:canceled` instead, and with new and updated a `shipment:ready` for each shipment that is
 * ready. Where the protocol is silent: an order that is already canceled when it is first seen is an `order:canceled`
 * (nobody shall take it for one to fulfil, and that message needs no past); of a canceled order no shipment is ready;
 * an order of which only `updated_at` moved is unchanged; a cart, pushed before, does not make its order a known one.
 * @param previous The last known raw order of the same number.
 */
export function deriveOrderMessages(raw: RawPayload, previous: RawPayload | undefined): OrderDerivation {
  const read = readCompletedOrder(raw)
  if (typeof read === 'string') return { outcome: 'nothing', reason: read }
  const order = genericOrder(read)

  const known = previous === undefined ? undefined : readCompletedOrder(previous)
  if (previous === undefined || known === undefined || typeof known === 'string') {
    const type = order.status === 'canceled' ? 'order:canceled' : 'order:new'
    return derived({ type, payload: { order, original: raw } })
  }
  const diff = orderDiff(previous, raw)
  if (isTouch(diff)) return { outcome: 'derived', messages: [] }
  if (order.status === 'canceled' && known.state !== 'canceled') {
    return derived({ type: 'order:canceled', payload: { order, original: raw } })
  }
  return derived({
    type: 'order:updated',
    payload: { order, original: raw, previous: genericOrder(known), diff },
  })
}

function derived(message: DerivedMessage): OrderDerivation {
  const { order, original } = message.payload
  const ready = order.shipments.filter(({ status }) => status === 'ready' && order.status !== 'canceled')
  const shipments = ready.map((shipment): DerivedMessage => {
    const { number: order_number, email, shipping_address } = order
    return {
      type: 'shipment:ready',
      payload: { shipment: { ...shipment, order_number, email, shipping_address }, order, original },
    }
  })
  return { outcome: 'derived', messages: [message, ...shipments] }
}

/** The order, or why there is none to tell of: the reason is for people. */
function readCompletedOrder(raw: RawPayload): PushedOrder | string {
  if (!Object.hasOwn(raw, 'number'))
    return 'The payload has no order number, so no order can be told from it.'
  const { success, data, error } = pushedOrderSchema.safeParse(raw)
  if (!success) {
    const [issue] = error.issues
    return `The payload is no order: ${issue?.path.join('.')}: ${issue?.message}.`
  }
  const isCompleted = Boolean(data.completed_at) || AFTER_CHECKOUT.has(data.state ?? '')
  return isCompleted ? data : `Order ${data.number} is still a cart: it has no completed_at.`
}
