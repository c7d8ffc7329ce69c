import { type CustomerInbound, customerInboundSchema } from '../messages/schemas/wombat-inbound.ts'
import { addCustomer as add } from '../store/writes/put-customer.ts'
import { customerContent } from './customer-content.ts'
import type { Handler } from './handler.ts'
import { inOwnTexts } from './own-texts.ts'
import { summary } from './summary.ts'

/** Makes an account with its two addresses. */
export const addCustomer: Handler<CustomerInbound> = {
  message: 'add_customer',
  dialect: 'wombat',
  description: 'Adds a customer, known by the e-mail address, with two addresses.',
  schema: customerInboundSchema,
  async apply(db, store, { message, payload }) {
    const content = customerContent(payload)
    const texts = { customer_exists: `Customer with email '${content.email}' already exists!` }
    const id = await inOwnTexts(texts, () => add(db, store, content))
    return summary(message, `Added new customer with ${content.email} and ID: ${id}`)
  },
}
