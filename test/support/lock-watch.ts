import { setTimeout as pause } from 'node:timers/promises'
import type { TestDatabase } from './postgres.ts'

export type LockWatch = Readonly<{
  /** Resolves when somebody was seen to wait for such a lock. */
  untilWaited(): Promise<void>
  /** The longest that one transaction was seen to wait for, and to hold, a lock that keeps a table's writers out. */
  stop(): Promise<Readonly<{ waitedMs: number; heldMs: number }>>
}>

const LOOK_EVERY_MS = 2

/**
 * Watches the locks on the store's tables that let no writer in, from a connection of its own and by the server's clock.
 * What it tells is no more than the truth, however slow the machine: the time between two looks that both saw the lock.
 */
export async function watchLocks(db: TestDatabase): Promise<LockWatch> {
  const connection = await db.pool.connect()
  const spans = new Map<string, { granted: boolean; from: number; to: number }>()
  let watching = true
  const look = async () => {
    const { rows } = await connection.query<{ lock: string; granted: boolean; now: number }>(
      `select concat_ws(' ', l.virtualtransaction, l.relation, l.mode, l.granted) as lock,
              l.granted,
              (extract(epoch from clock_timestamp()) * 1000)::float8 as now
         from pg_locks l
         join pg_database d on d.oid = l.database and d.datname = current_database()
         join pg_class c on c.oid = l.relation and c.relnamespace = 'public'::regnamespace
        where l.mode in ('ShareLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock')`,
    )
    for (const { lock, granted, now } of rows) {
      const span = spans.get(lock) ?? { granted, from: now, to: now }
      spans.set(lock, { ...span, to: now })
    }
  }
  await look()
  const running = (async () => {
    while (watching) {
      await look()
      await pause(LOOK_EVERY_MS)
    }
  })()
  return {
    async untilWaited() {
      while (watching && ![...spans.values()].some(({ granted, from, to }) => !granted && to > from))
        await pause(LOOK_EVERY_MS)
    },
    async stop() {
      watching = false
      await running
      connection.release()
      const longest = (granted: boolean) =>
        [...spans.values()].reduce(
          (most, span) => (span.granted === granted ? Math.max(most, span.to - span.from) : most),
          0,
        )
      return { waitedMs: longest(false), heldMs: longest(true) }
    },
  }
}
