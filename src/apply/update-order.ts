import { type OrderMarksInbound, orderMarksSchema } from '../messages/schemas/wombat-inbound.ts'
import { changeOrder } from '../store/writes/change-order.ts'
import { answerWithOrder } from './answer-with-order.ts'
import type { Handler } from './handler.ts'
import { whyItStays } from './newer-change.ts'
import { inOwnTexts } from './own-texts.ts'
import { summary } from './summary.ts'

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
    const said: { stays?: string | undefined } = {}
    const isNewer = async (id: string) => {
      said.stays = await whyItStays(db, { kind: 'order', table: 'spree_orders', id, number }, updatedAt)
      return said.stays !== undefined
    }
    const orderId = await inOwnTexts(texts, () => changeOrder(db, store, number, marks, isNewer))
    const told = said.stays
      ? summary(message, said.stays, 'warn')
      : summary(message, `Updated Order with number ${number}`)
    return answerWithOrder(db, store, orderId, shape, told)
  },
}
