import type { Db } from '../../postgres/pool.ts'
import { queryOnce, queryPrepared } from '../../postgres/prepared.ts'
import type { Columns } from '../columns.ts'
import { quoteName } from '../json-sql.ts'

/** Values by column. A row may name columns of several families: those that the table lacks are left out. */
export type Row = Readonly<Record<string, string | number | boolean | null>>

/**
 * Inserts rows that all name the same columns, created and updated `at` (UTC, without zone).
 * @returns their ids, in their order.
 */
export async function insertRows(
  db: Db,
  columns: Columns,
  table: string,
  at: string,
  rows: readonly Row[],
): Promise<string[]> {
  const [first] = rows
  if (!first) return []
  const names = [...Object.keys(first), 'created_at', 'updated_at'].filter((name) => columns.has(table, name))
  const atOnce = Math.floor(MOST_PARAMETERS / names.length)
  const ids: string[] = []
  for (let start = 0; start < rows.length; start += atOnce) {
    const some = rows.slice(start, start + atOnce)
    const stamped = some.map((row): Row => ({ ...row, created_at: at, updated_at: at }))
    const values = stamped.flatMap((row) => names.map((name) => row[name] ?? null))
    const tuples = stamped.map(
      (_, index) => `(${names.map((_name, place) => `$${index * names.length + place + 1}`).join(', ')})`,
    )
    const query = some.length > MOST_PREPARED ? queryOnce : queryPrepared
    const { rows: inserted } = await query<{ id: string }>(
      db,
      `insert into ${quoteName(columns.schema)}.${table} (${names.map(quoteName).join(', ')})
       values ${tuples.join(',\n              ')}
       returning id::text`,
      values,
    )
    for (const { id } of inserted) ids.push(id)
  }
  return ids
}

/** Each number of rows is a statement of its own: those of small orders are worth keeping. */
const MOST_PREPARED = 5
/** Of a statement, in the protocol of PostgreSQL. */
const MOST_PARAMETERS = 65_535
