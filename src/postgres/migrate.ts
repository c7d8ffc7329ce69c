import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'

import { DatabaseError, isTransient } from './errors.ts'
import type { Db, Pool } from './pool.ts'
import { inTransaction } from './transaction.ts'

/** Oldest server on which the SQL of the migrations runs: xid8 and pg_current_snapshot() came with PostgreSQL 13. */
const OLDEST_SERVER = 130_000

/** One numbered, immutable file of `migrations/<schema>/`. */
export type Migration = Readonly<{ version: number; name: string; sql: string }>

/** Versions of the schema that this code can work with: the newest, and the one before it while a deploy is under way. */
export type SchemaState = Readonly<{ version: number; minCode: number }>

export async function readMigrations(folder: string): Promise<Migration[]> {
  const names = (await readdir(folder)).filter((name) => /^\d{4}_\w+\.sql$/.test(name)).sort()
  return Promise.all(
    names.map(async (name) => ({
      version: Number(name.slice(0, 4)),
      name,
      sql: await readFile(join(folder, name), 'utf8'),
    })),
  )
}

/** The newest version applied to `schema`, or undefined where the schema was never made. */
export async function schemaState(db: Db, schema: string): Promise<SchemaState | undefined> {
  const known = await db.query<{ made: boolean }>('select to_regclass($1) is not null as made', [
    `${schema}.schema`,
  ])
  if (!known.rows[0]?.made) return undefined
  const { rows } = await db.query<{ version: number; min_code: number }>(
    `select version, min_code from ${schema}.schema order by version desc limit 1`,
  )
  const [newest] = rows
  return newest && { version: newest.version, minCode: newest.min_code }
}

/**
 * Applies what is missing, each file in a transaction of its own, under an advisory lock so that two starters
 * do not collide. A lock on one of our tables is waited for at most 200 ms (a store's trigger may hold it), then tried again.
 * Returns the names of the files applied.
 */
export async function applyMigrations(
  pool: Pool,
  schema: string,
  migrations: readonly Migration[],
): Promise<string[]> {
  await refuseOldServer(pool)
  const applied: string[] = []
  for (const migration of migrations) {
    if (await applyPatiently(pool, schema, migration)) applied.push(migration.name)
  }
  return applied
}

async function refuseOldServer(db: Db): Promise<void> {
  const { rows } = await db.query<{ number: string; text: string }>(
    `select current_setting('server_version_num') as number, current_setting('server_version') as text`,
  )
  const server = rows[0]
  if (server && Number(server.number) < OLDEST_SERVER) {
    throw new DatabaseError(
      'too_old',
      `PostgreSQL ${server.text} is too old: spree-bridge needs 13 or newer.`,
    )
  }
}

async function applyPatiently(pool: Pool, schema: string, migration: Migration): Promise<boolean> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await inTransaction(pool, (db) => apply(db, schema, migration))
    } catch (error) {
      if (attempt >= 100 || !isTransient(error)) throw error
      await pause(50 + Math.random() * 200)
    }
  }
}

async function apply(db: Db, schema: string, migration: Migration): Promise<boolean> {
  await db.query(`set local lock_timeout = '200ms'`)
  // Any number will do, as long as every starter takes the same one: 'spbr' and the schema's hash.
  await db.query(`select pg_advisory_xact_lock(x'73706272'::int, hashtext($1))`, [schema])
  const known = await db.query<{ made: boolean }>('select to_regnamespace($1) is not null as made', [schema])
  if (!known.rows[0]?.made) {
    await db.query(`create schema ${schema}`)
    await db.query(`revoke all on schema ${schema} from public`)
  }
  await db.query(
    `create table if not exists ${schema}.schema (
       version integer primary key,
       min_code integer not null,
       applied_at timestamptz not null default clock_timestamp()
     )`,
  )
  const claimed = await db.query(
    `insert into ${schema}.schema (version, min_code) values ($1, $1) on conflict do nothing`,
    [migration.version],
  )
  if (claimed.rowCount === 0) return false
  await db.query(migration.sql)
  return true
}
