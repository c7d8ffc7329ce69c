import type { Kind } from '../messages/aggregate.ts'
import { STATE_KINDS } from '../messages/state-kinds.ts'
import { isUnreadable } from '../postgres/errors.ts'
import type { Db } from '../postgres/pool.ts'
import type { Family } from './family.ts'

/** Kinds whose state cannot be read, because a column or a table is gone or may not be read, each with the reason. */
export type Unreadable = ReadonlyMap<Kind, string>

/** Tries every statement of the family, for nothing. Not inside a transaction: each failure would end it. */
export async function findUnreadable(db: Db, family: Family): Promise<Unreadable> {
  const unreadable = new Map<Kind, string>()
  for (const { kind, sql } of statementsOf(family)) {
    if (unreadable.has(kind)) continue
    try {
      await db.query(sql, [[]])
    } catch (error) {
      if (!isUnreadable(error)) throw error
      unreadable.set(kind, error instanceof Error ? error.message : String(error))
    }
  }
  return unreadable
}

function statementsOf(family: Family): Readonly<{ kind: Kind; sql: string }>[] {
  const { watched, owners, states, returns } = family
  return [
    { kind: 'product', sql: family.products },
    { kind: 'order', sql: family.orders },
    { kind: 'stock', sql: family.stock },
    { kind: 'stock', sql: family.stockOfProducts },
    ...STATE_KINDS.flatMap(({ kind }) => (states[kind] ? [{ kind, sql: states[kind].snapshots }] : [])),
    // What is recorded of an order may be of a cart: neither can be told without reading both.
    ...(states.cart ? [{ kind: 'order' as const, sql: states.cart.snapshots }] : []),
    ...(returns ? [{ kind: 'order' as const, sql: returns.sql }] : []),
    ...watched.flatMap(({ kind, owner }) => (owner === 'root' ? [] : [{ kind, sql: owners[owner].sql }])),
  ]
}
