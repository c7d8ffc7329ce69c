import { type OrderNamed, orderNamedSchema } from '../messages/schemas/order-named.ts'
import { wireTime } from '../messages/wire.ts'
import { lockForEditing } from '../store/writes/lock-order.ts'
import type { Handler } from './handler.ts'

/** Protocol §7.2: what is on its way out must not be edited any more. */
export const orderShip: Handler<OrderNamed> = {
  message: 'order:ship',
  description:
    'Locks an order against changes, as it is about to ship; needs a column spree_orders.locked_at.',
  schema: orderNamedSchema,
  async apply(db, store, { message, payload }) {
    const { number, lockedAt, already } = await lockForEditing(db, store, payload.order.number)
    const description = already
      ? `Order ${number} is locked already: nothing was changed`
      : `Locked order ${number}`
    return {
      notifications: [{ level: 'info', subject: message, description }],
      details: { locked: { number, locked_at: wireTime(lockedAt) } },
    }
  },
}
