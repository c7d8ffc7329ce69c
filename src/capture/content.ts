import type { ProductPayload } from '../messages/schemas/product-message.ts'
import type { ProductSnapshot } from '../messages/snapshot.ts'

/**
 * What a digest is made of: all of a product, whatever the order in which the option types of its variants stand in the
 * shop. The images of variants have a key of their own, as all that a later shape brought. `parts`: what only its object
 * says.
 */
export function productContent(
  product: ProductPayload,
  parts: ProductSnapshot['parts'],
): Readonly<Record<string, unknown>> {
  return {
    ...product,
    variants: product.variants.map(({ options, images, ...own }) => ({
      ...own,
      options: Object.entries(options).sort(),
    })),
    variant_images: product.variants.map(({ images }) => images),
    ...(parts && { parts: { ...parts, shippingCategory: undefined } }),
  }
}
