import { z } from 'zod'

import { productPartsSchema } from './object-parts.ts'
import { decimal, id, text, time } from './texts.ts'

/** In the order of their positions. */
const images = z.array(
  z.object({
    id,
    position: z.int().nullable(),
    alt: text,
    /** Where the store says it; below its own address where it begins with a slash. */
    url: text,
    contentType: text,
    fileName: text,
    width: z.int().nullable(),
    height: z.int().nullable(),
    /** Under which Active Storage keeps the file. */
    key: text,
  }),
)

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
  images,
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
  /** Their names, in the order that the product gives them. */
  optionTypes: z.array(z.string()),
  /** Names from the root down, of each taxon or category that it is filed under. */
  taxons: z.array(z.array(z.string())),
  /** Name and value of properties and fields of the shop's own making; of two of the same name the later counts. */
  properties: z.array(z.tuple([z.string(), text])),
  /** Its own, which are none of its variants'. */
  images,
  translations: z.array(
    z.object({
      locale: z.string(),
      name: text,
      description: text,
      permalink: text,
      metaDescription: text,
      metaKeywords: text,
    }),
  ),
  /** What the family says beyond the common words, under its own names. */
  extras: z.record(z.string(), z.unknown()),
  /** Only where the store is read for objects. */
  parts: productPartsSchema.optional(),
})

export type ProductSnapshot = Readonly<z.infer<typeof productSnapshotSchema>>
