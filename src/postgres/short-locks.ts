import { setTimeout as pause } from 'node:timers/promises'

import { DatabaseError, isTransient, sqlState } from './errors.ts'
import type { Db, Pool } from './pool.ts'
import { inTransaction } from './transaction.ts'

/** Begins every transaction that changes tables which the store's own statements use. */
export const SHORT_LOCKS = `set local lock_timeout = '200ms'`

const LONGEST_PAUSE_MILLISECONDS = 2_000

/**
 * Runs `work` in a transaction that waits at most 200 ms for any lock, because all of the store's statements on that
 * table wait behind it meanwhile; then tries again, after jittered pauses that grow to two seconds.
 * @throws DatabaseError `locked` where `subject` was not to be had in `attempts` tries.
 */
export async function withShortLocks<T>(
  pool: Pool,
  subject: string,
  attempts: number,
  work: (db: Db) => Promise<T>,
): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await inTransaction(pool, async (db) => {
        await db.query(SHORT_LOCKS)
        return work(db)
      })
    } catch (error) {
      if (!isTransient(error)) throw error
      if (attempt >= attempts) throw sqlState(error) === '55P03' ? lockedOut(subject, attempts) : error
      const longest = Math.min(100 * 2 ** (attempt - 1), LONGEST_PAUSE_MILLISECONDS)
      await pause(longest * (0.5 + Math.random() / 2))
    }
  }
}

function lockedOut(subject: string, attempts: number): DatabaseError {
  return new DatabaseError(
    'locked',
    `${subject} stayed locked by other transactions through ${attempts} attempts (see pg_stat_activity: an import, ` +
      'a vacuum, a forgotten transaction). What was done before stands; run it again when that has ended.',
  )
}
