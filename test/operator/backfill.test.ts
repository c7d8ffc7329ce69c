import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { backfillStore } from '../../src/capture/backfill.ts'
import { Pace } from '../../src/capture/backfill-pace.ts'
import type { Connection, Pool } from '../../src/postgres/pool.ts'
import { barOf } from '../../src/processes/progress-line.ts'
import type { Entity } from '../../src/store/roots.ts'
import { openStore } from '../../src/store/store.ts'
import { readExpected } from '../expected/read-expected.ts'
import { startCollecting } from '../support/collecting.ts'
import type { TestDatabase } from '../support/postgres.ts'
import { createProcesses } from '../support/processes.ts'
import { type RecordingHub, startRecordingHub } from '../support/recording-hub.ts'
import { createStore } from '../support/stores.ts'
import { startTestWorker, type TestWorker } from '../support/worker.ts'
import { complaintOf } from './operations-ground.ts'
import { runBridge } from './run-bridge.ts'

const processes = createProcesses()
afterAll(() => processes.killAll())

const PRODUCTS = [
  "Fisherman's Sweater",
  'Oilskin Coat',
  'Brass Compass',
  'Hemp Rope, per metre',
  'Storm Lantern',
  'Gift Voucher 25',
  'Tin Mug',
]

describe.each([
  {
    family: 'spree-4.10',
    order: 'order-R204817354',
    people: ['clara@example.com', 'admin@harbour.example'],
    orders: ['R204817351', 'R204817352', 'R204817353', 'R204817354', 'R204817355'],
    levels: { 'FS-NAVY-S': 16, 'OC-L': 3, 'SL-7': -2 },
  },
  {
    family: 'spree-6.0',
    order: 'order-R1044',
    people: ['clara@example.com', 'otto@example.org'],
    orders: ['R1041', 'R1042', 'R1043', 'R1044', 'R1045'],
    levels: { 'FS-NAVY-S': 17, 'OC-L': 4, 'SL-7': 1 },
  },
] as const)('a backfill of a store of $family', ({ family, order, orders, people, levels }) => {
  let db: TestDatabase
  let hub: RecordingHub
  let worker: TestWorker

  beforeAll(async () => {
    db = await createStore(family, 'fixture')
    hub = await startRecordingHub({ ours: true })
    worker = await startTestWorker(db, hub, { settleQuietMs: 50, reconcileAt: 'off' })
  })
  afterAll(async () => {
    await worker.stop()
    await hub.close()
    await db.drop()
  })
  const backfill = (...args: string[]) => runBridge(['backfill', ...args], { DATABASE_URL: db.url })
  const posts = () => hub.requests.filter(({ method }) => method === 'POST')

  test('tells all that is there, as to one who has nothing, and once', async () => {
    expect(JSON.parse((await backfill('orders', 'stock', 'products', '--dry-run', '--json')).stdout)).toEqual(
      {
        dryRun: true,
        entities: [
          { entity: 'products', count: 7 },
          { entity: 'stock', count: 9 },
          { entity: 'orders', count: 5 },
        ],
      },
    )
    expect(posts()).toEqual([])

    const done = await backfill('products', 'stock', 'orders')
    expect(done).toMatchObject({ status: 0, stderr: '' })
    expect(done.stdout).toBe(
      ['products        7', 'stock           9', 'orders          5']
        .map((all) => `${all} on the way to be announced\n`)
        .join(''),
    )
    await worker.settled()
    const told = posts().map(({ type, payload: { name, sku, quantity, number } }) =>
      type === 'stock:actual' ? `${type} ${sku} ${quantity}` : `${type} ${number ?? name}`,
    )
    const all = { 'FS-NAVY-M': 7, 'FS-OCHRE-M': 0, 'OC-M': 9, 'BC-01': 55, 'GV-25': 0, 'TM-1': 25, ...levels }
    expect(told.toSorted()).toEqual(
      [
        ...PRODUCTS.map((name) => `product:new ${name}`),
        ...Object.entries(all).map(([sku, level]) => `stock:actual ${sku} ${level}`),
        ...orders.map((number) => `order:persist ${number}`),
      ].sort(),
    )
    expect(told.indexOf('product:new Brass Compass')).toBeLessThan(told.indexOf('stock:actual BC-01 55'))
    const payloadOf = (what: string) => posts()[told.indexOf(what)]?.payload
    expect(payloadOf("product:new Fisherman's Sweater")).toEqual(
      readExpected(family, 'fixture', 'product-11'),
    )
    expect(payloadOf(`order:persist ${orders[3]}`)).toEqual(readExpected(family, 'fixture', order))

    // Again: it is done. And what was told is what stands there.
    const again = await backfill('stock')
    expect(again.stdout).toMatch(/^stock {11}was done at .*Z, 9 asked for: --restart does it again\n$/)
    expect((await runBridge(['reconcile'], { DATABASE_URL: db.url })).status).toBe(0)
    expect(posts()).toHaveLength(21)
  })

  test('tells customers as to one who does not know them, after what has changed of them, and transfers', async () => {
    const customers = family === 'spree-4.10' ? 'spree_users' : 'spree_customers'
    const heard = posts().length
    await backfill('stock_transfers', 'customers')
    await worker.settled()
    // Before anybody has noticed: by a transaction whose triggers are off.
    await db.pool.query(
      `begin; set local session_replication_role = replica;
       update ${customers} set last_name = 'Unseen' where id = 1; commit`,
    )
    await backfill('customers', '--where', 'root.id = 1')
    await worker.settled()
    const told = posts()
      .slice(heard)
      .map(({ type, payload: { email, number } }) => `${type} ${email ?? number}`)
    expect(told.slice(0, 3).toSorted()).toEqual(
      [...people.map((email) => `user:new ${email}`), 'stock_transfer:persist T431000431'].sort(),
    )
    expect(told.slice(3)).toEqual(['user:updated clara@example.com', 'user:new clara@example.com'])
    expect(posts().at(-1)?.payload['last_name']).toBe('Unseen')
  })

  test('takes a condition, a time, and begins anew where told to', async () => {
    await db.pool.query(`update spree_products set updated_at = now() at time zone 'UTC' where id = 12`)
    const told = async (
      entity: Entity,
      { condition, since, restart = false }: { condition?: string; since?: string; restart?: boolean },
    ) => {
      const heard = posts().length
      const at = new Date(Date.now() - 7_200_000)
      await backfillStore({
        ...asks(db, [entity], condition),
        store: await openStore(db.pool),
        since: since === undefined ? undefined : { text: since, at },
        restart,
      })
      await worker.settled()
      return posts()
        .slice(heard)
        .map(({ type, payload: { sku, name, number } }) => `${type} ${number ?? (sku || name)}`)
        .sort()
    }
    expect(await told('stock', { condition: "sku like 'FS%' -- the sweater" })).toEqual([
      'stock:actual FS-NAVY-M',
      'stock:actual FS-NAVY-S',
      'stock:actual FS-OCHRE-M',
    ])
    const coat = family === 'spree-4.10' ? 'product:new OC' : 'product:new Oilskin Coat'
    expect(await told('products', { since: '2h' })).toEqual([coat])
    expect(await told('products', { since: '2h' })).toEqual([])
    expect(await told('products', { since: '2h', restart: true })).toEqual([coat])
    expect(await told('orders', { condition: 'canceled_at is not null' })).toEqual([
      `order:persist ${orders[2]}`,
    ])
  })
})

