import { Writable } from 'node:stream'
import type { Handlers } from '../../src/apply/handlers.ts'
import { readSettings } from '../../src/config/read-settings.ts'
import { createLog } from '../../src/observe/log.ts'
import { migrateStore } from '../../src/operator/migrate-store.ts'
import { startParts } from '../../src/processes/part.ts'
import { bridgeMigrations, identityOf } from '../../src/processes/store-database.ts'
import { startWeb, type WebSettings } from '../../src/processes/web.ts'
import { openStore } from '../../src/store/store.ts'
import type { TestDatabase } from './postgres.ts'

export const WEBHOOK_TOKEN = 'webhook-token-of-the-tests'

export type WebAnswer = Readonly<{ status: number; text: string; headers: Headers }>

export type TestWeb = Readonly<{
  url: string
  /** Its log, line by line. */
  lines(): string[]
  stop(): Promise<void>
}>

/** Migrates the store and runs a web in this very process, with the handlers given. */
export async function startTestWeb(
  store: TestDatabase,
  handlers: Handlers,
  how: Partial<WebSettings> = {},
): Promise<TestWeb> {
  const settings = settingsOf(store, how)
  await migrate(store, how)
  const lines: string[] = []
  const stream = new Writable({
    write: (chunk, _encoding, done) => {
      lines.push(String(chunk).trimEnd())
      done()
    },
  })
  const { log, closeLog } = createLog({ level: 'debug', format: 'json', stream })
  const web = await startParts([(of, metrics) => startWeb(settings, handlers, of, metrics)], settings, log)
  return {
    url: web.url ?? '',
    lines: () => [...lines],
    stop: async () => {
      await web.stop()
      await closeLog()
    },
  }
}

export function settingsOf(store: TestDatabase, how: Partial<WebSettings>): WebSettings {
  const { settings: defaults } = readSettings({
    env: {
      DATABASE_URL: store.url,
      HUB_STORE_ID: '5281a1584a8169f7a0000001',
      WEBHOOK_TOKEN: `other-token,${WEBHOOK_TOKEN}`,
      HOST: '127.0.0.1',
      PORT: '0',
    },
    needs: ['databaseUrl'],
  })
  return { ...defaults, ...how }
}

/** Makes the store an installation of its own, as `spree-bridge migrate` does. */
export async function migrate(store: TestDatabase, how: Partial<WebSettings> = {}): Promise<void> {
  const settings = settingsOf(store, how)
  await migrateStore({
    pool: store.pool,
    store: await openStore(store.pool),
    migrations: await bridgeMigrations(),
    identity: await identityOf(store.pool, settings),
  })
}

/** Posts a body, as it stands or as JSON, with the right token unless `headers` say otherwise. */
export async function post(
  url: string,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): Promise<WebAnswer> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', 'X-Augury-Token': WEBHOOK_TOKEN, ...headers },
    body: typeof body === 'string' || body instanceof Uint8Array ? body : JSON.stringify(body),
  })
  return { status: response.status, text: await response.text(), headers: response.headers }
}

/** One line per table of the store: equal before and after what must change nothing. */
export async function digestStore({ pool }: TestDatabase): Promise<string[]> {
  const { rows: tables } = await pool.query<{ name: string }>(
    `select tablename as name from pg_tables where schemaname = 'public' order by 1`,
  )
  return Promise.all(
    tables.map(async ({ name }) => {
      const { rows } = await pool.query<{ digest: string | null }>(
        `select md5(string_agg(t::text, '|' order by t::text)) as digest from public."${name}" t`,
      )
      return `${name} ${rows[0]?.digest}`
    }),
  )
}

let sequence = 0

/** A new id of the hub's form, made now. */
export function newMessageId(): string {
  const seconds = Math.floor(Date.now() / 1000)
  sequence += 1
  return seconds.toString(16).padStart(8, '0') + sequence.toString(16).padStart(16, '0')
}
