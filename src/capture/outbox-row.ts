import type { Kind } from '../messages/aggregate.ts'

/** One row of `bridge.outbox`: that something changed, as a trigger wrote it. */
export type OutboxRow = Readonly<{
  id: string
  xid: string
  at: Date
  kind: Kind
  tableName: string
  rowId: string | null
  /** `insert`, `update`, `delete` from triggers; `announce`, `forget`, `compare` and `backfill` are requests put in by people and by reconcile. */
  op: string
  parent: string | null
  parentOld: string | null
  /** Stock only: by how much the living count of the row's variant changed. */
  delta: string | null
  /**
   * Who wrote the change, where that was not the shop: `<ms since epoch when its message was made>:<message id>`; what a
   * message says of stock stands before the colon (see `apply/origin.ts`).
   */
  origin: string | null
}>

/** A row together with the aggregates whose state it changed: none for a cart's address, two for a child that moved. */
export type ResolvedRow = OutboxRow & Readonly<{ aggregates: readonly string[] }>

/** Is all to be told to those who know nothing? No change: what changed is told besides. */
export function isBackfill(row: OutboxRow): boolean {
  return row.op === 'backfill'
}

/** Does it only ask to forget what was told? */
export function isForget(row: OutboxRow): boolean {
  return row.op === 'forget'
}

/** Did the hub write it? */
export function isHubs(row: OutboxRow): boolean {
  return row.origin !== null
}

/**
 * Did both the shop and the hub write? What is as it was told may then be what the hub has not: the shop took it back.
 * Unless these are `whole`, the shop's rows may be among those that are not here, though the state has them.
 */
export function haveCrossed(rows: readonly OutboxRow[], whole: boolean): boolean {
  return rows.some(isHubs) && (!whole || rows.some((row) => !isHubs(row) && row.tableName !== 'request'))
}

/** When the message whose application wrote this row was made; undefined where the origin does not say. */
export function madeAt(origin: string): Date | undefined {
  const milliseconds = /^(\d{1,15})[-+=@\d]*:/.exec(origin)?.[1]
  return milliseconds === undefined ? undefined : new Date(Number(milliseconds))
}

/** Did the aggregate itself come into being with this row, not just a part of it? */
export function isRootInsert(row: OutboxRow, id: string): boolean {
  return row.op === 'insert' && row.parent === null && row.rowId === id
}

/** When the shop itself last wrote one of these rows. */
export function changedByShop(rows: readonly OutboxRow[]): Date | undefined {
  const times = rows.filter(({ tableName, origin }) => tableName !== 'request' && origin === null)
  return times.length === 0 ? undefined : new Date(Math.max(...times.map(({ at }) => at.getTime())))
}
