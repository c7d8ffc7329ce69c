import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { gunzipSync } from 'node:zlib'
import type { Db, Pool } from '../../src/postgres/pool.ts'
import { loadDump } from './load-dump.ts'
import { createDatabase, databaseUrl, onServer, type TestDatabase } from './postgres.ts'

export type StoreFamily = 'spree-4.10' | 'spree-6.0'
/** Not a Spree, by the version whose tables it has. */
export type SolidusStore = 'solidus-4'
/** Older stores, by the version whose tables they have. */
export type OldStore = 'spree-2.0' | 'spree-2.4' | 'spree-3.2' | 'spree-3.7' | 'spree-4.7'
/** As Spree was last before 6: its tables after the migrations, its day after the trace of 5.6.1. */
export type FiveStore = 'spree-5.6'
export type AnyStore = StoreFamily | OldStore | FiveStore | SolidusStore
/** `fixture`: the project's own small shop. `dump`: a real store's database, where the machine has one. */
export type StoreSource = 'fixture' | 'dump'

const fixtures = path.resolve(import.meta.dirname, '../fixtures/stores')
const sampleStore = path.resolve(import.meta.dirname, '../../src/demo/sample-store.sql')
/** To be loaded one after the other. */
const ownStores: Readonly<Partial<Record<AnyStore, readonly string[]>>> = {
  'spree-4.10': [sampleStore],
  'spree-6.0': [path.join(fixtures, 'spree-6.0.sql')],
  'spree-2.0': [path.join(fixtures, 'spree-2.4.sql'), path.join(fixtures, 'spree-2.4-to-2.0.sql')],
  'spree-2.4': [path.join(fixtures, 'spree-2.4.sql')],
  'spree-3.2': [path.join(fixtures, 'spree-2.4.sql'), path.join(fixtures, 'spree-2.4-to-3.2.sql')],
  'spree-3.7': [sampleStore, path.join(fixtures, 'spree-4.10-to-3.7.sql')],
  'spree-4.7': [sampleStore, path.join(fixtures, 'spree-4.10-to-4.7.sql')],
  'spree-5.6': [sampleStore, path.join(fixtures, 'spree-4.10-to-5.6.sql')],
  'solidus-4': [sampleStore, path.join(fixtures, 'spree-4.10-to-solidus-4.sql')],
}
const dumpFiles: Readonly<Partial<Record<AnyStore, string>>> = {
  'spree-4.10': 'spree-4.10.3.sql.gz',
  'spree-6.0': 'spree-6.0.1.sql.gz',
  'spree-2.4': 'spree-2.4-sample.sql.gz',
  'spree-3.7': 'spree-3.7-schema.sql.gz',
  'solidus-4': 'solidus-4.6.2.sql.gz',
}

/** Whether STORE_DUMPS names the folder with the real stores. */
export function dumpsAvailable(): boolean {
  return Object.values(dumpFiles).every((file) =>
    existsSync(path.join(process.env['STORE_DUMPS'] ?? '', file)),
  )
}

/** A store of its own for this test; the first caller of a run loads the template that all others copy. */
export async function createStore(family: AnyStore, source: StoreSource): Promise<TestDatabase> {
  const template = `store_${family}_${source}`.replace(/[-.]/g, '_')
  await onServer((server) => prepareTemplate(server, template, family, source))
  return createDatabase(template)
}

/**
 * Replays one recorded step, e.g. `04-checkout`: statement by statement, in the store's own transactions. Of
 * `18-product-discarded.2-5` those transactions alone. All is sent at once, so that it takes no longer than the server
 * does, however busy this process is.
 */
export async function replay(
  db: TestDatabase,
  family: AnyStore,
  step: string,
  source: StoreSource,
): Promise<void> {
  const folder = source === 'fixture' ? fixtures : path.join(dumpsFolder(), 'scripts')
  const [file, only] = step.split('.')
  const script = readFileSync(path.join(folder, family, `${file}.sql`), 'utf8')
  const [first = 0, last = only === undefined ? Number.POSITIVE_INFINITY : first] =
    only?.split('-').map(Number) ?? []
  let transaction = 0
  const statements = script.split('\n').flatMap((line, index) => {
    transaction = Number(/^-- transaction (\d+)/.exec(line)?.[1] ?? transaction)
    const isMeant = line !== '' && !line.startsWith('--') && transaction >= first && transaction <= last
    return isMeant ? [{ line, number: index + 1 }] : []
  })
  const connection = await db.pool.connect()
  try {
    await Promise.all(
      statements.map(({ line, number }) =>
        connection.query(line).catch((error: unknown) => {
          throw new Error(`${family} ${step}, line ${number}: ${line.slice(0, 120)}`, { cause: error })
        }),
      ),
    )
    connection.release()
  } catch (error) {
    connection.release(error instanceof Error ? error : new Error(String(error)))
    throw error
  }
}

/** The jest workers come here at the same time: one loads, under another name, so that a finished template is whole. */
async function prepareTemplate(
  server: Pool,
  name: string,
  family: AnyStore,
  source: StoreSource,
): Promise<void> {
  await server.query('select pg_advisory_lock(hashtext($1))', [name])
  const found = await server.query('select 1 from pg_database where datname = $1', [name])
  if (found.rows.length > 0) return
  await server.query(`drop database if exists ${name}_loading`)
  await server.query(`create database ${name}_loading template template0`)
  await loadDump(databaseUrl(`${name}_loading`), readStore(family, source))
  await server.query(`alter database ${name}_loading rename to ${name}`)
}

function readStore(family: AnyStore, source: StoreSource): string {
  const [own, dump] = [ownStores[family], dumpFiles[family]]
  if (source === 'fixture' && own) return own.map((file) => readFileSync(file, 'utf8')).join('\n')
  if (source === 'dump' && dump)
    return gunzipSync(readFileSync(path.join(dumpsFolder(), dump))).toString('utf8')
  throw new Error(`There is no ${source} of a store of ${family}.`)
}

function dumpsFolder(): string {
  const folder = process.env['STORE_DUMPS']
  if (!folder) throw new Error('STORE_DUMPS is not set: ask dumpsAvailable() before using a real store.')
  return folder
}

/** The rows of a fixture brought their ids along: whoever adds many more must not come upon them. */
export async function passIdsBroughtAlong(db: Db): Promise<void> {
  await db.query(
    `select setval(pg_get_serial_sequence(table_name, 'id'), 100000)
       from information_schema.columns
      where table_schema = 'public'
        and column_name = 'id'`,
  )
}
