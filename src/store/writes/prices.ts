import type { Db } from '../../postgres/pool.ts'
import { ofDefaultStore, priceDeletedAt, priceOrder } from '../catalogue-words.ts'
import { isBasePrice } from '../product-sql.ts'
import { roundDecimal } from './decimal.ts'
import { NotApplicable } from './not-applicable.ts'
import { insertRow, updateRow } from './rows.ts'
import type { Shop } from './shop.ts'

type Price = Readonly<{ id: string; amount: string | null; compare_at: string | null }>

/**
 * Sets a variant's base price in one currency; false where it is that already. Where the store keeps a history of prices,
 * it gets its row. In Solidus, where prices may be of one country, it is that of the store's or the one for any.
 */
export async function setPrice(
  db: Db,
  shop: Shop,
  variantId: string,
  currency: string,
  amount: string,
): Promise<boolean> {
  const rounded = asMoney(shop, amount)
  const compareAt = shop.columns.has('spree_prices', 'compare_at_amount')
    ? 'pr.compare_at_amount::text'
    : 'null'
  const { rows } = await db.query<Price>(
    `select pr.id::text as id, pr.amount::text, ${compareAt} as compare_at
       from ${shop.table('spree_prices')} pr
      where pr.variant_id = $1::bigint
        and pr.currency = $2
        ${base(shop)}
      order by ${priceOrder(shop.columns)}
      limit 1
        for no key update`,
    [variantId, currency],
  )
  const price = rows[0]
  const priceId =
    price?.id ??
    (await insertRow(db, shop, 'spree_prices', { variant_id: variantId, currency, amount: rounded }))
  if (price && !(await updateRow(db, shop, 'spree_prices', price.id, { amount: rounded }))) return false
  if (shop.columns.has('spree_price_histories')) {
    await insertRow(db, shop, 'spree_price_histories', {
      price_id: priceId,
      variant_id: variantId,
      amount: rounded,
      compare_at_amount: price?.compare_at ?? null,
      currency,
      recorded_at: new Date().toISOString(),
    })
  }
  return true
}

/** An amount as the store's columns hold it. @throws NotApplicable where it is too large for them. */
export function asMoney(shop: Shop, amount: string): string {
  const rounded = roundDecimal(amount, shop.moneyDecimals)
  if (Number(rounded) < 10 ** shop.moneyDigits) return rounded
  throw new NotApplicable(
    'amount_too_large',
    `This store cannot hold the amount ${amount}: it has ${shop.moneyDigits} digits before the point.`,
  )
}

/** Whether prices of this store are in a currency, though it may be another than its own. */
export async function hasPricesIn(db: Db, shop: Shop, currency: string): Promise<boolean> {
  const { rows } = await db.query<{ has: boolean }>(
    `select exists (select from ${shop.table('spree_prices')} where currency = $1) as has`,
    [currency],
  )
  return rows[0]?.has ?? false
}

/** A variant's base price in a currency, undefined where it has none. */
export async function readPrice(
  db: Db,
  shop: Shop,
  variantId: string,
  currency: string,
): Promise<string | undefined> {
  const { rows } = await db.query<{ amount: string }>(
    `select pr.amount::text
       from ${shop.table('spree_prices')} pr
      where pr.variant_id = $1::bigint
        and pr.currency = $2
        and pr.amount is not null
        ${base(shop)}
      order by ${priceOrder(shop.columns)}
      limit 1`,
    [variantId, currency],
  )
  return rows[0]?.amount
}

/** A living price `pr` that is neither of a price list nor of another country than the store's. */
function base({ columns }: Shop): string {
  const country = columns.has('spree_stores', 'cart_tax_country_iso')
    ? `(${ofDefaultStore(columns, 'cart_tax_country_iso')})`
    : 'null'
  return `
        and ${priceDeletedAt(columns)} is null
        ${isBasePrice(columns)}
        ${columns.has('spree_prices', 'country_iso') ? `and (pr.country_iso is null or pr.country_iso = ${country})` : ''}`
}
