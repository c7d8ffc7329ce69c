import type { Db } from '../../postgres/pool.ts'
import { queryPrepared } from '../../postgres/prepared.ts'
import { NOW } from './rows.ts'
import type { Shop } from './shop.ts'

/** A variant with the product whose one it is. */
export type TouchedVariant = Readonly<{ id: string; productId: string }>

/**
 * Moves `updated_at` up the chain as Spree does when something about variants or a product changed: it is the key of the
 * shop's caches. Variants before products, as everywhere, or two of us would wait for each other. In 2.0 variants have no
 * such time, but their products have.
 */
export async function touchVariants(db: Db, shop: Shop, touched: readonly TouchedVariant[]): Promise<void> {
  if (touched.length === 0) return
  const variantIds = [...new Set(touched.map(({ id }) => id))]
  const productIds = [...new Set(touched.map(({ productId }) => productId))]
  await Promise.all([
    shop.columns.has('spree_variants', 'updated_at') && touchRows(db, shop, 'spree_variants', variantIds),
    touchProducts(db, shop, productIds),
    touchLines(db, shop, variantIds),
  ])
}

/** In 2.0 stock touches nothing. */
export function touchesWithStock({ columns }: Shop): boolean {
  return columns.has('spree_variants', 'updated_at')
}

/** What a change of their stock touches. */
export async function touchWithStock(db: Db, shop: Shop, variants: readonly TouchedVariant[]): Promise<void> {
  if (touchesWithStock(shop)) await touchVariants(db, shop, variants)
}

export async function touchProducts(db: Db, shop: Shop, ids: readonly string[]): Promise<void> {
  await Promise.all([touchRows(db, shop, 'spree_products', ids), touchTaxons(db, shop, ids)])
}

async function touchRows(db: Db, shop: Shop, name: string, ids: readonly string[]): Promise<void> {
  const table = shop.table(name)
  await queryPrepared(
    db,
    `with touched as (
       select id from ${table} where id = any($1::bigint[]) order by id for no key update
     )
     update ${table} row
        set updated_at = ${NOW}
       from touched
      where row.id = touched.id`,
    [ids],
  )
}

// What somebody else has locked is being changed, and so touched, by them: nobody waits for these.

/** From 5.0 on (`Variant#clear_line_items_cache`): the lines that hold a variant. */
async function touchLines(db: Db, shop: Shop, variantIds: readonly string[]): Promise<void> {
  if (!shop.isSpree5) return
  const lines = shop.table('spree_line_items')
  await queryPrepared(
    db,
    `update ${lines}
        set updated_at = ${NOW}
      where id in (select id from ${lines} where variant_id = any($1::bigint[]) for no key update skip locked)`,
    [variantIds],
  )
}

export function touchesTaxons({ columns }: Shop): boolean {
  return columns.has('spree_taxons') && columns.has('spree_products_taxons', 'position')
}

/**
 * Spree 2.2 to 5 (`Product#touch_taxons`): the products' taxons with all above them, and their taxonomies. Before, where the
 * products of a taxon have no positions, it is not touched; Spree 6 has a job for it.
 */
export async function touchTaxons(db: Db, shop: Shop, productIds: readonly string[]): Promise<void> {
  if (!touchesTaxons(shop)) return
  const taxons = shop.table('spree_taxons')
  const taxonomies = shop.table('spree_taxonomies')
  await queryPrepared(
    db,
    `with own as materialized (
       select distinct t.lft
         from ${shop.table('spree_products_taxons')} pt
         join ${taxons} t on t.id = pt.taxon_id
        where pt.product_id = any($1::bigint[])
     ), above as (
       select a.id, a.taxonomy_id
         from ${taxons} a
        where exists (select from own where own.lft between a.lft and a.rgt)
     ), touched as (
       update ${taxons}
          set updated_at = ${NOW}
        where id in (select id from ${taxons} where id in (select id from above) for no key update skip locked)
     )
     update ${taxonomies}
        set updated_at = ${NOW}
      where id in (
              select id
                from ${taxonomies}
               where id in (select taxonomy_id from above)
                 for no key update skip locked)`,
    [productIds],
  )
}
