import type { Db } from '../postgres/pool.ts'
import type { Told } from './echo.ts'

/** What the queue knows of the messages of some aggregates, under `<aggregate> <type>`; nothing is read for none. */
export async function readTold(db: Db, aggregates: readonly string[]): Promise<ReadonlyMap<string, Told>> {
  if (aggregates.length === 0) return new Map()
  const { rows } = await db.query<{
    aggregate: string
    type: string
    waiting: boolean
    acknowledged_at: Date | null
  }>(
    `select aggregate, type, bool_or(waiting) as waiting, max(acknowledged_at) as acknowledged_at
       from (select aggregate, type, true as waiting, null::timestamptz as acknowledged_at
               from bridge.message
              where aggregate = any($1::text[])
              union all
             select aggregate, type, false, at
               from bridge.acknowledged
              where aggregate = any($1::text[])) told
      group by aggregate, type`,
    [aggregates],
  )
  return new Map(
    rows.map((row) => [
      `${row.aggregate} ${row.type}`,
      { waiting: row.waiting, acknowledgedAt: row.acknowledged_at ?? undefined },
    ]),
  )
}
