import { type ProductInbound, productInboundSchema } from '../messages/schemas/product-inbound.ts'
import type { Handler } from './handler.ts'
import { changeUnlessNewer } from './newer-change.ts'
import { productAnswer } from './product-answer.ts'
import { productContent } from './product-content.ts'

/** Changes a product that the store has; what the message does not mention stays. */
export const productUpdate: Handler<ProductInbound> = {
  message: 'product:update',
  description: 'Changes a product and its variants.',
  schema: productInboundSchema,
  async apply(db, store, { message, payload }) {
    // The removal of a product elsewhere: what is left of it is empty, and must not empty ours.
    if (payload.deleted_at != null) {
      const called = payload.sku || payload.permalink || payload.name || 'without a key'
      const description = `Product ${called} was removed by its sender: this store keeps its own`
      return { notifications: [{ level: 'warn', subject: message, description }], details: {} }
    }
    const put = await changeUnlessNewer(db, store, productContent(payload), payload.updated_at)
    if (!put.stays) return productAnswer(message, payload, put)
    return {
      notifications: [{ level: 'warn', subject: message, description: put.stays }],
      details: { ...(payload.sku ? { sku: payload.sku } : {}), permalink: put.slug },
    }
  },
}
