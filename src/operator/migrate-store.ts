import { missingGrants } from '../capture/rights.ts'
import { applyRepairs, findRepairs, installStatements } from '../capture/triggers.ts'
import { DatabaseError } from '../postgres/errors.ts'
import { differences, type Identity, readInstallation, recordInstallation } from '../postgres/installation.ts'
import { applyMigrations, type Migration, schemaState } from '../postgres/migrate.ts'
import type { Pool } from '../postgres/pool.ts'
import { inTransaction } from '../postgres/transaction.ts'
import { makePartitions } from '../queue/partitions.ts'
import type { Store } from '../store/store.ts'

export type MigrateInput = Readonly<{
  pool: Pool
  store: Store
  migrations: readonly Migration[]
  identity: Identity
  fuseRows: number
}>

/** What `migrate` did, for the person who ran it. */
export type Migrated = Readonly<{ applied: readonly string[]; tables: readonly string[] }>

/**
 * Brings schema `bridge` and the triggers up to this version. Idempotent, and safe while the store sells and older
 * workers run: each file and each table is a transaction of its own that waits at most 200 ms for a lock.
 * @throws DatabaseError `missing_rights` with the exact GRANTs, `copied` on a copy of another database.
 */
export async function migrateStore({
  pool,
  store,
  migrations,
  identity,
  fuseRows,
}: MigrateInput): Promise<Migrated> {
  await refuseWithoutRights(pool, store)
  const applied = await applyMigrations(pool, 'bridge', migrations)
  await refuseCopy(pool, identity)
  await inTransaction(pool, async (db) => {
    await recordInstallation(db, identity, false)
    await db.query('update bridge.installation set installed = true where not installed')
    await db.query('update bridge.pulse set fuse_rows = $1 where fuse_rows <> $1', [fuseRows])
  })
  await makePartitions(pool, 'bridge.history')
  await makePartitions(pool, 'bridge.stock_ledger')
  const repairs = await findRepairs(pool, store)
  await applyRepairs(pool, repairs)
  return { applied, tables: repairs.map(({ watched }) => watched.table) }
}

/** The SQL that `migrate` would run now, in its order. Changes nothing. */
export async function previewMigration({ pool, store, migrations }: MigrateInput): Promise<string> {
  await refuseWithoutRights(pool, store)
  const state = await schemaState(pool, 'bridge')
  const pending = migrations.filter(({ version }) => version > (state?.version ?? 0))
  const statements = state
    ? (await findRepairs(pool, store)).flatMap((repair) => repair.statements)
    : installStatements(store)
  return [
    ...(state ? [] : ['create schema bridge;\nrevoke all on schema bridge from public;']),
    ...pending.map(({ name, sql }) => `-- ${name}\n${sql.trim()}`),
    ...statements.map((statement) => `${statement};`),
  ].join('\n\n')
}

async function refuseWithoutRights(pool: Pool, store: Store): Promise<void> {
  const grants = await missingGrants(pool, store)
  if (grants.length === 0) return
  throw new DatabaseError(
    'missing_rights',
    `The role of DATABASE_URL may not do all that is needed. Let the owner of the store's database run:\n${grants.join('\n')}`,
  )
}

/** @throws DatabaseError `copied` where this database is a copy of the one that the installation was made for. */
export async function refuseCopy(pool: Pool, identity: Identity): Promise<void> {
  const installed = await readInstallation(pool)
  const marks = installed ? differences(installed, identity) : []
  if (marks.length === 0) return
  throw new DatabaseError(
    'copied',
    `This is not the database (or not the hub) that spree-bridge was installed for: ${marks.join('; ')}. ` +
      'Nothing is sent or applied. Run `spree-bridge adopt --fresh` on a copy that shall live on its own ' +
      '(drops what waits and what was announced), or `spree-bridge adopt --keep` if this is the same store, moved.',
  )
}
