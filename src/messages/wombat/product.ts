import type { ProductObject } from '../schemas/object-messages.ts'
import type { ProductSnapshot } from '../snapshot.ts'
import type { ProductParts } from '../snapshots/object-parts.ts'
import { wireOptionalDecimal, wireOptionalTime } from '../wire.ts'

type Variant = ProductObject['variants'][number]
type Sizes = Readonly<Record<'weight' | 'height' | 'width' | 'depth', string | null>>

/**
 * The product with its variants (protocol §9.5). Known by its SKU; one without any by its permalink; undefined where it has
 * neither.
 */
export function productObject(product: ProductSnapshot, parts: ProductParts): ProductObject | undefined {
  const { lead } = parts
  const sku = product.sku || (lead?.sku ?? '')
  const id = sku || product.permalink
  if (id === null || id === '') return undefined
  const images = product.images.map(imageOf)
  const own = {
    sku,
    price: Number(product.price ?? 0),
    cost_price: Number(lead?.costPrice ?? 0),
    ...sizesOf(lead ?? NO_SIZES),
  }
  const variants = product.variants.map(
    (variant): Variant => ({
      sku: variant.sku,
      price: Number(variant.price ?? 0),
      cost_price: Number(variant.costPrice ?? 0),
      ...sizesOf(variant),
      options: Object.fromEntries(
        parts.options
          .filter(({ variantId }) => variantId === variant.id)
          .flatMap(({ type, value }) => (type === null ? [] : [[type, value]])),
      ),
      images: variant.images.map(imageOf),
    }),
  )
  return {
    id,
    name: product.name,
    sku,
    description: product.description,
    price: own.price,
    cost_price: own.cost_price,
    available_on: wireOptionalTime(product.availableOn),
    permalink: product.permalink,
    meta_description: product.metaDescription,
    meta_keywords: product.metaKeywords,
    shipping_category: parts.shippingCategory,
    taxons: product.taxons,
    ...sizesOf(lead ?? NO_SIZES),
    options: product.optionTypes,
    images,
    variants: variants.length > 0 || lead === null ? variants : [{ ...own, options: {}, images }],
  }
}

const NO_SIZES = { weight: null, height: null, width: null, depth: null }

function sizesOf({ weight, height, width, depth }: Sizes): Sizes {
  return {
    weight: wireOptionalDecimal(weight),
    height: wireOptionalDecimal(height),
    width: wireOptionalDecimal(width),
    depth: wireOptionalDecimal(depth),
  }
}

function imageOf(image: ProductSnapshot['images'][number]): ProductObject['images'][number] {
  return {
    url: image.url,
    position: image.position,
    title: image.alt,
    type: 'original',
    dimensions: { height: image.height, width: image.width },
  }
}
