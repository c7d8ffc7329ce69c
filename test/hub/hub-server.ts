import { Writable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { createApp } from '../../src/http/app.ts'
import { listen } from '../../src/http/listen.ts'
import { createHubRouter } from '../../src/hub/api/api.ts'
import { HUB_INCOMING } from '../../src/hub/queues.ts'
import { createLog } from '../../src/observe/log.ts'
import { createMetrics } from '../../src/observe/metrics.ts'
import { applyMigrations, readMigrations } from '../../src/postgres/migrate.ts'
import type { Pool } from '../../src/postgres/pool.ts'
import { countLanes } from '../../src/queue/enqueue.ts'
import { createDatabase } from '../support/postgres.ts'

const HOST = '127.0.0.1'
export const ADMIN_TOKEN = 'admin-token-of-the-hub'

export type HubStore = Readonly<{ id: string; name: string; token: string }>

export type Answer = Readonly<{ status: number; headers: Headers; text: string; json: unknown }>

export type HubServer = Readonly<{
  url: string
  pool: Pool
  /** Any call; a body goes as it is. */
  call(
    method: string,
    path: string,
    headers?: Record<string, string>,
    body?: string | Buffer,
  ): Promise<Answer>
  /** What it has logged: faults of its own. */
  faults(): string[]
  close(): Promise<void>
}>

/** The hub's API over real HTTP, on a migrated database of its own. Nothing routes or delivers: messages stay as they came. */
export async function startHub(
  admin: Readonly<{ token?: string }> = { token: ADMIN_TOKEN },
): Promise<HubServer> {
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
  const laneCount = await countLanes(database.pool, HUB_INCOMING)
  const app = createApp({
    log,
    readyChecks: {},
    metrics: createMetrics(),
    operator: { host: HOST },
    routers: [
      createHubRouter({ pool: database.pool, laneCount, admin: { ...admin, host: HOST }, targets: 'public' }),
    ],
  })
  const server = await listen(app, { port: 0, host: HOST })
  return {
    url: server.url,
    pool: database.pool,
    async call(method, path, headers = {}, body) {
      const answer = await fetch(server.url + path, {
        method,
        redirect: 'manual',
        headers,
        ...(body === undefined ? {} : { body }),
      })
      const text = await answer.text()
      const json = /^[[{]/.test(text) ? JSON.parse(text) : undefined
      return { status: answer.status, headers: answer.headers, text, json }
    },
    faults: () => [...lines],
    async close() {
      await server.close()
      await closeLog()
      await database.drop()
    },
  }
}

export async function createStore(hub: HubServer, body: object = { name: 'A store' }): Promise<HubStore> {
  const { status, json, text } = await hub.call(
    'POST',
    '/api/stores',
    { authorization: `Bearer ${ADMIN_TOKEN}` },
    JSON.stringify(body),
  )
  if (status !== 201) throw new Error(`${status} ${text}`)
  return json as HubStore
}
