import type { Db } from '../../postgres/pool.ts'
import { taxonTables } from '../catalogue-words.ts'
import type { ProductContent } from './product-content.ts'
import { insertRow, NOW } from './rows.ts'
import type { Shop } from './shop.ts'
import { taxonsAt } from './taxons.ts'
import { touchTaxons } from './touch.ts'
import type { Owned } from './translated.ts'

/**
 * Files a product under the taxons to which paths lead, and under no others; into those that the shop fills by rules of its
 * own (from 5.0 on) nothing is put, and nothing is taken out of them. True where something was written. Each is the last of
 * its taxon's products; of a taxon that it leaves, those behind it move up.
 */
export async function fileProduct(
  db: Db,
  shop: Shop,
  product: Owned & Readonly<{ id: string }>,
  said: ProductContent['taxons'],
): Promise<boolean> {
  const tables = taxonTables(shop.columns)
  if (!tables || said === undefined) return false
  const { taxons, links, key } = tables
  const wanted = await taxonsAt(db, shop, taxons, product, said.paths, said.leavesOnly)
  const automatic = shop.columns.has(taxons, 'automatic') ? 't.automatic' : 'false'
  const link = `from ${shop.table(links)} l where l.${key} = t.id and l.product_id = $1::bigint`
  const { rows } = await db.query<{ taxon: string; filed: boolean }>(
    `select t.id::text as taxon, exists (select ${link}) as filed
       from ${shop.table(taxons)} t
      where (t.id = any($2::bigint[]) or exists (select ${link}))
        and not ${automatic}`,
    [product.id, wanted],
  )
  const left = rows.flatMap(({ taxon, filed }) => (filed && !wanted.includes(taxon) ? [taxon] : []))
  const entered = wanted.filter((taxon) => rows.some((row) => row.taxon === taxon && !row.filed))
  if (left.length + entered.length === 0) return false
  if (left.length > 0) await touchTaxons(db, shop, [product.id])
  for (const taxon of left) await leave(db, shop, links, key, product.id, taxon)
  for (const taxon of entered) await enter(db, shop, links, key, product.id, taxon)
  await count(db, shop, tables, product.id, [...left, ...entered])
  return true
}

type Links = NonNullable<ReturnType<typeof taxonTables>>

async function leave(
  db: Db,
  shop: Shop,
  links: Links['links'],
  key: Links['key'],
  productId: string,
  taxon: string,
): Promise<void> {
  const table = shop.table(links)
  if (!shop.columns.has(links, 'position')) {
    await db.query(`delete from ${table} where product_id = $1::bigint and ${key} = $2::bigint`, [
      productId,
      taxon,
    ])
    return
  }
  const touched = shop.columns.has(links, 'updated_at') ? `, updated_at = ${NOW}` : ''
  await db.query(
    `with gone as (
       delete from ${table} where product_id = $1::bigint and ${key} = $2::bigint returning position
     )
     update ${table}
        set position = position - 1${touched}
      where ${key} = $2::bigint
        and product_id <> $1::bigint
        and position > (select min(position) from gone)`,
    [productId, taxon],
  )
}

async function enter(
  db: Db,
  shop: Shop,
  links: Links['links'],
  key: Links['key'],
  productId: string,
  taxon: string,
): Promise<void> {
  const { rows } = shop.columns.has(links, 'position')
    ? await db.query<{ next: number }>(
        `select coalesce(max(position), 0) + 1 as next from ${shop.table(links)} where ${key} = $1::bigint`,
        [taxon],
      )
    : { rows: [] }
  await insertRow(db, shop, links, {
    product_id: productId,
    [key]: taxon,
    position: rows[0]?.next ?? 1,
  })
}

/**
 * From 5.3 on the shop counts under how many taxons a product is, and until 5.6 the products that are under a taxon itself;
 * from 5.6 on those in it and in all below it (`Taxon.recalculate_products_count`).
 */
async function count(
  db: Db,
  shop: Shop,
  { taxons, links, key }: Links,
  productId: string,
  changed: readonly string[],
): Promise<void> {
  const table = shop.table(taxons)
  const linked = shop.table(links)
  for (const counter of ['categories_count', 'classification_count']) {
    if (!shop.columns.has('spree_products', counter)) continue
    await db.query(
      `update ${shop.table('spree_products')}
          set ${counter} = (select count(*) from ${linked} where product_id = $1::bigint)
        where id = $1::bigint`,
      [productId],
    )
  }
  if (shop.columns.has(taxons, 'classification_count'))
    await db.query(
      `update ${table} t
          set classification_count = (select count(*) from ${linked} l where l.${key} = t.id)
        where id = any($1::bigint[])`,
      [changed],
    )
  if (shop.columns.has(taxons, 'products_count'))
    await db.query(
      `update ${table} a
          set products_count = (
                select count(distinct l.product_id)
                  from ${table} c
                  join ${linked} l on l.${key} = c.id
                 where c.lft between a.lft and a.rgt)
        where exists (
                select
                  from ${table} own
                 where own.id = any($1::bigint[])
                   and own.lft between a.lft and a.rgt)`,
      [changed],
    )
}
