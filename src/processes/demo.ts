import { randomBytes } from 'node:crypto'
import { createServer } from 'node:http'
import path from 'node:path'

import { HANDLERS } from '../apply/handlers.ts'
import { type EffectiveSettings, readSettings } from '../config/read-settings.ts'
import type { Settings } from '../config/settings.ts'
import { startConsumer } from '../demo/consumer.ts'
import {
  DEMO_FOLDER,
  type DemoFile,
  demoEnvironment,
  portOf,
  readDemoFile,
  writeDemoFile,
} from '../demo/demo-file.ts'
import { type PostgresServer, startPostgres } from '../demo/embedded-postgres.ts'
import { createHubStore, keepMapping } from '../demo/hub-api.ts'
import { PostgresError } from '../demo/postgres-error.ts'
import { loadSampleStore } from '../demo/sample-store.ts'
import { walk } from '../demo/walk.ts'
import { listen } from '../http/listen.ts'
import type { Log } from '../observe/log.ts'
import { adoptStore } from '../operator/adopt-store.ts'
import { migrateStore } from '../operator/migrate-store.ts'
import { applyMigrations } from '../postgres/migrate.ts'
import { createPool, type Pool } from '../postgres/pool.ts'
import { openStore } from '../store/store.ts'
import { explainStart } from './demo-error.ts'
import { startHub } from './hub.ts'
import { hubMigrations } from './hub-database.ts'
import { hubRoutes } from './hub-routes.ts'
import { lostConnections } from './lost-connections.ts'
import { type Running, startParts } from './part.ts'
import { WEB_PORT } from './ports.ts'
import { bridgeMigrations, identityOf } from './store-database.ts'
import { startWeb } from './web.ts'
import { startWorker } from './worker.ts'

/** Unless HOST says otherwise. */
const LOOPBACK = '127.0.0.1'
/** What the demo's consumer subscribes to: all that a sample shop gives cause for. */
const CONSUMED = [
  'product:new',
  'product:update',
  'stock:change',
  'order:new',
  'order:updated',
  'order:canceled',
  'shipment:ready',
]

/** The whole loop on this machine: an embedded PostgreSQL with a sample shop, the hub, the bridge, and a consumer. */
export type Demo = Readonly<{
  demo: DemoFile
  /** Where the data is: in the demo's folder, or where the server's user can reach it. */
  folders: readonly string[]
  /** One change of each kind, once round the loop, told line by line. */
  walk(say: (line: string) => void): Promise<void>
  ended: Promise<Error>
  stop(): Promise<void>
}>

/** Starts what is missing and finds what is there; whatever cannot be started, nothing that it started is left running. */
export async function startDemo(effective: EffectiveSettings, log: Log, folder = DEMO_FOLDER): Promise<Demo> {
  const closing: (() => Promise<unknown>)[] = []
  const stop = async () => {
    for (const close of closing.splice(0).reverse()) await close()
  }
  try {
    return await assemble(effective, log, folder, closing, stop)
  } catch (error) {
    await stop()
    throw explainStart(error, folder)
  }
}

async function assemble(
  { settings, sources }: EffectiveSettings,
  log: Log,
  folder: string,
  closing: (() => Promise<unknown>)[],
  stop: () => Promise<void>,
): Promise<Demo> {
  const before = readDemoFile(folder)
  const host = sources.has('host') ? settings.host : LOOPBACK
  const postgres = await startDatabase(path.join(folder, 'postgres'), before)
  closing.push(() => postgres.stop())
  // Before anything is made that counts on it.
  const webUrl = await openOnce(settings.port ?? WEB_PORT, host)
  const [storeUrl, hubUrl] = [databaseUrl(postgres, 'store'), databaseUrl(postgres, 'hub')]
  const store = openPool(storeUrl, log, closing)
  await createDatabase(store, 'hub')
  const hubPool = openPool(hubUrl, log, closing)
  await loadSampleStore(store)
  await applyMigrations(hubPool, 'hub', await hubMigrations())

  const adminToken = before?.hub.adminToken ?? newToken()
  const hub = await running(
    startParts(
      [
        (log_) =>
          startHub(
            { ...settings, hubDatabaseUrl: hubUrl, hubTargets: 'any' },
            log_,
            hubRoutes({ token: adminToken, host }, 'any'),
          ),
      ],
      { port: settings.hubPort, portVariable: 'HUB_PORT', host, operatorToken: adminToken },
      log,
    ),
    closing,
  )

  const webhookToken = before?.web.webhookToken ?? newToken()
  const known = before && (await knowsStore(hubPool, before.hub.storeId)) ? before.hub : undefined
  const { storeId, token } =
    known ??
    (await createHubStore(
      { url: hub.url, adminToken },
      { name: 'Harbour Supply', webhookUrl: `${webUrl}/webhook`, webhookToken },
    ))
  await hubPool.query('update hub.mapping set url = $2 where store_id = $1 and is_store', [
    storeId,
    `${webUrl}/webhook`,
  ])
  const demo: DemoFile = {
    store: { databaseUrl: storeUrl },
    hub: { url: hub.url, storeId, token, adminToken, databaseUrl: hubUrl },
    web: { url: webUrl, webhookToken, operatorToken: before?.web.operatorToken ?? newToken() },
  }
  await installBridge(store, demo)
  const bridge = await running(startBridge(demo, { ...settings, host, port: portOf(webUrl) }, log), closing)
  const consumer = await startConsumer()
  closing.push(() => consumer.close())
  await keepMapping(demo.hub, {
    name: 'demo.consumer',
    url: consumer.url,
    token: newToken(),
    messages: CONSUMED,
  })
  writeDemoFile(demo, folder)

  return {
    demo,
    folders: [folder, ...(postgres.root.startsWith(path.resolve(folder)) ? [] : [postgres.root])],
    walk: (say) => walk({ store, hub: demo.hub, consumer, say }),
    ended: Promise.race([hub.ended, bridge.ended]),
    stop,
  }
}

