import { createServer } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { inTransaction } from '../../src/postgres/transaction.ts'
import { countLanes, insertMessages } from '../../src/queue/enqueue.ts'
import { BRIDGE_QUEUE } from '../../src/queue/message.ts'
import { onServer, type TestDatabase } from '../support/postgres.ts'
import { settingsFile } from '../support/settings-file.ts'
import { readCatalog } from './catalog.ts'
import { complaintOf, createGround, type Environment } from './operations-ground.ts'
import { runBridge } from './run-bridge.ts'

const { processes, hub, environment, openStore, openMigratedStore, openDatabase, openHub, copyOf } =
  createGround()

async function count(store: TestDatabase, what: string): Promise<number> {
  const { rows } = await store.pool.query<{ count: number }>(`select count(*)::int as count from ${what}`)
  return rows[0]!.count
}

async function enqueue(store: TestDatabase, aggregates: readonly string[]): Promise<void> {
  const lanes = await countLanes(store.pool, BRIDGE_QUEUE)
  const messages = aggregates.map((aggregate, index) => ({
    aggregate,
    type: 'order:persist',
    payload: JSON.stringify({ orders: [{ id: `${aggregate} ${index}` }] }),
    subject: null,
    changedAt: new Date(),
  }))
  await inTransaction(store.pool, (db) => insertMessages(db, BRIDGE_QUEUE, lanes, messages))
}

/** They run beside the tests that follow, because most of each is waiting; the last tests here tell how they ended. */
function startStories() {
  const stories = {
    uninstalled: uninstallUnderWrites(['uninstall']),
    purged: uninstallUnderWrites(['uninstall', '--purge']),
    hanging: stopWhileHubHangs(),
    impatient: stopTwice(),
    down: outliveHub(),
    refusing: meetRefusal(),
    changing: outliveStoreMigration(),
    unheard: loseDatabase(),
  }
  for (const story of Object.values(stories)) void Promise.allSettled([story])
  return stories
}
let stories: ReturnType<typeof startStories> | undefined
afterAll(async () => {
  await Promise.allSettled(Object.values(stories ?? {}))
})

