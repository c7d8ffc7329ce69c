import { z } from 'zod'

import { currency, measure, money, name, short, text, time, updateTime } from './inbound-scalars.ts'

const sku = short.transform((value) => value.trim())

const measured = {
  cost_price: money.nullish(),
  weight: measure.nullish(),
  height: measure.nullish(),
  width: measure.nullish(),
  depth: measure.nullish(),
}

/** Not applied: kept so that the answer can say so. */
const images = z.array(z.unknown()).nullish()
const propertyValue = z.union([short, z.number().transform(String), z.boolean().transform(String)])

const variant = z.object({
  sku: name,
  price: money.nullish(),
  /** Name of the option type → name of the value. */
  options: z.record(text.min(1).max(100), short.min(1)).default({}),
  images,
  ...measured,
})

/** Other keys are left out, the `id` of the pushing system among them: it is never the store's. */
const product = z.object({
  sku: sku.nullish(),
  name: name.optional(),
  description: text.nullish(),
  price: money.nullish(),
  currency: currency.nullish(),
  available_on: time.nullish(),
  permalink: short.nullish(),
  meta_title: short.nullish(),
  meta_description: text.nullish(),
  meta_keywords: short.nullish(),
  status: z.enum(['draft', 'active', 'archived']).optional(),
  deleted_at: z.string().nullish(),
  /** When the sender changed it; what is no time says nothing. */
  updated_at: updateTime,
  shipping_category: short.min(1).nullish(),
  options: z.array(text.min(1).max(100)).default([]),
  variants: z.array(variant).max(500).default([]),
  /** Paths of names, the top of a tree first. */
  taxons: z.array(z.array(name).max(50)).max(100).nullish(),
  properties: z.record(name, propertyValue).nullish(),
  images,
  ...measured,
})

export type ProductInbound = z.infer<typeof product>

/** The object of `add_product` and `update_product` (protocol §9.4): its SKU is its key. */
export const productObjectSchema = z.object({ product: product.extend({ sku: name }) })
export type ProductObject = z.infer<typeof productObjectSchema>

/** `product:new` and `product:update` as a hub delivers them: the fields directly (protocol §6.5), or under `product` (§9.4). */
export const productInboundSchema = z.preprocess(
  (payload) => (isObject(payload) && isObject(payload['product']) ? payload['product'] : payload),
  product,
)

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
