import { aggregateKey, aggregateKindOf } from '../messages/aggregate.ts'
import type { Db } from '../postgres/pool.ts'
import { ordersOrCarts, type Store } from '../store/store.ts'
import type { OutboxRow, ResolvedRow } from './outbox-row.ts'

/** What each row is about: changes by the store's own tables, requests by what they name. */
export async function resolveRows(db: Db, store: Store, rows: readonly OutboxRow[]): Promise<ResolvedRow[]> {
  const aggregates = await store.resolve(
    db,
    rows.filter((row) => !isRequest(row)),
  )
  return rows.map((row) => ({
    ...row,
    aggregates: isRequest(row) ? requestedAggregates(store, row) : (aggregates.get(row.id) ?? []),
  }))
}

function isRequest(row: OutboxRow): boolean {
  return row.tableName === 'request'
}

function requestedAggregates(store: Store, { kind, rowId }: OutboxRow): string[] {
  if (rowId === null) return []
  if (kind === 'order') return ordersOrCarts(rowId, store.carts)
  // Asked for while carts were told.
  if (kind === 'cart' && store.carts === null) return []
  return [aggregateKey(aggregateKindOf(kind), rowId)]
}
