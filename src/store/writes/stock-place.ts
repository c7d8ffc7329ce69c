import type { Db } from '../../postgres/pool.ts'
import { queryPrepared } from '../../postgres/prepared.ts'
import { isBareMaster } from './bare-master.ts'
import { NotApplicable } from './not-applicable.ts'
import { insertRow } from './rows.ts'
import type { Shop } from './shop.ts'
import { touchesWithStock } from './touch.ts'

export type StockVariant = Readonly<{ id: string; productId: string; tracked: boolean }>
export type StockLocation = Readonly<{ id: string; backorderable: boolean }>
/** How a message names a location: by id, by name, or not at all. */
export type NamedLocation = Readonly<{ id: string } | { name: string }> | undefined
export type StockPlace = Readonly<{ variantId: string; locationId: string }>
/** A locked row of stock. */
export type StockRow = Readonly<{ id: string; level: number }>

/**
 * The one living variant with this SKU, compared exactly. @throws NotApplicable where there is none, or several, or where it
 * is a master that the shop leaves without prices and stock.
 */
export async function findVariant(db: Db, shop: Shop, sku: string): Promise<StockVariant> {
  const rows = await withSkus(db, shop, [sku])
  const living = rows.filter((row) => row.living)
  const [variant, ...others] = living
  if (variant?.bare && others.length === 0) {
    throw new NotApplicable(
      'master_of_variants',
      `SKU ${sku} is that of a product with variants, and this store keeps prices and stock of the variants alone: ` +
        'send their SKUs instead.',
    )
  }
  if (variant && others.length === 0) return variant
  if (variant) {
    throw new NotApplicable(
      'ambiguous_sku',
      `SKU ${sku} belongs to ${living.length} living variants (ids ${living.map(({ id }) => id).join(', ')}): ` +
        'give each its own SKU, then retry.',
    )
  }
  if (rows.length > 0) {
    throw new NotApplicable(
      'deleted_variant',
      `The variant with SKU ${sku} is deleted: restore it, or give its SKU to a living variant, then retry.`,
    )
  }
  throw new NotApplicable('unknown_sku', `No variant has SKU ${sku}: create the product first, then retry.`)
}

/** By SKU, those of which `findVariant` finds the one. */
export async function findVariants(
  db: Db,
  shop: Shop,
  skus: readonly string[],
): Promise<ReadonlyMap<string, StockVariant>> {
  const living = (await withSkus(db, shop, skus)).filter((row) => row.living)
  const isAlone = ({ sku }: { sku: string }) => living.filter((row) => row.sku === sku).length === 1
  return new Map(living.filter((row) => isAlone(row) && !row.bare).map((row) => [row.sku, row]))
}

async function withSkus(db: Db, shop: Shop, skus: readonly string[]) {
  const { rows } = await queryPrepared<StockVariant & { sku: string; living: boolean; bare: boolean }>(
    db,
    `select v.id::text as id, v.sku, v.product_id::text as "productId", coalesce(v.track_inventory, true) as tracked,
            v.deleted_at is null and p.deleted_at is null as living,
            ${isBareMaster(shop)} as bare
       from ${shop.table('spree_variants')} v
       join ${shop.table('spree_products')} p on p.id = v.product_id
      where v.sku = any($1::text[])
      order by v.id`,
    [skus],
  )
  return rows
}

/**
 * The location that is meant. Without a name, the one that Spree itself takes first (`StockLocation.order_default` of the
 * active ones): the default, else by name, in Solidus by position; where locations belong to a store, that of the default
 * store. Before 2.4, where none is marked as the default, the oldest.
 * @throws NotApplicable where there is no such location.
 */
export async function findLocation(db: Db, shop: Shop, named: NamedLocation): Promise<StockLocation> {
  const living = shop.columns.has('spree_stock_locations', 'deleted_at') ? 'l.deleted_at is null' : 'true'
  const ofDefaultStore = shop.columns.has('spree_stock_locations', 'store_id')
    ? `(select s."default" from ${shop.table('spree_stores')} s where s.id = l.store_id) desc nulls last, `
    : ''
  const position = shop.columns.has('spree_stock_locations', 'position') ? 'l.position, ' : ''
  const byDefault = shop.columns.has('spree_stock_locations', 'default')
    ? `l."default" desc, ${position}l.name, `
    : ''
  const adminName = shop.columns.has('spree_stock_locations', 'admin_name') ? ' or l.admin_name = $1' : ''
  const [condition, value] =
    named === undefined
      ? ['l.active', null]
      : 'id' in named
        ? ['l.id = $1::bigint', named.id]
        : [`(l.name = $1${adminName})`, named.name]
  const { rows } = await queryPrepared<{ id: string; backorderable: boolean }>(
    db,
    `select l.id::text as id, coalesce(l.backorderable_default, false) as backorderable
       from ${shop.table('spree_stock_locations')} l
      where ${living}
        and ${condition}
      order by ${ofDefaultStore}${byDefault}l.id
      limit 1`,
    value === null ? [] : [value],
  )
  if (rows[0]) return rows[0]
  throw new NotApplicable(
    'unknown_location',
    named === undefined
      ? 'This store has no active stock location: activate one, then retry.'
      : `This store has no stock location with ${'id' in named ? `id ${named.id}` : `name ${named.name}`}: ` +
          'correct the mapping or make the location, then retry.',
  )
}

