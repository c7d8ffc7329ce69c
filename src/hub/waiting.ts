import type { Db } from '../postgres/pool.ts'

export type Waiting = Readonly<{
  counts: readonly Readonly<{ queue: 'incoming' | 'accepted'; state: string; count: number }>[]
  /** How long the oldest message has waited that is not parked; 0 where none does. */
  oldestSeconds: number
}>

/**
 * A copy whose consumer has asked for time waits from when that is up, and until then not at all. Where asking again has
 * failed, it waits as any other.
 */
export const ACCEPTED_WAITS_SINCE = `case when poll_url is not null and last_error like 'Asked for %' then due else created_at end`

/** What lies in the queues of all stores. */
export async function countWaiting(db: Db): Promise<Waiting> {
  const { rows } = await db.query<{
    queue: 'incoming' | 'accepted'
    state: string
    count: number
    oldest: number
  }>(
    `select queue, state, count(*)::integer as count,
            coalesce(extract(epoch from clock_timestamp() - min(since)), 0)::float8 as oldest
       from (select 'incoming' as queue, state, created_at as since from hub.incoming
              union all
             select 'accepted', state, ${ACCEPTED_WAITS_SINCE} from hub.accepted) waiting
      group by queue, state`,
  )
  return {
    counts: rows.map(({ queue, state, count }) => ({ queue, state, count })),
    oldestSeconds: Math.max(0, ...rows.filter(({ state }) => state !== 'parked').map(({ oldest }) => oldest)),
  }
}
