import { z } from 'zod'

import { decimalText, text, wireTimeText } from './scalars.ts'

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
  /** Only where the SKU changed since it was last announced. */
  previous_sku: z.string().optional(),
})

/** As the bridge announces it: every key is there, but for `previous_sku`. */
export const announcedProductSchema = productMessageSchema
  .required()
  .extend({ previous_sku: z.string().optional() })

export type ProductPayload = z.infer<typeof announcedProductSchema>
