import type { Db } from '../../src/postgres/pool.ts'
import type { Random } from '../support/random.ts'
import {
  choose,
  type Happening,
  type Id,
  insert,
  LIVING_PRODUCTS,
  LIVING_VARIANTS,
  type ReplayShop,
  touch,
  UTC,
  type Variant,
} from './shop.ts'

async function insertVariant(
  db: Db,
  shop: ReplayShop,
  random: Random,
  given: Readonly<{ product: string; master: boolean; sku?: string }>,
): Promise<string> {
  const variant = await insert(db, shop, 'spree_variants', {
    product_id: given.product,
    sku: given.sku ?? `RS-${shop.next()}`,
    is_master: given.master,
    position: random.between(1, 9),
    weight: random.between(0, 40) / 4,
    cost_price: random.chance(0.5) ? random.between(1, 99) / 10 : null,
  })
  if (random.chance(0.9))
    await insert(db, shop, 'spree_prices', {
      variant_id: variant,
      amount: random.between(100, 9999) / 100,
      currency: 'USD',
    })
  if (!given.master) await linkOption(db, shop, random, variant)
  const { rows } = await db.query<Id>('select id::text from spree_stock_locations order by id limit 2')
  for (const { id: location } of rows)
    if (random.chance(0.7))
      await insert(db, shop, shop.words.stock, {
        stock_location_id: location,
        variant_id: variant,
        count_on_hand: random.pick([0, 0, 3, 12]),
      })
  return variant
}

async function linkOption(db: Db, shop: ReplayShop, random: Random, variant: string): Promise<void> {
  const value = await choose<Id>(db, random, 'select id::text from spree_option_values order by id')
  const links = shop.has('spree_option_value_variants', 'variant_id')
    ? 'spree_option_value_variants'
    : 'spree_option_values_variants'
  if (value) await insert(db, shop, links, { variant_id: variant, option_value_id: value.id })
}

async function putProduct(db: Db, shop: ReplayShop, random: Random, sku?: string): Promise<void> {
  const name = `Replayed ${shop.next()}`
  const product = await insert(db, shop, 'spree_products', {
    name,
    slug: name.toLowerCase().replaceAll(' ', '-'),
    description: random.chance(0.5) ? 'made' : null,
    status: 'active',
    available_on: '2026-03-01 00:00:00',
  })
  const given = sku === undefined ? {} : { sku }
  if (shop.words.masters) await insertVariant(db, shop, random, { product, master: true, ...given })
  for (let count = random.between(shop.words.masters ? 0 : 1, 2); count > 0; count--) {
    const first = !shop.words.masters && sku !== undefined && count === 1
    const variant = await insertVariant(db, shop, random, {
      product,
      master: false,
      ...(first ? given : {}),
    })
    if (!shop.words.masters)
      await db.query('update spree_products set default_variant_id = $2 where id = $1', [product, variant])
  }
}

export const createProduct: Happening = ({ db, shop, random }) => putProduct(db, shop, random)

export const addVariant: Happening = async ({ db, shop, random }) => {
  const product = await choose<Id>(db, random, LIVING_PRODUCTS)
  if (!product) return
  await insertVariant(db, shop, random, { product: product.id, master: false })
  await touch(db, 'spree_products', product.id)
}

/** None that its product is known by, and so none that others hear of as the product. */
const MOVABLE = `
  select v.id::text, v.product
    from (${LIVING_VARIANTS}) v join spree_products p on p.id = v.product::bigint
   where not v.master
     and v.id <> coalesce(to_jsonb(p) ->> 'default_variant_id', '')
   order by v.id::bigint`

export const moveVariant: Happening = async ({ db, random }) => {
  const variant = await choose<Variant>(db, random, MOVABLE)
  const product = await choose<Id>(db, random, LIVING_PRODUCTS)
  if (!variant || !product) return
  await db.query(`update spree_variants set product_id = $2, updated_at = ${UTC} where id = $1`, [
    variant.id,
    product.id,
  ])
  for (const id of [variant.product, product.id]) await touch(db, 'spree_products', id)
}

export const renameProduct: Happening = async ({ db, shop, random }) => {
  const product = await choose<Id>(db, random, LIVING_PRODUCTS)
  await db.query(`update spree_products set name = $2, updated_at = ${UTC} where id = $1`, [
    product?.id,
    `Renamed ${shop.next()}`,
  ])
}

/** The same name again, and another that does not stay: nothing that anybody could see. */
export const renameToTheSame: Happening = async ({ db, random }) => {
  const product = await choose<Id>(db, random, LIVING_PRODUCTS)
  const rename = `update spree_products set name = $2 || substr(name, 1 + $3), updated_at = ${UTC} where id = $1`
  await db.query(rename, [product?.id, '', 0])
  await db.query(rename, [product?.id, '!', 0])
  await db.query(rename, [product?.id, '', 1])
}

export const reprice: Happening = async ({ db, shop, random }) => {
  const price = await choose<Id>(
    db,
    random,
    'select id::text from spree_prices where deleted_at is null order by id',
  )
  const touched = shop.has('spree_prices', 'updated_at') ? `, updated_at = ${UTC}` : ''
  await db.query(`update spree_prices set amount = $2${touched} where id = $1`, [
    price?.id,
    random.between(100, 9999) / 100,
  ])
}

export const measure: Happening = async ({ db, random }) => {
  const variant = await choose<Variant>(db, random, LIVING_VARIANTS)
  await db.query(`update spree_variants set weight = $2, updated_at = ${UTC} where id = $1`, [
    variant?.id,
    random.between(0, 40) / 4,
  ])
}

export const renameOptionValue: Happening = async ({ db, shop, random }) => {
  const value = await choose<Id>(db, random, 'select id::text from spree_option_values order by id')
  await db.query(`update spree_option_values set name = $2, updated_at = ${UTC} where id = $1`, [
    value?.id,
    `value-${shop.next()}`,
  ])
}

const changeSkuTo =
  (sku: (at: Parameters<Happening>[0]) => Promise<string | undefined>): Happening =>
  async (at) => {
    const variant = await choose<Variant>(at.db, at.random, LIVING_VARIANTS)
    const next = await sku(at)
    if (!variant || next === undefined) return
    await at.db.query(`update spree_variants set sku = $2, updated_at = ${UTC} where id = $1`, [
      variant.id,
      next,
    ])
    await touch(at.db, 'spree_products', variant.product)
  }

export const changeSku = changeSkuTo(async ({ shop }) => `RS-${shop.next()}`)

const FREE_SKUS = `
  select distinct gone.sku
    from spree_variants gone join spree_products p on p.id = gone.product_id
   where gone.sku <> ''
     and (gone.deleted_at is not null or p.deleted_at is not null)
     and not exists (select from spree_variants v join spree_products living on living.id = v.product_id
                      where v.sku = gone.sku and v.deleted_at is null and living.deleted_at is null)
   order by 1`

/** One that a variant had which is no more. */
const freeSku = async ({ db, random }: Parameters<Happening>[0]) =>
  (await choose<{ sku: string }>(db, random, FREE_SKUS))?.sku

export const giveFreeSku = changeSkuTo(freeSku)

export const createWithFreeSku: Happening = async (at) => {
  const sku = await freeSku(at)
  if (sku !== undefined) await putProduct(at.db, at.shop, at.random, sku)
}
