import type { Db } from '../../postgres/pool.ts'
import { queryPrepared } from '../../postgres/prepared.ts'
import { NOW } from './rows.ts'
import type { Shop } from './shop.ts'

/**
 * Moves `updated_at` up the chain as Spree does when something about variants or a product changed: it is the key of the
 * shop's caches. Variants before products, and each by their ids, as everywhere, or two of us would wait for each other. In 2.0 variants have no
 * such time, but their products have.
 */
export async function touchVariants(db: Db, shop: Shop, variantIds: readonly string[]): Promise<void> {
  const variants = shop.table('spree_variants')
  const { rows } = await queryPrepared<{ product_id: string }>(
    db,
    shop.columns.has('spree_variants', 'updated_at')
      ? `with touched as (
           select id from ${variants} where id = any($1::bigint[]) order by id for no key update
         )
         update ${variants} v
            set updated_at = ${NOW}
           from touched
          where v.id = touched.id
          returning v.product_id::text as product_id`
      : `select product_id::text from ${variants} where id = any($1::bigint[]) order by id`,
    [variantIds],
  )
  const productIds = [...new Set(rows.map((row) => row.product_id))]
  for (const productId of productIds.sort((a, b) => Number(a) - Number(b)))
    await touchProduct(db, shop, productId)
  await touchLines(db, shop, variantIds)
}

export async function touchProduct(db: Db, shop: Shop, productId: string): Promise<void> {
  await queryPrepared(
    db,
    `update ${shop.table('spree_products')} set updated_at = ${NOW} where id = $1::bigint`,
    [productId],
  )
  await touchTaxons(db, shop, productId)
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

/**
 * Spree 2.2 to 5 (`Product#touch_taxons`): a product's taxons with all above them, and their taxonomies. Before, where the
 * products of a taxon have no positions, it is not touched; Spree 6 has a job for it.
 */
export async function touchTaxons(db: Db, shop: Shop, productId: string): Promise<void> {
  if (!shop.columns.has('spree_taxons') || !shop.columns.has('spree_products_taxons', 'position')) return
  const taxons = shop.table('spree_taxons')
  const taxonomies = shop.table('spree_taxonomies')
  await queryPrepared(
    db,
    `with above as (
       select a.id, a.taxonomy_id
         from ${taxons} a
        where exists (
                select
                  from ${shop.table('spree_products_taxons')} pt
                  join ${taxons} own on own.id = pt.taxon_id
                 where pt.product_id = $1::bigint
                   and own.lft between a.lft and a.rgt)
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
    [productId],
  )
}
