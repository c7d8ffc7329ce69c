import { setTimeout as pause } from 'node:timers/promises'

import { DatabaseError, isTransient, sqlState } from './errors.ts'
import type { Db, Pool } from './pool.ts'
import { untilCommit } from './transaction.ts'

/** Begins every transaction that changes tables which the store's own statements use. */
export const SHORT_LOCKS = `set local lock_timeout = '200ms'`

const LONGEST_PAUSE_MILLISECONDS = 2_000

/** The statements that lock, found out before any of them runs. */
export type Locking<T> = Readonly<{ statements: readonly string[]; result: T }>

/**
 * Runs what `look` finds to be done in a transaction that waits at most 200 ms for any lock, because all of the store's
 * statements on that table wait behind it meanwhile; then tries again, after jittered pauses that grow to two seconds.
 * The statements go to the server in one piece with the commit: what they lock is locked for as long as the server
 * takes for them, some milliseconds, whatever becomes of this process or of the line.
 * @throws DatabaseError `locked` where `subject` was not to be had in `attempts` tries.
 */
export async function withShortLocks<T>(
  pool: Pool,
  subject: string,
  attempts: number,
  look: (db: Db) => Promise<Locking<T>>,
): Promise<T> {
  return inShortTries(subject, attempts, () =>
    untilCommit(pool, async (db) => {
      await db.query(SHORT_LOCKS)
      const { statements, result } = await look(db)
      await db.query([...statements, 'commit'].join('\n;\n'))
      return result
    }),
  )
}

/**
 * Runs `work`, a transaction that waits for no lock longer than that, and again after jittered pauses.
 * @throws DatabaseError `locked` where `subject` was not to be had in `attempts` tries.
 */
export async function inShortTries<T>(subject: string, attempts: number, work: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work()
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
