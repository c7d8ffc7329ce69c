import type { Db } from '../../postgres/pool.ts'
import { word } from '../catalogue-words.ts'
import type { Shop } from './shop.ts'
import { nameOf, parameterize } from './slugs.ts'
import { findOrMake } from './take-turns.ts'
import { insertTranslated, type Owned } from './translated.ts'

/** Whether products of this store have properties; later ones have fields, whose kinds a person defines. */
export function hasProperties({ columns }: Shop): boolean {
  return columns.has('spree_product_properties') && columns.has('spree_properties')
}

/**
 * Gives a product the properties that it does not have yet; what one of them says already stays (protocol §9.4). True where
 * something was written.
 */
export async function giveProperties(
  db: Db,
  shop: Shop,
  product: Owned & Readonly<{ id: string }>,
  properties: Readonly<Record<string, string>>,
): Promise<boolean> {
  if (!hasProperties(shop)) return false
  let changed = false
  for (const [name, value] of Object.entries(properties)) {
    const propertyId = await propertyOf(db, shop, product, name)
    const { rows } = await db.query<{ has: boolean; next: number }>(
      `select coalesce(bool_or(property_id = $2::bigint), false) as has,
              ${shop.columns.has('spree_product_properties', 'position') ? 'coalesce(max(position), 0) + 1' : '1'} as next
         from ${shop.table('spree_product_properties')}
        where product_id = $1::bigint`,
      [product.id, propertyId],
    )
    if (rows[0]?.has) continue
    await insertTranslated(db, shop, 'spree_product_properties', product.locale, {
      product_id: product.id,
      property_id: propertyId,
      value,
      position: rows[0]?.next ?? 1,
      filter_param: parameterize(value),
    })
    changed = true
  }
  return changed
}

function propertyOf(db: Db, shop: Shop, owner: Owned, name: string): Promise<string> {
  const own = nameOf(shop, name)
  const known = word(shop.columns, 'spree_properties', 't', 'name')
  const find = async () => {
    const { rows } = await db.query<{ id: string }>(
      `select t.id::text as id
         from ${shop.table('spree_properties')} t
        where ${known} in ($1, $2)
        order by ${known} = $1 desc, t.id
        limit 1`,
      [name, own],
    )
    return rows[0]?.id
  }
  return findOrMake(db, `property ${own}`, find, () =>
    insertTranslated(db, shop, 'spree_properties', owner.locale, {
      name: own,
      presentation: name,
      filter_param: parameterize(name),
    }),
  )
}
