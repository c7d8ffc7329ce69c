import type { Db } from '../../postgres/pool.ts'
import { living } from './import-references.ts'
import { NotApplicable } from './not-applicable.ts'
import { hasPricesIn } from './prices.ts'
import type { Shop } from './shop.ts'
import { type DefaultStore, readDefaultStore } from './shop-defaults.ts'

/** @throws NotApplicable where the shop does not sell in it. Undefined is the shop's own. */
export async function requireCurrency(db: Db, shop: Shop, currency: string | undefined): Promise<void> {
  if (currency === undefined) return
  const store = await readDefaultStore(db, shop)
  if (store.currency === currency || (await isListed(db, shop, currency))) return
  const lists = shop.columns.has('spree_stores', 'supported_currencies')
  if (!lists && (await hasPricesIn(db, shop, currency))) return
  throw new NotApplicable(
    'unknown_currency',
    `This store does not sell in ${currency}: add it to the store's currencies, or send prices in ${store.currency}.`,
  )
}

/** By a living store, as its own or among others, or from 5.4 on by one of its markets. */
async function isListed(db: Db, shop: Shop, currency: string): Promise<boolean> {
  const { columns } = shop
  const says = [
    ...(columns.has('spree_stores', 'default_currency') ? ['s.default_currency = $1'] : []),
    ...(columns.has('spree_stores', 'supported_currencies')
      ? [`$1 = any(regexp_split_to_array(s.supported_currencies, '[^A-Z]+'))`]
      : []),
    ...(columns.has('spree_markets', 'currency')
      ? [
          `exists (
              select
                from ${shop.table('spree_markets')} m
               where m.store_id = s.id
                 and m.currency = $1 ${living(columns, 'spree_markets', 'm')})`,
        ]
      : []),
  ]
  if (says.length === 0) return false
  const { rows } = await db.query(
    `select
       from ${shop.table('spree_stores')} s
      where (${says.join(' or ')}) ${living(columns, 'spree_stores', 's')}
      limit 1`,
    [currency],
  )
  return rows.length > 0
}

/** Of a product's prices, where a message names none: from 5.5 on that of its own store. */
export async function currencyOf(
  db: Db,
  shop: Shop,
  productId: string,
  { currency }: DefaultStore,
): Promise<string> {
  if (!shop.columns.has('spree_products', 'store_id')) return currency
  const { rows } = await db.query<{ currency: string | null }>(
    `select s.default_currency as currency
       from ${shop.table('spree_products')} p
       join ${shop.table('spree_stores')} s on s.id = p.store_id
      where p.id = $1::bigint`,
    [productId],
  )
  return rows[0]?.currency ?? currency
}
