import type { QueryResult, QueryResultRow } from 'pg'

import type { Db } from './pool.ts'

const PAGE = 20

/**
 * Gives each row of a statement to `take` as it comes in, while the server makes the next ones: what is costly there and
 * costly here then takes the time of one of them. Runs inside the caller's transaction, one at a time.
 */
export async function eachRow<Row extends QueryResultRow>(
  db: Db,
  text: string,
  values: readonly unknown[],
  take: (row: Row) => void,
): Promise<void> {
  const ahead: Promise<QueryResult<Row>>[] = []
  const ask = () => {
    const page = db.query<Row>(`fetch ${PAGE} from each_row`)
    page.catch(() => undefined) // where an earlier one fails, or `take` does, nobody waits for it
    ahead.push(page)
  }
  const opened = db.query(`declare each_row no scroll cursor for ${text}`, values)
  ask()
  ask()
  await opened
  for (let page = await ahead.shift(); page; page = await ahead.shift()) {
    const mayBeMore = page.rows.length === PAGE
    if (mayBeMore) ask()
    for (const row of page.rows) take(row)
    if (!mayBeMore) break
  }
  await db.query('close each_row')
}
