import { Writable } from 'node:stream'
import { setTimeout as pause } from 'node:timers/promises'
import { readSettings } from '../../src/config/read-settings.ts'
import { createLog } from '../../src/observe/log.ts'
import { migrateStore } from '../../src/operator/migrate-store.ts'
import { startParts } from '../../src/processes/part.ts'
import { bridgeMigrations, identityOf } from '../../src/processes/store-database.ts'
import { startWorker, type WorkerSettings } from '../../src/processes/worker.ts'
import { openStore } from '../../src/store/store.ts'
import type { TestDatabase } from './postgres.ts'
import type { RecordingHub } from './recording-hub.ts'

export type TestWorker = Readonly<{
  /** Where metrics are: on loopback, without a token. */
  url: string
  /** Resolves when all that was committed before has become messages. */
  collected(): Promise<void>
  /** Resolves when all that was committed before has been collected and all of it accepted by the hub. */
  settled(): Promise<void>
  /** Its log's warnings and errors. */
  complaints(): string[]
  stop(): Promise<void>
}>

const LOOK_EVERY_MS = 50
const SETTLED_WITHIN_MS = 120_000

/** Migrates the store and runs a worker in this very process, at the default settings but for `how`. */
export async function startTestWorker(
  store: TestDatabase,
  hub: Pick<RecordingHub, 'url' | 'storeId' | 'token'>,
  how: Partial<WorkerSettings> = {},
): Promise<TestWorker> {
  const { settings: defaults } = readSettings({
    env: {
      DATABASE_URL: store.url,
      HUB_URL: hub.url,
      HUB_STORE_ID: hub.storeId,
      HUB_TOKEN: hub.token,
      HOST: '127.0.0.1',
      PORT: '0',
    },
    needs: ['databaseUrl', 'hubUrl', 'hubStoreId', 'hubToken'],
  })
  const settings: WorkerSettings = { ...defaults, ...how }
  await migrateStore({
    pool: store.pool,
    store: await openStore(store.pool),
    migrations: await bridgeMigrations(),
    identity: await identityOf(store.pool, settings),
  })
  const lines: string[] = []
  const stream = new Writable({
    write: (chunk, _encoding, done) => {
      lines.push(String(chunk).trimEnd())
      done()
    },
  })
  const { log, closeLog } = createLog({ level: 'warn', format: 'json', stream })
  const worker = await startParts([(of, metrics) => startWorker(settings, of, metrics)], settings, log)
  const stop = async () => {
    await worker.stop()
    await closeLog()
  }
  try {
    await until(store, 'select kind from bridge.seeding where finished_at is null', lines)
  } catch (error) {
    await stop()
    throw error
  }
  return {
    url: worker.url ?? '',
    collected: () => until(store, UNCOLLECTED, lines),
    settled: () => until(store, UNSETTLED, lines),
    complaints: () => [...lines],
    stop,
  }
}

// The collector's memory holds nothing that the outbox does not; it moves rows to messages in one commit, and a message
// goes when the hub has taken it. So one look at both sees all that is still to come.
const UNCOLLECTED = `select 'change of ' || table_name || ' ' || coalesce(row_id, '') as what from bridge.outbox`
const UNSETTLED = `
  ${UNCOLLECTED}
   union all
  select state || ' ' || type || ' of ' || aggregate || coalesce(': ' || last_error, '') from bridge.message`

/** Asks until `query` finds nothing. */
async function until(store: TestDatabase, query: string, complaints: readonly string[]): Promise<void> {
  const deadline = Date.now() + SETTLED_WITHIN_MS
  for (;;) {
    const { rows } = await store.pool.query(query)
    if (rows.length === 0) return
    if (Date.now() > deadline)
      throw new Error(
        `Not settled: ${JSON.stringify(rows.slice(0, 10))}. The worker says: ${complaints.join('\n')}`,
      )
    await pause(LOOK_EVERY_MS)
  }
}