describe('a condition that is no condition', () => {
  let db: TestDatabase
  beforeAll(async () => {
    db = await createStore('spree-4.10', 'fixture')
    await startCollecting(db)
  })
  afterAll(() => db.drop())

  test.each([
    ['true) or (true', 'syntax error at or near ")"'],
    ['true end) or (case when true', 'syntax error at or near "end"'],
    ['true then false when true', 'syntax error at or near "then"'],
    ['true; drop table spree_products', 'syntax error at or near ";"'],
    ['sku = 1', 'column "sku" does not exist'],
    [`setval('bridge.pulse_asleep', 1) > 0`, 'cannot execute setval() in a read-only transaction'],
    ['id / (id - 13) > 0', 'division by zero'],
  ])('%s', async (condition, complaint) => {
    // Stock comes after the products, and yet nothing is begun.
    const store = await openStore(db.pool)
    await expect(
      backfillStore({ ...asks(db, ['orders', 'products'], condition), store }),
    ).rejects.toMatchObject({ code: 'bad_condition', message: expect.stringContaining(complaint) })
    expect((await db.pool.query('select from bridge.backfill')).rows).toHaveLength(0)
  })

  test('is refused with the server’s own words, and status 2', async () => {
    const env = { DATABASE_URL: db.url }
    const refused = await runBridge(['backfill', 'products', '--where', 'nmae is null'], env)
    expect(refused.status).toBe(2)
    expect(complaintOf(refused)).toBe(
      'The condition of --where cannot be used: column "nmae" does not exist.',
    )
    const unknown = await runBridge(['backfill', 'carts'], env)
    expect(unknown.status).toBe(2)
  })
})

test('customers are not asked for before they are taken in: each would be told as changed, and then as new', async () => {
  const db = await createStore('spree-4.10', 'fixture')
  const { store } = await startCollecting(db)
  await db.pool.query(`update bridge.seeding set finished_at = null where kind = 'customer'`)
  const abort = new AbortController()
  const reasons: (string | undefined)[] = []
  const onProgress = (_: unknown, reason: string | undefined) => {
    reasons.push(reason)
    abort.abort()
  }
  const [end] = await backfillStore({
    ...asks(db, ['customers'], undefined),
    store,
    signal: abort.signal,
    onProgress,
  })
  expect(reasons).toEqual(['the worker, which still takes in what there is'])
  expect(end).toMatchObject({ asked: 0, unfinished: expect.any(String) })
  await db.drop()
})

