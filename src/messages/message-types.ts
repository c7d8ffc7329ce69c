/**
 * The types that a hub knows of itself as ones to push: those that the protocol's pages name (§2.2, and the twelve of
 * §2.4), those that §5 has come from a store, another program, or a warehouse, and what a bridge announces. Sorted. Any
 * other may be pushed too.
 */
export const BUILT_IN_TYPES = [
  'cart:new',
  'cart:updated',
  'customer_return:new',
  'customer_return:updated',
  'email:send',
  'endpoint:poll',
  'notification:error',
  'notification:info',
  'notification:warn',
  'order:canceled',
  'order:import',
  'order:new',
  'order:persist',
  'order:updated',
  'payment:capture',
  'payment:ready',
  'product:new',
  'product:update',
  'purchase_order:new',
  'return_authorization:new',
  'return_authorization:updated',
  'shipment:confirm',
  'shipment:ready',
  'stock:actual',
  'stock:change',
  'stock:query',
  'stock_transfer:persist',
  'user:new',
  'user:password_reset',
  'user:updated',
] as const
