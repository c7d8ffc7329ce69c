import type { Db } from '../../postgres/pool.ts'
import { quoteName } from '../../store/json-sql.ts'
import type { Store } from '../../store/store.ts'
import { type Finding, warning } from './finding.ts'

/**
 * Whether the store has company: other stores of the same shop in its tables, or stores of others in other schemas. Nothing
 * is said of one that is alone.
 */
export async function checkStores(db: Db, store: Store): Promise<Finding[]> {
  return [...(await checkSharedTables(db, store)), ...(await checkSchemas(db, store))]
}

/** Several rows of `spree_stores`: one catalogue, and orders of each of them. */
async function checkSharedTables(db: Db, store: Store): Promise<Finding[]> {
  const { columns, schema } = store
  if (!columns.has('spree_stores')) return []
  const living = columns.has('spree_stores', 'deleted_at') ? 'where deleted_at is null' : ''
  const { rows } = await db.query<{ code: string | null }>(
    `select code from ${quoteName(schema)}.spree_stores ${living} order by "default" desc, id`,
  )
  if (rows.length < 2) return []
  const codes = rows.map(({ code }) => code ?? 'one without a code').join(', ')
  return [
    warning(
      'stores',
      `${rows.length} share the tables (${codes}): all of them are announced, to one hub store`,
      store.inObjects
        ? 'Objects do not say whose they are. With HUB_DIALECT=seed orders do, and `filters` keep those of one.'
        : ['If only one is to be, keep its messages by `filters`.', ...howToChoose(store)].join('\n'),
    ),
  ]
}

function howToChoose({ columns }: Store): string[] {
  const ofProducts = columns.has('spree_products', 'store_id')
    ? 'Products: payload.store_id, with `extra: {product: {columns: [store_id]}}`.'
    : columns.has('spree_products_stores')
      ? 'Products: payload.spree_products_stores.*.store_id with `match_rule: any`, with `extra: {product: {tables: {spree_products_stores: {key: product_id, columns: [store_id]}}}}`.'
      : 'Products are of all.'
  return [
    ...(columns.has('spree_orders', 'store_id')
      ? [
          'Orders: payload.store.code of order:persist, payload.original.store.code of order:new, order:updated, order:canceled and shipment:ready, payload.order.store.code of returns; shipment:confirm and payments do not say it.',
        ]
      : []),
    ofProducts,
    'Stock and customers are of all.',
  ]
}

/** Tables of another store elsewhere in the database. That the announced one is left for it, the installation refuses. */
async function checkSchemas(db: Db, { schema }: Store): Promise<Finding[]> {
  const { rows } = await db.query<{ name: string }>(
    `select n.nspname as name
       from pg_catalog.pg_class c
       join pg_catalog.pg_namespace n on n.oid = c.relnamespace
      where c.relname = 'spree_products'
        and c.relkind in ('r', 'p')
        and n.nspname <> $1
      order by n.nspname`,
    [schema],
  )
  if (rows.length === 0) return []
  return [
    warning(
      'schemas',
      `there is a store in ${rows.map(({ name }) => name).join(', ')} too: only that in ${schema}, the first in the search path, is announced`,
      'The search path of the role says which one it is: `alter role … set search_path = …`, then `spree-bridge adopt --fresh`. The schema `bridge` serves one store: to announce two, each needs a database of its own.',
    ),
  ]
}
