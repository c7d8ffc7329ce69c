import { optionLinks, word } from './catalogue-words.ts'
import type { Columns } from './columns.ts'
import type { Family } from './family.ts'
import { jsonRow, jsonRows, quoteName } from './json-sql.ts'
import { type ReadOnce, withOnce } from './order-sql.ts'
import type { WatchedTable } from './watched.ts'

/** The family whose snapshots say as well what only objects of the second generation do, as a further column `parts`. */
export function withObjectParts(family: Family, columns: Columns): Family {
  return {
    ...family,
    products: extended(family.products, 'spree_products', columns, productParts(columns)),
    orders: extended(
      family.orders,
      'spree_orders',
      columns,
      orderParts(columns),
      hasReturnItems(columns) ? [returnedOnce(columns)] : [],
    ),
    watched: family.watched.map((watched) => withOptionTexts(watched, columns)),
  }
}

/** What people read of an option is in no message, but in objects. */
function withOptionTexts(watched: WatchedTable, columns: Columns): WatchedTable {
  if (!/^spree_option_(type|value)(s|_translations)$/.test(watched.table)) return watched
  const texts = ['presentation', 'label'].filter((name) => columns.has(watched.table, name))
  return { ...watched, columns: [...watched.columns, ...texts] }
}

function extended(
  statement: string,
  root: string,
  columns: Columns,
  parts: string,
  once: readonly ReadOnce[] = [],
): string {
  return `${withOnce(once)}
select base.*, row_to_json(own)::text as parts
  from (${statement}) base
  join ${quoteName(columns.schema)}.${root} root on root.id = base.id::bigint
 cross join lateral (select ${parts}) own`
}

/** Of a product `root`. */
function productParts(columns: Columns): string {
  const schema = quoteName(columns.schema)
  const categories =
    columns.has('spree_shipping_categories') && columns.has('spree_products', 'shipping_category_id')
  const byDefault = columns.has('spree_products', 'default_variant_id')
    ? 'v.id is not distinct from root.default_variant_id desc, '
    : ''
  const presentation = (table: 'spree_option_types' | 'spree_option_values', alias: string) =>
    word(columns, table, alias, columns.has(table, 'label') ? 'label' : 'presentation')
  return `
          ${categories ? `(select c.name from ${schema}.spree_shipping_categories c where c.id = root.shipping_category_id)` : 'null'}
            as "shippingCategory",
          ${categories ? 'root.shipping_category_id::text' : 'null'} as "shippingCategoryId",
          ${jsonRow(`
            select v.sku,
                   v.cost_price::text as "costPrice",
                   v.weight::text,
                   v.height::text,
                   v.width::text,
                   v.depth::text
              from ${schema}.spree_variants v
             where v.product_id = root.id
               and v.deleted_at is null
             order by v.is_master desc nulls last, ${byDefault}v.position, v.id
             limit 1`)} as "lead",
          ${jsonRows(`
            select v.id::text as "variantId",
                   ${presentation('spree_option_types', 't')} as "type",
                   ${presentation('spree_option_values', 'o')} as "value"
              from ${schema}.spree_variants v
              join ${schema}.${optionLinks(columns)} vo on vo.variant_id = v.id
              join ${schema}.spree_option_values o on o.id = vo.option_value_id
              join ${schema}.spree_option_types t on t.id = o.option_type_id
             where v.product_id = root.id
               and v.deleted_at is null
             order by v.id, t.id, o.id`)} as "options"`
}

/** Of an order `root`. */
function orderParts(columns: Columns): string {
  const schema = quoteName(columns.schema)
  const promoTotal = ['promo_total', 'discount_total'].find((name) => columns.has('spree_orders', name))
  const shipments = columns.has('spree_fulfillments') ? 'spree_fulfillments' : 'spree_shipments'
  return `
          ${promoTotal === undefined ? 'null' : `root.${promoTotal}::text`} as "promoTotal",
          ${jsonRows(`
            select p.id::text as "paymentId", p.source_type as "type", p.source_id::text as "id"
              from ${schema}.spree_payments p
             where p.order_id = root.id
               and p.source_type is not null
             order by p.id`)} as "paymentSources",
          ${promotions(columns)} as "promotions",
          ${jsonRows(`
            select s.id::text as "shipmentId", s.updated_at as "updatedAt"
              from ${schema}.${shipments} s
             where s.order_id = root.id
             order by s.id`)} as "shipmentTimes",
          ${returnItems(columns)} as "returnItems",
          ${reimbursements(columns)} as "reimbursements"`
}

