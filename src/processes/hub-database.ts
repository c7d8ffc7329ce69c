import { fileURLToPath } from 'node:url'

import type { Log } from '../observe/log.ts'
import { DatabaseError } from '../postgres/errors.ts'
import { type Migration, readMigrations, refuseOutdatedCode, schemaState } from '../postgres/migrate.ts'
import { createPool, type Db, type Pool } from '../postgres/pool.ts'
import { reachDatabase } from '../postgres/reach.ts'
import { lostConnections } from './lost-connections.ts'

/** Found from `src/` and from `dist/` alike. */
const MIGRATIONS = fileURLToPath(new URL('../../migrations/hub', import.meta.url))

export function hubMigrations(): Promise<Migration[]> {
  return readMigrations(MIGRATIONS)
}

/** Opens a pool on the hub's database and makes sure that it answers. @throws DatabaseError */
export async function openHubDatabase(
  url: string,
  log: Log,
  how: Readonly<{ applicationName: string; connections: number; answerWithinMilliseconds?: number }>,
): Promise<Pool> {
  const pool = createPool(url, {
    applicationName: how.applicationName,
    max: how.connections,
    ...(how.answerWithinMilliseconds === undefined
      ? {}
      : { answerWithinMilliseconds: how.answerWithinMilliseconds }),
    onConnectionError: lostConnections(log),
  })
  try {
    await reachDatabase(pool, url, 'HUB_DATABASE_URL')
  } catch (error) {
    await pool.end()
    throw error
  }
  return pool
}

/** The version of this code, as schema `hub` counts it. */
export async function hubCodeVersion(): Promise<number> {
  return (await hubMigrations()).at(-1)?.version ?? 0
}

/**
 * Makes sure that schema `hub` is one that code of version `code` can work with.
 * @throws DatabaseError `not_migrated` or `outdated`.
 */
export async function requireHubSchema(db: Db, code: number): Promise<void> {
  const state = await schemaState(db, 'hub')
  if (state === undefined || state.version < code - 1) {
    throw new DatabaseError(
      'not_migrated',
      "The hub's database is not migrated for this version: run `spree-bridge migrate --hub` with this HUB_DATABASE_URL first.",
    )
  }
  refuseOutdatedCode('hub', state, code)
}
