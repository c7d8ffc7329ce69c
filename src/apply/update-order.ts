import { type OrderMarksInbound, orderMarksSchema } from '../messages/schemas/wombat-inbound.ts'
import { changeOrder } from '../store/writes/change-order.ts'
import { answerWithOrder } from './answer-with-order.ts'
import type { Handler } from './handler.ts'
import { inOwnTexts } from './own-texts.ts'
import { summary } from './summary.ts'

/** Sets the state and the e-mail address of an order. The order itself goes to the hub as any that has changed. */
export const updateOrder: Handler<OrderMarksInbound> = {
  message: 'update_order',
  dialect: 'wombat',
  description: 'Sets the state and the e-mail address of an order.',
  schema: orderMarksSchema,
  async apply(db, store, { message, payload: { order } }, shape) {
    const { id: number, status, email } = order
    const texts = { unknown_order: `Order with number ${number} was not found` }
    const marks = { state: status ?? undefined, email: email ?? undefined }
    const orderId = await inOwnTexts(texts, () => changeOrder(db, store, number, marks))
    return answerWithOrder(db, store, orderId, shape, summary(message, `Updated Order with number ${number}`))
  },
}
