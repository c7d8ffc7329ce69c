import type { OrderImportPayload } from '../messages/schemas/order-import.ts'
import { orderInboundSchema } from '../messages/schemas/order-inbound.ts'
import { answerWithOrder } from './answer-with-order.ts'
import type { Handler } from './handler.ts'
import { inOwnTexts, type OwnTexts } from './own-texts.ts'
import { placeOrder } from './place-order.ts'

/** Places an order as `order:import` does, once per number; nobody is made a customer by it. */
export const addOrder: Handler<OrderImportPayload> = {
  message: 'add_order',
  dialect: 'wombat',
  description: 'Places an order in the store; once per number.',
  schema: orderInboundSchema,
  async apply(db, store, { message, payload: { order } }, shape) {
    const { id, notifications } = await inOwnTexts(IMPORTERS, () => placeOrder(db, store, order))
    return answerWithOrder(db, store, id, shape, {
      notifications: [
        { level: 'info', subject: message, description: `Order number ${order.number} was added` },
        ...notifications,
      ],
      details: {},
    })
  },
}

/** As the stores' own importer begins to tell what is wrong. */
const IMPORTERS: OwnTexts = {
  unknown_sku: ({ about }) => `Ensure order import variant: Variant w/SKU ${about.join(', ')} not found.`,
  ambiguous_sku: ({ message }) => `Order import line items: ${message}`,
  master_of_variants: ({ message }) => `Order import line items: ${message}`,
  insufficient_stock: ({ message }) => `Order import line items: ${message}`,
  unknown_payment_method: ({ message }) => `Order import payments: ${message}`,
  unknown_country: ({ message }) => `Ensure order import address country: ${message}`,
}
