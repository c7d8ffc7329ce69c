import type { Pool } from '../postgres/pool.ts'
import { inTransaction } from '../postgres/transaction.ts'
import type { Derived } from './derivations.ts'
import type { ResolvedRow } from './outbox-row.ts'
import type { Unmapped } from './unmapped.ts'

/** What became of the changes that one pass took out of the outbox, and how many messages it put into the queue. */
export type Tally = Readonly<{ told: number; silent: number; unmapped: number; messages: number }>

/**
 * Each change counts once: as told where anything of what it touched was told, else as unmapped where that could not be
 * made into a message. Silent are all others: echoes, what changed nothing that is told, what the configuration keeps back,
 * and carts.
 */
export function tallyOf(
  finished: readonly ResolvedRow[],
  derivations: ReadonlyMap<string, Derived>,
  unmapped: readonly Unmapped[],
  messages: number,
): Tally {
  const failing = new Set(unmapped.map(({ aggregate }) => aggregate))
  const tally = { told: 0, silent: 0, unmapped: 0, messages }
  for (const { aggregates } of finished) {
    if (aggregates.some((aggregate) => derivations.get(aggregate)?.messages.length)) tally.told++
    else if (aggregates.some((aggregate) => failing.has(aggregate))) tally.unmapped++
    else tally.silent++
  }
  return tally
}

/**
 * Passes of one day become one row, an hour later. The first row is where the count begins: it moves on with the days for
 * which the history of messages is kept, with a day to spare.
 */
export async function sumUpTally(pool: Pool, historyDays: number): Promise<void> {
  await inTransaction(pool, async (db) => {
    await db.query(
      `delete from bridge.tally
        where at < (select max(at) from bridge.tally where at < current_date - ($1::integer - 1))`,
      [historyDays],
    )
    await db.query(
      `with passes as (
         delete from bridge.tally
          where at < clock_timestamp() - interval '1 hour'
            and at > (select min(at) from bridge.tally)
         returning *
       )
       insert into bridge.tally (at, changes, told, silent, unmapped, messages, last_message)
       select max(at), sum(changes), sum(told), sum(silent), sum(unmapped), sum(messages), max(last_message)
         from passes
        group by (at at time zone 'UTC')::date`,
    )
  })
}
