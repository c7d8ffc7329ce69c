import type { Db } from '../postgres/pool.ts'

export type Waiting = Readonly<{
  counts: readonly Readonly<{ queue: 'incoming' | 'accepted'; state: string; count: number }>[]
  /** Age of the oldest message that is not parked; 0 where there is none. */
  oldestSeconds: number
}>

/** What lies in the queues of all stores. */
export async function countWaiting(db: Db): Promise<Waiting> {
  const { rows } = await db.query<{
    queue: 'incoming' | 'accepted'
    state: string
    count: number
    oldest: number
  }>(
    `select queue, state, count(*)::integer as count,
            coalesce(extract(epoch from clock_timestamp() - min(created_at)), 0)::float8 as oldest
       from (select 'incoming' as queue, state, created_at from hub.incoming
              union all
             select 'accepted', state, created_at from hub.accepted) waiting
      group by queue, state`,
  )
  return {
    counts: rows.map(({ queue, state, count }) => ({ queue, state, count })),
    oldestSeconds: Math.max(0, ...rows.filter(({ state }) => state !== 'parked').map(({ oldest }) => oldest)),
  }
}
