import { type ProductObject, productObjectSchema } from '../messages/schemas/product-inbound.ts'
import { addNewProduct } from '../store/writes/put-product.ts'
import { type Handler, NotApplicable } from './handler.ts'
import { productAnswer } from './product-answer.ts'
import { productContent } from './product-content.ts'

/** Adds a product under a SKU that is new to the store. */
export const addProduct: Handler<ProductObject> = {
  message: 'add_product',
  dialect: 'wombat',
  description: 'Adds a product, with its variants.',
  schema: productObjectSchema,
  async apply(db, store, { message, payload: { product } }) {
    const { sku, name } = product
    if (name === undefined) throw new NotApplicable('name_missing', "Validation failed: Name can't be blank")
    const put = await addNewProduct(db, store, {
      ...productContent(product, { leavesOnly: true }),
      sku,
      name,
    })
    return { notifications: productAnswer(message, product, put).notifications, details: {} }
  },
}
