import { genericOrder } from '../generic-order.ts'
import type { CartPayload } from '../schemas/cart-message.ts'
import type { CartObject } from '../schemas/object-messages.ts'

/**
 * The cart in the form of the hub's own sample, which is that of the first generation's generic order; no store ever had a
 * serializer (protocol §9.5). One without a number (6.x) is known by its id.
 */
export function cartObject({ cart }: CartPayload): CartObject {
  const id = cart.number ?? String(cart.id)
  const { number: _, shipments, ...order } = genericOrder({ ...cart, number: id })
  return {
    id,
    ...order,
    placed_on: '',
    shipments: shipments.map((shipment) => ({ id: shipment.number, ...shipment })),
  }
}
