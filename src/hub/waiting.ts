import type { Pool } from '../postgres/pool.ts'
import { inTransactionByIndex } from '../postgres/transaction.ts'
import { countMessages } from '../queue/look.ts'
import { HUB_ACCEPTED, HUB_INCOMING } from './queues.ts'

export type Waiting = Readonly<{
  /** Without state `waiting` of a queue in which too many wait to be counted in time. */
  counts: readonly Readonly<{ queue: 'incoming' | 'accepted'; state: string; count: number }>[]
  /** How long the oldest message has waited that is not parked; 0 where none does. */
  oldestSeconds: number
}>

/** What lies in the queues of all stores. */
export async function countWaiting(pool: Pool, withinMilliseconds?: number): Promise<Waiting> {
  const { seconds } = await readOldestWaiting(pool)
  const count = (tables: typeof HUB_INCOMING) =>
    countMessages<Readonly<{ state: string }>>(pool, tables, ['state'], withinMilliseconds)
  const incoming = await count(HUB_INCOMING)
  const accepted = await count(HUB_ACCEPTED)
  return {
    counts: [
      ...incoming.counts.map((each) => ({ queue: 'incoming' as const, ...each })),
      ...accepted.counts.map((each) => ({ queue: 'accepted' as const, ...each })),
    ],
    oldestSeconds: seconds ?? 0,
  }
}

/**
 * A copy whose consumer has asked for time waits from when that is up, and until then not at all. Where asking again has
 * failed, it waits as any other.
 */
const ACCEPTED_WAITS_SINCE = `case when poll_url is not null and last_error like 'Asked for %' then due else created_at end`

/** Since when the oldest message waits that is not parked; nulls where none does. */
export async function readOldestWaiting(
  pool: Pool,
): Promise<Readonly<{ at: Date | null; seconds: number | null }>> {
  const { rows } = await inTransactionByIndex(pool, (db) =>
    db.query<{ at: Date | null; seconds: number | null }>(
      // What never failed by its id, which is found at once, and not by the earliest time, for which every message would be read.
      `select min(since) as at, extract(epoch from clock_timestamp() - min(since))::float8 as seconds
         from ((select created_at from hub.incoming where state <> 'parked' order by id limit 1)
               union all
               (select ${ACCEPTED_WAITS_SINCE} from hub.accepted where state = 'waiting' order by id limit 1)
               union all
               select ${ACCEPTED_WAITS_SINCE} from hub.accepted where state = 'failing') waiting (since)
        where since <= clock_timestamp()`,
    ),
  )
  return rows[0] ?? { at: null, seconds: null }
}
