import { type ProductInbound, productInboundSchema } from '../messages/schemas/product-inbound.ts'
import { addProduct } from '../store/writes/put-product.ts'
import { type Handler, NotApplicable } from './handler.ts'
import { productAnswer } from './product-answer.ts'
import { productContent } from './product-content.ts'

/** Adds a product that the store does not have. */
export const productNew: Handler<ProductInbound> = {
  message: 'product:new',
  description: 'Adds a product, with its variants.',
  schema: productInboundSchema,
  async apply(db, store, { message, payload }) {
    const content = productContent(payload)
    const { name } = content
    if (name === undefined) {
      throw new NotApplicable('name_missing', 'A new product must have a name: send it with one.')
    }
    return productAnswer(message, payload, await addProduct(db, store, { ...content, name }))
  },
}
