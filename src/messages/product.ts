import { z } from 'zod'

import type { ProductPayload } from './schemas/product-message.ts'
import type { ProductSnapshot } from './snapshot.ts'
import { wireId, wireOptionalDecimal, wireOptionalTime } from './wire.ts'

/** The keys by which a hub knows a product: kept with what was announced, for the day when the row is gone. */
export const naturalKeySchema = z.object({
  id: z.string(),
  sku: z.string(),
  permalink: z.string().nullable(),
  name: z.string().nullable(),
  variants: z.array(z.object({ id: z.string(), sku: z.string() })),
})

export type NaturalKey = Readonly<z.infer<typeof naturalKeySchema>>

export function productNaturalKey(product: ProductSnapshot): NaturalKey {
  return {
    id: product.id,
    sku: product.sku,
    permalink: product.permalink,
    name: product.name,
    variants: product.variants.map(({ id, sku }) => ({ id, sku })),
  }
}

/** Payload of `product:new` and `product:update`. `known` is what the hub knows it by, if it was announced before. */
export function productPayload(product: ProductSnapshot, known: NaturalKey | undefined): ProductPayload {
  return {
    id: wireId(product.id),
    name: product.name,
    description: product.description,
    price: wireOptionalDecimal(product.price),
    available_on: wireOptionalTime(product.availableOn),
    permalink: product.permalink,
    meta_description: product.metaDescription,
    meta_keywords: product.metaKeywords,
    sku: product.sku,
    currency: product.currency,
    updated_at: wireOptionalTime(product.updatedAt),
    deleted_at: wireOptionalTime(product.deletedAt),
    ...(known !== undefined && known.sku !== product.sku ? { previous_sku: known.sku } : {}),
    variants: product.variants.map((variant) => ({
      id: wireId(variant.id),
      sku: variant.sku,
      price: wireOptionalDecimal(variant.price),
      cost_price: wireOptionalDecimal(variant.costPrice),
      options: Object.fromEntries(variant.optionValues.map(({ typeName, name }) => [typeName, name])),
      position: variant.position,
      weight: wireOptionalDecimal(variant.weight),
      height: wireOptionalDecimal(variant.height),
      width: wireOptionalDecimal(variant.width),
      depth: wireOptionalDecimal(variant.depth),
      deleted_at: wireOptionalTime(variant.deletedAt),
      images: variant.images.map(imageOf),
    })),
    options: product.optionTypes,
    taxons: product.taxons,
    properties: Object.fromEntries(product.properties),
    images: product.images.map(imageOf),
    translations: Object.fromEntries(
      product.translations.map(({ locale, name, description, permalink, metaDescription, metaKeywords }) => [
        locale,
        { name, description, permalink, meta_description: metaDescription, meta_keywords: metaKeywords },
      ]),
    ),
    ...product.extras,
  }
}

/** Payload of the `product:update` that tells of a row that is gone: all that is left are its natural keys. */
export function removedProductPayload(known: NaturalKey, deletedAt: Date): ProductPayload {
  const deleted_at = deletedAt.toISOString()
  return {
    id: wireId(known.id),
    name: known.name,
    description: null,
    price: null,
    available_on: null,
    permalink: known.permalink,
    meta_description: null,
    meta_keywords: null,
    sku: known.sku,
    currency: null,
    updated_at: null,
    deleted_at,
    variants: known.variants.map(({ id, sku }) => ({
      id: wireId(id),
      sku,
      price: null,
      cost_price: null,
      options: {},
      position: null,
      weight: null,
      height: null,
      width: null,
      depth: null,
      deleted_at,
      images: [],
    })),
    options: [],
    taxons: [],
    properties: {},
    images: [],
    translations: {},
  }
}

/** As it was uploaded; of other sizes the store knows only how they are made. */
function imageOf(image: ProductSnapshot['images'][number]): ProductPayload['images'][number] {
  return {
    id: wireId(image.id),
    url: image.url,
    position: image.position,
    title: image.alt,
    type: 'original',
    dimensions: { height: image.height, width: image.width },
    content_type: image.contentType,
    file_name: image.fileName,
    key: image.key,
  }
}
