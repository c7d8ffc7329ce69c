import type { Db } from '../../postgres/pool.ts'
import { currencyOfTheShop } from '../catalogue-words.ts'
import { NotApplicable } from './not-applicable.ts'
import type { Shop } from './shop.ts'

/** The store to which a new product goes: one database may hold several, and before 2.3 the shop is one without an id. */
export type DefaultStore = Readonly<{
  id: string | null
  currency: string
  locale: string
}>

/** @throws NotApplicable where no store is set up. */
export async function readDefaultStore(db: Db, shop: Shop): Promise<DefaultStore> {
  const hasStores = shop.columns.has('spree_stores')
  const living = shop.columns.has('spree_stores', 'deleted_at') ? 'where s.deleted_at is null' : ''
  const column = (name: string, otherwise: string) =>
    shop.columns.has('spree_stores', name) ? `coalesce(s.${name}, ${otherwise})` : otherwise
  const { rows } = await db.query<DefaultStore>(
    `select ${hasStores ? 's.id::text' : 'null'} as id,
            coalesce(${currencyOfTheShop(shop.columns)}, 'USD') as currency,
            ${column('default_locale', `'en'`)} as locale
       ${hasStores ? `from ${shop.table('spree_stores')} s ${living} order by s."default" desc, s.id` : ''}
      limit 1`,
  )
  if (rows[0]) return rows[0]
  throw new NotApplicable('no_store', 'Table spree_stores has no store: set up the shop first, then retry.')
}

/** The tax category that Spree gives to new products, if there is one. */
export async function defaultTaxCategory(db: Db, shop: Shop, storeId: string | null): Promise<string | null> {
  if (!shop.writesDefaultTax) return null
  const ofStore = shop.columns.has('spree_tax_categories', 'store_id')
    ? 'and (c.store_id is null or c.store_id = $1::bigint)'
    : 'and $1::text is not null'
  const { rows } = await db.query<{ id: string }>(
    `select c.id::text as id
       from ${shop.table('spree_tax_categories')} c
      where c.is_default
        and c.deleted_at is null
        ${ofStore}
      order by c.id
      limit 1`,
    [storeId],
  )
  return rows[0]?.id ?? null
}

/** 6.x: the delivery profile of new products. */
export async function defaultDeliveryProfile(
  db: Db,
  shop: Shop,
  storeId: string | null,
): Promise<string | null> {
  if (!shop.columns.has('spree_delivery_profiles')) return null
  const { rows } = await db.query<{ id: string }>(
    `select d.id::text as id
       from ${shop.table('spree_delivery_profiles')} d
      where d.store_id is null or d.store_id = $1::bigint
      order by d."default" desc, d.id
      limit 1`,
    [storeId],
  )
  return rows[0]?.id ?? null
}