describe('what happens meanwhile to the same product', () => {
  let db: TestDatabase
  beforeAll(async () => {
    db = await createStore('spree-4.10', 'fixture')
  })
  afterAll(() => db.drop())

  test('is told in its order, changes as changes', async () => {
    const collecting = await startCollecting(db)
    const { store } = collecting
    const write = (sql: string) => db.pool.query(sql)
    const told = async (aggregate: string) =>
      (await collecting.all())
        .filter((message) => message.aggregate === aggregate)
        .map(({ type, payload }) => [type, payload['quantity'] ?? payload['name'], payload['deleted_at']])

    // The compass has 55 pieces; 303 is another variant's item.
    await write('update spree_stock_items set count_on_hand = count_on_hand - 2 where id = 306')
    await backfillStore({ ...asks(db, ['products', 'stock'], undefined), store })
    await write(`update spree_products set name = 'Compass' where id = 13`)
    await write('update spree_stock_items set count_on_hand = count_on_hand - 1 where id = 314')
    expect(await told('product:13')).toEqual([
      ['product:update', 'Compass', null],
      ['product:new', 'Compass', null],
      ['stock:change', -3, undefined],
      ['stock:actual', 52, undefined],
    ])

    // Gone before it was told whole: then that is all there is to say.
    await backfillStore({ ...asks(db, ['products', 'stock'], 'id in (13, 108)'), store })
    await write(`update spree_variants set deleted_at = '2026-11-26 08:00' where id = 108`)
    await write(`update spree_products set deleted_at = '2026-11-26 08:00' where id = 13`)
    expect(await told('product:13')).toEqual([['product:update', 'Compass', '2026-11-26T08:00:00.000Z']])

    // What the hub wrote is no news to it, but part of the whole.
    await write('delete from bridge.message')
    await backfillStore({ ...asks(db, ['products'], 'id = 12'), store })
    const connection = await db.pool.connect()
    await connection.query(`begin; select set_config('bridge.origin', '${Date.now()}:x', true)`)
    await connection.query(`update spree_products set name = 'Coat' where id = 12; commit`)
    connection.release()
    expect(await told('product:12')).toEqual([['product:new', 'Coat', null]])

    // A level by what was told: a sale whose record is not among the rows taken will be told as a change of it.
    await write('create table bridge.aside as select * from bridge.outbox')
    await write('update spree_stock_items set count_on_hand = count_on_hand - 4 where id = 310')
    await write(
      `with moved as (delete from bridge.outbox returning *) insert into bridge.aside select * from moved`,
    )
    await backfillStore({ ...asks(db, ['stock'], 'id = 112'), store })
    expect(await told('product:17')).toEqual([['stock:actual', 25, undefined]])
  })
})

