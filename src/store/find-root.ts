import type { AggregateKind } from '../messages/aggregate.ts'
import type { Db } from '../postgres/pool.ts'
import { word } from './catalogue-words.ts'
import type { Columns } from './columns.ts'
import { quoteName } from './json-sql.ts'
import type { Store } from './store.ts'

/**
 * The id of what a person names: an order by its number or id, a product by its id, SKU or permalink, all else by its id;
 * undefined where there is none. Carts are no orders.
 */
export async function findRoot(
  db: Db,
  store: Store,
  kind: AggregateKind,
  name: string,
): Promise<string | undefined> {
  if (kind !== 'product' && kind !== 'order') {
    const isThere = /^\d{1,18}$/.test(name) && (await store.present(db, kind, [name])).has(name)
    return isThere ? name : undefined
  }
  const { rows } = await db.query<{ id: string }>(statementFor(kind, store.columns), [name])
  return rows[0]?.id
}

function statementFor(kind: 'product' | 'order', columns: Columns): string {
  const schema = quoteName(columns.schema)
  const permalink = word(columns, 'spree_products', 'p', 'slug')
  if (kind === 'order')
    return `
select o.id::text
  from ${schema}.spree_orders o
 where (o.number = $1 or o.id::text = $1)
   and o.completed_at is not null
 order by o.number = $1 desc
 limit 1`
  return `
select p.id::text
  from ${schema}.spree_products p
  left join ${schema}.spree_variants v on v.product_id = p.id and v.sku = $1
 where p.id::text = $1
    or ${permalink} = $1
    or v.id is not null
 order by p.id::text = $1 desc, ${permalink} = $1 desc, v.deleted_at desc nulls first, p.deleted_at desc nulls first, p.id
 limit 1`
}
