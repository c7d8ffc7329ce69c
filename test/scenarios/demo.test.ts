import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals'
import pg from 'pg'
import { isAlive, readPidFile } from '../../src/demo/postgres-process.ts'
import { type Run, runBridge } from '../operator/run-bridge.ts'
import { createStore } from '../support/stores.ts'

const root = path.resolve(import.meta.dirname, '../..')

/** What the demo writes down of itself, as a script reads it. */
type DemoFile = Readonly<{
  store: { databaseUrl: string }
  hub: { url: string; storeId: string; token: string; adminToken: string; databaseUrl: string }
  web: { url: string; webhookToken: string; operatorToken: string }
}>

type Demo = Readonly<{
  process: ChildProcess
  printed(): string
  complained(): string
  file: DemoFile
  postgres: number
}>

const LINES = [
  /^ {2}store → hub → consumer {2}product:update {2}[0-9a-f]{24} +\d+ ms {2}Brass Compass: the price is [\d.]+ now$/m,
  /^ {2}store → hub → consumer {2}stock:change {4}[0-9a-f]{24} +\d+ ms {2}Brass Compass: 7 came in$/m,
  /^ {2}store → hub → consumer {2}order:new {7}[0-9a-f]{24} +\d+ ms {2}order R\d{9} was placed$/m,
  /^ {2}ERP → hub → store {7}stock:change {4}[0-9a-f]{24} +\d+ ms {2}FS-NAVY-M: -?\d+ → -?\d+ in the store$/m,
]

type Case = readonly [args: string, status: number, told: string]

const ANSWERED: readonly Case[] = [
  ['status', 0, 'circuit closed'],
  ['messages list --type order:persist', 0, 'order:persist'],
  ['inbox list', 0, 'stock:change'],
  ['config', 0, '.data/demo.json'],
  ['sql select(17)as"seventeen"', 0, '{"seventeen":17}'],
  ['push stock:change --file stock.json --wait', 0, 'The hub has taken it as '],
  ['deliver stock:change --sample', 0, '"message_id"'],
  ['samples order:new --version 6.0', 0, '"message": "order:new"'],
  ['samples inventories', 0, '"inventories": ['],
]

const REFUSED: readonly Case[] = [
  ['samples order:nothing', 2, 'There is no sample of order:nothing'],
  ['push order:nothing --sample', 2, 'There is no sample of order:nothing'],
  ['push stock:change', 2, 'either --file FILE'],
  ['push stock:change --file none.json', 2, 'must hold the payload'],
  ['deliver stock:change --file missing.json', 2, 'missing.json cannot be read'],
  ['deliver no:service --file stock.json', 1, 'There is no service for no:service'],
  // What changes what a store is to the bridge, or runs beside it, never takes the demo for its own.
  ['worker', 2, 'DATABASE_URL is not set'],
  ['web', 2, 'DATABASE_URL is not set'],
  ['migrate', 2, 'DATABASE_URL is not set'],
  ['uninstall', 2, 'DATABASE_URL is not set'],
  ['adopt --keep', 2, 'DATABASE_URL is not set'],
  ['status --config empty.yml', 2, 'DATABASE_URL is not set'],
  ['hub', 2, 'HUB_DATABASE_URL is not set'],
  ['migrate --hub', 2, 'HUB_DATABASE_URL is not set'],
]

let folder: string
let order: string
let first: DemoFile
let last: ChildProcess | undefined

beforeAll(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'demo-'))
  chmodSync(folder, 0o755) // PostgreSQL does not run as root, and must reach it
})

// Of a test that failed.
afterEach(() => {
  if (last?.exitCode === null) last.kill('SIGKILL')
  const postgres = runningPostgres()
  if (postgres !== undefined && isAlive(postgres)) process.kill(postgres, 'SIGKILL')
})

afterAll(() => rmSync(folder, { recursive: true, force: true }))

test('a first start shows the loop; scripts and commands find it; a second one beside it is refused; Ctrl-C ends all', async () => {
  const demo = await startDemo()
  first = demo.file
  order = /order (R\d{9})/.exec(demo.printed())?.[1] ?? ''
  expect(demo.complained()).toBe('')
  expect(statSync(path.join(folder, '.data/demo.json')).mode & 0o777).toBe(0o600)
  expect(
    await query(first.store.databaseUrl, `select number from spree_orders where number = '${order}'`),
  ).toHaveLength(1)

  const level = `select count_on_hand from spree_stock_items where id = 301`
  const [before] = await query(first.store.databaseUrl, level)
  await push(first, 'stock:change', { sku: 'FS-NAVY-S', quantity: 10 })
  await until(async () => {
    const [now] = await query(first.store.databaseUrl, level)
    return now?.['count_on_hand'] === Number(before?.['count_on_hand']) + 10
  })

  await commandsFindIt()
  const second = await run(['start'], { PORT: '0', HUB_PORT: '0' })
  expect([second.status, second.stderr]).toEqual([
    2,
    expect.stringContaining('A demo runs in this folder already'),
  ])
  expect((await fetch(`${first.hub.url}/readyz`)).status).toBe(200)
  expect((await run(['status'])).status).toBe(0)

  demo.process.kill('SIGINT')
  expect(await once(demo.process, 'exit')).toEqual([0, null])
  expect(isAlive(demo.postgres)).toBe(false)
  const status = await run(['status'])
  expect([status.status, status.stderr]).toEqual([1, expect.stringContaining('does not run at present')])
  const deliver = await run(['deliver', 'stock:change', '--sample'])
  expect([deliver.status, deliver.stderr]).toEqual([
    1,
    expect.stringContaining(`${first.web.url}/webhook does not answer`),
  ])
})

