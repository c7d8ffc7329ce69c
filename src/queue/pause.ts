import type { Db, Pool } from '../postgres/pool.ts'
import { inTransaction } from '../postgres/transaction.ts'
import type { QueueTables } from './message.ts'

type PausableTables = QueueTables & Readonly<{ paused: string }>

export type PausedType = Readonly<{ type: string; since: Date }>

/**
 * Messages of these types wait from now on, and so does what comes behind them in their aggregates, for their order is
 * promised. They are neither tried nor counted as failing. One that is being sent at this moment may still arrive.
 */
export function pauseTypes(pool: Pool, tables: PausableTables, types: readonly string[]): Promise<void> {
  return change(
    pool,
    tables,
    `insert into ${tables.paused} (type) select unnest($1::text[]) on conflict do nothing`,
    types,
  )
}

/** They go out again, in order. */
export function resumeTypes(pool: Pool, tables: PausableTables, types: readonly string[]): Promise<void> {
  return change(pool, tables, `delete from ${tables.paused} where type = any($1::text[])`, types)
}

/** The workers are told by the revision of their lanes; they then read the lanes, and what is paused, anew. */
function change(
  pool: Pool,
  tables: PausableTables,
  statement: string,
  types: readonly string[],
): Promise<void> {
  return inTransaction(pool, async (db) => {
    const { rowCount } = await db.query(statement, [types])
    if (rowCount) await db.query(`update ${tables.lane} set revision = revision + 1`)
  })
}

/** The types that are paused; none in a queue that knows no pausing. */
export async function listPaused(db: Db, { paused }: QueueTables): Promise<PausedType[]> {
  if (paused === undefined) return []
  const { rows } = await db.query<{ type: string; since: Date }>(
    `select type, paused_at as since from ${paused} order by type`,
  )
  return rows
}
