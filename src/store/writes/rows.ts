import type { Db } from '../../postgres/pool.ts'
import { quoteName } from '../json-sql.ts'
import type { Shop } from './shop.ts'

/** Times of a store are UTC without zone and have no defaults. */
export const NOW = `(clock_timestamp() at time zone 'utc')`

/** The same as a text, for a column that is written by a parameter. */
export async function utcNow(db: Db): Promise<string> {
  const { rows } = await db.query<{ now: string }>(`select ${NOW}::text as now`)
  return rows[0]?.now ?? ''
}

/**
 * Inserts a row with those of `values` for which the store has a column, and with its times. Returns its id, empty where such
 * rows have none.
 */
export async function insertRow(
  db: Db,
  shop: Shop,
  table: string,
  values: Readonly<Record<string, unknown>>,
): Promise<string> {
  const given = Object.entries(values).filter(([name]) => shop.columns.has(table, name))
  const times = ['created_at', 'updated_at'].filter((name) => shop.columns.has(table, name))
  const names = [...given.map(([name]) => quoteName(name)), ...times]
  const { rows } = await db.query<{ id: string }>(
    `insert into ${shop.table(table)} (${names.join(', ')})
     values (${[...given.map((_, index) => `$${index + 1}`), ...times.map(() => NOW)].join(', ')})
     ${shop.columns.has(table, 'id') ? 'returning id::text as id' : ''}`,
    given.map(([, value]) => value),
  )
  return rows[0]?.id ?? ''
}

/**
 * Sets those of `values` for which the store has a column, where one of them differs; false where none did. An equal row
 * is not written: its `updated_at` would say that something happened.
 */
export async function updateRow(
  db: Db,
  shop: Shop,
  table: string,
  id: string,
  values: Readonly<Record<string, unknown>>,
): Promise<boolean> {
  const given = Object.entries(values).filter(([name]) => shop.columns.has(table, name))
  if (given.length === 0) return false
  const set = given.map(([name], index) => `${quoteName(name)} = $${index + 2}`)
  if (shop.columns.has(table, 'updated_at')) set.push(`updated_at = ${NOW}`)
  const differs = given.map(([name], index) => `${quoteName(name)} is distinct from $${index + 2}`)
  const { rowCount } = await db.query(
    `update ${shop.table(table)}
        set ${set.join(', ')}
      where id = $1::bigint
        and (${differs.join(' or ')})`,
    [id, ...given.map(([, value]) => value)],
  )
  return rowCount === 1
}
