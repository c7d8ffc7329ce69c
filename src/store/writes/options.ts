import type { Db } from '../../postgres/pool.ts'
import { optionLinks, word } from '../catalogue-words.ts'
import { insertRow } from './rows.ts'
import type { Shop } from './shop.ts'
import { nameOf, parameterize } from './slugs.ts'
import { findOrMake } from './take-turns.ts'
import { insertTranslated } from './translated.ts'

/** What has options: a product, of its store, named in a language. */
type Named = Readonly<{ id: string; storeId: string | null; locale: string }>

/**
 * A store's option type or value is found by its name, whatever its case, or in the form that Spree 5 and 6 give to names;
 * there also by what people read, from which the name was made.
 */
function named(shop: Shop, table: 'spree_option_types' | 'spree_option_values') {
  const name = word(shop.columns, table, 'o', 'name')
  const byName = `(lower(${name}) = lower($1) or ${name} = $2)`
  return {
    condition: shop.isSpree5 ? `(${byName} or lower(o.${shop.label}) = lower($1))` : byName,
    exactFirst: `${name} = $1 desc, ${byName} desc`,
  }
}

/** Gives a product an option type, made where the store has none of that name. Returns its id, and whether anything was written. */
export async function giveOptionType(
  db: Db,
  shop: Shop,
  product: Named,
  name: string,
): Promise<Readonly<{ id: string; changed: boolean }>> {
  const id = await findOrMakeType(db, shop, name, product)
  const { rows } = await db.query<{ has: boolean; position: number }>(
    `select coalesce(bool_or(option_type_id = $2::bigint), false) as has, coalesce(max(position), 0) + 1 as position
       from ${shop.table('spree_product_option_types')}
      where product_id = $1::bigint`,
    [product.id, id],
  )
  const given = rows[0]
  if (!given || given.has) return { id, changed: false }
  await insertRow(db, shop, 'spree_product_option_types', {
    product_id: product.id,
    option_type_id: id,
    position: given.position,
  })
  return { id, changed: true }
}

/** Makes `value` the variant's value of an option type, in place of another; false where it is that already. */
export async function giveOptionValue(
  db: Db,
  shop: Shop,
  variantId: string,
  typeId: string,
  value: string,
  locale: string,
): Promise<boolean> {
  const valueId = await findOrMakeValue(db, shop, typeId, value, locale)
  const linked = optionLinks(shop.columns)
  const links = shop.table(linked)
  const { rowCount: others } = await db.query(
    `delete from ${links}
      where variant_id = $1::bigint
        and option_value_id in (
              select id from ${shop.table('spree_option_values')} where option_type_id = $2::bigint and id <> $3::bigint)`,
    [variantId, typeId, valueId],
  )
  const { rows } = await db.query(
    `select from ${links} where variant_id = $1::bigint and option_value_id = $2::bigint`,
    [variantId, valueId],
  )
  if (rows.length > 0) return (others ?? 0) > 0
  await insertRow(db, shop, linked, {
    variant_id: variantId,
    option_value_id: valueId,
  })
  return true
}

async function findOrMakeType(db: Db, shop: Shop, name: string, { storeId, locale }: Named): Promise<string> {
  const ofStore = shop.columns.has('spree_option_types', 'store_id')
  const types = shop.table('spree_option_types')
  const { condition, exactFirst } = named(shop, 'spree_option_types')
  const find = async () => {
    const { rows } = await db.query<{ id: string }>(
      `select o.id::text as id
         from ${types} o
        where ${condition}
          ${ofStore ? 'and (o.store_id is null or o.store_id = $3::bigint)' : ''}
        order by ${exactFirst}, o.id
        limit 1`,
      [name, parameterize(name), ...(ofStore ? [storeId] : [])],
    )
    return rows[0]?.id
  }
  return findOrMake(db, 'options', find, async () =>
    insertTranslated(db, shop, 'spree_option_types', locale, {
      name: nameOf(shop, name),
      [shop.label]: name,
      position: await nextPosition(db, types, 'true', []),
      store_id: storeId,
    }),
  )
}

async function findOrMakeValue(
  db: Db,
  shop: Shop,
  typeId: string,
  name: string,
  locale: string,
): Promise<string> {
  const values = shop.table('spree_option_values')
  const { condition, exactFirst } = named(shop, 'spree_option_values')
  const find = async () => {
    const { rows } = await db.query<{ id: string }>(
      `select o.id::text as id
         from ${values} o
        where ${condition}
          and o.option_type_id = $3::bigint
        order by ${exactFirst}, o.id
        limit 1`,
      [name, parameterize(name), typeId],
    )
    return rows[0]?.id
  }
  return findOrMake(db, 'options', find, async () =>
    insertTranslated(db, shop, 'spree_option_values', locale, {
      option_type_id: typeId,
      name: nameOf(shop, name),
      [shop.label]: name,
      position: await nextPosition(db, values, 'option_type_id = $1::bigint', [typeId]),
    }),
  )
}

async function nextPosition(
  db: Db,
  table: string,
  condition: string,
  values: readonly unknown[],
): Promise<number> {
  const { rows } = await db.query<{ next: number }>(
    `select coalesce(max(position), 0) + 1 as next from ${table} where ${condition}`,
    values,
  )
  return rows[0]?.next ?? 1
}
