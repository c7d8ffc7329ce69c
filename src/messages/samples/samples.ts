import { deriveOrderMessages } from '../derive-order-messages.ts'
import { genericOrder } from '../generic-order.ts'
import type { RawPayload } from '../message.ts'
import type { RawOrder } from '../schemas/order-message.ts'
import { cartBefore } from './cart.ts'
import { canceledOrder, inWordsOfSix, placedOrder, shippedOrder } from './order.ts'
import {
  changedProduct,
  changedUser,
  importedOrder,
  newProduct,
  newUser,
  stockCounted,
  stockReceived,
} from './payloads.ts'
import { authorizedReturn, customerReturn } from './returns.ts'
import { movedStock } from './stock-transfer.ts'

export type Sample = Readonly<{ message: string; payload: RawPayload }>

/** The names of `GET /api/samples` (protocol §2.11), the protocol's own first. */
export function sampleNames(): string[] {
  return [...samples().keys()]
}

/**
 * A whole message with plausible values, or undefined where there is none of that name; a delivered type is as good a
 * name as a listed one.
 * @param version Of Spree, `2.0`: orders of 6 and later also say what that family calls by words of its own. All other
 *   versions have one picture, and so has everything but orders.
 */
export function sampleOf(name: string, version?: string): Sample | undefined {
  const known = samples(version)
  return known.get(name) ?? [...known.values()].find(({ message }) => message === name)
}

/** `order:update` and `order:cancel` are listed under these older names, and delivered as today's. */
function samples(version = ''): ReadonlyMap<string, Sample> {
  const isSix = Number.parseInt(version, 10) >= 6
  const inFamily = (order: RawOrder) => (isSix ? inWordsOfSix(order) : order)
  const placed = inFamily(placedOrder)
  const shipped = inFamily(shippedOrder)
  return new Map([
    ['order:persist', { message: 'order:persist', payload: shipped }],
    ['order:new', derived('order:new', placed)],
    ['order:update', derived('order:updated', shipped, placed)],
    ['order:cancel', derived('order:canceled', inFamily(canceledOrder), placed)],
    ['shipment:ready', derived('shipment:ready', placed)],
    ['payment:capture', { message: 'payment:capture', payload: paymentOf(placed, '004417') }],
    ['stock:change', { message: 'stock:change', payload: stockReceived }],
    ['stock:actual', { message: 'stock:actual', payload: stockCounted }],
    ['product:new', { message: 'product:new', payload: newProduct }],
    ['product:update', { message: 'product:update', payload: changedProduct }],
    ['order:import', { message: 'order:import', payload: importedOrder }],
    ['shipment:confirm', { message: 'shipment:confirm', payload: confirmedShipment(shipped) }],
    ['payment:ready', { message: 'payment:ready', payload: paymentOf(placed, null) }],
    ['user:new', { message: 'user:new', payload: newUser }],
    ['user:updated', { message: 'user:updated', payload: changedUser }],
    ['stock_transfer:persist', { message: 'stock_transfer:persist', payload: movedStock }],
    ['return_authorization:new', { message: 'return_authorization:new', payload: authorizedReturn }],
    [
      'return_authorization:updated',
      { message: 'return_authorization:updated', payload: { ...authorizedReturn, state: 'canceled' } },
    ],
    ['customer_return:new', { message: 'customer_return:new', payload: customerReturn }],
    ['customer_return:updated', { message: 'customer_return:updated', payload: customerReturn }],
    ['cart:new', { message: 'cart:new', payload: { cart: cartBefore(placed) } }],
    ['cart:updated', { message: 'cart:updated', payload: { cart: cartBefore(placed) } }],
  ])
}

function derived(type: string, raw: RawOrder, previous?: RawOrder): Sample {
  const derivation = deriveOrderMessages(raw, previous)
  const told = derivation.outcome === 'derived' ? derivation.messages : []
  const message = told.find((candidate) => candidate.type === type)
  if (message === undefined) throw new Error(`The sample order does not lead to ${type}.`)
  return { message: type, payload: message.payload }
}

/** Protocol §6.7. */
function paymentOf(
  { number, payments, currency, completed_at }: RawOrder,
  auth_code: string | null,
): RawPayload {
  const [payment] = payments
  return {
    payment: { payment_id: String(payment?.id), amount: payment?.amount, currency },
    auth_code,
    timestamp: completed_at,
    order_number: number,
  }
}

/** What a warehouse answers to `shipment:ready` (protocol §6.3). */
function confirmedShipment(shipped: RawOrder): RawPayload {
  const { number, email, shipping_address, shipments } = genericOrder(shipped)
  const shipment = shipments.find(({ status }) => status === 'shipped')
  return { shipment: { ...shipment, order_number: number, email, shipping_address } }
}
