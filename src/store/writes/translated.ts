import type { Db } from '../../postgres/pool.ts'
import { keepsNamesInTranslations } from '../catalogue-words.ts'
import { insertRow, updateRow } from './rows.ts'
import type { Shop } from './shop.ts'

type Values = Readonly<Record<string, unknown>>
type Translated =
  | 'spree_products'
  | 'spree_option_types'
  | 'spree_option_values'
  | 'spree_taxonomies'
  | 'spree_taxons'
  | 'spree_categories'
  | 'spree_properties'
  | 'spree_product_properties'

/** To which store a row belongs, and in which language it is named. */
export type Owned = Readonly<{ storeId: string | null; locale: string }>

/**
 * Inserts a row with what people read of it: in 4.6 and 4.7 that is a row of its own, in the language given, and the row
 * itself says nothing. Returns the row's id.
 */
export async function insertTranslated(
  db: Db,
  shop: Shop,
  table: Translated,
  locale: string,
  values: Values,
): Promise<string> {
  const { own, read } = split(shop, table, values)
  const id = await insertRow(db, shop, table, own)
  if (read) await insertRow(db, shop, read.table, { ...read.values, locale, [read.key]: id })
  return id
}

/** As `updateRow`, for a table of which that may be so. */
export async function updateTranslated(
  db: Db,
  shop: Shop,
  table: Translated,
  id: string,
  locale: string,
  values: Values,
): Promise<boolean> {
  const { own, read } = split(shop, table, values)
  const changed = await updateRow(db, shop, table, id, own)
  if (!read || Object.keys(read.values).length === 0) return changed
  const { rows } = await db.query<{ id: string }>(
    `select id::text from ${shop.table(read.table)} where ${read.key} = $1::bigint and locale = $2`,
    [id, locale],
  )
  const [row] = rows
  if (row) return (await updateRow(db, shop, read.table, row.id, read.values)) || changed
  await insertRow(db, shop, read.table, { ...read.values, locale, [read.key]: id })
  return true
}

/** The table with the words of another. */
export function translationsOf(table: string): string {
  return `${table.replace(/ies$/, 'y').replace(/s$/, '')}_translations`
}

function split(shop: Shop, table: Translated, values: Values) {
  const translations = translationsOf(table)
  if (!keepsNamesInTranslations(shop.columns) || !shop.columns.has(translations))
    return { own: values, read: undefined }
  const isRead = ([name]: [string, unknown]) => shop.columns.has(translations, name)
  const entries = Object.entries(values)
  return {
    own: Object.fromEntries(entries.filter((entry) => !isRead(entry))),
    read: {
      table: translations,
      key: translations.replace(/translations$/, 'id'),
      values: Object.fromEntries(entries.filter(isRead)),
    },
  }
}
