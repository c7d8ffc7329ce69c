import { z } from 'zod'

import { decimal, id, text } from './texts.ts'

/** A variant where it is mentioned, as in an order's line or a movement of stock. */
export const variantSnapshotSchema = z.object({
  id,
  name: text,
  productId: id.nullable(),
  sku: z.string(),
  /** In the order's currency, else in the shop's. */
  price: decimal.nullable(),
  weight: decimal.nullable(),
  height: decimal.nullable(),
  width: decimal.nullable(),
  depth: decimal.nullable(),
  isMaster: z.boolean(),
  costPrice: decimal.nullable(),
  permalink: text,
})

export type VariantSnapshot = Readonly<z.infer<typeof variantSnapshotSchema>>