describe('a worker as a process', () => {
  beforeAll(() => {
    stories = startStories()
  })

  test('answers for its health and its metrics, writes nothing to stdout, and goes on SIGTERM', async () => {
    const store = await openMigratedStore()
    const env = environment(store)
    const configured = ['worker', '--config', settingsFile('fuse_rows: 5000\n')]
    const worker = processes.start(configured, { env: { ...env, PORT: '0', HOST: '127.0.0.1' } })
    const listening = await worker.line((line) => line.includes('"listening"'))
    const { url } = JSON.parse(listening) as { url: string }
    const get = async (path: string) => {
      const response = await fetch(`${url}${path}`)
      return { status: response.status, body: await response.text() }
    }
    expect(await get('/healthz')).toEqual({ status: 200, body: '{"alive":true}' })
    await waitFor(async () => (await get('/readyz')).status === 200)
    await waitFor(async () => (await get('/metrics')).body.includes('spree_bridge_lanes_owned 64'))

    // The setting is the worker's, whatever another process is told.
    expect(await runBridge(['migrate'], env)).toMatchObject({ status: 0 })
    expect(await count(store, 'bridge.pulse_fuse_rows where last_value = 5000')).toBe(1)

    // It looks after the triggers again, and that takes long.
    const holder = await store.pool.connect()
    await holder.query('begin; lock table bridge.watched')
    await waitFor(
      async () =>
        (await count(store, `pg_locks where not granted and relation = 'bridge.watched'::regclass`)) > 0,
    )
    expect((await get('/readyz')).status).toBe(200)
    await holder.query('rollback')
    holder.release()

    const second = await runBridge(['worker'], { ...env, PORT: new URL(url).port, HOST: '127.0.0.1' })
    expect(second.status).toBe(2)
    expect(complaintOf(second)).toMatch(/Port \d+ on 127\.0\.0\.1 cannot be opened: another process uses it/)
    expect(await count(store, 'bridge.worker')).toBe(1)

    // Half of the lanes may have been about to go to the second.
    let status: { workers: { lanes: number }[] } | undefined
    await waitFor(async () => {
      const { status: exit, stdout } = await runBridge(['status', '--json'], env)
      expect(exit).toBe(0)
      status = JSON.parse(stdout)
      return status?.workers[0]?.lanes === 64
    })
    expect(status).toMatchObject({
      workers: [{ alive: true, lanes: 64, collects: true, report: { circuit: 'closed' } }],
      gaps: [],
    })
    expect(await worker.terminate()).toEqual({ code: 0, signal: null })
    expect(worker.lines.map((line) => JSON.parse(line).level)).not.toContain('error')
    expect(await count(store, 'bridge.lane where owner is not null or not clean')).toBe(0)
  })

  test('that is killed is shown as dead, and status says so with its own exit', async () => {
    const store = await openMigratedStore()
    const env = environment(store)
    expect((await runBridge(['status'], env)).status).toBe(1)
    const worker = processes.start(['worker'], { env })
    await waitFor(async () => (await count(store, 'bridge.worker')) === 1)
    await worker.kill()
    await store.pool.query(`update bridge.worker set expires_at = clock_timestamp() - interval '1 second'`)
    const status = await runBridge(['status'], env)
    expect(status.status).toBe(1)
    expect(status.stdout).toMatch(/^No worker is running.*\nworker .* DEAD/)
  })

  test('ends in order when told to while it starts', async () => {
    const store = await openMigratedStore()
    const env = environment(store)
    const holder = await store.pool.connect()
    await holder.query('begin; lock table bridge.installation')
    const worker = processes.start(['worker'], { env })
    const waiting = `pg_locks l join pg_database d on d.oid = l.database
                      where d.datname = current_database() and not l.granted`
    await waitFor(async () => (await count(store, waiting)) > 0)
    const ended = worker.terminate()
    await holder.query('rollback')
    holder.release()
    expect(await ended).toEqual({ code: 0, signal: null })
    expect(await count(store, 'bridge.worker')).toBe(0)
  })

  test('does not start on a schema that has shut its code out, and does on one that is a version ahead', async () => {
    const store = await openMigratedStore()
    const env = environment(store)
    const code = await count(store, 'bridge.schema')
    await store.pool.query('insert into bridge.schema (version, min_code) values ($1, $2)', [code + 1, code])
    const worker = processes.start(['worker'], { env })
    await worker.line((line) => line.includes('worker started'))
    expect((await runBridge(['migrate'], env)).stdout).toMatch(/^Nothing to do/)
    expect(await worker.terminate()).toEqual({ code: 0, signal: null })

    await store.pool.query('insert into bridge.schema (version, min_code) values ($1, $2)', [
      code + 2,
      code + 1,
    ])
    for (const command of ['worker', 'migrate', 'status']) {
      const refused = await runBridge([command], env)
      expect(refused.status).toBe(1)
      expect(complaintOf(refused)).toContain(
        `at version ${code + 2} and needs newer code than this (${code}): deploy the release`,
      )
    }
  })
})

