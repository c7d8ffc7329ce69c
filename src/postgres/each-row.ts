import pg from 'pg'

import type { Db } from './pool.ts'
import { asPrepared } from './prepared.ts'

/**
 * Gives each row of a statement to `take` as it comes in, while the server makes the next ones: what is costly there and
 * costly here then takes the time of one of them. Prepared as by `queryPrepared`.
 */
export async function eachRow<Row extends pg.QueryResultRow>(
  db: Db,
  text: string,
  values: readonly unknown[],
  take: (row: Row) => void,
): Promise<void> {
  if (db instanceof pg.Client) {
    await asPrepared(db, text, values, (statement) => takeEach(db, statement, take))
  } else for (const row of (await db.query<Row>(text, values)).rows) take(row)
}

function takeEach<Row extends pg.QueryResultRow>(
  client: pg.Client,
  statement: pg.QueryConfig,
  take: (row: Row) => void,
): Promise<void> {
  return new Promise((resolve, reject) => {
    let refused: unknown
    // With a limit on its time, pg tells of an error by the callback alone.
    const query = new pg.Query<Row>(statement, (error) => {
      const failure = error ?? refused
      if (failure === undefined) resolve()
      else reject(failure)
    })
    query.on('row', (row, result) => {
      // pg would keep them all until the end.
      if (result) result.rows.length = 0
      if (refused !== undefined) return
      try {
        take(row)
      } catch (error) {
        refused = error
      }
    })
    client.query(query)
  })
}
