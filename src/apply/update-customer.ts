import { type CustomerInbound, customerInboundSchema } from '../messages/schemas/wombat-inbound.ts'
import { changeCustomer } from '../store/writes/put-customer.ts'
import { customerContent } from './customer-content.ts'
import type { Handler } from './handler.ts'
import { inOwnTexts } from './own-texts.ts'
import { summary } from './summary.ts'

/** Changes the names and addresses of an account. */
export const updateCustomer: Handler<CustomerInbound> = {
  message: 'update_customer',
  dialect: 'wombat',
  description: 'Changes the addresses of a customer.',
  schema: customerInboundSchema,
  async apply(db, store, { message, payload }) {
    const content = customerContent(payload)
    const texts = { unknown_customer: `Can't find customer with email '${content.email}'` }
    const id = await inOwnTexts(texts, () => changeCustomer(db, store, content))
    return summary(message, `Updated customer with ${content.email} and ID: ${id}`)
  },
}
