import { z } from 'zod'

import { currency, measure, money, name, short, text, time } from './inbound-scalars.ts'

const sku = short.transform((value) => value.trim())

const measured = {
  cost_price: money.nullish(),
  weight: measure.nullish(),
  height: measure.nullish(),
  width: measure.nullish(),
  depth: measure.nullish(),
}

const variant = z.object({
  sku: name,
  price: money.nullish(),
  /** Name of the option type → name of the value. */
  options: z.record(text.min(1).max(100), short.min(1)).default({}),
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
  shipping_category: short.min(1).nullish(),
  options: z.array(text.min(1).max(100)).default([]),
  variants: z.array(variant).max(500).default([]),
  // Known to the protocol and not applied: kept so that the answer can say so.
  taxons: z.array(z.unknown()).optional(),
  properties: z.record(z.string(), z.unknown()).optional(),
  images: z.array(z.unknown()).optional(),
  ...measured,
})

export type ProductInbound = z.infer<typeof product>

/** `product:new` and `product:update` as a hub delivers them: the fields directly (protocol §6.5), or under `product` (§9.4). */
export const productInboundSchema = z.preprocess(
  (payload) => (isObject(payload) && isObject(payload['product']) ? payload['product'] : payload),
  product,
)

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
