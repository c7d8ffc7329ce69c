import type { Db } from '../../postgres/pool.ts'
import { taxonTables } from '../catalogue-words.ts'
import type { Store } from '../store.ts'
import { createProduct } from './create-product.ts'
import { requireCurrency } from './currencies.ts'
import { findProduct, hasSku } from './find-product.ts'
import { NotApplicable } from './not-applicable.ts'
import type { ProductContent } from './product-content.ts'
import { hasProperties } from './properties.ts'
import { type Shop, shopOf } from './shop.ts'
import { slugify } from './slugs.ts'
import { takeTurns } from './take-turns.ts'
import { updateProduct } from './update-product.ts'

/** What became of a message: `same` where the store had it all, `newer` where what the store has is newer. */
export type Put = Readonly<{
  was: 'added' | 'updated' | 'same' | 'newer'
  slug: string
  /** What was said of the product that this store has no column for. */
  left: readonly string[]
}>

type Writable = Pick<Store, 'family' | 'columns'>

/** Adds a product under a SKU that no living variant has yet. @throws NotApplicable where one has it. */
export async function addNewProduct(
  db: Db,
  store: Writable,
  content: ProductContent & Readonly<{ sku: string; name: string }>,
): Promise<Put> {
  const shop = shopOf(store)
  await prepare(db, shop, content)
  if (await hasSku(db, shop, content.sku))
    throw new NotApplicable('product_exists', `Product with SKU ${content.sku} already exists!`)
  const { slug } = await createProduct(db, shop, content)
  return { was: 'added', slug, left: unknownTo(shop, content) }
}

/**
 * Adds a product. One that is there already as it is sent is left alone (a hub that lost an answer sends again); one that
 * differs is refused, because adding must not undo what was changed since.
 * @throws NotApplicable for that, and for SKUs that belong elsewhere.
 */
export async function addProduct(
  db: Db,
  store: Writable,
  content: ProductContent & Readonly<{ name: string }>,
): Promise<Put> {
  const shop = shopOf(store)
  await prepare(db, shop, content)
  const found = await findProduct(db, shop, content)
  const left = unknownTo(shop, content)
  if (!found) return { was: 'added', slug: (await createProduct(db, shop, content)).slug, left }
  if (await updateProduct(db, shop, found, content)) {
    throw new NotApplicable(
      'product_exists',
      `Product with ${keyOf(content)} already exists! It differs from what was sent: send product:update to change it.`,
    )
  }
  return { was: 'same', slug: found.slug ?? '', left }
}

/** Thrown where the shop has changed a product while ours waited for that: what is done then is to be judged anew. */
class Overtaken extends Error {
  /** That of a serialization failure, after which everything is done once more. */
  readonly code = '40001'
}

/**
 * Changes a product, unless what the store has of it is newer, which `isNewer` tells of a product by its id.
 * @throws NotApplicable where this store has no such product, or a SKU or permalink is another's.
 * @throws Overtaken
 */
export async function changeProduct(
  db: Db,
  store: Writable,
  content: ProductContent,
  isNewer: (productId: string) => Promise<boolean> = async () => false,
): Promise<Put> {
  const shop = shopOf(store)
  await prepare(db, shop, content)
  const found = await findProduct(db, shop, content)
  if (!found) {
    throw new NotApplicable(
      'unknown_product',
      `Cannot find product with ${keyOf(content)}! Send product:new first, or give the product that key.`,
    )
  }
  if (await isNewer(found.id)) return { was: 'newer', slug: found.slug ?? '', left: [] }
  const changed = await updateProduct(db, shop, found, content)
  // No row was locked when that was asked: the writes may have waited for one that the shop changed.
  if (changed && (await isNewer(found.id))) throw new Overtaken(`Product ${found.id} was changed meanwhile.`)
  return { was: changed ? 'updated' : 'same', slug: found.slug ?? '', left: unknownTo(shop, content) }
}

function unknownTo(shop: Shop, content: ProductContent): string[] {
  const columns = Object.entries(content.columns)
    .filter(([name, value]) => value !== null && !shop.columns.has('spree_products', name))
    .map(([name]) => name)
  const isLeft = {
    taxons: content.taxons !== undefined && !taxonTables(shop.columns),
    properties: Object.keys(content.properties).length > 0 && !hasProperties(shop),
    shipping_category:
      content.shippingCategory !== undefined && !shop.columns.has('spree_products', 'shipping_category_id'),
  }
  return [...columns, ...Object.entries(isLeft).flatMap(([part, left]) => (left ? [part] : []))]
}

function keyOf(content: ProductContent): string {
  if (content.sku !== undefined) return `SKU ${content.sku}`
  return `permalink ${slugify(content.slug ?? content.name ?? '')}`
}

async function prepare(db: Db, shop: Shop, content: ProductContent): Promise<void> {
  // What names neither takes no turn for it: all that have only a SKU would take one and the same.
  const slug = slugify(content.slug ?? content.name ?? '')
  await takeTurns(db, [
    ...(content.sku === undefined ? [] : [`sku ${content.sku}`]),
    ...content.variants.map((variant) => `sku ${variant.sku}`),
    ...(slug === '' ? [] : [`slug ${slug}`]),
  ])
  await requireCurrency(db, shop, content.currency)
}
