/** What a consumer can know of a shop, in words of neither side. Numbers are numbers, whatever text they came in. */
export type State = Readonly<{
  /** Living ones, by id. */
  products: Map<string, Product>
  /** Pieces by SKU. */
  stock: Map<string, number>
  /** Placed ones, by number. */
  orders: Map<string, unknown>
  /** Those with an account, by id. */
  customers: Map<string, unknown>
}>

export type Product = Readonly<{
  name: unknown
  description: unknown
  permalink: unknown
  sku: string
  /** Undefined where the shop leaves open which price it is. */
  price: number | null | undefined
  variants: readonly Variant[]
}>

export type Variant = Readonly<{
  id: string
  sku: string
  price: number | null
  cost_price: number | null
  position: unknown
  weight: number | null
  options: Readonly<Record<string, unknown>>
}>

export function number(value: unknown): number | null {
  return value === null || value === undefined ? null : Number(value)
}

export function text(value: unknown): string | null {
  return value === null || value === undefined ? null : String(value)
}

/** In place of its id. */
export const MASTER = 'master'

export function skusOf(product: Product): Map<string, string> {
  const skus = new Map(product.variants.map(({ id, sku }) => [id, sku]))
  skus.set(MASTER, product.sku)
  for (const [id, sku] of skus) if (sku === '') skus.delete(id)
  return skus
}
