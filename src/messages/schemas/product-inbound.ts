import { z } from 'zod'

import { utcTime } from '../wire.ts'
import { anyTime, decimalText } from './scalars.ts'

/** Text that PostgreSQL can hold. */
const text = z.string().refine((value) => !value.includes('\0'), 'must not contain a NUL character')
const optionalText = text.nullish()

/** An empty SKU names nothing: as if there were none. */
const sku = text
  .max(255)
  .nullish()
  .transform((value) => (value?.trim() ? value : undefined))

const time = anyTime
  .refine((value) => !value.startsWith('0000'), 'must be in a year after 0')
  .transform(utcTime)
  .nullish()

/** Spree's MAXIMUM_AMOUNT, below which a price must stay; as text, which numeric columns take exactly. */
const amount = decimalBelow(100_000_000)

/** `numeric(8,2)`. */
const measure = decimalBelow(1_000_000).nullish()

const dimensions = { weight: measure, height: measure, width: measure, depth: measure }

const variant = z.object({
  sku,
  price: amount.nullish(),
  cost_price: amount.nullish(),
  /** Option type name → option value name. */
  options: z.record(text, text).default({}),
  position: z.int32().nullish(),
  ...dimensions,
  deleted_at: time,
})

const product = z.object({
  name: optionalText,
  description: optionalText,
  price: amount.nullish(),
  cost_price: amount.nullish(),
  currency: optionalText,
  available_on: time,
  permalink: optionalText,
  meta_description: optionalText,
  meta_keywords: optionalText,
  sku,
  /** Where the SKU changed since the sender last told of the product. */
  previous_sku: sku,
  deleted_at: time,
  ...dimensions,
  shipping_category: optionalText,
  /** Names of the option types. */
  options: z.array(text).optional(),
  /** Paths of names from the taxonomy down to the leaf. */
  taxons: z.array(z.array(text)).optional(),
  properties: z.record(text, text).optional(),
  variants: z.array(variant).optional(),
})

/**
 * `product:new` and `product:update` as a hub delivers them: the fields directly in the payload, or under `product`
 * (protocol §11, 22), in one shape. What is absent is not said, what is null is said to be nothing. `id` is the sender's
 * and means nothing here (§6.5); images and keys that no store has are let go.
 */
export const productInboundSchema = z
  .looseObject({ product: z.looseObject({}).optional() })
  .transform(({ product: wrapped, ...direct }) => wrapped ?? direct)
  .pipe(product)

export type ProductInbound = z.infer<typeof productInboundSchema>

function decimalBelow(limit: number) {
  return z
    .union([z.string(), z.number()])
    .transform(String)
    .pipe(
      decimalText
        .max(40)
        .refine((decimal) => Number(decimal) >= 0, 'must not be negative')
        .refine((decimal) => Number(decimal) < limit, `must be below ${limit}`),
    )
}
