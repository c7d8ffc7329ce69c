import type { Db } from '../../src/postgres/pool.ts'
import {
  choose,
  type Happening,
  type Id,
  LIVING_PRODUCTS,
  LIVING_VARIANTS,
  type ReplayShop,
  touch,
  UTC,
  type Variant,
} from './shop.ts'

/** Of the variants, or of all those of a product: they, their prices and, in most families, their stock. */
async function setDeleted(
  db: Db,
  shop: ReplayShop,
  variants: string,
  id: string,
  deleted: boolean,
): Promise<void> {
  const [value, now] = deleted ? [UTC, 'is null'] : ['null', 'is not null']
  const chosen = `select id from spree_variants where ${variants}`
  await db.query(
    `update spree_prices set deleted_at = ${value} where deleted_at ${now} and variant_id in (${chosen})`,
    [id],
  )
  if (shop.words.masters)
    await db.query(
      `update ${shop.words.stock} set deleted_at = ${value} where deleted_at ${now} and variant_id in (${chosen})`,
      [id],
    )
  await db.query(
    `update spree_variants set deleted_at = ${value}, updated_at = ${UTC} where deleted_at ${now} and ${variants}`,
    [id],
  )
}

export const removeVariant: Happening = async ({ db, shop, random }) => {
  const variant = await choose<Variant>(
    db,
    random,
    `select * from (${LIVING_VARIANTS}) v where not v.master order by v.id`,
  )
  if (!variant) return
  await setDeleted(db, shop, 'id = $1', variant.id, true)
  await touch(db, 'spree_products', variant.product)
}

/** Where its SKU is nobody else's by now, as the shop sees to. */
const RESTORABLE = `
  v.deleted_at is not null
  and not exists (select from spree_variants other join spree_products p on p.id = other.product_id
                   where other.sku = v.sku and other.id <> v.id and v.sku <> '' and other.deleted_at is null)`

export const restoreVariant: Happening = async ({ db, shop, random }) => {
  const variant = await choose<Variant>(
    db,
    random,
    `select v.id::text, v.product_id::text as product
       from spree_variants v join spree_products p on p.id = v.product_id
      where p.deleted_at is null and not coalesce(v.is_master, false) and ${RESTORABLE}
      order by v.id`,
  )
  if (!variant) return
  await setDeleted(db, shop, 'id = $1', variant.id, false)
  await touch(db, 'spree_products', variant.product)
}

export const removeProduct: Happening = async ({ db, shop, random }) => {
  const product = await choose<Id>(db, random, LIVING_PRODUCTS)
  if (!product) return
  await setDeleted(db, shop, 'product_id = $1', product.id, true)
  await db.query(
    `update spree_products set deleted_at = ${UTC}, slug = 'gone-' || slug, updated_at = ${UTC} where id = $1`,
    [product.id],
  )
}

export const restoreProduct: Happening = async ({ db, shop, random }) => {
  const product = await choose<Id>(
    db,
    random,
    `select p.id::text from spree_products p
      where p.deleted_at is not null
        and not exists (select from spree_variants v where v.product_id = p.id and not (${RESTORABLE}))
      order by p.id`,
  )
  if (!product) return
  await db.query(
    `update spree_products set deleted_at = null, slug = regexp_replace(slug, '^gone-', ''), updated_at = ${UTC} where id = $1`,
    [product.id],
  )
  await setDeleted(db, shop, 'product_id = $1', product.id, false)
}

/** By somebody with a console. */
export const destroyProduct: Happening = async ({ db, shop, random }) => {
  const product = await choose<Id>(db, random, 'select id::text from spree_products order by id')
  const variants = 'variant_id in (select id from spree_variants where product_id = $1)'
  for (const rows of [
    `${shop.words.stock} where ${variants}`,
    `spree_prices where ${variants}`,
    'spree_variants where product_id = $1',
    'spree_products where id = $1',
  ])
    await db.query(`delete from ${rows}`, [product?.id])
}
