import type { Db } from '../../postgres/pool.ts'
import type { Store } from '../store.ts'
import { currencyOf, requireCurrency } from './currencies.ts'
import { NotApplicable } from './not-applicable.ts'
import { asMoney, readPrice, setPrice } from './prices.ts'
import { updateRow } from './rows.ts'
import { shopOf } from './shop.ts'
import { readDefaultStore } from './shop-defaults.ts'
import { findVariant } from './stock-place.ts'
import { takeTurns } from './take-turns.ts'
import { touchVariants } from './touch.ts'

export type PricedVariant = Readonly<{
  sku: string
  /** Decimals as text. Undefined it is missed, but not before the variant is found. */
  price: string | undefined
  /** Without it that of its product's store. */
  currency: string | undefined
  /** Other columns of the variant that hold prices, `cost_price`; those that it does not have are left out. */
  columns: Readonly<Record<string, string | null>>
}>

/** The price before, null where there was none, and the price as it is now. */
export type Repriced = Readonly<{ from: string | null; to: string; currency: string }>

/**
 * Sets the price of one variant, of a product's own too, with its history where the store keeps one. Where it is that
 * already, nothing is written. @throws NotApplicable as `findVariant`, and for a currency in which the store does not sell.
 */
export async function priceVariant(
  db: Db,
  store: Pick<Store, 'family' | 'columns'>,
  { sku, price, currency: wanted, columns }: PricedVariant,
): Promise<Repriced> {
  const shop = shopOf(store)
  await takeTurns(db, [`sku ${sku}`])
  await requireCurrency(db, shop, wanted)
  const { id, productId } = await findVariant(db, shop, sku)
  if (price === undefined) throw new NotApplicable('price_missing', 'Missing price information')
  const currency = wanted ?? (await currencyOf(db, shop, productId, await readDefaultStore(db, shop)))
  const from = (await readPrice(db, shop, id, currency)) ?? null
  const repriced = await setPrice(db, shop, id, currency, price)
  const held = Object.entries(columns).filter(
    ([name]) => shop.columns.typeOf('spree_variants', name) === 'numeric',
  )
  const rounded = held.map(([name, value]) => [name, value === null ? null : asMoney(shop, value)])
  const written = await updateRow(db, shop, 'spree_variants', id, Object.fromEntries(rounded))
  if (repriced || written) await touchVariants(db, shop, [{ id, productId }])
  return { from, to: asMoney(shop, price), currency }
}
