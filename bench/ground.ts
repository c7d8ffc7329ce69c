import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs'
import path from 'node:path'
import { startPostgres } from '../src/demo/embedded-postgres.ts'
import { readMigrations } from '../src/postgres/migrate.ts'
import { createPool, type Pool } from '../src/postgres/pool.ts'
import { cpuSecondsOfTree } from './machine.ts'
import { projectFile } from './project-file.ts'
import { type Sink, startSink } from './start-sink.ts'
import { findStoreSource, makeStore, type StoreSource } from './store-source.ts'

/** What all experiments stand on: a durable PostgreSQL of their own and a hub. */
export type Ground = Readonly<{
  /** '18.4' */
  postgresVersion: string
  sink: Sink
  /** How much of the full work is done: 1, or less in a quick run. */
  scale: number
  /** The same for what takes minutes to make ready: in a quick run far less. */
  largeScale: number
  storeSource: StoreSource
  /** Name of a database to copy: the store, scaled up, without our schema. Made when first asked for. */
  storeTemplate(): Promise<string>
  /** A database that several experiments use: made by the first that asks for it, and there until the end. */
  shared(name: string, make: () => Promise<Database>): Promise<Database>
  /** A new database, empty or a copy of `template`, to which nobody may be connected. */
  createDatabase(name: string, template?: string): Promise<Database>
  /** CPU time of the server and all its processes so far. */
  postgresCpuSeconds(): number
  close(): Promise<void>
}>

export type Database = Readonly<{ name: string; url: string; pool: Pool; drop(): Promise<void> }>

/** The role that the store and the bridge connect as: a name that no schema has. */
const SHOP = 'shop'

/** Products, and orders, in the store. */
const STORE_SIZE = 20_000

// Room in memory and in the WAL, so that no checkpoint falls into one round and not into the next.
const settings = {
  shared_buffers: '512MB',
  max_wal_size: '8GB',
  checkpoint_timeout: '1h',
  max_connections: '60',
}

export function bridgeMigrations() {
  return readMigrations(projectFile('migrations/bridge'))
}

export async function prepareGround(scale: number): Promise<Ground> {
  // Not in /tmp, which may be memory: the disk belongs to what is measured.
  const root = projectFile(`.data/bench-${process.pid}`)
  removeLeftOvers(path.dirname(root))
  mkdirSync(root, { recursive: true })
  const server = await startPostgres({
    root,
    durable: true,
    binaries: process.env['TEST_POSTGRES'] === 'system' ? 'system' : 'embedded', // as for the tests
    settings,
  })
  const sink = await startSink()
  const maintenance = openPool(server.url)
  await maintenance.query(`create role ${SHOP} superuser login`)
  const createDatabase = async (name: string, template = 'template0'): Promise<Database> => {
    await maintenance.query(`create database ${name} template ${template}`)
    const url = new URL(server.url)
    url.pathname = `/${name}`
    url.searchParams.set('user', SHOP)
    const pool = openPool(url.href)
    const drop = async () => {
      await pool.end()
      await maintenance.query(`drop database ${name} with (force)`)
    }
    return { name, url: url.href, pool, drop }
  }
  const storeSource = findStoreSource()
  const makeTemplate = async () => {
    const database = await createDatabase('store')
    await makeStore(database, storeSource, { products: STORE_SIZE * scale, orders: STORE_SIZE * scale })
    await database.pool.end()
    return database.name
  }
  let template: Promise<string> | undefined
  const shared = new Map<string, Promise<Database>>()
  return {
    postgresVersion: server.version,
    sink,
    scale,
    largeScale: scale ** 2,
    storeSource,
    storeTemplate: () => {
      template ??= makeTemplate()
      return template
    },
    shared: (name, make) => {
      const made = shared.get(name) ?? make()
      shared.set(name, made)
      return made
    },
    createDatabase,
    postgresCpuSeconds: () => cpuSecondsOfTree(server.pid),
    close: async () => {
      await sink.stop()
      for (const database of await Promise.all(shared.values())) await database.pool.end()
      await maintenance.end()
      await server.stop()
      for (const folder of [root, server.root]) rmSync(folder, { recursive: true, force: true })
    },
  }
}

function openPool(url: string): Pool {
  return createPool(url, { applicationName: 'bench', max: 4, onConnectionError: () => {} })
}

/** A bench that was killed could not remove its server's folder; the server went with it. */
function removeLeftOvers(parent: string): void {
  const folders = existsSync(parent) ? readdirSync(parent) : []
  for (const folder of folders) {
    const pid = /^bench-(\d+)$/.exec(folder)?.[1]
    if (pid && !existsSync(`/proc/${pid}`))
      rmSync(path.join(parent, folder), { recursive: true, force: true })
  }
}
