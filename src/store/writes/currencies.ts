import type { Db } from '../../postgres/pool.ts'
import { NotApplicable } from './not-applicable.ts'
import { hasPricesIn } from './prices.ts'
import type { Shop } from './shop.ts'
import { type DefaultStore, readDefaultStore } from './shop-defaults.ts'

/** @throws NotApplicable where the shop does not sell in it. Undefined is the shop's own. */
export async function requireCurrency(db: Db, shop: Shop, currency: string | undefined): Promise<void> {
  if (currency === undefined) return
  const store = await readDefaultStore(db, shop)
  if ([store.currency, ...store.currencies.split(',')].includes(currency)) return
  const lists = shop.columns.has('spree_stores', 'supported_currencies')
  if (!lists && (await hasPricesIn(db, shop, currency))) return
  throw new NotApplicable(
    'unknown_currency',
    `This store does not sell in ${currency}: add it to the store's currencies, or send prices in ${store.currency}.`,
  )
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
