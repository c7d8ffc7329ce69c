import { Writable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { createApp } from '../../src/http/app.ts'
import { listen } from '../../src/http/listen.ts'
import { createHubRouter, type HubApiOptions } from '../../src/hub/api.ts'
import { createLog } from '../../src/observe/log.ts'
import { createMetrics } from '../../src/observe/metrics.ts'
import { applyMigrations, readMigrations } from '../../src/postgres/migrate.ts'
import type { Pool } from '../../src/postgres/pool.ts'
import { createDatabase } from '../support/postgres.ts'

const HOST = '127.0.0.1'
export const ADMIN_TOKEN = 'admin-token-of-the-hub'

/** The twelve of the protocol's sample. */
export const BUILT_IN_TYPES = [
  'endpoint:poll',
  'notification:error',
  'notification:info',
  'notification:warn',
  'order:canceled',
  'order:import',
  'order:new',
  'order:persist',
  'order:updated',
  'payment:capture',
  'payment:ready',
  'product:update',
]

export type HubStore = Readonly<{ id: string; name: string; token: string }>

export type HubServer = Readonly<{
  url: string
  pool: Pool
  /** `POST /api/stores` */
  createStore(body?: object): Promise<HubStore>
  /** What it has logged: faults of its own. */
  faults(): string[]
  close(): Promise<void>
}>

/** The hub's API over real HTTP, on a migrated database of its own. */
export async function startHub(options: Partial<HubApiOptions> = {}): Promise<HubServer> {
  const database = await createDatabase()
  const folder = fileURLToPath(new URL('../../migrations/hub', import.meta.url))
  await applyMigrations(database.pool, 'hub', await readMigrations(folder))
  const lines: string[] = []
  const stream = new Writable({
    write: (chunk, _encoding, done) => {
      lines.push(String(chunk))
      done()
    },
  })
  const { log, closeLog } = createLog({ level: 'error', format: 'json', stream })
  const router = createHubRouter({
    builtInTypes: BUILT_IN_TYPES,
    samples: { names: () => [], find: () => undefined },
    pool: database.pool,
    laneCount: 16,
    admin: { token: ADMIN_TOKEN, host: HOST },
    ...options,
  })
  const app = createApp({
    log,
    readyChecks: {},
    metrics: createMetrics(),
    operator: { host: HOST },
    routers: [router],
  })
  const server = await listen(app, { port: 0, host: HOST })
  return {
    url: server.url,
    pool: database.pool,
    async createStore(body = { name: 'A store' }) {
      const answer = await fetch(`${server.url}/api/stores`, {
        method: 'POST',
        headers: { authorization: `Bearer ${ADMIN_TOKEN}` },
        body: JSON.stringify(body),
      })
      if (answer.status !== 201) throw new Error(`${answer.status} ${await answer.text()}`)
      return (await answer.json()) as HubStore
    },
    faults: () => [...lines],
    async close() {
      await server.close()
      await closeLog()
      await database.drop()
    },
  }
}
