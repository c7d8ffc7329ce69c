import { priceDeletedAt, priceOrder, word } from './catalogue-words.ts'
import type { Columns } from './columns.ts'
import { quoteName } from './json-sql.ts'
import { isBasePrice } from './product-sql.ts'

/** What is said of a variant `v` and its product `p` where others mention it, as items of a select list; the price in a currency. */
export function mentionedVariantColumns(columns: Columns, currency: string): string {
  return `v.id::text as "id",
                            ${word(columns, 'spree_products', 'p', 'name')} as "name",
                            v.product_id::text as "productId",
                            v.sku,
                            (select pr.amount::text
                               from ${quoteName(columns.schema)}.spree_prices pr
                              where pr.variant_id = v.id
                                and pr.currency = ${currency}
                                and ${priceDeletedAt(columns)} is null
                                ${isBasePrice(columns)}
                              order by ${priceOrder(columns)}
                              limit 1) as "price",
                            v.weight::text,
                            v.height::text,
                            v.width::text,
                            v.depth::text,
                            coalesce(v.is_master, false) as "isMaster",
                            v.cost_price::text as "costPrice",
                            ${word(columns, 'spree_products', 'p', 'slug')} as "permalink"`
}
