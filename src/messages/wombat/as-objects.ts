import { z } from 'zod'

import type { Message, MessageType, ObjectType, RawPayload } from '../message.ts'
import { rawOrder } from '../raw-order.ts'
import { announcedCartSchema } from '../schemas/cart-message.ts'
import { announcedCustomerSchema } from '../schemas/customer-message.ts'
import { genericOrderSchema } from '../schemas/generic-order.ts'
import type { RawOrder } from '../schemas/order-message.ts'
import type { OrderSnapshot, ProductSnapshot, ReturnSnapshot, VariantStockSnapshot } from '../snapshot.ts'
import type { OrderParts } from '../snapshots/object-parts.ts'
import { cartObject } from './cart.ts'
import { customerObject } from './customer.ts'
import { customerReturnObject } from './customer-return.ts'
import { inventoryObject } from './inventory.ts'
import { orderObject } from './order.ts'
import { productObject } from './product.ts'
import { changedShipments, shipmentObject } from './shipment.ts'

/** Messages of the seed's dialect as the objects that say the same, and the types of those for which there are none. */
export type InObjects = Readonly<{ messages: readonly Message[]; unsaid: readonly MessageType[] }>

/**
 * The root under which what a message tells goes to a hub of the second generation (protocol §10); of others the type
 * itself.
 */
export function objectTypeOf(type: MessageType): MessageType {
  const [subject = ''] = type.split(':')
  return type.includes(':') ? (ROOTS[subject] ?? type) : type
}

const ROOTS: Readonly<Record<string, ObjectType>> = {
  product: 'products',
  stock: 'inventories',
  order: 'orders',
  shipment: 'shipments',
  customer_return: 'customer_returns',
  user: 'customers',
  cart: 'carts',
}

/**
 * Of a product and the stock of its variants, told by place. A product that is removed has no object: handlers only add and
 * update.
 * @param stock The variant that a message of its stock is about, and the names of the places.
 */
export function productObjects(
  messages: readonly Message[],
  product: ProductSnapshot | undefined,
  stock: Readonly<{
    variantOf(message: Message): VariantStockSnapshot | undefined
    places: ReadonlyMap<string, string>
  }>,
): InObjects {
  return inObjects(messages, ({ type, payload, ...message }) => {
    if (!type.startsWith('stock:'))
      return product?.parts && product.deletedAt === null ? productObject(product, product.parts) : undefined
    const variant = stock.variantOf({ type, payload, ...message })
    const { quantity, stock_location: place } = levelSchema.parse(payload)
    return variant && place !== undefined
      ? inventoryObject(variant, place, quantity, stock.places)
      : undefined
  })
}

const levelSchema = z.object({ quantity: z.number(), stock_location: z.string().optional() })

/**
 * Of an order, from the messages of `orders: generic`: the order, then each shipment of which something changed, then its
 * customer returns. An authorization has no object; shipments and payments of their own need none.
 */
export function orderObjects(
  messages: readonly Message[],
  order: OrderSnapshot | undefined,
  returns: readonly ReturnSnapshot[],
): InObjects {
  const parts = order?.parts
  if (!order || !parts) return { messages: [], unsaid: messages.map(({ type }) => type) }
  const raw = rawOrder(order)
  const objects: Message[] = []
  const unsaid: MessageType[] = []
  for (const { type, payload } of messages) {
    if (type.startsWith('order:')) {
      objects.push({ type: 'orders', payload: orderObject(raw, parts), subject: null })
      const told = toldSchema.parse(payload)
      const changed = changedShipments(told.order, told.previous)
      objects.push(...shipmentsOf(order, raw, parts, (number) => changed.has(number)))
    } else if (type.startsWith('customer_return:')) {
      const own = returns.find(({ kind, id }) => kind === 'customer_return' && Number(id) === payload['id'])
      const object = own && customerReturnObject(own, order, parts)
      if (object) objects.push({ type: 'customer_returns', payload: object, subject: null })
      else unsaid.push(type)
    } else if (type.startsWith('return_authorization:')) unsaid.push(type)
  }
  return { messages: objects, unsaid }
}

/** An order and all its shipments as they stand. */
export function wholeOrder(order: OrderSnapshot): Message[] {
  const { parts } = order
  if (!parts) return []
  const raw = rawOrder(order)
  return [
    { type: 'orders', payload: orderObject(raw, parts), subject: null },
    ...shipmentsOf(order, raw, parts, () => true),
  ]
}

function shipmentsOf(
  order: OrderSnapshot,
  raw: RawOrder,
  parts: OrderParts,
  isTold: (number: string | null) => boolean,
): Message[] {
  return raw.shipments.flatMap((shipment, index) => {
    const code = order.shipments[index]?.method?.code ?? null
    const object = isTold(shipment.number) ? shipmentObject(shipment, code, raw, parts) : undefined
    return object ? [{ type: 'shipments', payload: object, subject: null }] : []
  })
}

const toldSchema = z.object({ order: genericOrderSchema, previous: genericOrderSchema.nullish() })

/** Of what is announced as one state: customers and carts. A stock transfer has no object. */
export function stateObjects(messages: readonly Message[]): InObjects {
  return inObjects(messages, ({ type, payload }) => {
    if (type.startsWith('user:')) return customerObject(announcedCustomerSchema.parse(payload))
    return type.startsWith('cart:') ? cartObject(announcedCartSchema.parse(payload)) : undefined
  })
}

function inObjects(
  messages: readonly Message[],
  objectOf: (message: Message) => RawPayload | undefined,
): InObjects {
  const objects: Message[] = []
  const unsaid: MessageType[] = []
  for (const message of messages) {
    const payload = objectOf(message)
    if (payload) objects.push({ type: objectTypeOf(message.type), payload, subject: message.subject })
    else unsaid.push(message.type)
  }
  return { messages: objects, unsaid }
}
