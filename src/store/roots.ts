import type { AggregateKind } from '../messages/aggregate.ts'
import { sqlState } from '../postgres/errors.ts'
import type { Db, Pool } from '../postgres/pool.ts'
import { inTransaction } from '../postgres/transaction.ts'
import { quoteName } from './json-sql.ts'
import type { Store } from './store.ts'
import { StoreError } from './store-error.ts'

/** What can be told whole, in the order in which a consumer needs it: stock is of products that it knows. */
export const ENTITIES = ['products', 'stock', 'customers', 'orders', 'stock_transfers'] as const
export type Entity = (typeof ENTITIES)[number]

/** Whose root table holds one row for each, and what its rows are. */
const KINDS = {
  products: 'product',
  customers: 'customer',
  orders: 'order',
  stock_transfers: 'stock_transfer',
} as const satisfies Readonly<Record<Exclude<Entity, 'stock'>, AggregateKind>>

export function kindOf(entity: Exclude<Entity, 'stock'>): AggregateKind {
  return KINDS[entity]
}

/** Which rows of the entity's table: changed since a time, and as an operator's own condition on its columns has it. */
export type RootFilter = Readonly<{ since: Date | null; condition: string | null }>

/** A row of an entity: the root of its aggregate, and of stock the variant. */
export type Root = Readonly<{ id: string; aggregateId: string }>

/** What an operator asked for that the store's database does not take: the message is the server's own. */
export class ConditionError extends Error {
  readonly code = 'bad_condition'

  constructor(message: string) {
    super(message)
    this.name = 'ConditionError'
  }
}

/** Statements of one pass, or of one page, read a whole table at worst. */
const LONGEST_STATEMENT = '10min'

/** How many match, and the last id among them: later rows are changes of their own. @throws ConditionError */
export function countRoots(
  pool: Pool,
  store: Store,
  entity: Entity,
  filter: RootFilter,
): Promise<Readonly<{ count: number; lastId: string }>> {
  const { from, condition } = rootsOf(store, entity, filter)
  return reading(pool, filter, async (db) => {
    if (filter.condition !== null) await refuseFragments(db, from, filter.condition)
    const { rows } = await db.query<{ count: number; last_id: string }>(
      `select count(*)::float8 as count, coalesce(max(root.id), 0)::text as last_id
         from ${from}
        where ${condition}`,
      [filter.since],
    )
    return { count: rows[0]?.count ?? 0, lastId: rows[0]?.last_id ?? '0' }
  })
}

/** The next page by id. @throws ConditionError */
export function readRoots(
  pool: Pool,
  store: Store,
  entity: Entity,
  filter: RootFilter,
  page: Readonly<{ after: string; upTo: string; limit: number }>,
): Promise<Root[]> {
  const { from, condition, aggregateId } = rootsOf(store, entity, filter)
  return reading(pool, filter, async (db) => {
    const { rows } = await db.query<{ id: string; aggregate_id: string }>(
      `select root.id::text as id, root.${aggregateId}::text as aggregate_id
         from ${from}
        where root.id > $2::bigint
          and root.id <= $3::bigint
          and ${condition}
        order by root.id
        limit $4`,
      [filter.since, page.after, page.upTo, page.limit],
    )
    return rows.map((row) => ({ id: row.id, aggregateId: row.aggregate_id }))
  })
}

/** The rows of an entity, as `root`: nothing that was removed, no cart, no variant without a SKU. $1 is the filter's time. */
function rootsOf(store: Store, entity: Entity, { condition }: RootFilter) {
  const { columns } = store
  const table = (name: string) => `${quoteName(store.schema)}.${name}`
  const living = (alias: string, name: string) =>
    columns.has(name, 'deleted_at') ? ` and ${alias}.deleted_at is null` : ''
  const changedSince = (alias: string, name: string) => {
    // Rails writes its times as UTC, mostly without a zone.
    const since = columns.typeOf(name, 'updated_at')?.endsWith('without time zone')
      ? `$1::timestamptz at time zone 'UTC'`
      : '$1::timestamptz'
    return `($1::timestamptz is null or ${alias}.updated_at >= ${since})`
  }
  // On lines of its own, so that a comment at its end ends with it.
  const asked = condition === null ? '' : ` and (\n${condition}\n)`
  if (entity === 'stock') {
    const items = store.watched.find(({ kind }) => kind === 'stock')?.table ?? 'spree_stock_items'
    return {
      from: `${table('spree_variants')} root`,
      aggregateId: 'product_id',
      condition: `root.sku <> ''${living('root', 'spree_variants')}
          and exists (select from ${table('spree_products')} p where p.id = root.product_id${living('p', 'spree_products')})
          and exists (select from ${table(items)} s
                       where s.variant_id = root.id${living('s', items)} and ${changedSince('s', items)})${asked}`,
    }
  }
  const name = store.watched.find(({ kind, owner }) => kind === KINDS[entity] && owner === 'root')?.table
  if (name === undefined)
    throw new StoreError(
      'no_such_kind',
      `This store has no table of ${entity.replace('_', ' ')} that can be read.`,
    )
  return {
    from: `${table(quoteName(name))} root`,
    aggregateId: 'id',
    condition: `${entity === 'orders' ? 'root.completed_at is not null' : `true${living('root', name)}`}
          and ${changedSince('root', name)}${asked}`,
  }
}

/**
 * A condition must be one expression. In brackets, as it is used, `true) or (true` is one as well, but not between `when`
 * and `then`; what is one there alone (`true then true when true`) is none in brackets. As a statement with a parameter
 * it can end nothing and begin nothing.
 */
async function refuseFragments(db: Db, from: string, condition: string): Promise<void> {
  await db.query(
    `select from ${from} where $1::boolean is null and case when\n${condition}\nthen true else false end limit 0`,
    [true],
  )
}

/** In a transaction that can write nothing, whatever the condition calls. */
function reading<T>(pool: Pool, { condition }: RootFilter, read: (db: Db) => Promise<T>): Promise<T> {
  return inTransaction(pool, async (db) => {
    await db.query(`set transaction read only; set local statement_timeout = '${LONGEST_STATEMENT}'`)
    try {
      return await read(db)
    } catch (error) {
      if (condition !== null && error instanceof Error && isOfTheCondition(sqlState(error)))
        throw new ConditionError(error.message)
      throw error
    }
  })
}

/** Data (22), transaction that only reads (25006), syntax or access (42), and what a function raises (P0). */
function isOfTheCondition(state: string | undefined): boolean {
  return state !== undefined && (/^(22|42|P0)/.test(state) || state === '25006')
}
