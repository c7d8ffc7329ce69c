import type { Columns } from './columns.ts'
import { quoteName } from './json-sql.ts'

// How the versions spell the same catalogue. Asked by column, for the version tells nothing certain.

/** Variant × option value: renamed in 3.1. */
export function optionLinks(
  columns: Columns,
): 'spree_option_value_variants' | 'spree_option_values_variants' {
  return columns.has('spree_option_value_variants')
    ? 'spree_option_value_variants'
    : 'spree_option_values_variants'
}

/** When a price `pr` was deleted: of a store before 2.1 never. */
export function priceDeletedAt(columns: Columns): string {
  return columns.has('spree_prices', 'deleted_at') ? 'pr.deleted_at' : 'null::timestamp'
}

/**
 * How prices `pr` of one variant in one currency are put in order, the one that counts first. Spree keeps one. Solidus
 * takes that of the store's country, else the one for any country, and of these the newest (`Price.currently_valid`,
 * `Store#cart_tax_country_iso`); until 2.0 one is marked.
 */
export function priceOrder(columns: Columns): string {
  if (!columns.has('spree_prices', 'country_iso')) return 'pr.id'
  const marked = columns.has('spree_prices', 'is_default') ? 'pr.is_default desc, ' : ''
  const ofStore = columns.has('spree_stores', 'cart_tax_country_iso')
    ? `when pr.country_iso = (${ofDefaultStore(columns, 'cart_tax_country_iso')}) then 0 `
    : ''
  return `${marked}case ${ofStore}when pr.country_iso is null then 1 else 2 end, pr.updated_at desc nulls last, pr.id desc`
}

/** What products are filed under, a tree, and the rows that file them, by the column `key`. Renamed in 6.0. */
export function taxonTables(columns: Columns) {
  if (columns.has('spree_categories', 'parent_id'))
    return { taxons: 'spree_categories', links: 'spree_product_categories', key: 'category_id' } as const
  if (columns.has('spree_taxons', 'parent_id'))
    return { taxons: 'spree_taxons', links: 'spree_products_taxons', key: 'taxon_id' } as const
  return undefined
}

/** Fields of the shop's own making, of products and of others: from 5.2, beside the properties until 5.3; renamed in 6.0. */
export function fieldTables(columns: Columns) {
  if (columns.has('spree_custom_fields'))
    return {
      fields: 'spree_custom_fields',
      definitions: 'spree_custom_field_definitions',
      key: 'custom_field_definition_id',
    } as const
  if (columns.has('spree_metafields'))
    return {
      fields: 'spree_metafields',
      definitions: 'spree_metafield_definitions',
      key: 'metafield_definition_id',
    } as const
  return undefined
}

/** Images: renamed in 6.0. */
export function mediaTable(columns: Columns): 'spree_assets' | 'spree_media' {
  return columns.has('spree_media') ? 'spree_media' : 'spree_assets'
}

/** From 5.4 a product has images itself, and not by its master only. */
export function hasProductImages(columns: Columns): boolean {
  return columns.has('spree_products', 'media_count')
}

/** What products are called in other languages. */
export function hasTranslations(columns: Columns): boolean {
  return columns.has('spree_product_translations', 'spree_product_id')
}

/** 4.6 and 4.7 keep what people read in the translations alone, and leave it empty where it was. */
export function keepsNamesInTranslations(columns: Columns): boolean {
  return columns.has('spree_product_translations', 'name') && columns.isNullable('spree_products', 'name')
}

type Named =
  | 'spree_products'
  | 'spree_option_types'
  | 'spree_option_values'
  | 'spree_stores'
  | 'spree_taxonomies'
  | 'spree_taxons'
  | 'spree_categories'
  | 'spree_properties'
  | 'spree_product_properties'

/**
 * What people read in column `name` of the row `alias`: where the store keeps that in translations the default store's
 * language, or where that says nothing the language that was written first.
 */
export function word(columns: Columns, table: Named, alias: string, name: string): string {
  const own = `${alias}.${columns.has(table, name) || name !== 'slug' ? name : 'permalink'}`
  const one = table.replace(/ies$/, 'y').replace(/s$/, '')
  const translations = `${one}_translations`
  if (!keepsNamesInTranslations(columns) || !columns.has(translations, name)) return own
  const schema = quoteName(columns.schema)
  return `coalesce((
            select w.${name}
              from ${schema}.${translations} w
             where w.${one}_id = ${alias}.id
               and w.${name} is not null
             order by w.locale is not distinct from (${ofDefaultStore(columns, 'default_locale')}) desc, w.id
             limit 1), ${own})`
}

type StoreSetting = 'default_currency' | 'default_locale' | 'cart_tax_country_iso'

/** A setting of the default store. */
export function ofDefaultStore(columns: Columns, name: StoreSetting): string {
  const living = columns.has('spree_stores', 'deleted_at') ? 'where s.deleted_at is null' : ''
  return `select s.${name} from ${quoteName(columns.schema)}.spree_stores s ${living} order by s."default" desc, s.id limit 1`
}

/** The currency of a product `p`: its store's, else the default store's. */
export function currencyOf(columns: Columns): string {
  const defaultCurrency = currencyOfTheShop(columns)
  if (!columns.has('spree_products', 'store_id')) return defaultCurrency
  return `coalesce((select s.default_currency from ${quoteName(columns.schema)}.spree_stores s where s.id = p.store_id), ${defaultCurrency})`
}

/** Before 4.2 the currency is a setting of the whole shop, which a store row may name too; unset it is the dollar. */
export function currencyOfTheShop(columns: Columns): string {
  const ofStore = columns.has('spree_stores', 'default_currency')
    ? `(${ofDefaultStore(columns, 'default_currency')})`
    : 'null'
  if (columns.has('spree_stores', 'supported_currencies')) return ofStore
  const setting = columns.has('spree_preferences', 'value')
    ? `(select substring(s.value from '\\m[A-Z]{3}\\M')
          from ${quoteName(columns.schema)}.spree_preferences s
         where s.key = 'spree/app_configuration/currency')`
    : 'null'
  return `coalesce(${ofStore}, ${setting}, 'USD')`
}
