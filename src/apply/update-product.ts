import { type ProductObject, productObjectSchema } from '../messages/schemas/product-inbound.ts'
import type { Handler } from './handler.ts'
import { changeUnlessNewer } from './newer-change.ts'
import { inOwnTexts } from './own-texts.ts'
import { productAnswer } from './product-answer.ts'
import { productContent } from './product-content.ts'
import { summary } from './summary.ts'

/** Changes the product with a SKU; what the object does not mention stays. */
export const updateProduct: Handler<ProductObject> = {
  message: 'update_product',
  dialect: 'wombat',
  description: 'Changes a product and its variants.',
  schema: productObjectSchema,
  async apply(db, store, { message, payload: { product } }) {
    const unknown = `Cannot find product with SKU ${product.sku}!`
    const texts = { unknown_product: unknown, sku_of_variant: unknown }
    const put = await inOwnTexts(
      texts,
      () => changeUnlessNewer(db, store, productContent(product, { leavesOnly: true }), product.updated_at),
      (why) => `Product not valid. ${why}`,
    )
    if (put.stays) return summary(message, put.stays, 'warn')
    // A product that is so already is told as an updated one, as the store's own code does.
    const { notifications } = productAnswer(message, product, { ...put, was: 'updated' })
    return { notifications, details: {} }
  },
}
