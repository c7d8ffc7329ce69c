/** The types that the bridge announces. */
export const ANNOUNCED_TYPES = [
  'product:new',
  'product:update',
  'stock:change',
  'stock:actual',
  'order:persist',
  'order:new',
  'order:updated',
  'order:canceled',
  'shipment:ready',
  'shipment:confirm',
  'payment:ready',
  'payment:capture',
  'return_authorization:new',
  'return_authorization:updated',
  'customer_return:new',
  'customer_return:updated',
  'stock_transfer:persist',
  'user:new',
  'user:updated',
  'cart:new',
  'cart:updated',
] as const

/** The objects that a hub of the second generation is told instead (`HUB_DIALECT=wombat`), by their roots (protocol §9.5). */
export const OBJECT_TYPES = [
  'products',
  'inventories',
  'orders',
  'shipments',
  'customer_returns',
  'customers',
  'carts',
] as const

/** All that may be told, in one dialect or the other. */
export const MESSAGE_TYPES = [...ANNOUNCED_TYPES, ...OBJECT_TYPES] as const

export type ObjectType = (typeof OBJECT_TYPES)[number]
export type MessageType = (typeof MESSAGE_TYPES)[number]

/**
 * `subject`: what the state is of that the message tells, so that a later one of the same type, aggregate and subject says
 * all that it did. Null where each one must arrive: a difference, an order, and the product that has another SKU now,
 * because what comes after it no longer says which it had.
 */
export type Message = Readonly<{
  type: MessageType
  payload: Record<string, unknown>
  subject: string | null
}>

/** A payload as JSON brought it, in the pusher's own words. */
export type RawPayload = Readonly<Record<string, unknown>>
