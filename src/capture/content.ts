import type { ProductPayload } from '../messages/schemas/product-message.ts'

/**
 * What a digest is made of: all of a product, whatever the order in which the option types of its variants stand in the shop. The images of
 * variants have a key of their own, as all that a later shape brought.
 */
export function productContent(product: ProductPayload): Readonly<Record<string, unknown>> {
  return {
    ...product,
    variants: product.variants.map(({ options, images, ...own }) => ({
      ...own,
      options: Object.entries(options).sort(),
    })),
    variant_images: product.variants.map(({ images }) => images),
  }
}
