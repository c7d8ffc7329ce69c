import { z } from 'zod'

import { decimal, id, text, time } from './texts.ts'

const variant = z.object({
  id,
  sku: z.string(),
  price: decimal.nullable(),
  costPrice: decimal.nullable(),
  position: z.int().nullable(),
  weight: decimal.nullable(),
  height: decimal.nullable(),
  width: decimal.nullable(),
  depth: decimal.nullable(),
  deletedAt: time.nullable(),
  /** In the order of their types. */
  optionValues: z.array(z.object({ typeName: z.string(), name: z.string() })),
})

export const productSnapshotSchema = z.object({
  id,
  name: text,
  description: text,
  permalink: text,
  metaDescription: text,
  metaKeywords: text,
  availableOn: time.nullable(),
  updatedAt: time.nullable(),
  deletedAt: time.nullable(),
  /** The master's; empty where there is no master. */
  sku: z.string(),
  /** The master's, or of a product without master the default variant's, in `currency`. */
  price: decimal.nullable(),
  currency: text,
  /** The living ones without the master. */
  variants: z.array(variant),
  /** What the family says beyond the common words, under its own names. */
  extras: z.record(z.string(), z.unknown()),
})

export type ProductSnapshot = Readonly<z.infer<typeof productSnapshotSchema>>
