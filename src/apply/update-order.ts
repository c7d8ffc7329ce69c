import { type OrderMarksInbound, orderMarksSchema } from '../messages/schemas/wombat-inbound.ts'
import { changeOrder, findOrder } from '../store/writes/change-order.ts'
import { answerWithOrder } from './answer-with-order.ts'
import type { Handler } from './handler.ts'
import { guardOf } from './newer-change.ts'
import { inOwnTexts } from './own-texts.ts'
import { said } from './summary.ts'

/** Sets the state and the e-mail address of an order. The order itself goes to the hub as any that has changed. */
export const updateOrder: Handler<OrderMarksInbound> = {
  message: 'update_order',
  dialect: 'wombat',
  description: 'Sets the state and the e-mail address of an order.',
  schema: orderMarksSchema,
  async apply(db, store, { message, payload: { order } }, shape) {
    const { id: number, status, email, updated_at: updatedAt } = order
    const texts = { unknown_order: `Order with number ${number} was not found` }
    const marks = { state: status ?? undefined, email: email ?? undefined }
    const id = await inOwnTexts(texts, () => findOrder(db, store, number))
    const whyItStays = await guardOf(db, { kind: 'order', id, number }, updatedAt)
    const stays = await changeOrder(db, store, { id, number }, marks, whyItStays)
    const given = [status, email].filter((value) => value != null).length
    const done = stays.length > 0 && stays.length === given ? [] : [`Updated Order with number ${number}`]
    return answerWithOrder(db, store, id, shape, said(message, done, stays))
  },
}
