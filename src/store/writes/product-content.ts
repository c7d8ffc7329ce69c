import type { Paths } from './taxons.ts'

/** What a message says of a product, in the store's own columns. What is not said is left as it is. */
export type ProductContent = Readonly<{
  /** Of the product itself: its master's, or its default variant's. */
  sku: string | undefined
  slug: string | undefined
  name: string | undefined
  /** Other columns of `spree_products`. */
  columns: Readonly<Record<string, unknown>>
  price: string | undefined
  /** Of all prices; without it the store's default. */
  currency: string | undefined
  /** Columns of the variant that stands for the product: cost and measures, decimals as text. */
  ownVariant: Readonly<Record<string, string | null>>
  shippingCategory: string | undefined
  optionTypes: readonly string[]
  /** Under what it is filed: all of it, where it is said. */
  taxons: Readonly<{ paths: Paths; leavesOnly: boolean }> | undefined
  /** By name; of those that it has already nothing is said. */
  properties: Readonly<Record<string, string>>
  variants: readonly VariantContent[]
}>

/** A variant with options, known by its SKU within its product. */
export type VariantContent = Readonly<{
  sku: string
  price: string | undefined
  /** Cost and measures. */
  columns: Readonly<Record<string, string | null>>
  /** Name of the option type → name of the value. */
  options: Readonly<Record<string, string>>
}>
