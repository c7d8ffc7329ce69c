import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'

import { DatabaseError } from './errors.ts'
import type { Db, Pool } from './pool.ts'
import { type Locking, withShortLocks } from './short-locks.ts'

/** Oldest server on which the SQL of the migrations runs: xid8 and pg_current_snapshot() came with PostgreSQL 13. */
export const OLDEST_SERVER = 130_000

const ATTEMPTS = 60

/** One numbered, immutable file of `migrations/<schema>/`. */
export type Migration = Readonly<{ version: number; name: string; sql: string }>

/** The newest migration of a schema, and the oldest code (by the newest migration that it knows) that may work with it. */
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

export async function hasSchema(db: Db, schema: string): Promise<boolean> {
  const { rowCount } = await db.query('select from pg_catalog.pg_namespace where nspname = $1', [schema])
  return rowCount === 1
}

/** Asks the catalog, not to_regclass(): that one's cache may not know yet what another starter has just committed. */
export async function hasTable(db: Db, schema: string, table: string): Promise<boolean> {
  const { rowCount } = await db.query(
    `select
       from pg_catalog.pg_class c
       join pg_catalog.pg_namespace n on n.oid = c.relnamespace
      where n.nspname = $1 and c.relname = $2`,
    [schema, table],
  )
  return rowCount === 1
}

/** A table that our first migration makes, beside `schema`: by both a schema is known as ours, without rows too. */
const OURS = { bridge: 'installation', hub: 'store' } as const

/** Whose schema that is. In one statement: another starter may be making it at this moment. */
export async function ownerOf(db: Db, schema: keyof typeof OURS): Promise<'nobody' | 'ours' | 'another'> {
  const { rows } = await db.query<{ filled: boolean; ours: boolean | null }>(
    `select count(*) > 0 as filled,
            bool_or(kind = 'table' and name = 'schema') and bool_or(kind = 'table' and name = $2) as ours
       from pg_catalog.pg_namespace n
       join (select relnamespace, 'table', relname from pg_catalog.pg_class
              union all
             select pronamespace, 'function', proname from pg_catalog.pg_proc
              union all
             select typnamespace, 'type', typname from pg_catalog.pg_type) held (schema, kind, name)
         on held.schema = n.oid
      where n.nspname = $1`,
    [schema, OURS[schema]],
  )
  if (rows[0]?.ours) return 'ours'
  return rows[0]?.filled ? 'another' : 'nobody'
}

/** @throws DatabaseError `foreign` where somebody else's things are in the schema that we would make ours. */
export async function refuseForeignSchema(db: Db, schema: keyof typeof OURS): Promise<void> {
  if ((await ownerOf(db, schema)) !== 'another') return
  throw new DatabaseError(
    'foreign',
    `This database has a schema ${schema} that is none of spree-bridge's, and it is not empty: it has to be renamed, or what is in it moved, before spree-bridge can be installed here.`,
  )
}

/**
 * The newest version applied to `schema`, or undefined where it was never migrated.
 * @throws DatabaseError `incomplete` where the tables are there without their rows.
 */
export async function schemaState(db: Db, schema: string): Promise<SchemaState | undefined> {
  if (!(await hasTable(db, schema, 'schema'))) return undefined
  const { rows } = await db.query<{ version: number; min_code: number }>(
    `select version, min_code from ${schema}.schema order by version desc limit 1`,
  )
  const [newest] = rows
  if (newest) return { version: newest.version, minCode: newest.min_code }
  throw new DatabaseError(
    'incomplete',
    `Schema ${schema} of this database has tables but none of its rows, as a structure.sql brings them: ` +
      'run `spree-bridge uninstall --purge`, then `spree-bridge migrate`, and see docs/structure-sql.md.',
  )
}

/** @throws DatabaseError `outdated` where a newer release has shut this code, whose newest migration is given, out. */
export function refuseOutdatedCode(schema: string, state: SchemaState, newest: number): void {
  if (state.minCode <= newest) return
  throw new DatabaseError(
    'outdated',
    `Schema ${schema} is at version ${state.version} and needs newer code than this (${newest}): deploy the release that migrated it.`,
  )
}

/** What `readMigrations` brought and `schema` does not have yet, in order. */
export function pendingMigrations(
  migrations: readonly Migration[],
  state: SchemaState | undefined,
): readonly Migration[] {
  return migrations.filter(({ version }) => version > (state?.version ?? 0))
}

/**
 * Applies what is missing, each file in a transaction of its own, under an advisory lock so that two starters
 * do not collide. A lock on one of our tables is waited for at most 200 ms (a store's trigger may hold it), then tried again.
 * Returns the names of the files applied.
 * @throws DatabaseError `too_old`, `outdated`, `incomplete`, or `locked`.
 */
export async function applyMigrations(
  pool: Pool,
  schema: string,
  migrations: readonly Migration[],
): Promise<string[]> {
  await refuseOldServer(pool)
  const applied: string[] = []
  const state = await schemaState(pool, schema)
  for (const migration of pendingMigrations(migrations, state)) {
    const isNew = await withShortLocks(pool, `Schema ${schema}`, ATTEMPTS, (db) =>
      prepare(db, schema, migration),
    )
    if (isNew) applied.push(migration.name)
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

async function prepare(db: Db, schema: string, migration: Migration): Promise<Locking<boolean>> {
  // Any number will do, as long as every starter takes the same one: 'spbr' and the schema's hash.
  await db.query(`select pg_advisory_xact_lock(x'73706272'::int, hashtext($1))`, [schema])
  const state = await schemaState(db, schema)
  if (state !== undefined && state.version >= migration.version) return { statements: [], result: false }
  return { statements: await migrationStatements(db, schema, migration, state), result: true }
}

/**
 * What one file's transaction runs. Older code than the version before is shut out; a migration that even that one
 * cannot work with raises `min_code` itself.
 */
export async function migrationStatements(
  db: Db,
  schema: string,
  { version, sql }: Migration,
  state: SchemaState | undefined,
): Promise<string[]> {
  const record = `insert into ${schema}.schema (version, min_code) values (${version}, ${Math.max(1, version - 1)})`
  if (state !== undefined || version > 1) return [record, sql]
  return [
    // A role that may not create schemas can be given an empty one.
    ...((await hasSchema(db, schema)) ? [] : [`create schema ${schema}`]),
    `revoke all on schema ${schema} from public`,
    `create table ${schema}.schema (
  version integer primary key,
  min_code integer not null,
  applied_at timestamptz not null default clock_timestamp()
)`,
    record,
    sql,
  ]
}