const NOTHING = `'[]'::json`

/** Those that were put on the order; renamed in 3.1, and none in a store that keeps promotions in another way. */
function promotions(columns: Columns): string {
  const schema = quoteName(columns.schema)
  const links = ['spree_order_promotions', 'spree_orders_promotions'].find((table) =>
    columns.has(table, 'promotion_id'),
  )
  if (links === undefined || !columns.has('spree_promotions')) return NOTHING
  const own = (name: string) => (columns.has('spree_promotions', name) ? `p.${name}` : 'null')
  const category =
    columns.has('spree_promotion_categories') && columns.has('spree_promotions', 'promotion_category_id')
  const ofCategory = (name: string) =>
    category && columns.has('spree_promotion_categories', name) ? `c.${name}` : 'null'
  return jsonRows(`
            select p.name,
                   ${own('code')} as "code",
                   ${codesOf(columns, links)} as "codes",
                   ${ofCategory('name')} as "categoryName",
                   ${ofCategory('code')} as "categoryCode"
              from (select distinct promotion_id from ${schema}.${links} where order_id = root.id) l
              join ${schema}.spree_promotions p on p.id = l.promotion_id${
                category
                  ? `
              left join ${schema}.spree_promotion_categories c on c.id = p.promotion_category_id`
                  : ''
              }
             order by p.id`)
}

/** Of a promotion `p` with codes of its own: the ones that the order used. */
function codesOf(columns: Columns, links: string): string {
  const schema = quoteName(columns.schema)
  if (columns.has('spree_promotion_codes') && columns.has(links, 'promotion_code_id'))
    return `coalesce((
                     select json_agg(k.value order by k.id)
                       from ${schema}.spree_promotion_codes k
                      where k.promotion_id = p.id
                        and k.id in (select promotion_code_id from ${schema}.${links} where order_id = root.id)), ${NOTHING})`
  if (columns.has('spree_coupon_codes', 'order_id'))
    return `coalesce((
                     select json_agg(k.code order by k.id)
                       from ${schema}.spree_coupon_codes k
                      where k.promotion_id = p.id and k.order_id = root.id and k.code is not null), ${NOTHING})`
  return NOTHING
}

/** Of customer returns: where a return is received as a whole there are none. */
function returnItems(columns: Columns): string {
  if (!hasReturnItems(columns)) return NOTHING
  const exchange = columns.has('spree_return_items', 'exchange_variant_id')
    ? `(select v.sku from ${quoteName(columns.schema)}.spree_variants v where v.id = i.exchange_variant_id)`
    : 'null'
  return jsonRows(`
            select i.id::text as "id", i.created_at as "createdAt", ${exchange} as "exchangeSku"
              from returned i
             where i.order_id = root.id
             order by i.id`)
}

function hasReturnItems(columns: Columns): boolean {
  return columns.has('spree_customer_returns') && columns.has('spree_return_items', 'inventory_unit_id')
}

function returnedOnce(columns: Columns): ReadOnce {
  const schema = quoteName(columns.schema)
  const exchange = columns.has('spree_return_items', 'exchange_variant_id') ? ', i.exchange_variant_id' : ''
  return {
    name: 'returned',
    sql: `
  select s.order_id, i.id, i.created_at${exchange}
    from ${schema}.spree_shipments s
    join ${schema}.spree_inventory_units u on u.shipment_id = s.id
    join ${schema}.spree_return_items i on i.inventory_unit_id = u.id
   where s.order_id = any($1::bigint[])`,
  }
}

function reimbursements(columns: Columns): string {
  if (!columns.has('spree_reimbursements') || !columns.has('spree_refunds', 'reimbursement_id'))
    return NOTHING
  const schema = quoteName(columns.schema)
  const credits = columns.has('spree_reimbursement_credits')
    ? `(select coalesce(sum(c.amount), 0) from ${schema}.spree_reimbursement_credits c where c.reimbursement_id = b.id)`
    : '0'
  return jsonRows(`
            select b.id::text as "id",
                   b.created_at as "createdAt",
                   ${credits}::text as "credits",
                   coalesce((
                     select json_agg(r.id::text order by r.id)
                       from ${schema}.spree_refunds r
                      where r.reimbursement_id = b.id), ${NOTHING}) as "refundIds"
              from ${schema}.spree_reimbursements b
             where b.order_id = root.id
             order by b.id`)
}
