import { aggregateKey } from './aggregate.ts'

/** Where messages carry the number of the order that they are about (protocol §6, §10), the surest first. */
const ORDER_NUMBERS = [
  ['order', 'number'],
  ['original', 'number'],
  ['shipment', 'order_number'],
  ['order_number'],
  ['cart', 'number'],
  ['cart', 'id'],
  ['order', 'id'],
  ['shipment', 'order_id'],
  ['order_id'],
]

/** Stock is told by SKU alone: a product has the same key, where it has a SKU. */
const PRODUCT_KEYS = [
  ['sku'],
  ['product', 'sku'],
  ['permalink'],
  ['product', 'permalink'],
  ['product', 'id'],
  ['id'],
]

/** A longer one would fit no index; cut, it shares its place with its like, which costs only a wait. */
const LONGEST = 255

/** Polls by one mapping are ordered whatever they ask for: all of it may have its place in one cursor. */
export const POLL = 'poll'

/**
 * What a message is ordered by, from type and payload alone: polls by being polls, others by `order:<number>`, else
 * `product:<SKU, permalink or id>`, else undefined: then it waits for nobody. Takes whatever was pushed.
 * @param type Tells what `number` and `id` at the top of the payload are: a raw order's, a product's, or another thing's.
 */
export function aggregateOf(type: string, payload: unknown): string | undefined {
  if (type.endsWith(':poll')) return POLL
  const isOrder = /^(order|cart):/.test(type)
  const order = firstKey(payload, isOrder ? [['number'], ...ORDER_NUMBERS] : ORDER_NUMBERS)
  if (order !== undefined) return aggregateKey('order', order)
  const isProduct = type.startsWith('product:')
  const product = firstKey(payload, isProduct ? PRODUCT_KEYS : [['sku'], ['product', 'sku']])
  return product === undefined ? undefined : aggregateKey('product', product)
}

function firstKey(payload: unknown, paths: readonly (readonly string[])[]): string | undefined {
  for (const path of paths) {
    const value = path.reduce(valueAt, payload)
    if (typeof value === 'number') return String(value)
    if (typeof value !== 'string') continue
    const key = value.replaceAll('\0', '').slice(0, LONGEST)
    if (key !== '') return key
  }
  return undefined
}

function valueAt(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined
}