describe('a copy of the database', () => {
  test('is refused until it is adopted, whole or as a fresh one', async () => {
    const store = await openMigratedStore()
    const env = environment(store)
    expect(await runBridge(['migrate'], env)).toMatchObject({ status: 0 })
    const aggregate = 'order:4711'
    await enqueue(store, [aggregate, aggregate, aggregate])
    // As from a server whose transaction ids are far ahead: every read would take them for new.
    await store.pool.query(
      `update bridge.message set xid = (9000000000 + id)::text::xid8;
       insert into bridge.outbox (xid, kind, table_name, row_id, op) values ('9000000000', 'product', 'request', '1', 'announce')`,
    )
    const kept = await copyOf(store)
    const fresh = await copyOf(store)

    const refused = await runBridge(['worker'], environment(kept))
    expect(refused.status).toBe(2)
    expect(complaintOf(refused)).toMatch(
      /not the database that spree-bridge was installed for: its name was .* adopt --fresh/,
    )
    expect((await runBridge(['migrate'], environment(kept))).status).toBe(2)
    const unsaid = await runBridge(['adopt'], environment(kept))
    expect(unsaid.status).toBe(2)
    expect(complaintOf(unsaid)).toMatch(/--fresh .* or --keep/)

    expect(await runBridge(['adopt', '--keep'], environment(kept))).toMatchObject({ status: 0 })
    expect(await count(kept, `bridge.message where xid >= pg_current_xact_id()`)).toBe(0)
    expect(await count(kept, `bridge.outbox where xid >= pg_current_xact_id()`)).toBe(0)
    const worker = processes.start(['worker'], { env: environment(kept) })
    const arrived = () =>
      hub()
        .requests.filter(({ body }) => body.includes(aggregate))
        .map(({ body }) => JSON.parse(body).payload.orders[0].id)
    await hub().until(() => arrived().length === 3, 30_000)
    expect(arrived()).toEqual([`${aggregate} 0`, `${aggregate} 1`, `${aggregate} 2`])
    await worker.terminate()

    const before = await fresh.pool.query('select id from bridge.installation')
    expect(await runBridge(['adopt', '--fresh'], environment(fresh))).toMatchObject({ status: 0 })
    expect(await count(fresh, 'bridge.message')).toBe(0)
    expect(await count(fresh, 'bridge.outbox')).toBe(0)
    expect(await count(fresh, 'bridge.seeding where finished_at is null')).toBe(2)
    expect((await fresh.pool.query('select id from bridge.installation')).rows).not.toEqual(before.rows)
    expect((await runBridge(['migrate'], environment(fresh))).stdout).toMatch(/^Nothing to do/)
    expect((await runBridge(['status'], env)).status).toBe(1)
  })

  test('another hub is refused in its own words, and taken with adopt --keep', async () => {
    const store = await openMigratedStore()
    const env = environment(store)
    expect(await runBridge(['migrate'], env)).toMatchObject({ status: 0 })
    const moved = { ...env, HUB_URL: `${hub().url}/v2`, HUB_STORE_ID: 'other' }
    const refused = await runBridge(['worker'], moved)
    expect(refused.status).toBe(2)
    expect(complaintOf(refused)).toMatch(
      /installed for another hub: HUB_URL was .* and is .*\/v2, HUB_STORE_ID was .* If the hub has moved, run `spree-bridge adopt --keep`/,
    )
    expect(await runBridge(['adopt', '--keep'], moved)).toMatchObject({ status: 0 })
    // Of what has come in the ids are known as before, by whoever is not told the hub.
    expect(await runBridge(['adopt', '--keep'], { DATABASE_URL: store.url })).toMatchObject({ status: 0 })
    expect(await count(store, `bridge.installation where hub_store_id = 'other'`)).toBe(1)
    const worker = processes.start(['worker'], { env: moved })
    await worker.line((line) => line.includes('worker started'))
    await worker.terminate()
  })
})

test('every command takes --config', async () => {
  const namesIn = async (...group: string[]) => {
    const { stdout } = await runBridge([...group, '--help'], {})
    return [...stdout.matchAll(/^ {2}(?!-|help)([a-z]+)/gm)].map(([, name]) => [...group, name!])
  }
  const commands: string[][] = []
  for (const [name] of await namesIn()) {
    const parts = await namesIn(name!)
    commands.push(...(parts.length > 0 ? parts : [[name!]]))
  }
  expect(commands).toEqual(expect.arrayContaining([['samples'], ['messages', 'list'], ['status']]))
  for (const command of commands)
    expect((await runBridge([...command, '--help'], {})).stdout).toContain('--config <file>')
  expect(await runBridge(['samples', 'stock:change', '--config', 'config.yml'], {})).toMatchObject({
    status: 0,
    stdout: expect.stringContaining('"stock:change"'),
  })
})

