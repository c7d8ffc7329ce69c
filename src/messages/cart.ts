import type { z } from 'zod'

import { orderContent } from './order-content.ts'
import { rawOrder } from './raw-order.ts'
import type { CartPayload } from './schemas/cart-message.ts'
import { type OrderSnapshot, parseSnapshot } from './snapshot.ts'
import { cartSnapshotSchema } from './snapshots/order-snapshot.ts'
import type { StateKind } from './state-kind.ts'

type CartSnapshot = Readonly<z.infer<typeof cartSnapshotSchema>>

/**
 * Carts are told as the raw order that they may become (protocol §6.7). Of one that became an order, or is gone, the
 * protocol has no word: the order tells for itself.
 */
export const cartKind: StateKind = {
  kind: 'cart',
  types: { first: 'cart:new', later: 'cart:updated' },
  read(id, json) {
    const cart = parseSnapshot(cartSnapshotSchema, 'cart', id, json)
    if (cart instanceof Error) return cart
    const order: OrderSnapshot = { ...cart, number: cart.number ?? '' }
    const raw = rawOrder(order)
    return {
      payload: cartPayload(cart, raw),
      content: orderContent(order, raw),
      naturalKey: JSON.stringify({ id, name: cart.number }),
      deleted: false,
      formerKeys: () => ({}),
    }
  },
}

function cartPayload({ number }: CartSnapshot, raw: ReturnType<typeof rawOrder>): CartPayload {
  const shipments = raw.shipments.map((shipment) => ({ ...shipment, order_id: number }))
  return { cart: { ...raw, number, completed_at: null, shipments } }
}
