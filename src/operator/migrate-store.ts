import { missingGrants } from '../capture/rights.ts'
import { findRepairs, firstInstall, repairTriggers } from '../capture/triggers.ts'
import { DatabaseError } from '../postgres/errors.ts'
import { type Identity, recordInstallation, refuseCopy } from '../postgres/installation.ts'
import {
  applyMigrations,
  type Migration,
  pendingMigrations,
  refuseForeignSchema,
  refuseOutdatedCode,
  schemaState,
} from '../postgres/migrate.ts'
import type { Pool } from '../postgres/pool.ts'
import { inShortTries } from '../postgres/short-locks.ts'
import { inTransaction } from '../postgres/transaction.ts'
import type { Store } from '../store/store.ts'
import { migrationBlocks, sqlScript, transactionBlock } from './sql-script.ts'

export type MigrateInput = Readonly<{
  pool: Pool
  store: Store
  migrations: readonly Migration[]
  identity: Identity
}>

/** What `migrate` did, for the person who ran it. */
export type Migrated = Readonly<{ applied: readonly string[]; tables: readonly string[] }>

/** Two minutes and a bit: a store's longer imports and vacuums end in that time. */
const ATTEMPTS = 80

/**
 * Brings schema `bridge` and the triggers up to this version. Idempotent, and safe while the store sells and older
 * workers run: each file and each table is a transaction of its own that waits at most 200 ms for a lock.
 * @throws DatabaseError `missing_rights` with the exact GRANTs, `copied` on a copy of another database, and others.
 */
export async function migrateStore(input: MigrateInput): Promise<Migrated> {
  const { pool, store, migrations, identity } = input
  await refuseToMigrate(input)
  const applied = await applyMigrations(pool, 'bridge', migrations)
  await refuseCopy(pool, identity)
  await inShortTries('The inbox', ATTEMPTS, () =>
    inTransaction(pool, async (db) => {
      await recordInstallation(db, identity, false)
      await db.query(INSTALLED)
    }),
  )
  const repairs = await repairTriggers(pool, store, ATTEMPTS)
  return { applied, tables: repairs.map(({ table }) => table) }
}

/**
 * The SQL that `migrate` would run now, each transaction a block, for psql. Changes nothing. The installation's own row
 * is left to the first worker: it tells this database from a copy, and the SQL may be tried on one.
 */
export async function previewMigration(input: MigrateInput): Promise<string> {
  const { pool, store, migrations } = input
  const grants = (await schemaExists(pool)) ? [] : await missingGrants(pool, store)
  const state = grants.length > 0 ? undefined : await refuseToMigrate(input)
  const repairs = state ? await findRepairs(pool, store) : firstInstall(store)
  return sqlScript(pool, 'bridge', [
    ...(grants.length === 0
      ? []
      : [`-- Before it, the owner of the store's database has to run:\n${asComments(grants)}`]),
    ...(await migrationBlocks(pool, 'bridge', pendingMigrations(migrations, state), state)),
    transactionBlock([INSTALLED]),
    ...repairs.map(({ table, statements }) => `-- ${table}\n${transactionBlock(statements)}`),
  ])
}

const INSTALLED = 'update bridge.installation set installed = true where not installed'

async function schemaExists(pool: Pool): Promise<boolean> {
  const { rows } = await pool.query(`select from pg_catalog.pg_namespace where nspname = 'bridge'`)
  return rows.length > 0
}

function asComments(statements: readonly string[]): string {
  return statements.map((statement) => `-- ${statement.replace(/^-- /, '')}`).join('\n')
}

async function refuseToMigrate(input: MigrateInput) {
  await refuseForeignSchema(input.pool, 'bridge')
  const grants = await missingGrants(input.pool, input.store)
  if (grants.length > 0) {
    throw new DatabaseError(
      'missing_rights',
      `The role of DATABASE_URL may not do all that is needed. Let the owner of the store's database run:\n${grants.join('\n')}`,
    )
  }
  const { pool, migrations } = input
  const state = await schemaState(pool, 'bridge')
  if (state) refuseOutdatedCode('bridge', state, migrations.at(-1)?.version ?? 0)
  return state
}