describe('what is wrong is said in a sentence', () => {
  test('of the settings and of the database', async () => {
    const store = await openStore()
    const empty = await openDatabase()
    const login = await startLoginRefuser()
    const env = environment(store)
    const withUrl = (url: string) => ({ ...env, DATABASE_URL: url })
    const unknown = new URL(store.url)
    unknown.pathname = '/no_such_database'
    const runs: [command: string[], env: Environment, status: number, says: RegExp][] = [
      [
        ['worker'],
        {},
        2,
        /DATABASE_URL is not set(.|\n)*HUB_URL is not set(.|\n)*HUB_STORE_ID(.|\n)*HUB_TOKEN/,
      ],
      [['worker'], env, 2, /not migrated for this version: run `spree-bridge migrate`/],
      [['status'], env, 2, /not migrated for this version/],
      [['migrate'], withUrl(empty.url), 2, /it holds no Spree store/],
      [
        ['status'],
        withUrl('postgres://u:geheim@no-such-host.invalid/shop'),
        1,
        /^The host of shop on no-such-host\.invalid:5432 is unknown/,
      ],
      [
        ['status'],
        withUrl('postgres://u:geheim@127.0.0.1:1/shop'),
        1,
        /^Nothing listens at shop on 127\.0\.0\.1:1/,
      ],
      [
        ['status'],
        withUrl(login.url),
        2,
        /refuses the login: password authentication failed.*Check user, password/,
      ],
      [['worker'], withUrl(unknown.href), 2, /There is no such database at no_such_database/],
      [
        ['status'],
        withUrl('postgres://u@/shop?host=/no/such/folder'),
        1,
        /Nothing listens at shop on \/no\/such\/folder/,
      ],
      [['sing'], env, 2, /unknown command 'sing'/],
      [['status', '--loud'], env, 2, /unknown option '--loud'/],
    ]
    const found = await inTurns(runs, async ([command, settings]) => runBridge(command, settings))
    await login.close()
    for (const [index, [command, , status, says]] of runs.entries()) {
      expect([...command, found[index]!.status]).toEqual([...command, status])
      expect(complaintOf(found[index]!)).toMatch(says)
      expect(found[index]!.stderr).not.toContain('geheim')
    }
  })

  test('of messages', async () => {
    const store = await openMigratedStore()
    const env = environment(store)
    await enqueue(store, ['order:1', 'order:2', 'order:3'])
    const runs: [command: string[], status: number, says: RegExp][] = [
      [['show', '999'], 1, /^There is no message 999 in the queue or in its history\.$/],
      [['show', 'R1'], 2, /^R1 is no message id: ids are numbers/],
      [['retry', '1;'], 2, /no message id/],
      [['discard'], 2, /^messages discard needs ids or a filter/],
      [['park'], 2, /^messages park needs ids or a filter/],
      [['list', '--state', 'lost'], 2, /'lost' is invalid. Allowed choices are waiting, failing, parked/],
      [['list', '--limit', 'all'], 2, /whole number/],
      [['list', '--since', 'yesterday'], 2, /must be a time, as 2026-11-26T08:00Z/],
      [
        ['pause', 'orders'],
        2,
        /^orders is no message type where HUB_DIALECT is seed: those are like order:per/,
      ],
      [
        ['discard', '--type', 'order:persist'],
        2,
        /^3 messages match\. Nothing was done: add --yes to discard them\.$/,
      ],
    ]
    const found = await inTurns(runs, ([command]) => runBridge(['messages', ...command], env))
    for (const [index, [command, status, says]] of runs.entries()) {
      expect([...command, found[index]!.status]).toEqual([...command, status])
      expect(complaintOf(found[index]!)).toMatch(says)
    }
    expect(await runBridge(['messages', 'park', '--aggregate', 'order:1', '--yes'], env)).toEqual({
      status: 0,
      stdout: '1 message is parked.\n',
      stderr: '1 message matches.\n',
    })
    const discard = ['messages', 'discard', '--error', 'BY HAND', '--since', '1h', '--json']
    expect(await runBridge([...discard, '--dry-run'], env)).toMatchObject({
      stdout: '{"matched":1,"count":0}\n',
    })
    expect((await runBridge([...discard, '--until', '2026-01-01', '--yes'], env)).stdout).toBe(
      '{"matched":0,"count":0}\n',
    )
    const parked = await runBridge(['messages', 'show', '--state', 'parked', '--json'], env)
    expect(JSON.parse(parked.stdout)).toMatchObject([
      { aggregate: 'order:1', payload: '{"orders":[{"id":"order:1 0"}]}' },
    ])
    expect((await runBridge([...discard, '--yes'], env)).stdout).toBe('{"matched":1,"count":1}\n')
    const { stdout } = await runBridge(['messages', 'list', '--json'], env)
    expect(
      JSON.parse(stdout).map(({ aggregate, state }: Record<string, string>) => `${aggregate} ${state}`),
    ).toEqual(expect.arrayContaining(['order:1 discarded', 'order:2 waiting', 'order:3 waiting']))

    // By the thousand, in batches, and no more than was said.
    await store.pool.query(
      `insert into bridge.unmapped (aggregate, reason) select 'order:' || n, 'no currency' from generate_series(1, 3) n`,
    )
    expect((await runBridge(['messages', 'retry', '--limit', '2', '--yes', '--json'], env)).stdout).toBe(
      '{"matched":2,"count":2}\n',
    )
    expect(await count(store, `bridge.outbox where op = 'announce'`)).toBe(2)
    await store.pool.query('delete from bridge.unmapped')
    await enqueue(
      store,
      Array.from({ length: 2_400 }, (_, index) => `order:${1_000 + index}`),
    )
    const most = ['messages', 'park', '--type', 'order:persist', '--limit', '2300', '--yes', '--json']
    expect((await runBridge(most, env)).stdout).toBe('{"matched":2300,"count":2300}\n')
    expect(await count(store, `bridge.message where state = 'parked' and id <= 2303`)).toBe(2_300)
    const all = ['messages', 'discard', '--state', 'parked', '--yes']
    expect((await runBridge(all, env)).stdout).toBe('2300 messages are discarded.\n')
    expect(await count(store, `bridge.history where state = 'discarded'`)).toBe(2_301)
    expect(await count(store, `bridge.outbox where op = 'forget'`)).toBe(2_301)

    expect((await runBridge(['messages', 'pause', 'order:persist', 'stock:change'], env)).stdout).toBe(
      'Paused: order:persist, stock:change.\n',
    )
    expect((await runBridge(['messages', 'resume', 'stock:change', '--json'], env)).stdout).toBe(
      '{"paused":["order:persist"]}\n',
    )
    const objects = { ...env, HUB_DIALECT: 'wombat' }
    const strange = await runBridge(['messages', 'pause', 'inventories', 'user:new'], objects)
    expect(strange.status).toBe(2)
    expect(complaintOf(strange)).toMatch(
      /^user:new is no message type where HUB_DIALECT is wombat: .*inventories/,
    )
    expect((await runBridge(['messages', 'pause', 'inventories'], objects)).stdout).toBe(
      'Paused: inventories, order:persist.\n',
    )
    // It was paused while the hub was another.
    expect((await runBridge(['messages', 'resume', 'inventories'], env)).stdout).toBe(
      'Paused: order:persist.\n',
    )
    expect((await runBridge(['status'], env)).stdout).toMatch(
      /^paused {2}order:persist since .*`messages resume/m,
    )
  })
})

describe('what takes a worker some seconds', () => {
  test('uninstall on a busy store: the store notices nothing, the worker ends, a later migrate shows the gap', async () => {
    const { store, env, before, after, ended, said } = await stories!.uninstalled
    expect(after.filter((line) => !/\bbridge[. ]/.test(line))).toEqual(before)
    expect(after.filter((line) => /^trigger|^function/.test(line))).toEqual(
      before.filter((line) => /^trigger|^function/.test(line)),
    )
    expect(ended).toEqual({ code: 1, signal: null })
    expect(said).toContain('spree-bridge was uninstalled from this store: run `spree-bridge migrate`')
    const tooEarly = await runBridge(['worker'], env)
    expect(tooEarly.status).toBe(2)
    expect(complaintOf(tooEarly)).toContain('was uninstalled')

    expect((await runBridge(['migrate'], env)).stdout).toMatch(/^Done: triggers on spree_products/)
    const { gaps } = JSON.parse((await runBridge(['status', '--json'], env)).stdout)
    expect(gaps).toContainEqual(
      expect.objectContaining({ kind: 'stock', reason: 'uninstalled', table: 'spree_stock_items' }),
    )
    expect(await count(store, `pg_trigger where tgname = 'bridge_update'`)).toBeGreaterThan(10)
  })

  test('uninstall --purge on a busy store: it is as before', async () => {
    const { before, after, ended, said } = await stories!.purged
    expect(after).toEqual(before)
    expect(ended).toEqual({ code: 1, signal: null })
    // It looks between the two steps, or after them.
    expect(said).toMatch(/is not migrated for this version|was uninstalled from this store/)
  })

  test('SIGTERM while every push hangs: exit 0 in time, the lanes given back, the messages kept', async () => {
    const { store, ended, seconds } = await stories!.hanging
    expect(ended).toEqual({ code: 0, signal: null })
    expect(seconds).toBeLessThan(25)
    expect(await count(store, 'bridge.lane where owner is not null')).toBe(0)
    expect(await count(store, 'bridge.worker')).toBe(0)
    expect(await count(store, 'bridge.message')).toBe(40)
  })

  test('a second signal, if it is not the echo of the first, ends at once', async () => {
    const { echoed, ended, seconds } = await stories!.impatient
    expect(echoed).toBe('still stopping')
    expect(ended).toEqual({ code: 1, signal: null })
    expect(seconds).toBeLessThan(15)
  })

  test('a hub that is down: the worker says so, seldom, and delivers when it is back', async () => {
    const { status, warnings, seconds, told } = await stories!.down
    expect(status).toMatchObject({ workers: [{ report: { circuit: expect.not.stringMatching('closed') } }] })
    expect(JSON.stringify(status.workers)).toMatch(/ECONNREFUSED|refused/)
    expect(warnings.length).toBeGreaterThan(0)
    // At most one a second of each of a few causes.
    expect(warnings.length).toBeLessThan(3 * (seconds + 2))
    expect(told).toBe(12)
  })

  test('migrations of the store under a running worker: it reads on, and tells what it missed', async () => {
    const { status, lines } = await stories!.changing
    // The gap, or what became of it.
    expect(status.stdout).toMatch(/^reconcile (is due since|began at|was last done at) /m)
    expect(lines.join('\n')).toContain('triggers were missing and are put back')
  })

  test('a database that is gone: the age of the heartbeat rises, and no lane is said to be owned', async () => {
    const { before, after } = await stories!.unheard
    expect(before).toMatchObject({ lanes: 64 })
    expect(before.age).toBeLessThan(4)
    expect(after.lanes).toBe(0)
    expect(after.age).toBeGreaterThan(9)
  })

  test('a hub that refuses us: nothing is parked, and the log names what to check', async () => {
    const { store, said, status } = await stories!.refusing
    expect(said).toMatch(/nothing is pushed for now: .*401.* Check HUB_URL, HUB_STORE_ID and HUB_TOKEN/)
    expect(status.stdout).toMatch(/circuit open: .*401/)
    expect(await count(store, `bridge.message where state = 'waiting'`)).toBe(12)
  })
})

/** Uninstalls while a worker runs and the store sells, with a transaction open that has recorded something. */
async function uninstallUnderWrites(command: readonly string[]) {
  const [pristine, store] = [await openStore(), await openMigratedStore()]
  const env = environment(store)
  const worker = processes.start(['worker'], { env })
  await worker.line((line) => line.includes('worker started'))
  let running = true
  const sell = async (writer: number) => {
    const connection = await store.pool.connect()
    while (running) {
      await connection.query('begin')
      await connection.query(
        `update spree_stock_items set count_on_hand = count_on_hand - 1 where id = ${301 + writer}`,
      )
      await connection.query(`update spree_variants set updated_at = now() where id = ${102 + writer}`)
      await pause(20)
      await connection.query('commit')
    }
    connection.release()
  }
  const sales = Promise.all([0, 1, 2, 3].map(sell))
  const { status, stderr } = await runBridge(command, env).finally(() => {
    running = false
  })
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
  await sales // rejects where a statement of the store failed
  const [before, after] = [await readCatalog(pristine.pool), await readCatalog(store.pool)]
  const ended = await worker.ended
  return { store, env, before, after, ended, said: worker.lines.join('\n') }
}

const TWELVE = Array.from({ length: 12 }, (_, index) => `order:${index}`)

/** A worker with a hub of its own and some messages, one per aggregate. */
async function startWithMessages(aggregates: readonly string[], changes: Environment = {}) {
  const ownHub = await openHub()
  const store = await openMigratedStore()
  await enqueue(store, aggregates)
  const env = { ...environment(store, ownHub), ...changes }
  const pushes = () => ownHub.requests.filter(({ method }) => method === 'POST')
  return { hub: ownHub, store, env, pushes, start: () => processes.start(['worker'], { env }) }
}

async function startHanging() {
  const set = await startWithMessages(Array.from({ length: 40 }, (_, index) => `order:${index}`))
  set.hub.misbehave(({ method }) => (method === 'POST' ? { kind: 'hang' } : { kind: 'accept' }))
  const worker = set.start()
  await worker.line((line) => line.includes('worker started'))
  await waitFor(async () => set.pushes().length >= 32)
  return { ...set, worker, from: performance.now() }
}

async function stopWhileHubHangs() {
  const { store, worker, from } = await startHanging()
  const ended = await worker.terminate()
  const seconds = (performance.now() - from) / 1_000
  return { store, ended, seconds }
}

async function stopTwice() {
  const { worker } = await startHanging()
  // Both at once, however slow the machine; two of one name would be one.
  process.kill(worker.pid, 'SIGINT')
  process.kill(worker.pid, 'SIGTERM')
  await worker.line((line) => line.includes('worker stops'))
  const echoed = await Promise.race([worker.ended, pause(1_500, 'still stopping')])
  const from = performance.now()
  process.kill(worker.pid, 'SIGINT')
  const ended = await worker.ended
  const seconds = (performance.now() - from) / 1_000
  return { echoed, ended, seconds }
}

async function outliveHub() {
  const { hub: ownHub, env, pushes, start } = await startWithMessages(TWELVE)
  await ownHub.down()
  const from = performance.now()
  const worker = start()
  await worker.line((line) => line.includes('nothing is pushed for now'))
  const readStatus = async () => JSON.parse((await runBridge(['status', '--json'], env)).stdout)
  await waitFor(async () => (await readStatus()).workers[0]?.report.circuit !== 'closed')
  const status = await readStatus()
  const warnings = worker.lines.filter((line) => /"level":"(warn|error)"/.test(line))
  const seconds = (performance.now() - from) / 1_000
  await ownHub.up()
  // The circuit's probes and the back-off of a message that was one are seconds apart by now.
  await ownHub.until(() => new Set(pushes().map(({ key }) => key)).size === TWELVE.length, 80_000)
  await worker.terminate()
  return { status, warnings, seconds, told: pushes().length }
}

/** The store drops a column that is read and, unwittingly, a trigger. */
async function outliveStoreMigration() {
  const { hub: ownHub, store, env, start } = await startWithMessages([], { PORT: '0', HOST: '127.0.0.1' })
  const worker = start()
  const { url } = JSON.parse(await worker.line((line) => line.includes('"listening"'))) as { url: string }
  await waitFor(async () => (await count(store, 'bridge.seeding where finished_at is null')) === 0)
  await store.pool.query(`alter table spree_products drop column status, add column grade text;
                          drop trigger bridge_update on spree_stock_items;
                          update spree_products set name = 'After the migration' where id = 11`)
  await ownHub.until(() => ownHub.requests.some(({ body }) => body.includes('After the migration')), 50_000)
  const metrics = async () => (await fetch(`${url}/metrics`)).text()
  await waitFor(async () => (await metrics()).includes('spree_bridge_gaps_total{kind="stock"} 1'))
  // It may still be at its first look at the triggers.
  await waitFor(async () => (await fetch(`${url}/readyz`)).status === 200)
  const status = await runBridge(['status'], env)
  await worker.terminate()
  return { status, lines: worker.lines }
}

async function meetRefusal() {
  const { store, env, start } = await startWithMessages(TWELVE, { HUB_TOKEN: 'stale' })
  const worker = start()
  const said = await worker.line((line) => line.includes('nothing is pushed for now'))
  await waitFor(async () => (await count(store, `bridge.worker where status like '%401%'`)) === 1)
  const status = await runBridge(['status'], env)
  await worker.terminate()
  return { store, said, status }
}

async function loseDatabase() {
  const store = await openMigratedStore()
  const env = { ...environment(store), PORT: '0', HOST: '127.0.0.1' }
  const worker = processes.start(['worker'], { env })
  const { url } = JSON.parse(await worker.line((line) => line.includes('"listening"'))) as { url: string }
  const read = async () => {
    const text = await (await fetch(`${url}/metrics`)).text()
    const value = (name: string) => Number(new RegExp(`^spree_bridge_${name} (.+)$`, 'm').exec(text)?.[1])
    return { lanes: value('lanes_owned'), age: value('worker_heartbeat_age_seconds') }
  }
  await waitFor(async () => (await read()).lanes === 64)
  const before = await read()
  const name = new URL(store.url).pathname.slice(1)
  await onServer(async (server) => {
    await server.query(`alter database ${name} allow_connections false`)
    await server.query('select pg_terminate_backend(pid) from pg_stat_activity where datname = $1', [name])
  })
  try {
    await waitFor(async () => (await read()).lanes === 0)
    return { before, after: await read() }
  } finally {
    await onServer((server) => server.query(`alter database ${name} allow_connections true`))
    await worker.terminate()
  }
}

/** Polls a state that nobody announces. */
async function waitFor(condition: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 120_000
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`it did not come about: ${condition}`)
    await pause(100)
  }
}

/** Two at a time: each is a process of its own. */
async function inTurns<Item, Result>(
  items: readonly Item[],
  work: (item: Item) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = []
  for (let at = 0; at < items.length; at += 2)
    results.push(...(await Promise.all(items.slice(at, at + 2).map(work))))
  return results
}

/** The test server takes everybody; this one answers a login as PostgreSQL does to a wrong password. */
async function startLoginRefuser(): Promise<{ url: string; close(): Promise<void> }> {
  const fields = ['SFATAL', 'VFATAL', 'C28P01', 'Mpassword authentication failed for user "u"', '']
  const body = Buffer.from(`${fields.join('\0')}\0`)
  const head = Buffer.alloc(5)
  head.write('E')
  head.writeInt32BE(body.length + 4, 1)
  const server = createServer((socket) => {
    socket.on('error', () => undefined)
    socket.once('data', () => socket.end(Buffer.concat([head, body])))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  const port = typeof address === 'object' ? address?.port : undefined
  return {
    url: `postgres://u:geheim@127.0.0.1:${port}/shop`,
    close: () => new Promise((resolve) => server.close(() => resolve())),
  }
}