/** The level as it stands, without a lock: 0 where there is no row. */
export async function readLevel(
  db: Db,
  shop: Shop,
  variant: StockVariant,
  location: StockLocation,
): Promise<number> {
  return (await stockRow(db, shop, variant, location, ''))?.level ?? 0
}

/**
 * Locks the stock row of a variant at a location, as Spree does before it changes a level. Undefined where there is none,
 * and then nobody else of us makes one meanwhile: the location's lock stands in for the unique index that older stores lack.
 */
export async function lockStock(
  db: Db,
  shop: Shop,
  variant: StockVariant,
  location: StockLocation,
): Promise<StockRow | undefined> {
  const found = await stockRow(db, shop, variant, location, LOCKED)
  if (found) return found
  await queryPrepared(
    db,
    `select id from ${shop.table('spree_stock_locations')} where id = $1::bigint for no key update`,
    [location.id],
  )
  return stockRow(db, shop, variant, location, LOCKED)
}

/**
 * Makes the stock row of a variant, as `StockLocation#propagate_variant` does; from 2.4 to 3.1 the variant counts them.
 * Returns its id.
 */
export async function makeStock(
  db: Db,
  shop: Shop,
  variant: Pick<StockVariant, 'id'>,
  location: StockLocation,
): Promise<string> {
  if (shop.columns.has('spree_variants', 'stock_items_count'))
    await queryPrepared(
      db,
      `update ${shop.table('spree_variants')} set stock_items_count = stock_items_count + 1 where id = $1::bigint`,
      [variant.id],
    )
  return insertRow(db, shop, shop.stock, {
    stock_location_id: location.id,
    variant_id: variant.id,
    count_on_hand: 0,
    backorderable: location.backorderable,
  })
}

export function placeKey({ variantId, locationId }: StockPlace): string {
  return `${variantId} ${locationId}`
}

/**
 * Locks those of the places' rows that nobody is at, with the variants and products that are touched with them: nothing that
 * is written afterwards waits. By `placeKey`.
 */
export async function lockFreeStock(
  db: Db,
  shop: Shop,
  places: readonly StockPlace[],
): Promise<ReadonlyMap<string, StockRow>> {
  const living = (alias: string) =>
    shop.columns.has(shop.stock, 'deleted_at') ? `and ${alias}.deleted_at is null` : ''
  const { rows } = await queryPrepared<StockRow & StockPlace>(
    db,
    `select s.id::text as id, s.count_on_hand::float8 as level,
            s.variant_id::text as "variantId", s.stock_location_id::text as "locationId"
       from unnest($1::bigint[], $2::bigint[]) place (variant_id, location_id)
       join ${shop.table(shop.stock)} s
         on s.variant_id = place.variant_id
        and s.stock_location_id = place.location_id
        ${living('s')}
       join ${shop.table('spree_variants')} v on v.id = s.variant_id
       join ${shop.table('spree_products')} p on p.id = v.product_id
      where not exists (
              select
                from ${shop.table(shop.stock)} older
               where older.variant_id = s.variant_id
                 and older.stock_location_id = s.stock_location_id
                 and older.id < s.id
                 ${living('older')})
      order by s.id
        for no key update of ${touchesWithStock(shop) ? 's, v, p' : 's'} skip locked`,
    [places.map(({ variantId }) => variantId), places.map(({ locationId }) => locationId)],
  )
  return new Map(rows.map((row) => [placeKey(row), row]))
}

const LOCKED = 'for no key update'

async function stockRow(
  db: Db,
  shop: Shop,
  variant: StockVariant,
  location: StockLocation,
  lock: '' | typeof LOCKED,
): Promise<StockRow | undefined> {
  const living = shop.columns.has(shop.stock, 'deleted_at') ? 'and s.deleted_at is null' : ''
  const { rows } = await queryPrepared<StockRow>(
    db,
    `select s.id::text as id, s.count_on_hand::float8 as level
       from ${shop.table(shop.stock)} s
      where s.variant_id = $1::bigint
        and s.stock_location_id = $2::bigint
        ${living}
      order by s.id
      limit 1
        ${lock}`,
    [variant.id, location.id],
  )
  return rows[0]
}
