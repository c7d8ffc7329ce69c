import { fileURLToPath } from 'node:url'

import type { Settings } from '../config/settings.ts'
import type { Log } from '../observe/log.ts'
import { DatabaseError } from '../postgres/errors.ts'
import { currentIdentity, type Identity } from '../postgres/installation.ts'
import { type Migration, readMigrations, refuseOutdatedCode, schemaState } from '../postgres/migrate.ts'
import { createPool, type Db, type OwnPool, type Pool } from '../postgres/pool.ts'
import { reachDatabase, splitUrl } from '../postgres/reach.ts'
import { findStoreSchema } from '../store/columns.ts'
import { lostConnections } from './lost-connections.ts'

/** Found from `src/` and from `dist/` alike. */
const MIGRATIONS = fileURLToPath(new URL('../../migrations/bridge', import.meta.url))

/** Opens a pool on the store's database and makes sure that it answers. */
export async function openStoreDatabase(
  settings: Settings & Readonly<{ databaseUrl: string }>,
  applicationName: string,
  log: Log,
  connections: number,
  answerWithinMilliseconds?: number,
): Promise<OwnPool> {
  const pool = createPool(settings.databaseUrl, {
    applicationName,
    max: connections,
    ...(answerWithinMilliseconds === undefined ? {} : { answerWithinMilliseconds }),
    onConnectionError: lostConnections(log),
  })
  try {
    await reachDatabase(pool, settings.databaseUrl)
  } catch (error) {
    await pool.end()
    throw error
  }
  return pool
}

export function bridgeMigrations(): Promise<Migration[]> {
  return readMigrations(MIGRATIONS)
}

/** The marks of this database, of the store in it and of the hub in the settings. */
export async function identityOf(
  pool: Pool,
  settings: Settings & Readonly<{ databaseUrl: string }>,
): Promise<Identity> {
  return currentIdentity(pool, {
    host: splitUrl(settings.databaseUrl).host,
    hubUrl: settings.hubUrl ?? null,
    hubStoreId: settings.hubStoreId ?? null,
    storeSchema: await findStoreSchema(pool),
  })
}

/** The version of this code, as schema `bridge` counts it. */
export async function codeVersion(): Promise<number> {
  return (await bridgeMigrations()).at(-1)?.version ?? 0
}

/**
 * Makes sure that schema `bridge` is one that code of version `code` can work with: its own version, the one before,
 * or a later one that still admits it, as during a deploy.
 * @throws DatabaseError `not_migrated`, or `outdated` where a newer version has shut this code out.
 */
export async function requireSchema(db: Db, code: number): Promise<void> {
  const state = await schemaState(db, 'bridge')
  if (state === undefined || state.version < code - 1) {
    throw new DatabaseError(
      'not_migrated',
      `The store's database is not migrated for this version: run \`spree-bridge migrate\` with this DATABASE_URL first.`,
    )
  }
  refuseOutdatedCode('bridge', state, code)
}
