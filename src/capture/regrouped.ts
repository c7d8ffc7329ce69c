import { aggregateKey } from '../messages/aggregate.ts'
import type { MappingError } from '../messages/mapping-error.ts'
import { type NaturalKey, naturalKeySchema, productNaturalKey } from '../messages/product.ts'
import type { ProductSnapshot, VariantStockSnapshot } from '../messages/snapshot.ts'
import type { Db } from '../postgres/pool.ts'
import type { Store } from '../store/store.ts'
import type { Baseline } from './baseline.ts'
import { stockPart } from './stock-account.ts'
import { toldSku } from './stock-places.ts'

/** The part of a product's baseline that is not about stock. */
export const CATALOGUE = 'catalogue'

type Baselines = ReadonlyMap<string, Baseline>

/** The products of whose catalogue something changed, as they stand and as they were told. */
type Changed = Readonly<{
  changed: readonly string[]
  products: ReadonlyMap<string, ProductSnapshot | MappingError>
  baselines: ReadonlyMap<string, Baselines>
}>

/** By what the hub knows the product; undefined where it was never told of it. */
export function knownKey(baselines: Baselines | undefined): NaturalKey | undefined {
  const key = baselines?.get(CATALOGUE)?.naturalKey
  return key == null ? undefined : naturalKeySchema.parse(JSON.parse(key))
}

/**
 * Stock is told by SKU, and so are its pieces told anew where a variant goes while its SKU lives on, comes back, or has a
 * SKU for the first time, though no stock row says so. Those variants by product, and the SKUs that they leave; `stock`
 * is that of all that anybody names. While stock cannot be read, the products that need it are `held`.
 */
export async function readRegrouped(
  db: Db,
  store: Store,
  {
    changed,
    products,
    baselines,
    named,
    stockHeld,
  }: Changed & Readonly<{ named: ReadonlyMap<string, VariantStockSnapshot>; stockHeld: boolean }>,
): Promise<
  Readonly<{
    stock: ReadonlyMap<string, VariantStockSnapshot>
    regrouped: ReadonlyMap<string, readonly string[]>
    left: readonly string[]
    held: readonly string[]
  }>
> {
  const ownOf = (id: string): Baselines => baselines.get(aggregateKey('product', id)) ?? new Map()
  const ids = changed.filter((id) => isRegrouped(products.get(id), ownOf(id)))
  if (ids.length === 0 || stockHeld) return { stock: named, regrouped: new Map(), left: [], held: ids }
  const stock = new Map([...named, ...(await store.stockOfProducts(db, ids))])
  const variants = [...stock.values()]
  const left: string[] = []
  const regrouped = new Map(
    ids.map((id) => {
      const own = variants.filter(({ productId }) => productId === id).map(({ variantId }) => variantId)
      const noted = stockParts(ownOf(id))
      for (const [variantId, sku] of noted)
        if (stock.get(variantId)?.sku !== sku || !stock.get(variantId)?.living) left.push(sku)
      return [id, [...new Set([...noted.keys(), ...own])]]
    }),
  )
  return { stock, regrouped, left, held: [] }
}

/**
 * For SKUs of products that are gone or deleted, and those that variants left: the products on whose living variants they
 * live on.
 */
export async function removedSkus(
  db: Db,
  store: Store,
  { changed, products, baselines, left }: Changed & Readonly<{ left: readonly string[] }>,
): Promise<ReadonlyMap<string, ReadonlySet<string>>> {
  const skus = new Set(left)
  for (const id of changed) {
    const known = knownKey(baselines.get(aggregateKey('product', id)))
    const product = products.get(id)
    const removed = product === undefined || (!(product instanceof Error) && product.deletedAt !== null)
    if (!known || !removed) continue
    for (const sku of [known.sku, ...known.variants.map((variant) => variant.sku)]) skus.add(sku)
  }
  for (const product of products.values()) {
    if (!(product instanceof Error) && product.deletedAt !== null) skus.add(product.sku)
  }
  skus.delete('')
  return skus.size === 0 ? new Map() : store.skuOwners(db, [...skus])
}

/** Whether it lives, and its SKUs, are not as they were told. */
function isRegrouped(product: ProductSnapshot | MappingError | undefined, baselines: Baselines): boolean {
  if (product instanceof Error) return false
  const skus = [...stockParts(baselines).values()]
  if (!product || product.deletedAt !== null) return skus.some((sku) => sku !== '')
  const known = knownKey(baselines)
  if (!known || skus.includes('')) return skus.length > 0
  const now = productNaturalKey(product)
  return known.sku !== now.sku || JSON.stringify(known.variants) !== JSON.stringify(now.variants)
}

/** Of the variants whose stock was noted: under which SKU it was told. */
function stockParts(baselines: Baselines): ReadonlyMap<string, string> {
  const prefix = stockPart('')
  return new Map(
    [...baselines.values()]
      .filter(({ part }) => part.startsWith(prefix))
      .map((baseline) => [baseline.part.slice(prefix.length), toldSku(baseline)]),
  )
}
