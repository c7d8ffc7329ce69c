import type { Db } from './pool.ts'

const PER_STATEMENT = 5_000

/**
 * Deletes the rows whose `column` is older than `days`, some thousands a statement: after a long pause a single one would
 * hold its locks for minutes and be cut off by the time limit, to begin anew every hour. Names come from constants of ours.
 * `unless` is a condition that keeps a row `r`. By the statement's time: `clock_timestamp()` would let no index be used.
 */
export async function forgetRows(
  db: Db,
  table: string,
  column: string,
  days: number,
  unless = 'false',
): Promise<void> {
  for (;;) {
    const { rowCount } = await db.query(
      `delete from ${table}
        where ctid = any(array(select ctid
                                 from ${table} r
                                where ${column} < statement_timestamp() - make_interval(days => $1) and not (${unless})
                                limit ${PER_STATEMENT}))`,
      [days],
    )
    if ((rowCount ?? 0) < PER_STATEMENT) return
  }
}
