import type { Db } from '../../postgres/pool.ts'
import { isBareMaster } from './bare-master.ts'
import { roundDecimal } from './decimal.ts'
import { NotApplicable } from './not-applicable.ts'
import { giveOptionType, giveOptionValue } from './options.ts'
import { asMoney, setPrice } from './prices.ts'
import type { VariantContent } from './product-content.ts'
import { insertRow, updateRow } from './rows.ts'
import type { Shop } from './shop.ts'
import { makeStock, type StockLocation } from './stock-place.ts'

/** The product whose variants are written. */
export type Owner = Readonly<{
  id: string
  storeId: string | null
  /** In which it is named. */
  locale: string
  currency: string
}>

/** Measures and cost as the columns hold them: else an equal value with more decimals would look like another one. */
export function roundedColumns(
  shop: Shop,
  columns: Readonly<Record<string, string | null>>,
): Record<string, string | null> {
  return Object.fromEntries(
    Object.entries(columns).map(([name, value]) => [
      name,
      value === null ? null : name === 'cost_price' ? asMoney(shop, value) : roundDecimal(value, 2),
    ]),
  )
}

/** A new variant, last in its product, with a row of stock at each location that wants one of every variant. */
export async function insertVariant(
  db: Db,
  shop: Shop,
  owner: Owner,
  variant: Readonly<{ sku: string; master: boolean; columns: VariantContent['columns'] }>,
): Promise<string> {
  const { rows } = await db.query<{ next: number }>(
    `select coalesce(max(position), 0) + 1 as next
       from ${shop.table('spree_variants')}
      where product_id = $1::bigint
        and deleted_at is null`,
    [owner.id],
  )
  const id = await insertRow(db, shop, 'spree_variants', {
    product_id: owner.id,
    sku: variant.sku,
    is_master: variant.master,
    position: rows[0]?.next ?? 1,
    cost_currency: owner.currency,
    ...roundedColumns(shop, variant.columns),
  })
  if (!variant.master && shop.columns.has('spree_products', 'variant_count')) {
    await db.query(
      `update ${shop.table('spree_products')} set variant_count = variant_count + 1 where id = $1::bigint`,
      [owner.id],
    )
  }
  for (const location of await propagatingLocations(db, shop)) await makeStock(db, shop, { id }, location)
  return id
}

/**
 * Makes the product's variant with this SKU what `content` says, or makes that variant. Returns its id where anything was
 * written. @throws NotApplicable where the SKU is another product's, or a new variant has no options.
 */
export async function putVariant(
  db: Db,
  shop: Shop,
  owner: Owner,
  content: VariantContent,
  inheritedPrice: string | undefined,
): Promise<string | undefined> {
  const found = await findInProduct(db, shop, owner, content.sku)
  if (found === undefined && shop.masters && Object.keys(content.options).length === 0) {
    throw new NotApplicable(
      'options_missing',
      `Variant ${content.sku} has no options: a store with master variants needs at least one to tell it from the others.`,
    )
  }
  const id =
    found?.id ??
    (await insertVariant(db, shop, owner, { sku: content.sku, master: false, columns: content.columns }))
  let changed =
    found === undefined ||
    (await updateRow(db, shop, 'spree_variants', id, roundedColumns(shop, content.columns)))
  const price = content.price ?? (found === undefined ? inheritedPrice : undefined)
  if (price !== undefined && !found?.bare && (await setPrice(db, shop, id, owner.currency, price)))
    changed = true
  for (const [name, value] of Object.entries(content.options)) {
    const type = await giveOptionType(db, shop, owner, name)
    const given = await giveOptionValue(db, shop, id, type.id, value, owner.locale)
    if (type.changed || given) changed = true
  }
  if (changed) await stripMaster(db, shop, owner.id)
  return changed ? id : undefined
}

/** Deletes the prices and the stock that a master lost to the others. */
async function stripMaster(db: Db, shop: Shop, productId: string): Promise<void> {
  if (!shop.isSpree5 || !shop.masters) return
  for (const table of ['spree_prices', shop.stock]) {
    await db.query(
      `delete from ${shop.table(table)} own
        using ${shop.table('spree_variants')} v
        where v.product_id = $1::bigint
          and ${isBareMaster(shop)}
          and own.variant_id = v.id
          and own.deleted_at is null`,
      [productId],
    )
  }
}

async function findInProduct(
  db: Db,
  shop: Shop,
  owner: Owner,
  sku: string,
): Promise<Readonly<{ id: string; bare: boolean }> | undefined> {
  const { rows } = await db.query<{ id: string; own: boolean; bare: boolean }>(
    `select v.id::text as id, v.product_id = $2::bigint as own, ${isBareMaster(shop)} as bare
       from ${shop.table('spree_variants')} v
       join ${shop.table('spree_products')} p on p.id = v.product_id
      where v.sku = $1
        and v.deleted_at is null
        and p.deleted_at is null
      order by own desc, coalesce(v.is_master, false), v.id`,
    [sku, owner.id],
  )
  const [first] = rows
  if (!first || first.own) return first
  throw new NotApplicable(
    'sku_taken',
    `SKU ${sku} belongs to a variant of another product already: give this variant another SKU, then send it again.`,
  )
}

/** Those that hold a row for every variant, active or not. */
async function propagatingLocations(db: Db, shop: Shop): Promise<StockLocation[]> {
  const living = shop.columns.has('spree_stock_locations', 'deleted_at') ? 'and l.deleted_at is null' : ''
  const { rows } = await db.query<StockLocation>(
    `select l.id::text as id, coalesce(l.backorderable_default, false) as backorderable
       from ${shop.table('spree_stock_locations')} l
      where l.propagate_all_variants
        ${living}
      order by l.id`,
  )
  return rows
}
