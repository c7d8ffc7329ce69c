import type { Db } from '../../postgres/pool.ts'
import { isBasePrice } from '../product-sql.ts'
import { roundDecimal } from './decimal.ts'
import { insertRow, updateRow } from './rows.ts'
import type { Shop } from './shop.ts'

type Price = Readonly<{ id: string; amount: string | null; compare_at: string | null }>

/**
 * Sets a variant's base price in one currency; false where it is that already. Where the store keeps a history of prices,
 * it gets its row.
 */
export async function setPrice(
  db: Db,
  shop: Shop,
  variantId: string,
  currency: string,
  amount: string,
): Promise<boolean> {
  const rounded = roundDecimal(amount, shop.moneyDecimals)
  const compareAt = shop.columns.has('spree_prices', 'compare_at_amount')
    ? 'pr.compare_at_amount::text'
    : 'null'
  const { rows } = await db.query<Price>(
    `select pr.id::text as id, pr.amount::text, ${compareAt} as compare_at
       from ${shop.table('spree_prices')} pr
      where pr.variant_id = $1::bigint
        and pr.currency = $2
        and pr.deleted_at is null
        ${isBasePrice(shop.columns)}
      order by pr.id
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
        and pr.deleted_at is null
        ${isBasePrice(shop.columns)}
      order by pr.id
      limit 1`,
    [variantId, currency],
  )
  return rows[0]?.amount
}
