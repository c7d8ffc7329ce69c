import { aggregateKey, aggregateKindOf } from '../messages/aggregate.ts'
import type { Db } from '../postgres/pool.ts'
import type { Store } from '../store/store.ts'
import type { OutboxRow, ResolvedRow } from './outbox-row.ts'

/** What each row is about: changes by the store's own tables, requests by what they name. */
export async function resolveRows(db: Db, store: Store, rows: readonly OutboxRow[]): Promise<ResolvedRow[]> {
  const aggregates = await store.resolve(
    db,
    rows.filter((row) => !isRequest(row)),
  )
  return rows.map((row) => ({
    ...row,
    aggregates: isRequest(row) ? requestedAggregate(row) : (aggregates.get(row.id) ?? []),
  }))
}

function isRequest(row: OutboxRow): boolean {
  return row.tableName === 'request'
}

function requestedAggregate({ kind, rowId }: OutboxRow): string[] {
  return rowId === null ? [] : [aggregateKey(aggregateKindOf(kind), rowId)]
}
