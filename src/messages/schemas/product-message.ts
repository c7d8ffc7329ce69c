import { z } from 'zod'

import { decimalText, text, wireTimeText } from './scalars.ts'

const image = z.looseObject({
  id: z.int().optional(),
  /** Below the store's own address where it begins with a slash; null where the store's database does not say it. */
  url: text,
  position: z.int().nullable(),
  title: text,
  type: z.string(),
  dimensions: z.object({ height: z.int().nullable(), width: z.int().nullable() }),
  content_type: text.optional(),
  file_name: text.optional(),
  /** Under which Active Storage keeps the file. */
  key: text.optional(),
})

const variant = z.looseObject({
  id: z.int(),
  sku: z.string(),
  price: decimalText.nullable(),
  cost_price: decimalText.nullable(),
  /** Type name → value name. */
  options: z.record(z.string(), z.string()),
  position: z.int().nullable(),
  weight: decimalText.nullable(),
  height: decimalText.nullable(),
  width: decimalText.nullable(),
  depth: decimalText.nullable(),
  deleted_at: wireTimeText.nullable(),
  images: z.array(image).optional(),
})

/** `product:new` and `product:update` in the direct form, as anybody may push it. */
export const productMessageSchema = z.looseObject({
  id: z.int().optional(),
  name: text,
  description: text.optional(),
  price: decimalText.nullable(),
  available_on: wireTimeText.nullish(),
  permalink: text.optional(),
  meta_description: text.optional(),
  meta_keywords: text.optional(),
  sku: text.optional(),
  currency: text.optional(),
  updated_at: wireTimeText.nullish(),
  deleted_at: wireTimeText.nullish(),
  variants: z.array(variant).optional(),
  /** Names of its option types, in its own order. */
  options: z.array(z.string()).optional(),
  /** Of each taxon or category the names from the root down. */
  taxons: z.array(z.array(z.string())).optional(),
  /** Name → value. */
  properties: z.record(z.string(), text).optional(),
  images: z.array(image).optional(),
  /** Language → what is written in it. */
  translations: z
    .record(
      z.string(),
      z.looseObject({
        name: text,
        description: text,
        permalink: text,
        meta_description: text,
        meta_keywords: text,
      }),
    )
    .optional(),
  /** Only where the SKU changed since it was last announced. */
  previous_sku: z.string().optional(),
})

/** As the bridge announces it: every key is there, but for `previous_sku`. */
export const announcedProductSchema = productMessageSchema.required().extend({
  previous_sku: z.string().optional(),
  variants: z.array(variant.required().extend({ images: z.array(image.required()) })),
  images: z.array(image.required()),
})

export type ProductPayload = z.infer<typeof announcedProductSchema>
