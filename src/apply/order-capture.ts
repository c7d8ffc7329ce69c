import { type OrderNamed, orderNamedSchema } from '../messages/schemas/order-named.ts'
import { wireDecimal, wireId, wireOptionalId, wireOptionalTime } from '../messages/wire.ts'
import { capturePayments, type Payment } from '../store/writes/capture-payments.ts'
import type { Handler } from './handler.ts'

/**
 * Protocol §7.4. The hub is told of each payment by a message in the answer, once. No rule of the operator's shapes it: rules
 * are of types that the store announces, and of none of them is this picture of a payment, or this message, which names ids
 * alone. What the payment makes of its order is announced with that, shaped.
 */
export const orderCapture: Handler<OrderNamed> = {
  message: 'order:capture',
  description: 'Captures what an order has yet to pay by check; what a gateway has to take is refused.',
  schema: orderNamedSchema,
  async apply(db, store, { message, payload }) {
    const only = payload.payment ? String(payload.payment.id) : null
    const { orderNumber, captured, before } = await capturePayments(db, store, payload.order.number, only)
    const sums = captured.map(({ id, amount }) => `payment ${id} of ${wireDecimal(amount)}`).join(', ')
    const description =
      captured.length > 0
        ? `Captured ${sums} of order ${orderNumber}`
        : `What order ${orderNumber} has to pay is captured already: nothing was changed`
    const payment = captured[0] ?? before.at(-1)
    return {
      notifications: [{ level: 'info', subject: message, description }],
      details: {
        ...(payment && { payment: rawPayment(payment) }),
        messages: captured.map(({ id }) => ({
          message: 'order:payment:captured',
          payload: { order_id: orderNumber, payment_id: wireId(id) },
        })),
      },
    }
  },
}

/** Protocol §6.7. */
function rawPayment(payment: Payment) {
  return {
    id: wireId(payment.id),
    source_type: payment.sourceType,
    source_id: wireOptionalId(payment.sourceId),
    amount: wireDecimal(payment.amount),
    payment_method_id: wireOptionalId(payment.paymentMethodId),
    response_code: payment.responseCode,
    state: payment.state,
    avs_response: payment.avsResponse,
    created_at: wireOptionalTime(payment.createdAt),
    updated_at: wireOptionalTime(payment.updatedAt),
  }
}