test('the next start finds its data and walks again on other ports; killed, it leaves nothing running', async () => {
  const demo = await startDemo()
  const { store, hub, web } = demo.file
  expect(
    await query(store.databaseUrl, `select number from spree_orders where number = '${order}'`),
  ).toHaveLength(1)
  expect({ ...demo.file, hub: { ...hub, url: '' }, web: { ...web, url: '' } }).toEqual({
    ...first,
    hub: { ...first.hub, url: '' },
    web: { ...first.web, url: '' },
  })
  expect([hub.url, web.url]).not.toEqual([first.hub.url, first.web.url])

  demo.process.kill('SIGKILL')
  await until(async () => !isAlive(demo.postgres))
})

test('a signal during the start stops what was started', async () => {
  const child = spawnDemo()
  await until(async () => runningPostgres() !== undefined)
  const postgres = runningPostgres() ?? 0
  child.process.kill('SIGTERM')
  expect(await once(child.process, 'exit')).toEqual([0, null])
  expect(isAlive(postgres)).toBe(false)
})

test('with DATABASE_URL there is no demo: a store that is not migrated stays as it is', async () => {
  const store = await createStore('spree-4.10', 'fixture')
  const env = {
    DATABASE_URL: store.url,
    HUB_URL: 'http://127.0.0.1:9',
    HUB_STORE_ID: 'a',
    HUB_TOKEN: 'b',
    PORT: '0',
  }
  for (const named of [env, { DATABASE_URL: store.url, PORT: '0' }]) {
    const { status, stderr } = await run(['start'], named)
    expect([status, stderr]).toEqual([2, expect.stringContaining('run `spree-bridge migrate`')])
  }
  const { rows } = await store.pool.query(`select from pg_namespace where nspname = 'bridge'`)
  expect(rows).toEqual([])
  await store.drop()
})

async function commandsFindIt(): Promise<void> {
  writeFileSync(path.join(folder, 'none.json'), '[]')
  writeFileSync(path.join(folder, 'stock.json'), JSON.stringify({ sku: 'FS-NAVY-S', quantity: 1 }))
  writeFileSync(path.join(folder, 'empty.yml'), '')
  await Promise.all([expectEach(ANSWERED), expectEach(REFUSED)])
}

async function expectEach(cases: readonly Case[]): Promise<void> {
  for (const [args, status, told] of cases) {
    const { stdout, stderr, ...ran } = await run(args.split(' '))
    expect([args, ran.status, stdout + stderr]).toEqual([args, status, expect.stringContaining(told)])
  }
}

function run(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Run> {
  return runBridge(args, env, folder)
}

/** Starts the demo and waits until its walk is done. */
async function startDemo(): Promise<Demo> {
  const child = spawnDemo()
  const walking = child.saw('ms  ').then(() => existsSync(path.join(folder, '.data/demo.json')))
  await child.saw('until Ctrl-C')
  expect(await walking).toBe(true)
  for (const line of LINES) expect(child.printed()).toMatch(line)
  const file: DemoFile = JSON.parse(readFileSync(path.join(folder, '.data/demo.json'), 'utf8'))
  return { ...child, file, postgres: runningPostgres() ?? 0 }
}

function spawnDemo() {
  let [printed, complained] = ['', '']
  const preload = path.join(root, 'test/support/child-preload.mjs')
  const child = spawn(process.execPath, ['--import', preload, path.join(root, 'dist/main.js'), 'start'], {
    cwd: folder,
    env: { PATH: process.env['PATH'], PORT: '0', HUB_PORT: '0' },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  })
  last = child
  child.stdout?.setEncoding('utf8').on('data', (text) => {
    printed += text
  })
  child.stderr?.setEncoding('utf8').on('data', (text) => {
    complained += text
  })
  return {
    process: child,
    printed: () => printed,
    complained: () => complained,
    async saw(text: string) {
      await until(async () => printed.includes(text) || child.exitCode !== null)
      if (!printed.includes(text)) throw new Error(`the demo ended with ${child.exitCode}: ${complained}`)
    },
  }
}

function runningPostgres(): number | undefined {
  return readPidFile(path.join(folder, '.data/postgres/pgdata'))?.pid
}

async function push({ hub }: DemoFile, message: string, payload: unknown): Promise<void> {
  const response = await fetch(`${hub.url}/api/stores/${hub.storeId}/messages`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', 'X-Augury-Token': hub.token },
    body: JSON.stringify({ message, payload }),
  })
  expect(response.status).toBe(201)
}

async function query(url: string, text: string): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    return (await client.query(text)).rows
  } finally {
    await client.end()
  }
}

/** The minute that a newcomer is promised. */
async function until(condition: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 60_000
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error('it did not come to that within a minute')
    await pause(200)
  }
}
