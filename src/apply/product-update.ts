import { type ProductInbound, productInboundSchema } from '../messages/schemas/product-inbound.ts'
import { changeProduct } from '../store/writes/put-product.ts'
import type { Handler } from './handler.ts'
import { type NewerChange, newerChange } from './newer-change.ts'
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
    const { updated_at: updatedAt } = payload
    const found: { newer?: NewerChange | undefined } = {}
    const put = await changeProduct(db, store, productContent(payload), async (productId) => {
      if (updatedAt) found.newer = await newerChange(db, store, productId, updatedAt)
      return found.newer !== undefined
    })
    if (!found.newer) return productAnswer(message, payload, put)
    const { by, at } = found.newer
    const why = by === 'shop' ? 'the shop changed it at' : 'a later update was applied, of'
    const description = `Product ${payload.sku || put.slug} stays as it is: what was sent is of ${updatedAt}, and ${why} ${at.toISOString()}`
    return {
      notifications: [{ level: 'warn', subject: message, description }],
      details: { ...(payload.sku ? { sku: payload.sku } : {}), permalink: put.slug },
    }
  },
}
