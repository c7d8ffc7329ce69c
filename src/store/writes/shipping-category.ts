import type { Db } from '../../postgres/pool.ts'
import { insertRow } from './rows.ts'
import type { Shop } from './shop.ts'
import { findOrMake } from './take-turns.ts'

/** The shipping category of this name; without a name the one called `Default`, else the first. Made where there is none. */
export async function shippingCategory(db: Db, shop: Shop, name: string | undefined): Promise<string | null> {
  if (!shop.columns.has('spree_products', 'shipping_category_id')) return null
  const find = async () => {
    const { rows } = await db.query<{ id: string }>(
      `select c.id::text as id
         from ${shop.table('spree_shipping_categories')} c
        where $1::text is null or c.name = $1
        order by c.name = 'Default' desc, c.id
        limit 1`,
      [name ?? null],
    )
    return rows[0]?.id
  }
  return findOrMake(db, 'shipping categories', find, () =>
    insertRow(db, shop, 'spree_shipping_categories', { name: name ?? 'Default' }),
  )
}
