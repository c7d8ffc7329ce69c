import {
  applyMigrations,
  type Migration,
  pendingMigrations,
  refuseForeignSchema,
  refuseOutdatedCode,
  type SchemaState,
  schemaState,
} from '../postgres/migrate.ts'
import type { Db, Pool } from '../postgres/pool.ts'
import { migrationBlocks, sqlScript } from './sql-script.ts'

/**
 * Brings schema `hub` up to this version, while older hubs run. Returns the names of the files applied.
 * @throws DatabaseError `outdated`, `locked` and others.
 */
export async function migrateHub(pool: Pool, migrations: readonly Migration[]): Promise<string[]> {
  await refuseOutdated(pool, migrations)
  return applyMigrations(pool, 'hub', migrations)
}

/** The SQL that `migrate --hub` would run now, for psql. Changes nothing. */
export async function previewHubMigration(db: Db, migrations: readonly Migration[]): Promise<string> {
  const state = await refuseOutdated(db, migrations)
  return sqlScript(db, 'hub', await migrationBlocks(db, 'hub', pendingMigrations(migrations, state), state))
}

async function refuseOutdated(db: Db, migrations: readonly Migration[]): Promise<SchemaState | undefined> {
  await refuseForeignSchema(db, 'hub')
  const state = await schemaState(db, 'hub')
  if (state) refuseOutdatedCode('hub', state, migrations.at(-1)?.version ?? 0)
  return state
}
