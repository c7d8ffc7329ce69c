import type { Settings } from '../config/settings.ts'
import type { Log } from '../observe/log.ts'
import {
  type Installation,
  readInstallation,
  recordInstallation,
  refuseCopy,
  refuseUninstalled,
} from '../postgres/installation.ts'
import type { OwnPool } from '../postgres/pool.ts'
import { inShortTries } from '../postgres/short-locks.ts'
import { inTransaction } from '../postgres/transaction.ts'
import { type LiveStore, openLiveStore } from '../store/live-store.ts'
import { codeVersion, identityOf, openStoreDatabase, requireSchema } from './store-database.ts'

export type OwnStore = Readonly<{
  pool: OwnPool
  store: LiveStore
  /** Of this code, as schema `bridge` counts it. */
  code: number
  installation: Installation
}>

/** For two minutes, in which every message that is being applied has ended. */
const ATTEMPTS = 80

/**
 * Opens the store for a process that reads it and writes into it: one that is migrated, and this installation's own.
 * @throws DatabaseError, StoreError, which say what to do
 */
export async function openOwnStore(
  settings: Settings & Readonly<{ databaseUrl: string }>,
  log: Log,
  how: Readonly<{ applicationName: string; connections: number; answerWithinMilliseconds: number }>,
): Promise<OwnStore> {
  const pool = await openStoreDatabase(
    settings,
    how.applicationName,
    log,
    how.connections,
    how.answerWithinMilliseconds,
  )
  try {
    const code = await codeVersion()
    await requireSchema(pool, code)
    await refuseUninstalled(pool)
    const store = await openLiveStore(pool, settings)
    const identity = await identityOf(pool, settings)
    await refuseCopy(pool, identity)
    await inShortTries('The inbox', ATTEMPTS, () =>
      inTransaction(pool, (db) => recordInstallation(db, identity, false)),
    )
    const installation = await readInstallation(pool)
    if (!installation) throw new Error('the installation that was just recorded is not there')
    return { pool, store, code, installation }
  } catch (error) {
    await pool.end()
    throw error
  }
}
