import { type ReturnInbound, returnInboundSchema } from '../messages/schemas/return-inbound.ts'
import type { Db } from '../postgres/pool.ts'
import type { ReceivedReturn, ReturnedGoods } from '../store/writes/returned-goods.ts'
import { findReturned } from '../store/writes/take-back.ts'
import { type Applied, type Handler, NotApplicable } from './handler.ts'
import { inOwnTexts } from './own-texts.ts'
import { findSameReturn, RETURN_TYPE } from './same-return.ts'
import { summary } from './summary.ts'

/**
 * Receives goods that came back (protocol §9.4). What they cost is not paid back here: that waits for the shop. One that is
 * said again is not received twice: where all its goods are back it has been processed, else a person decides.
 */
export const addCustomerReturn: Handler<ReturnInbound> = {
  message: RETURN_TYPE,
  dialect: 'wombat',
  description:
    'Receives the pieces of an order that came back to a stock location, to be reimbursed in the shop.',
  schema: returnInboundSchema,
  async apply(db, store, { message, payload }) {
    const goods = goodsOf(payload)
    const texts = { too_few: 'Unable to create the requested amount of return items' }
    const incomplete = (why: string) => `Customer return could not be fully processed, errors: ${why}`
    return inOwnTexts(
      texts,
      async () => {
        const found = await findReturned(db, store, goods)
        if (found.processedBy !== null)
          return summary(message, `Customer return ${found.processedBy} has already been processed`)
        await refuseSecond(db, payload, found.rmaReceivedBy)
        return answerOf(message, await found.receive())
      },
      incomplete,
    )
  },
}

/** @throws NotApplicable where the request is no return of goods of one order. */
function goodsOf({ customer_return: given }: ReturnInbound): ReturnedGoods {
  if (given === null)
    throw new NotApplicable('no_customer_return', 'Please provide a customer_return payload')
  const refuse = (error: string) =>
    new NotApplicable('invalid_return', `Customer return could not be created, errors: ["${error}"]`)
  const orders = [...new Set(given.items.map(({ order_number: number }) => number))]
  const [orderNumber] = orders
  if (orderNumber === undefined) throw refuse("Return items can't be blank")
  if (orders.length > 1) throw refuse('Return items cannot be associated with multiple orders.')
  return { rma: given.rma, location: given.stock_location, orderNumber, items: given.items }
}

/** @throws NotApplicable for one that looks like one that has been received; `inbox show` puts the two side by side. */
async function refuseSecond(db: Db, payload: ReturnInbound, rmaReceivedBy: string | null): Promise<void> {
  const same = await findSameReturn(db, payload)
  if (same === undefined && rmaReceivedBy === null) return
  const before = same
    ? `message ${same.id} of the inbox (${same.messageId}), which was applied at ${same.changedAt.toISOString()}`
    : `return ${rmaReceivedBy}, with which all of its RMA was received`
  throw new NotApplicable(
    'looks_applied',
    `It looks like ${before}, and is not applied a second time: if it is the same, discard it; if such goods came once more, receive them in the shop, then discard it.`,
  )
}

function answerOf(message: string, { id, number, open, reimbursement }: ReceivedReturn): Applied {
  const { notifications, details } = summary(
    message,
    open === 'reimburse'
      ? `Customer return ${id} processed but not fully reimbursed`
      : `Customer return ${id} was added`,
  )
  const left = {
    reimburse: reimbursement
      ? `Reimbursement ${reimbursement} waits in the shop: what is paid back goes through its gateway`
      : `What return ${number} is worth is to be paid back in the shop, through its gateway`,
    decide: `The items of return ${number} wait for a decision in the shop before they are reimbursed`,
  }
  if (open === null) return { notifications, details }
  const told = { level: 'warn' as const, subject: message, description: left[open] }
  return { notifications: [...notifications, told], details }
}
