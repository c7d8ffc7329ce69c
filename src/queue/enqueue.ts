import { createHash } from 'node:crypto'

import type { Db } from '../postgres/pool.ts'
import { queryOnce, queryPrepared } from '../postgres/prepared.ts'
import type { NewMessage, QueueTables } from './message.ts'

const COLUMNS = 6
/** As many as the collector makes of one pass over many orders, so that its statement is one that is prepared. */
const ROWS_PER_STATEMENT = 200

/** How many lanes a queue has: fixed when its tables were made. */
export async function countLanes(db: Db, tables: QueueTables): Promise<number> {
  const { rows } = await db.query<{ lanes: number }>(`select count(*)::integer as lanes from ${tables.lane}`)
  return rows[0]?.lanes ?? 0
}

/** The lane of an aggregate: the first two bytes of its md5, modulo the number of lanes. */
export function laneOf(aggregate: string, laneCount: number): number {
  return createHash('md5').update(aggregate).digest().readUInt16BE(0) % laneCount
}

/**
 * Puts messages into the queue, in this order, as part of the caller's transaction, and notifies the workers with its
 * commit, of which the one that did it itself may know it `by` its id. One parameter per value: a text array of JSON costs
 * Node fifteen times the CPU.
 */
export async function insertMessages(
  db: Db,
  tables: QueueTables,
  laneCount: number,
  messages: readonly NewMessage[],
  by = '',
): Promise<void> {
  const added: Promise<unknown>[] = []
  // All of them are sent before whatever the caller sends behind them.
  for (let start = 0; start < messages.length; start += ROWS_PER_STATEMENT)
    added.push(insertSome(db, tables, laneCount, messages.slice(start, start + ROWS_PER_STATEMENT), by))
  await Promise.all(added)
}

function insertSome(
  db: Db,
  tables: QueueTables,
  laneCount: number,
  messages: readonly NewMessage[],
  by: string,
): Promise<unknown> {
  // What was made for another number of rows is seldom asked for again.
  const recurs = messages.length === 1 || messages.length === ROWS_PER_STATEMENT
  const run = recurs ? queryPrepared : queryOnce
  return run(
    db,
    `with added as (
       insert into ${tables.message} (lane, aggregate, type, payload, subject, changed_at)
       values ${messages.map((_, row) => placeholders(row)).join(', ')}
     )
     select pg_notify($1, $2)`,
    [
      tables.channel,
      by,
      ...messages.flatMap((message) => [
        laneOf(message.aggregate, laneCount),
        message.aggregate,
        message.type,
        message.payload,
        message.subject,
        message.changedAt,
      ]),
    ],
  )
}

function placeholders(row: number): string {
  const first = 2 + row * COLUMNS
  return `($${first + 1}::integer, $${first + 2}, $${first + 3}, $${first + 4}, $${first + 5}, $${first + 6}::timestamptz)`
}
