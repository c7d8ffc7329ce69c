import type { CartPayload } from '../schemas/cart-message.ts'
import type { RawOrder } from '../schemas/order-message.ts'

/** The order while its buyer has filled it and not yet begun to check out. */
export function cartBefore(placed: RawOrder): CartPayload['cart'] {
  return {
    ...placed,
    state: 'cart',
    payment_state: null,
    shipment_state: null,
    adjustment_total: '0.0',
    ship_total: '0.0',
    tax_total: '0.0',
    included_tax_total: '0.0',
    additional_tax_total: '0.0',
    total: placed.item_total,
    payment_total: '0.0',
    completed_at: null,
    bill_address: null,
    ship_address: null,
    payments: [],
    shipments: [],
    adjustments: [],
    credit_cards: [],
  }
}
