import { transactionAborted } from './errors.ts'
import type { Connection, Db, Pool } from './pool.ts'

/**
 * Of a process that is stopped, or whose machine is gone without a good-bye, the connection stays for hours, and with it
 * what its transaction has locked. The server ends it before a lease runs out: who takes over then must not wait behind it.
 */
const STANDSTILL = '5s'

type Isolation = 'read committed' | 'repeatable read'

/**
 * Runs `work` in one transaction on a connection of its own: commits what it returns, rolls back what it throws.
 * A connection that cannot even roll back is closed, not reused. `commit` is given the last word, for whoever wants to
 * watch it.
 */
export async function inTransaction<T>(
  pool: Pool,
  work: (db: Db) => Promise<T>,
  isolation: Isolation = 'read committed',
  commit: (db: Db) => Promise<unknown> = (db) => db.query('commit'),
): Promise<T> {
  return untilCommit(
    pool,
    async (db) => {
      const result = await work(db)
      await commit(db)
      return result
    },
    isolation,
  )
}

/**
 * As `inTransaction`, going by index wherever there is one, and compiling nothing: what is short to read of a long table is,
 * though there are no statistics of it, as after a restore.
 */
export async function inTransactionByIndex<T>(pool: Pool, work: (db: Db) => Promise<T>): Promise<T> {
  return inTransaction(pool, async (db) => {
    await db.query('set local enable_seqscan = off; set local jit = off')
    return work(db)
  })
}

/** As `inTransaction`, for `work` that sends the commit itself, in one piece with its last statements. */
export async function untilCommit<T>(
  pool: Pool,
  work: (db: Db) => Promise<T>,
  isolation: Isolation = 'read committed',
): Promise<T> {
  const connection = await pool.connect()
  let result: T
  try {
    await connection.query(
      `begin isolation level ${isolation}; set local idle_in_transaction_session_timeout = '${STANDSTILL}'`,
    )
    result = await work(connection)
  } catch (error) {
    // Of statements that were sent together, what is told first may be of one behind that which failed.
    const cause = transactionAborted(error) ? (connection.refused ?? error) : error
    connection.release(await rollBack(connection))
    throw cause
  }
  connection.release()
  return result
}

async function rollBack(connection: Connection): Promise<Error | undefined> {
  try {
    await connection.query('rollback')
    return undefined
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error))
  }
}