/** On the port of the last time, so that the printed address stays good; on another where that one is taken. */
async function startDatabase(root: string, before: DemoFile | undefined): Promise<PostgresServer> {
  const options = { root, database: 'store', durable: true, binaries: 'embedded' } as const
  const port = before ? portOf(before.store.databaseUrl) : await freePort()
  try {
    return await startPostgres({ ...options, port })
  } catch (error) {
    if (!(error instanceof PostgresError) || error.code !== 'start_failed') throw error
    return startPostgres({ ...options, port: await freePort() })
  }
}

async function freePort(): Promise<number> {
  return portOf(await openOnce(0, LOOPBACK))
}

/** Makes sure that the port can be opened, any free one for 0; returns its address. @throws ListenError */
async function openOnce(port: number, host: string): Promise<string> {
  const { url, close } = await listen(createServer(), { port, host })
  await close()
  return url
}

function databaseUrl({ url }: PostgresServer, name: string): string {
  const database = new URL(url)
  database.pathname = `/${name}`
  return database.href
}

function openPool(url: string, log: Log, closing: (() => Promise<unknown>)[]): Pool {
  const pool = createPool(url, {
    applicationName: 'spree-bridge demo',
    max: 2,
    onConnectionError: lostConnections(log),
  })
  closing.push(() => pool.end())
  return pool
}

async function createDatabase(db: Pool, name: string): Promise<void> {
  const { rowCount } = await db.query('select from pg_catalog.pg_database where datname = $1', [name])
  if (rowCount === 0) await db.query(`create database ${name}`)
}

async function knowsStore(hub: Pool, storeId: string): Promise<boolean> {
  const { rowCount } = await hub.query('select from hub.store where id = $1', [storeId])
  return rowCount === 1
}

/** The demo's database and hub are its own, whatever their ports are this time. */
async function installBridge(store: Pool, demo: DemoFile): Promise<void> {
  const { settings } = readSettings({ env: demoEnvironment(demo), needs: ['databaseUrl'] })
  const identity = await identityOf(store, settings)
  const migrations = await bridgeMigrations()
  await applyMigrations(store, 'bridge', migrations)
  await adoptStore(store, identity, 'keep')
  await migrateStore({
    pool: store,
    store: await openStore(store),
    migrations,
    identity,
  })
}

function startBridge(
  demo: DemoFile,
  { host, port, logLevel, logFormat }: Settings,
  log: Log,
): Promise<Running> {
  const { settings } = readSettings({
    env: demoEnvironment(demo),
    needs: ['databaseUrl', 'hubUrl', 'hubStoreId', 'hubToken'],
  })
  const own = { ...settings, host, port, logLevel, logFormat }
  return startParts(
    [
      (log_, metrics) => startWorker(own, log_, metrics),
      (log_, metrics) => startWeb(own, HANDLERS, log_, metrics),
    ],
    own,
    log,
  )
}

async function running(
  started: Promise<Running>,
  closing: (() => Promise<unknown>)[],
): Promise<Running & Readonly<{ url: string }>> {
  const parts = await started
  closing.push(() => parts.stop())
  return { ...parts, url: parts.url ?? '' }
}

function newToken(): string {
  return randomBytes(24).toString('base64url')
}