describe('a backfill that is killed', () => {
  let db: TestDatabase
  let hub: RecordingHub
  let worker: TestWorker | undefined
  const COUNT = 2_000

  beforeAll(async () => {
    db = await createStore('spree-4.10', 'fixture')
    hub = await startRecordingHub({ ours: true })
    await db.pool.query(
      `insert into spree_products (name, slug, created_at, updated_at)
       select 'Button ' || n, 'button-' || n, now(), now() from generate_series(1, ${COUNT}) n`,
    )
    worker = await startTestWorker(db, hub, { settleQuietMs: 50, reconcileAt: 'off' })
  })
  afterAll(async () => {
    await worker?.stop()
    await hub.close()
    await db.drop()
  })

  test('at any moment, goes on and tells each once; a change of the shop overtakes most of it', async () => {
    const asked = async () => {
      const { rows } = await db.pool.query<{ asked: number; done: boolean }>(
        'select asked::integer as asked, finished_at is not null as done from bridge.backfill',
      )
      return rows[0] ?? { asked: 0, done: false }
    }
    const command = ['backfill', 'products', '--where', `name like 'Button %'`]
    const env = { DATABASE_URL: db.url, LOG_FORMAT: 'json' }
    // Some 80 a second: most is still to come when three processes have started, however long that takes them.
    hub.misbehave(() => ({ kind: 'accept', afterMs: 400 }))
    const stopped = []
    for (const how of ['kill', 'terminate'] as const) {
      const before = await asked()
      const running = processes.start(command, { env })
      while ((await asked()).asked <= before.asked) await pause(5)
      stopped.push(await running[how]())
    }
    expect(stopped).toEqual([
      { code: null, signal: 'SIGKILL' },
      { code: 1, signal: null },
    ])
    const status = await runBridge(['status'], env)
    expect(status.stdout).toMatch(
      /^backfill of products: \d+ of 2000 asked for, stopped: the same command goes on with it$/m,
    )

    // Two of them share the work.
    const before = await asked()
    const running = [processes.start(command, { env }), processes.start(command, { env })]
    while ((await asked()).asked <= before.asked) await pause(5)
    const left = COUNT - buttonsTold(hub).length
    await db.pool.query('update spree_stock_items set count_on_hand = count_on_hand - 1 where id = 306')
    await hub.until(() => hub.requests.some(({ type }) => type === 'stock:change'), 60_000)
    const passed = left - (COUNT - buttonsTold(hub).length)
    expect(left).toBeGreaterThan(300)
    expect(passed).toBeLessThan(left / 2)
    hub.misbehave()
    for (const { ended } of running) expect(await ended).toEqual({ code: 0, signal: null })
    await worker?.settled()
    expect(new Set(buttonsTold(hub)).size).toBe(COUNT)
    expect(buttonsTold(hub)).toHaveLength(COUNT)
  })

  test('asks for no more than leaves in half a second, however late it hears of its commit', async () => {
    // Some 300 a second, of which a page of 100 has left before the answer is there.
    hub.misbehave(() => ({ kind: 'accept', afterMs: 80 }))
    const enough = new AbortController()
    const pages: number[] = []
    let last = 0
    await backfillStore({
      ...asks(db, ['products'], `name like 'Button %' and true`),
      store: await openStore(db.pool),
      pool: hearsLate(db.pool, 400),
      signal: enough.signal,
      onProgress: ({ asked }) => {
        if (asked > last) pages.push(asked - last)
        last = asked
        if (pages.length === 2) enough.abort()
      },
    })
    hub.misbehave()
    await worker?.settled()
    expect(pages).toEqual([100, expect.any(Number)])
    expect(pages[1]).toBeLessThan(300)
  })

  test('stops for want of a worker, with status 1', async () => {
    await worker?.stop()
    worker = undefined
    const { status, stdout } = await runBridge(['backfill', 'products'], { DATABASE_URL: db.url })
    expect(status).toBe(1)
    expect(stdout).toBe(
      'products        200 of 2007 asked for, then no worker runs that would collect what was asked for: the same command goes on\n',
    )
  })
})

function buttonsTold(hub: RecordingHub): string[] {
  return hub.requests.flatMap(({ type, payload }) =>
    type === 'product:new' ? [String(payload['name'])] : [],
  )
}

/** What `pool` is to a process that hears of its commits so late. */
function hearsLate(pool: Pool, ms: number): Pool {
  return Object.assign(Object.create(pool) as Pool, {
    query: pool.query.bind(pool),
    connect: async () => {
      const connection = await pool.connect()
      const commit = async () => {
        const done = await connection.query('commit')
        await pause(ms)
        return done
      }
      return Object.assign(Object.create(connection) as Connection, {
        query: (text: string, values?: unknown[]) =>
          text === 'commit' ? commit() : connection.query(text, values),
        release: (error?: Error) => connection.release(error),
      })
    },
  })
}

function asks(db: TestDatabase, entities: readonly Entity[], condition: string | undefined) {
  return {
    pool: db.pool,
    entities,
    since: undefined,
    condition,
    restart: false,
    signal: new AbortController().signal,
    onProgress: () => undefined,
  }
}

test('a page is what leaves in a quarter of a second, and the next comes while one and a half are under way', () => {
  const pace = new Pace()
  expect(pace.room(151, 0)).toBe(0)
  expect(pace.room(150, 0)).toBe(100)
  pace.asked(100)
  // A batch that is gone at once is no pace.
  expect(pace.room(100, 10)).toBe(100)
  pace.asked(100)
  // 250 in 250 ms.
  expect(pace.room(101, 250)).toBe(250)
  pace.asked(250)
  expect(pace.room(376, 260)).toBe(0)
  // 10 in 10 s: never fewer than 20 at a time.
  expect(pace.room(341, 10_250)).toBe(0)
  expect(pace.room(30, 210_250)).toBe(20)
  // All that was there, in no more than ten seconds: it may be a pace far higher.
  expect(pace.room(0, 220_250)).toBe(20)
})

test('the bar says how far it is, how fast, and what it waits for', () => {
  const progress = { what: 'products', done: 25_000, of: 100_000, waitsFor: undefined }
  expect(barOf(progress, 1_500)).toBe(
    'products  [########----------------------]  25,000 of 100,000  1,500/s, 50 s left',
  )
  expect(barOf({ ...progress, waitsFor: '800 messages that wait' }, 0)).toBe(
    'products  [########----------------------]  25,000 of 100,000  waits for 800 messages that wait',
  )
})
