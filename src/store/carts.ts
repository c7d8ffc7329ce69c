import { aggregateKey } from '../messages/aggregate.ts'

/**
 * Where the carts are that are told: up to 5.x among the orders; since 6.0 apart, in `spree_carts`, and their lines, payments
 * and fulfillments beside those of orders, with a `cart_id` in place of the order's.
 */
export type Carts = 'among orders' | 'apart'

/** Before a cart's id where an order's is looked for: where carts are apart, their ids are others. */
export const CART = 'cart '

/** The aggregates that are meant by the id of an order, or of a cart that stands in its place. */
export function ordersOrCarts(key: string, carts: Carts | null): string[] {
  if (key.startsWith(CART)) return carts === 'apart' ? [aggregateKey('cart', key.slice(CART.length))] : []
  const order = aggregateKey('order', key)
  // Only one of the two is there: which, its state shows.
  return carts === 'among orders' ? [order, aggregateKey('cart', key)] : [order]
}
