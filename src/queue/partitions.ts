import { sqlState } from '../postgres/errors.ts'
import type { Pool } from '../postgres/pool.ts'
import { inTransaction } from '../postgres/transaction.ts'

/** Tables partitioned by day. A row without a partition goes into the default one, so that an insert never fails. */
export type DailyTable = 'bridge.history' | 'bridge.stock_ledger' | 'hub.archived'

const DAYS_AHEAD = 7

/** A compressed payload of a few kilobytes stays in its row, as in the queue it came from. */
const STORAGE: Readonly<Record<DailyTable, string>> = {
  'bridge.history': ' with (toast_tuple_target = 4080)',
  'bridge.stock_ledger': '',
  'hub.archived': ' with (toast_tuple_target = 4080)',
}

/** Makes the partitions of today and the next seven days, by UTC whatever the session's time zone. Needed once a day; done more often it changes nothing. */
export async function makePartitions(pool: Pool, table: DailyTable): Promise<void> {
  const { rows } = await pool.query<{ name: string; day: string; next: string }>(
    `select $1 || '_' || to_char(day, 'YYYYMMDD') as name, day::text as day, (day + 1)::text as next
       from generate_series(0, $2::integer) ahead
      cross join lateral (select (now() at time zone 'UTC')::date + ahead as day) d
      where to_regclass($1 || '_' || to_char(day, 'YYYYMMDD')) is null`,
    [table, DAYS_AHEAD],
  )
  for (const { name, day, next } of rows) {
    try {
      await inTransaction(pool, async (db) => {
        await db.query(`set local lock_timeout = '200ms'`)
        await db.query(
          `create table ${name} partition of ${table} for values from ('${day} 00:00+00') to ('${next} 00:00+00')${STORAGE[table]}`,
        )
      })
    } catch (error) {
      // Rows of that day lie in the default partition already (23514), another worker was quicker (42P07, 42P17), or the
      // table is in use (55P03): the default partition serves, and tomorrow's is made in time.
      if (!['23514', '42P07', '42P17', '55P03'].includes(sqlState(error) ?? '')) throw error
    }
  }
}

/** Drops the partitions older than `days`, and such rows from the default one. */
export async function dropPartitions(
  pool: Pool,
  table: DailyTable,
  column: 'finished_at' | 'at',
  days: number,
): Promise<void> {
  const { rows } = await pool.query<{ name: string }>(
    `select inhrelid::regclass::text as name
       from pg_inherits
      where inhparent = $1::regclass
        and inhrelid::regclass::text ~ '_\\d{8}$'
        and to_date(right(inhrelid::regclass::text, 8), 'YYYYMMDD') < current_date - $2::integer`,
    [table, days],
  )
  for (const { name } of rows) {
    await inTransaction(pool, async (db) => {
      await db.query(`set local lock_timeout = '200ms'`)
      await db.query(`drop table if exists ${name}`)
    })
  }
  await pool.query(`delete from ${table}_default where ${column} < current_date - $1::integer`, [days])
}
