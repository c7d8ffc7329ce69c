import type { Db } from '../../postgres/pool.ts'
import { word } from '../catalogue-words.ts'
import { NotApplicable } from './not-applicable.ts'
import type { ProductContent } from './product-content.ts'
import type { Shop } from './shop.ts'
import { slugify } from './slugs.ts'

/** A living product, and the variant that stands for it (which holds its SKU and its price), if it has one. */
export type FoundProduct = Readonly<{
  id: string
  slug: string | null
  variantId: string | null
  sku: string | null
}>

/**
 * The living product that a message is about: by its SKU; without one, by its permalink, else by that which its name makes
 * (the documented sample has no SKU, protocol §6.5). A product of 6.x with several variants has no SKU of its own: there the
 * SKUs of its variants name it too. @throws NotApplicable as `findBySku`.
 */
export async function findProduct(
  db: Db,
  shop: Shop,
  content: ProductContent,
): Promise<FoundProduct | undefined> {
  if (content.sku === undefined) {
    const said = content.slug ?? content.name ?? ''
    const found = await find(db, shop, `${slugOf(shop)} = any($1::text[])`, [said, slugify(said)])
    return found.find(({ slug }) => slug === said) ?? found[0]
  }
  const found = await findBySku(db, shop, content.sku)
  if (found || shop.masters) return found
  const skus = content.variants.map((variant) => variant.sku)
  return (await find(db, shop, hasVariant(shop, 'v.sku = any($1::text[])'), skus))[0]
}

/**
 * The living product that a SKU names. Undefined where no living variant has it.
 * @throws NotApplicable where several products have it, or it is that of one variant among others.
 */
async function findBySku(db: Db, shop: Shop, sku: string): Promise<FoundProduct | undefined> {
  const found = await find(db, shop, hasVariant(shop, 'v.sku = $1'), sku)
  const [product, ...others] = found
  if (!product) return undefined
  if (others.length > 0) {
    throw new NotApplicable(
      'ambiguous_sku',
      `SKU ${sku} belongs to ${found.length} products (ids ${found.map(({ id }) => id).join(', ')}): ` +
        'give each its own SKU, then retry.',
    )
  }
  if (product.sku === sku) return product
  throw new NotApplicable(
    'sku_of_variant',
    `SKU ${sku} is that of one variant of product ${product.id}, not of the product: ` +
      'send the product by its own SKU or its permalink, and this among its variants.',
  )
}

/** Whether any living variant has this SKU, whatever its product. */
export async function hasSku(db: Db, shop: Shop, sku: string): Promise<boolean> {
  return (await find(db, shop, hasVariant(shop, 'v.sku = $1'), sku)).length > 0
}

function slugOf({ columns }: Shop): string {
  return word(columns, 'spree_products', 'p', 'slug')
}

function hasVariant(shop: Shop, condition: string): string {
  return `exists (
       select
         from ${shop.table('spree_variants')} v
        where v.product_id = p.id
          and ${condition}
          and v.deleted_at is null)`
}

async function find(
  db: Db,
  shop: Shop,
  condition: string,
  value: string | readonly string[],
): Promise<FoundProduct[]> {
  const first = shop.columns.has('spree_products', 'default_variant_id')
    ? 'v.id is not distinct from p.default_variant_id desc, v.position, v.id'
    : 'v.id'
  const { rows } = await db.query<FoundProduct>(
    `select p.id::text as id, ${slugOf(shop)} as slug, face.id::text as "variantId", face.sku
       from ${shop.table('spree_products')} p
       left join lateral (
              select v.id, v.sku
                from ${shop.table('spree_variants')} v
               where v.product_id = p.id
                 and v.deleted_at is null
                 ${shop.masters ? 'and v.is_master' : ''}
               order by ${first}
               limit 1) face on true
      where p.deleted_at is null
        and ${condition}
      order by p.id`,
    [value],
  )
  return rows
}
