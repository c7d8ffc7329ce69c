import type { Connection, Db, Pool } from './pool.ts'

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

/** As `inTransaction`, for `work` that sends the commit itself, in one piece with its last statements. */
export async function untilCommit<T>(
  pool: Pool,
  work: (db: Db) => Promise<T>,
  isolation: Isolation = 'read committed',
): Promise<T> {
  const connection = await pool.connect()
  let result: T
  try {
    await connection.query(`begin isolation level ${isolation}`)
    result = await work(connection)
  } catch (error) {
    connection.release(await rollBack(connection))
    throw error
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
