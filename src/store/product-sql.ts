import { currencyOf, optionLinks, priceDeletedAt, priceOrder, word } from './catalogue-words.ts'
import type { Columns } from './columns.ts'
import { jsonRows, quoteName } from './json-sql.ts'
import {
  filedProducts,
  optionTypes,
  productImages,
  properties,
  translations,
  variantImages,
} from './product-parts-sql.ts'

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
  const livingOrLast = (deletedAt: string) => `(${deletedAt} is null or p.deleted_at is not null)`
  const priceDeleted = priceDeletedAt(columns)
  const text = (name: string) => word(columns, 'spree_products', 'p', name)
  const byDefault = columns.has('spree_products', 'default_variant_id')
    ? 'v.id is not distinct from p.default_variant_id desc, '
    : ''
  const basePrice = isBasePrice(columns)
  const extras = ['status'].filter((name) => columns.has('spree_products', name))
  const ofMaster = (alias: string) =>
    options.deletedMasters ? livingOrLast(`${alias}.deleted_at`) : `${alias}.deleted_at is null`
  const filed = filedProducts(columns)
  return `${filed ?? ''}
select p.id::text as id, row_to_json(snapshot)::text as snapshot
  from ${schema}.spree_products p${
    filed === undefined
      ? ''
      : `
  left join filed on filed.product_id = p.id`
  }
 cross join lateral (select ${currencyOf(columns)} as currency) money
 cross join lateral (
   select p.id::text as "id",
          ${text('name')} as "name",
          ${text('description')} as "description",
          ${text('slug')} as "permalink",
          ${text('meta_description')} as "metaDescription",
          ${text('meta_keywords')} as "metaKeywords",
          p.available_on as "availableOn",
          p.updated_at as "updatedAt",
          p.deleted_at as "deletedAt",
          coalesce(
            (select v.sku
               from ${schema}.spree_variants v
              where v.product_id = p.id
                and v.is_master
                and ${ofMaster('v')}
              order by v.deleted_at desc nulls first, v.id
              limit 1), '') as "sku",
          (select pr.amount::text
             from ${schema}.spree_variants v
             join ${schema}.spree_prices pr on pr.variant_id = v.id
            where v.product_id = p.id
              and ${livingOrLast('v.deleted_at')}
              and pr.currency = money.currency
              and pr.amount is not null
              and ${livingOrLast(priceDeleted)}
              ${basePrice}
            order by v.is_master desc nulls last, ${byDefault}v.deleted_at desc nulls first, v.position, v.id,
                     ${priceDeleted} desc nulls first, ${priceOrder(columns)}
            limit 1) as "price",
          money.currency,
          ${jsonRows(`
            select v.id::text as "id",
                   v.sku,
                   (select pr.amount::text
                      from ${schema}.spree_prices pr
                     where pr.variant_id = v.id
                       and pr.currency = money.currency
                       and ${priceDeleted} is null
                       ${basePrice}
                     order by ${priceOrder(columns)}
                     limit 1) as "price",
                   v.cost_price::text as "costPrice",
                   v.position,
                   v.weight::text,
                   v.height::text,
                   v.width::text,
                   v.depth::text,
                   v.deleted_at as "deletedAt",
                   ${jsonRows(`
                     select ${word(columns, 'spree_option_types', 't', 'name')} as "typeName",
                            ${word(columns, 'spree_option_values', 'o', 'name')} as "name"
                       from ${schema}.${optionLinks(columns)} vo
                       join ${schema}.spree_option_values o on o.id = vo.option_value_id
                       join ${schema}.spree_option_types t on t.id = o.option_type_id
                      where vo.variant_id = v.id
                      order by t.position, t.id, o.id`)} as "optionValues",
                   ${variantImages(columns)} as "images"
              from ${schema}.spree_variants v
             where v.product_id = p.id
               and not coalesce(v.is_master, false)
               and v.deleted_at is null
             order by v.id`)} as "variants",
          ${optionTypes(columns)} as "optionTypes",
          ${filed === undefined ? `'[]'::json` : `coalesce(filed.taxons, '[]'::json)`} as "taxons",
          ${properties(columns)} as "properties",
          ${productImages(columns, ofMaster('m'))} as "images",
          ${translations(columns, livingOrLast)} as "translations",
          json_build_object(${extras.map((name) => `'${name}', p.${name}`).join(', ')}) as "extras"
 ) snapshot
 where p.id = any($1::bigint[])`
}
