import type { Columns } from './columns.ts'
import { jsonRows, quoteName } from './json-sql.ts'

/** The currency of a product `p`: its store's, else the default store's. */
export function currencyOf(columns: Columns): string {
  const stores = `${quoteName(columns.schema)}.spree_stores`
  const living = columns.has('spree_stores', 'deleted_at') ? 'where s.deleted_at is null' : ''
  const ofDefaultStore = `(select s.default_currency from ${stores} s ${living} order by s."default" desc, s.id limit 1)`
  if (!columns.has('spree_products', 'store_id')) return ofDefaultStore
  return `coalesce((select s.default_currency from ${stores} s where s.id = p.store_id), ${ofDefaultStore})`
}

/** Base prices only: those of price lists are for some customers. */
export function isBasePrice(columns: Columns): string {
  return columns.has('spree_prices', 'price_list_id') ? 'and pr.price_list_id is null' : ''
}

/**
 * Snapshots of the products in $1. Of a deleted product the master and the price are told as they were.
 * `deletedMasters`: whether a deleted product's master is its own; where masters were abolished, a deleted one is a relic.
 */
export function productStatement(columns: Columns, options: Readonly<{ deletedMasters: boolean }>): string {
  const schema = quoteName(columns.schema)
  const livingOrLast = (alias: string) => `(${alias}.deleted_at is null or p.deleted_at is not null)`
  const byDefault = columns.has('spree_products', 'default_variant_id')
    ? 'v.id is not distinct from p.default_variant_id desc, '
    : ''
  const basePrice = isBasePrice(columns)
  const extras = ['status'].filter((name) => columns.has('spree_products', name))
  return `
select p.id::text as id, row_to_json(snapshot)::text as snapshot
  from ${schema}.spree_products p
 cross join lateral (select ${currencyOf(columns)} as currency) money
 cross join lateral (
   select p.id::text as "id",
          p.name,
          p.description,
          p.slug as "permalink",
          p.meta_description as "metaDescription",
          p.meta_keywords as "metaKeywords",
          p.available_on as "availableOn",
          p.updated_at as "updatedAt",
          p.deleted_at as "deletedAt",
          coalesce(
            (select v.sku
               from ${schema}.spree_variants v
              where v.product_id = p.id
                and v.is_master
                and ${options.deletedMasters ? livingOrLast('v') : 'v.deleted_at is null'}
              order by v.deleted_at desc nulls first, v.id
              limit 1), '') as "sku",
          (select pr.amount::text
             from ${schema}.spree_variants v
             join ${schema}.spree_prices pr on pr.variant_id = v.id
            where v.product_id = p.id
              and ${livingOrLast('v')}
              and pr.currency = money.currency
              and pr.amount is not null
              and ${livingOrLast('pr')}
              ${basePrice}
            order by v.is_master desc nulls last, ${byDefault}v.deleted_at desc nulls first, v.position, v.id,
                     pr.deleted_at desc nulls first, pr.id
            limit 1) as "price",
          money.currency,
          ${jsonRows(`
            select v.id::text as "id",
                   v.sku,
                   (select pr.amount::text
                      from ${schema}.spree_prices pr
                     where pr.variant_id = v.id
                       and pr.currency = money.currency
                       and pr.deleted_at is null
                       ${basePrice}
                     order by pr.id
                     limit 1) as "price",
                   v.cost_price::text as "costPrice",
                   v.position,
                   v.weight::text,
                   v.height::text,
                   v.width::text,
                   v.depth::text,
                   v.deleted_at as "deletedAt",
                   ${jsonRows(`
                     select t.name as "typeName", o.name
                       from ${schema}.spree_option_value_variants vo
                       join ${schema}.spree_option_values o on o.id = vo.option_value_id
                       join ${schema}.spree_option_types t on t.id = o.option_type_id
                      where vo.variant_id = v.id
                      order by t.position, t.id, o.id`)} as "optionValues"
              from ${schema}.spree_variants v
             where v.product_id = p.id
               and not coalesce(v.is_master, false)
               and v.deleted_at is null
             order by v.id`)} as "variants",
          json_build_object(${extras.map((name) => `'${name}', p.${name}`).join(', ')}) as "extras"
 ) snapshot
 where p.id = any($1::bigint[])`
}
