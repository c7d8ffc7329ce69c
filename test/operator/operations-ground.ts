import { afterAll, beforeAll, expect } from '@jest/globals'

import { createDatabase, onServer, type TestDatabase } from '../support/postgres.ts'
import { createProcesses } from '../support/processes.ts'
import { type RecordingHub, startRecordingHub } from '../support/recording-hub.ts'
import { createStore } from '../support/stores.ts'
import { type Run, runBridge } from './run-bridge.ts'

export type Environment = Readonly<Record<string, string>>

/** Stores, hubs and processes of one test file, gone when it has ended. To be called once, at its top. */
export function createGround() {
  const processes = createProcesses()
  const databases: TestDatabase[] = []
  const hubs: RecordingHub[] = []
  let migrated: Promise<string> | undefined

  beforeAll(async () => {
    hubs.push(await startRecordingHub())
  })
  afterAll(async () => {
    await processes.killAll()
    for (const hub of hubs) await hub.close()
    for (const database of databases) await database.drop()
  })

  /** The hub of all tests that don't need one of their own. */
  const hub = (): RecordingHub => hubs[0]!
  const keep = (database: TestDatabase): TestDatabase => {
    databases.push(database)
    return database
  }
  const environment = (store: TestDatabase, of = hub()): Environment => ({
    DATABASE_URL: store.url,
    HUB_URL: of.url,
    HUB_STORE_ID: of.storeId,
    HUB_TOKEN: of.token,
  })
  const openStore = async () => keep(await createStore('spree-4.10', 'fixture'))
  const makeMigratedStore = async (): Promise<string> => {
    const store = await openStore()
    const { status, stderr } = await runBridge(['migrate'], environment(store))
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
    await store.pool.query('delete from bridge.installation')
    return disconnect(store)
  }

  return {
    processes,
    hub,
    environment,
    openStore,
    openDatabase: async () => keep(await createDatabase()),
    openHub: async () => {
      const opened = await startRecordingHub()
      hubs.push(opened)
      return opened
    },
    /** A store that is migrated but belongs to nobody yet: the first process makes it its own. */
    openMigratedStore: async () => {
      migrated ??= makeMigratedStore()
      return keep(await createDatabase(await migrated))
    },
    copyOf: async (store: TestDatabase) => keep(await createDatabase(await disconnect(store))),
  }
}

/** Of a database that somebody is connected to there is no copy. */
async function disconnect(store: TestDatabase): Promise<string> {
  const name = new URL(store.url).pathname.slice(1)
  await onServer((server) =>
    server.query('select pg_terminate_backend(pid) from pg_stat_activity where datname = $1', [name]),
  )
  return name
}

/** What a failed command has to say: one sentence or a few, never a stack. */
export function complaintOf({ stdout, stderr }: Run): string {
  expect(stdout).toBe('')
  expect(stderr).not.toMatch(/\n\s+at /)
  return stderr.trim()
}
