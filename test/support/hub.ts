import { Writable } from 'node:stream'
import { readSettings } from '../../src/config/read-settings.ts'
import { createLog } from '../../src/observe/log.ts'
import { applyMigrations, type Migration } from '../../src/postgres/migrate.ts'
import { type HubSettings, startHub } from '../../src/processes/hub.ts'
import { hubMigrations } from '../../src/processes/hub-database.ts'
import { hubRoutes } from '../../src/processes/hub-routes.ts'
import { startParts } from '../../src/processes/part.ts'
import { createDatabase, type TestDatabase } from './postgres.ts'

export const ADMIN_TOKEN = 'admin-token-of-the-tests'

/** A store at the hub, and how it and its operators use the API. */
export type HubStore = Readonly<{
  id: string
  token: string
  /** `POST messages`; the answer's `message_id`. */
  push(message: string, payload: unknown, more?: Readonly<Record<string, unknown>>): Promise<string>
  /** `POST mappings`; its id. */
  map(
    name: string,
    url: string,
    messages: readonly string[],
    more?: Readonly<Record<string, unknown>>,
  ): Promise<string>
  call(method: string, path: string, body?: unknown): Promise<Readonly<{ status: number; body: unknown }>>
}>

export type TestHub = Readonly<{
  url: string
  db: TestDatabase
  createStore(body?: object): Promise<HubStore>
  /** Resolves when nothing waits in either queue but what is parked. */
  settled(withinMs?: number): Promise<void>
  /** Its log's warnings and errors. */
  complaints(): string[]
  stop(): Promise<void>
}>

/** A whole hub in this very process, on a database of its own unless one is given. */
export async function startTestHub(
  how: Partial<HubSettings> = {},
  database?: TestDatabase,
  migrations?: readonly Migration[],
): Promise<TestHub> {
  const db = database ?? (await createDatabase())
  await applyMigrations(db.pool, 'hub', migrations ?? (await hubMigrations()))
  const { settings: defaults } = readSettings({
    env: { HUB_DATABASE_URL: db.url, HUB_ADMIN_TOKEN: ADMIN_TOKEN, HOST: '127.0.0.1', PORT: '0' },
    needs: ['hubDatabaseUrl'],
  })
  const settings: HubSettings = { ...defaults, hubTargets: 'any', ...how }
  const lines: string[] = []
  const stream = new Writable({
    write: (chunk, _encoding, done) => {
      lines.push(String(chunk).trimEnd())
      done()
    },
  })
  const { log, closeLog } = createLog({ level: 'warn', format: 'json', stream })
  const routes = hubRoutes({ token: ADMIN_TOKEN, host: settings.host }, settings.hubTargets)
  const hub = await startParts([(own) => startHub(settings, own, routes)], settings, log)
  const url = hub.url ?? ''
  return {
    url,
    db,
    createStore: async (body = { name: 'Harbour Supply' }) => {
      const answer = await request(`${url}/api/stores`, 'POST', ADMIN_TOKEN, body)
      const { id, token } = answer.body as { id: string; token: string }
      return openStore(url, id, token)
    },
    settled: async (withinMs = 60_000) => {
      const deadline = Date.now() + withinMs
      for (;;) {
        const { rows } = await db.pool.query(
          `select 'incoming' as queue, type, state, last_error from hub.incoming where state <> 'parked'
            union all
           select 'accepted', type, state, last_error from hub.accepted where state <> 'parked'`,
        )
        if (rows.length === 0) return
        if (Date.now() > deadline)
          throw new Error(`Not settled: ${JSON.stringify(rows.slice(0, 5))} ${lines.join('\n')}`)
        await new Promise((resolve) => setTimeout(resolve, 15))
      }
    },
    complaints: () => [...lines],
    stop: async () => {
      await hub.stop()
      await closeLog()
      if (!database) await db.drop()
    },
  }
}

function openStore(url: string, id: string, token: string): HubStore {
  const call: HubStore['call'] = (method, path, body) =>
    request(`${url}/api/stores/${id}/${path}`, method, token, body)
  const idOf = ({ status, body }: { status: number; body: unknown }, key: string) => {
    const found = (body as Record<string, unknown> | undefined)?.[key]
    if (status !== 201 || typeof found !== 'string') throw new Error(`${status} ${JSON.stringify(body)}`)
    return found
  }
  return {
    id,
    token,
    call,
    push: async (message, payload, more = {}) =>
      idOf(await call('POST', 'messages', { message, payload, ...more }), 'message_id'),
    map: async (name, target, messages, more = {}) =>
      idOf(
        await call('POST', 'mappings', {
          mapping: { name, url: target, token: `token-of-${name}`, messages, ...more },
        }),
        'id',
      ),
  }
}

async function request(url: string, method: string, token: string, body?: unknown) {
  const answer = await fetch(url, {
    method,
    headers: { 'Content-Type': 'application/json', 'X-Augury-Token': token },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  const text = await answer.text()
  return { status: answer.status, body: text === '' ? undefined : (JSON.parse(text) as unknown) }
}
