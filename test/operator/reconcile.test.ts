import { PassThrough } from 'node:stream'
import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals'
import pg from 'pg'
import { HANDLERS } from '../../src/apply/handlers.ts'
import { createInbox } from '../../src/apply/inbox.ts'
import type { Drift } from '../../src/capture/compare.ts'
import type { Comparison } from '../../src/capture/compare-store.ts'
import { createLog } from '../../src/observe/log.ts'
import { decideOutbound } from '../../src/operator/outbound.ts'
import { readProof } from '../../src/operator/proof.ts'
import { openStore } from '../../src/store/store.ts'
import { type Collecting, startCollecting } from '../support/collecting.ts'
import type { TestDatabase } from '../support/postgres.ts'
import { createProcesses } from '../support/processes.ts'
import { reconcile } from '../support/reconcile.ts'
import { type RecordingHub, startRecordingHub } from '../support/recording-hub.ts'
import { createStore } from '../support/stores.ts'
import { migrate } from '../support/web.ts'
import { startTestWorker, type TestWorker } from '../support/worker.ts'
import { startWorkload } from '../support/workload.ts'
import { runBridge } from './run-bridge.ts'

const IS_OPEN = `coalesce(closed_at, 'infinity') = 'infinity'`

describe.each([
  { family: 'spree-4.10', levels: 'spree_stock_items', customers: 'spree_users' },
  { family: 'spree-6.0', levels: 'spree_stock_levels', customers: 'spree_customers' },
] as const)('reconcile on a store of $family', ({ family, levels, customers }) => {
  const processes = createProcesses()
  let db: TestDatabase
  let hub: RecordingHub
  let worker: TestWorker
  let seeded: ReadonlyMap<string, number>

  beforeAll(async () => {
    db = await createStore(family, 'fixture')
    hub = await startRecordingHub({ ours: true })
    seeded = await readLevels()
    worker = await startWorker()
  })
  afterEach(async () => {
    // Whatever went wrong: the sum of what was told is what happened.
    await worker.settled()
    expect(await toldSums()).toEqual(await movedSince())
  })
  afterAll(async () => {
    await processes.killAll()
    await worker.stop()
    await hub.close()
    await db.drop()
  })

  const startWorker = (how = {}) =>
    startTestWorker(db, hub, { settleQuietMs: 50, reconcileAt: 'off', ...how })

  const readLevels = async (): Promise<ReadonlyMap<string, number>> => {
    const { rows } = await db.pool.query<{ sku: string; level: number }>(
      `select v.sku, sum(s.count_on_hand)::int as level
         from ${levels} s join spree_variants v on v.id = s.variant_id
        where s.deleted_at is null and v.deleted_at is null and v.sku <> ''
        group by v.sku`,
    )
    return new Map(rows.map(({ sku, level }) => [sku, level]))
  }
  const movedSince = async () => {
    const moved: Record<string, number> = {}
    for (const [sku, level] of await readLevels()) moved[sku] = level - (seeded.get(sku) ?? 0)
    return without0(moved)
  }
  const toldSums = async () => {
    const living = await readLevels()
    const sums: Record<string, number> = {}
    for (const { type, payload, method } of hub.requests) {
      const sku = String(payload['sku'])
      if (method !== 'POST' || type !== 'stock:change' || !living.has(sku)) continue
      sums[sku] = (sums[sku] ?? 0) + Number(payload['quantity'])
    }
    return without0(sums)
  }
  const without0 = (sums: Record<string, number>) =>
    Object.fromEntries(
      Object.entries(sums)
        .filter(([, sum]) => sum !== 0)
        .sort(),
    )

  const command = (...args: string[]) => runBridge(args, { DATABASE_URL: db.url })
  const reconciled = async (option?: '--fix') => {
    const { kinds, drift, gaps, proof, clean } = await reconcile(db, { fix: option === '--fix' })
    return {
      clean,
      found: drift.map(nameOf).sort(),
      compared: [
        kinds.product.compared,
        kinds.stock.compared,
        kinds.order.compared,
        kinds.customer.compared,
        kinds.stock_transfer.compared,
      ],
      unfinished: [kinds.product.unfinished, kinds.stock.unfinished, kinds.order.unfinished],
      gaps: gaps.map(({ kind, reason, closed }) => `${kind} ${reason} ${closed ? 'closed' : 'open'}`),
      broken: proof?.broken,
    }
  }
  const inOrder = { clean: true, found: [], unfinished: [null, null, null], gaps: [], broken: [] }

  /** As no trigger sees it. */
  const unseen = async (...statements: string[]) => {
    const connection = await db.pool.connect()
    await connection.query('begin; set local session_replication_role = replica')
    for (const statement of statements) await connection.query(statement)
    await connection.query('commit')
    connection.release()
  }
  const heardSince = async (act: () => Promise<unknown>) => {
    const before = hub.requests.length
    await act()
    await worker.settled()
    return hub.requests
      .slice(before)
      .filter(({ method }) => method === 'POST')
      .map(
        ({ type, payload }) =>
          `${type} ${payload['sku'] || payload['number'] || payload['name'] || payload['email']}`,
      )
      .sort()
  }
  const count = async (query: string) => (await db.pool.query(query)).rows.length

  const untilNone = async (query: string) => {
    const deadline = Date.now() + 20_000
    while ((await count(query)) > 0) {
      if (Date.now() > deadline) throw new Error(`still there: ${query}`)
      await pause(50)
    }
  }

  test('finds nothing where nothing is amiss, and counts all', async () => {
    const { compared, ...found } = await reconciled()
    expect(found).toEqual(inOrder)
    expect(await command('reconcile')).toMatchObject({
      status: 0,
      stdout: expect.stringContaining('\nThe store is as it was announced, but for what is under way.\n'),
    })
    expect(compared).toEqual([
      await count('select from spree_products'),
      await count('select from spree_variants where deleted_at is null'),
      await count('select from spree_orders where completed_at is not null'),
      await count(`select from ${customers}`),
      await count('select from spree_stock_transfers'),
    ])
  })

  test('finds what no trigger saw, of each kind, and has it announced once', async () => {
    const [returns, insertReturn] =
      family === 'spree-4.10'
        ? [
            'spree_return_authorizations',
            `insert into spree_return_authorizations (id, number, state, order_id) values (901, 'RA901', 'authorized', 42)`,
          ]
        : [
            'spree_returns',
            `insert into spree_returns (id, number, store_id, order_id, stock_location_id, status, created_at, updated_at)
             values (901, 'RA901', 1, 42, 1, 'requested', now(), now())`,
          ]
    expect(await heardSince(() => db.pool.query(insertReturn))).toContain('return_authorization:new RA901')
    await unseen(
      `update ${returns} set memo = 'Unseen' where id = 901`,
      `update spree_products set name = 'Unseen Compass' where id = 13`,
      `update spree_orders set email = 'unseen@example.com' where id = 41`,
      `update ${levels} set count_on_hand = count_on_hand - 3 where id = 306`,
      `update ${customers} set last_name = 'Unseen' where id = 1`,
      `update spree_stock_transfers set reference = 'Unseen' where id = 431`,
    )
    // The same variant moves before the eyes of a trigger: what was missed stays missed.
    await db.pool.query(`update ${levels} set count_on_hand = count_on_hand - 1 where id = 306`)
    await worker.settled()
    const drift = [
      'customer 1 changed',
      'order 41 changed',
      'order 42 changed',
      'product 13 changed',
      'stock 108 changed -3',
      'stock_transfer 431 changed',
    ]
    expect(await reconciled()).toMatchObject({ clean: false, found: drift })
    const look = await command('reconcile', '--json')
    expect({ ...look, stdout: JSON.parse(look.stdout).drift.map(nameOf).sort() }).toEqual({
      status: 1,
      stdout: drift,
      stderr: expect.any(String),
    })
    const heard = await heardSince(async () =>
      expect(await command('reconcile', '--fix')).toEqual({
        status: 0,
        stdout: expect.stringMatching(
          /\(BC-01\) fell by 3 without a word\n[\s\S]*\n6 differences are on the way/,
        ),
        stderr: expect.any(String),
      }),
    )
    expect(heard).toEqual([
      expect.stringMatching(/^order:persist R/),
      expect.stringMatching(/^product:update /),
      'return_authorization:updated RA901',
      'stock:change BC-01',
      'stock_transfer:persist T431000431',
      'user:updated clara@example.com',
    ])
    expect(await reconciled()).toMatchObject(inOrder)
    expect(await heardSince(() => reconciled('--fix'))).toEqual([])
  })

  test('finds what was announced and is gone, what came unseen, and what nobody can tell', async () => {
    const [order, product, variant, item] = [9001, 9001, 9001, 9001]
    await db.pool.query(copyOf('spree_orders', 41, { id: order, number: `'R9001'` }))
    await worker.settled()
    await unseen(
      `delete from spree_orders where id = ${order}`,
      copyOf('spree_products', 13, { id: product, name: `'Sextant'`, slug: `'sextant'` }),
      copyOf('spree_variants', 108, { id: variant, product_id: product, sku: `'SX-1'`, created_at: 'now()' }),
      copyOf(levels, 306, { id: item, variant_id: variant, count_on_hand: 12 }),
      `update spree_orders set completed_at = '12345-01-01' where id = 41`,
      copyOf(customers, 2, { id: 9001, email: `'new@example.com'` }),
      `delete from ${customers} where id = 2`,
    )
    // A sale of what nobody has heard of.
    await db.pool.query(`update ${levels} set count_on_hand = count_on_hand - 2 where id = ${item}`)
    await worker.settled()
    expect((await reconciled('--fix')).found).toEqual([
      'customer 2 gone',
      'customer 9001 untold',
      'order 41 unmappable',
      'order 9001 gone',
      'product 9001 untold',
      'stock 9001 changed 12',
    ])
    await worker.settled()
    expect(await reconciled()).toMatchObject({ clean: true, found: [] })
    expect(await count(`select from bridge.unmapped where aggregate = 'order:41'`)).toBe(1)
    await db.pool.query(`update spree_orders set completed_at = now() where id = 41`)
    await worker.settled()
    await unseen(
      `delete from spree_products where id = ${product}`,
      `delete from spree_variants where id = ${variant}`,
    )
    expect((await reconciled('--fix')).found).toEqual(['product 9001 gone'])
    await worker.settled()
    expect(await reconciled()).toMatchObject(inOrder)
    await unseen(`delete from ${levels} where id = ${item}`)
  })

  test('has lost baselines announced anew, but no piece of stock twice', async () => {
    await db.pool.query(`delete from bridge.baseline where aggregate in ('product:13', 'order:41')`)
    const lost = ['order 41 untold', 'product 13 untold', 'stock 108 untold 0']
    const heard = await heardSince(async () => expect((await reconciled('--fix')).found).toEqual(lost))
    expect(heard).toEqual([expect.stringMatching(/^order:persist R/), expect.stringMatching(/^product:new /)])
    expect(await reconciled()).toMatchObject(inOrder)
  })

  test('does not take names that an order only shows for the order, nor the place of an option type for an option', async () => {
    await unseen(
      `update spree_stock_locations set name = 'Elsewhere'`,
      `update spree_option_types set position = 100 - position`,
      `update spree_stores set name = 'Renamed'`,
      `update spree_refund_reasons set name = 'Renamed'`,
    )
    await db.pool.query(`update spree_products set slug = slug || '-x'`)
    await worker.settled()
    expect(await reconciled()).toMatchObject(inOrder)
  })

  test('takes nothing for drift that is under way, while the shop is busy', async () => {
    const workload = await startWorkload(db.url, family, { seed: 5, writers: 4, pauseMs: 5 })
    const looks = []
    for (let look = 0; look < 9; look++) looks.push(await reconciled(look % 3 === 2 ? '--fix' : undefined))
    await worker.stop()
    // Nobody collects any more: all that differs is under way.
    looks.push(await reconciled())
    await workload.stop()
    worker = await startWorker()
    for (const look of looks) expect(look).toMatchObject({ found: [], broken: [] })
    await worker.settled()
    expect(await reconciled()).toMatchObject(inOrder)
  })

  test('by itself, after a gap: triggers that were away, a table emptied, the fuse', async () => {
    await worker.stop()
    await db.pool.query(
      `alter table spree_products disable trigger user;
       update spree_products set name = 'While Disabled' where id = 13;
       drop function bridge.capture_${levels} cascade;
       update ${levels} set count_on_hand = count_on_hand - 5 where id = 306;
       truncate spree_option_value_variants;
       select setval('bridge.pulse_fuse_rows', 1);
       update spree_prices set amount = amount + 1 where variant_id > 108;
       update spree_orders set email = 'fuse@example.com';
       update spree_orders set email = 'blown@example.com';
       update spree_prices set amount = amount + 1`,
    )
    expect((await reconciled()).gaps).toEqual(
      expect.arrayContaining(['product truncate open', 'product fuse open', 'order fuse open']),
    )
    // Written while the fuse was blown, and committed when all others have been looked through.
    const late = new pg.Client({ connectionString: db.url })
    late.on('error', () => {}) // should the test fail: the database is dropped under it
    await late.connect()
    await late.query(`begin; update spree_prices set amount = 777 where variant_id = 108`)
    worker = await startWorker({ fuseRows: 1 })
    await untilNone(`select from bridge.gap where ${IS_OPEN} and reason <> 'fuse'`)
    expect(await count(`select from bridge.gap where ${IS_OPEN} and reason = 'fuse'`)).toBe(2)
    await late.query('commit')
    await late.end()
    await untilNone(`select from bridge.gap where ${IS_OPEN}`)
    await worker.settled()
    expect(hub.requests.filter(({ payload }) => payload['price'] === '777.0')).toHaveLength(1)
    const { rows } = await db.pool.query<{ gap: string }>(
      `select kind || ' ' || reason as gap from bridge.gap`,
    )
    expect(rows.map(({ gap }) => gap)).toEqual(
      expect.arrayContaining([
        'product triggers_missing',
        'stock triggers_missing',
        'product truncate',
        'order fuse',
      ]),
    )
    const metrics = await (await fetch(`${worker.url}/metrics`)).text()
    expect(metrics).toContain('spree_bridge_drift_total{kind="stock",outcome="changed"} 1')
    expect(metrics).toMatch(/spree_bridge_drift_total\{kind="product",outcome="changed"\} [1-9]/)
    const told = hub.requests
      .filter(({ type }) => type === 'order:persist')
      .map(({ payload }) => payload['email'])
    expect(told.slice(-2)).toEqual(['blown@example.com', 'blown@example.com'])
    await db.pool.query(`select setval('bridge.pulse_fuse_rows', 1000000)`)
    expect(await reconciled()).toMatchObject(inOrder)
    expect((await command('status')).stdout).not.toMatch(/^reconcile is due/m)

    await unseen(`update spree_products set name = 'By Night' where id = 13`)
    await db.pool.query('update bridge.reconciliation set due_at = clock_timestamp()')
    await hub.until(() => hub.requests.some(({ payload }) => payload['name'] === 'By Night'), 20_000)
    await worker.settled()
    await untilNone('select from bridge.reconciliation where started_at > finished_at')
    expect((await command('status')).stdout).toMatch(/^reconcile was last done at /m)
  })

  test('a fuse that blows again while the pass is under way leaves a gap of its own, which the pass does not close', async () => {
    const blow = (name: string) =>
      db.pool.query(
        `select setval('bridge.pulse_fuse_rows', 1), setval('bridge.pulse_collected_id', 1),
                setval('bridge.outbox_id_seq', nextval('bridge.outbox_id_seq') + 10);
         update spree_products set name = '${name}' where id = 13;
         select setval('bridge.pulse_fuse_rows', 1000000)`,
      )
    await worker.settled()
    await worker.stop()
    await blow('Before the Pass')
    worker = await startWorker()
    let compared: Comparison | undefined
    let blown = false
    const first = await reconcile(db, {
      fix: true,
      onProgress: (comparison) => {
        compared = comparison
      },
      async rest() {
        // The products were looked through.
        if (blown || !compared || compared.kinds.order.compared === 0) return
        blown = true
        await blow('During the Pass')
      },
    })
    expect(first.gaps).toMatchObject([{ kind: 'product', reason: 'fuse', closed: true }])
    expect(await count(`select from bridge.gap where ${IS_OPEN}`)).toBe(1)

    const second = await reconcile(db, { fix: true })
    expect(second.gaps).toMatchObject([{ kind: 'product', reason: 'fuse', closed: true }])
    await hub.until(() => hub.requests.some(({ payload }) => payload['name'] === 'During the Pass'), 60_000)
    expect(await count(`select from bridge.gap where ${IS_OPEN}`)).toBe(0)
  })

  test('waits where too much waits to be collected, and ends on a signal with what it has', async () => {
    await worker.stop()
    await db.pool.query(
      `insert into bridge.outbox (kind, table_name, op) select 'order', 'request', 'compare' from generate_series(1, 10001);
       insert into bridge.worker (id, process, host, pid, version, expires_at)
       values (gen_random_uuid(), 'worker', 'elsewhere', 1, '0', clock_timestamp() + interval '1 minute')`,
    )
    const waiting = processes.start(['reconcile', '--fix'], { env: { DATABASE_URL: db.url } })
    await untilNone('select from bridge.reconciliation where started_at < finished_at')
    expect(await waiting.terminate()).toEqual({ code: 1, signal: null })
    expect(waiting.lines.join('\n')).toMatch(
      /^order +0 compared, none differs, .*; not to the end: it was stopped$/m,
    )
    await db.pool.query('delete from bridge.worker')
    const { unfinished } = await reconciled('--fix')
    expect(unfinished).toEqual(
      Array(3).fill('more than 10000 changes wait, and no worker runs that would collect them'),
    )
    worker = await startWorker()
  })

  test('counts what came in, and what became of it', async () => {
    const { log, closeLog } = createLog({ level: 'error', format: 'json', stream: new PassThrough() })
    const inbox = createInbox({ pool: db.pool, store: await openStore(db.pool), hub: hub.storeId, log })
    const receive = async (messageId: string, payload: Readonly<Record<string, unknown>>) =>
      (await inbox.receive(HANDLERS[0]!, { messageId, payload })).outcome
    const stock = (sku: string, quantity: number) => ({ sku, quantity })
    expect([
      await receive('1', stock('BC-01', 4)),
      await receive('1', stock('BC-01', 4)),
      await receive('2', stock('nothing', 4)),
      await receive('2', stock('nothing', 4)),
      await receive('2', stock('BC-01', -4)),
      await receive('3', stock('nothing', 1)),
    ]).toEqual(['applied', 'repeated', 'failed', 'failed', 'applied', 'failed'])
    await closeLog()
    await worker.settled()
    const proof = await readProof(db.pool)
    expect({ inbound: proof?.inbound, broken: proof?.broken }).toEqual({
      inbound: { applied: 2, received: 6, repeated: 1, failed: 3 },
      broken: [],
    })
  })

  test('counts a message that a person pushed among those that were made', async () => {
    const before = await readProof(db.pool)
    expect(await command('push', 'product:update', '--sample')).toMatchObject({ status: 0 })
    await worker.settled()
    const after = await readProof(db.pool)
    const more = (of: 'made' | 'done') => after!.messages[of] - before!.messages[of]
    expect([more('made'), more('done'), after?.broken]).toEqual([1, 1, []])
  })

  test('is done though what became of all that came takes too long to be counted', async () => {
    const holder = await db.pool.connect()
    await holder.query('begin; lock table bridge.inbox')
    const { proof, clean } = await reconcile(db, { fix: true, proofWithinMilliseconds: 200 }).finally(
      async () => {
        await holder.query('rollback')
        holder.release()
      },
    )
    expect({ proof, clean }).toEqual({ proof: null, clean: true })
    expect(await count('select from bridge.reconciliation where finished_at > started_at')).toBe(1)
  })

  test('sees a change of which nothing was said, a message that vanished, and an application that never was', async () => {
    await hub.down()
    await db.pool.query(`update spree_products set name = 'Vanished' where id = 13`)
    await worker.collected()
    const { rows } = await db.pool.query<{ id: string }>('delete from bridge.message returning id')
    expect(rows).toHaveLength(1)
    await hub.up()
    await db.pool.query(
      'update bridge.tally set told = told - 1 where at = (select max(at) from bridge.tally)',
    )
    await db.pool.query(
      `insert into bridge.inbox (hub, dialect, message_id, type, payload, state, attempts, failures, status, answer)
       values ('', 'seed', '4', 'stock:change', '{}', 'applied', 1, 1, 200, '')`,
    )
    const { clean, broken } = await reconciled()
    expect({ clean, broken }).toEqual({
      clean: false,
      broken: [
        expect.stringMatching(/^\d+ changes were captured, but \d+ of them are accounted for$/),
        expect.stringMatching(/^\d+ messages were made, but \d+ are found$/),
        '3 inbound messages are applied, but 2 follow from what was received, repeated and failed',
      ],
    })
  })
})

test('reconcile, where levels are told: a level that no trigger saw is told once, by its own message or by the next', async () => {
  const db = await createStore('spree-4.10', 'fixture')
  const hub = await startRecordingHub({ ours: true })
  const worker = await startTestWorker(db, hub, { reconcileAt: 'off', stock: 'actual' })
  const move = async (delta: number, how = 'origin') => {
    await db.pool.query(
      `begin; set local session_replication_role = ${how};
       update spree_stock_items set count_on_hand = count_on_hand + ${delta} where id = 306; commit`,
    )
    await worker.settled()
  }
  const reconciled = async (fix: boolean) => {
    const { drift, clean } = await reconcile(db, { fix, stockMessages: 'actual' })
    await worker.settled()
    return { clean, found: drift.map(nameOf) }
  }
  const toldLevels = () =>
    hub.requests.flatMap(({ type, payload }) => (type === 'stock:actual' ? [payload['quantity']] : []))
  const { rows } = await db.pool.query<{ level: number }>(
    'select sum(count_on_hand)::int as level from spree_stock_items where variant_id = 108 and deleted_at is null',
  )
  const level = rows[0]!.level
  const inOrder = { clean: true, found: [] }

  await move(2)
  expect(await reconciled(false)).toEqual(inOrder)
  await move(3, 'replica')
  expect(await reconciled(false)).toEqual({ clean: false, found: ['stock 108 changed 3'] })
  expect(await reconciled(true)).toEqual({ clean: true, found: ['stock 108 changed 3'] })
  expect(await reconciled(true)).toEqual(inOrder)
  await move(-1, 'replica')
  await move(-1)
  expect(await reconciled(true)).toEqual(inOrder)
  expect(toldLevels()).toEqual([level + 2, level + 5, level + 3])

  await worker.stop()
  await hub.close()
  await db.drop()
})

describe.each([
  { told: 'of the whole', stockBy: 'variant' as const },
  { told: 'by location', stockBy: 'location' as const },
  { told: 'by location, as objects', stockBy: 'location' as const, hubDialect: 'wombat' as const },
])('a discarded level, $told', ({ stockBy, hubDialect }) => {
  let db: TestDatabase
  let collecting: Collecting

  beforeAll(async () => {
    db = await createStore('spree-4.10', 'fixture')
    collecting = await startCollecting(db, { stock: 'actual', stockBy, ...(hubDialect && { hubDialect }) })
  })
  afterAll(() => db.drop())

  /** What is told of variant 102, of which Portland (item 301) and Kiel (311) hold pieces. */
  const heard = async (sql?: string) => {
    if (sql !== undefined) await db.pool.query(sql)
    const all = await collecting.all()
    return all.map(({ payload }) => [payload['stock_location'] ?? payload['location'], payload['quantity']])
  }
  const discardAll = async () => {
    await decideOutbound(db.pool, 'discard', {}, '9223372036854775807')
    expect(await heard()).toEqual([])
  }
  const reconciled = async (fix: boolean) => {
    const how = { store: collecting.store, fix, stockMessages: 'actual', stockBy } as const
    const { drift } = await reconcile(db, how)
    return drift.map(nameOf)
  }
  const add = (pieces: number, item: number) =>
    `update spree_stock_items set count_on_hand = count_on_hand + ${pieces} where id = ${item}`

  test('is told by the next reconcile, and the catalogue is not', async () => {
    const told = await heard(add(5, 301))
    expect(told).toHaveLength(1)
    await discardAll()
    expect(await reconciled(true)).toEqual(['stock 102 untold 0'])
    expect(await heard()).toEqual(expect.arrayContaining(told))
    expect(await reconciled(true)).toEqual([])
  })

  test('is told by the next change, though that brings the level that was told before', async () => {
    await heard(`${add(1, 301)}; ${add(2, 311)}`)
    await discardAll()
    await heard(add(-1, 301))
    const last = await heard(add(1, 301))
    await discardAll()
    expect(await heard(`${add(1, 301)}; ${add(-1, 301)}`)).toEqual(expect.arrayContaining(last))
    expect(await reconciled(false)).toEqual([])
  })

  test('is told by the next change, though that is the hub’s own', async () => {
    const [[place, quantity] = []] = await heard(add(1, 311))
    await discardAll()
    const told = await heard(`select set_config('bridge.origin', '1700000000000:m1', true); ${add(2, 301)}`)
    expect(told).toContainEqual([place, stockBy === 'location' ? quantity : Number(quantity) + 2])
    expect(await reconciled(false)).toEqual([])
  })

  test('of a place whose last item is gone is told as well', async () => {
    await heard(add(1, 311))
    const gone = await heard('update spree_stock_items set deleted_at = now() where id = 311')
    await discardAll()
    expect(await reconciled(true)).toEqual(['stock 102 untold 0'])
    expect(await heard()).toEqual(expect.arrayContaining(gone))
    expect(await reconciled(true)).toEqual([])
  })

  test('is told when a message can be made of its product again', async () => {
    const list = (at: string) => `update spree_products set available_on = ${at} where id = 11`
    const told = await heard(add(1, 301))
    await decideOutbound(db.pool, 'discard', {}, '9223372036854775807')
    expect(await heard(`${list(`'infinity'`)}; ${add(-1, 301)}`)).toEqual([])
    expect(await heard(`${list('now()')}; ${add(1, 301)}`)).toEqual(expect.arrayContaining(told))
  })
})

test('a discarded change of a product or a customer is told by the next, though that is the hub’s own', async () => {
  const db = await createStore('spree-4.10', 'fixture')
  const collecting = await startCollecting(db)
  const heard = async (sql: string) => {
    await db.pool.query(sql)
    return (await collecting.all()).map(({ type, payload }) => [
      type,
      payload['name'] ?? payload['last_name'],
    ])
  }
  const own = `select set_config('bridge.origin', '1700000000000:m1', true)`
  const named = (name: string) => `update spree_products set name = '${name}' where id = 13`
  const called = (name: string) => `update spree_users set last_name = '${name}' where id = 1`
  expect(await heard(`${own}; ${named('Hub’s')}; ${called('Hub’s')}`)).toEqual([])
  expect(await heard(`${named('Shop’s')}; ${called('Shop’s')}`)).toHaveLength(2)
  await decideOutbound(db.pool, 'discard', {}, '9223372036854775807')
  expect(await collecting.all()).toEqual([])
  expect(await heard(`${own}; ${named('New')}; ${called('New')}`)).toEqual([
    ['product:update', 'New'],
    ['user:updated', 'New'],
  ])
  await db.drop()
})

describe.each(['persist', 'generic'] as const)(
  'what the hub wrote and the shop took back, where orders are told as %s,',
  (orders) => {
    let db: TestDatabase
    let collecting: Collecting
    let names: Readonly<{ product: string; customer: string; order: string }>

    beforeAll(async () => {
      db = await createStore('spree-4.10', 'fixture')
      collecting = await startCollecting(db, { orders })
      const { rows } = await db.pool.query<typeof names>(
        `select p.name as product, u.last_name as customer, o.email as order
           from spree_products p, spree_users u, spree_orders o
          where p.id = 13 and u.id = 1 and o.id = 42`,
      )
      names = rows[0]!
    })
    afterAll(() => db.drop())

    const set = ({ product, customer, order }: typeof names) =>
      `update spree_products set name = '${product}' where id = 13;
       update spree_users set last_name = '${customer}' where id = 1;
       update spree_orders set email = '${order}' where id = 42`
    const byHub = () =>
      db.pool.query(
        `select set_config('bridge.origin', '1700000000000:m1', true);
         ${set({ product: 'Hub’s', customer: 'Hub’s', order: 'hub@example.com' })}`,
      )
    const heard = async () =>
      (await collecting.all())
        .map(({ type, payload }) => {
          const { name, last_name, email, order, diff } = payload as Record<string, unknown>
          return [type, name ?? last_name ?? email ?? (order as { email: string }).email, diff]
        })
        .sort(([one], [other]) => String(one).localeCompare(String(other)))
    const all = () => [
      orders === 'persist' ? ['order:persist', names.order, undefined] : ['order:updated', names.order, null],
      ['product:update', names.product, undefined],
      ['user:updated', names.customer, undefined],
    ]

    test('is told, though it is as it was told', async () => {
      await byHub()
      await db.pool.query(set(names))
      expect(await heard()).toEqual(all())
    })

    test('is told as well where so much came in between that it is not read at once', async () => {
      await byHub()
      await db.pool.query(
        `insert into bridge.outbox (kind, table_name, row_id, op)
         select 'order', 'spree_orders', '999999999', 'update' from generate_series(1, 20000)`,
      )
      await db.pool.query(set(names))
      expect(await heard()).toEqual(all())
    })
  },
)

test('what was discarded is told when a message can be made of it again', async () => {
  const db = await createStore('spree-4.10', 'fixture')
  const collecting = await startCollecting(db)
  const heard = async (sql: string) => {
    await db.pool.query(sql)
    return (await collecting.all()).map(({ type }) => type).sort()
  }
  const products = (change: string) => `update spree_products set ${change} where id = 13`
  const orders = (change: string) => `update spree_orders set ${change} where id = 41`
  const listed = products(`available_on = '2026-01-02'`)
  const placed = orders(`completed_at = '2026-01-02'`)
  const told = await heard(`${listed}; ${placed}; ${products(`name = 'New'`)}`)
  expect(told).toEqual(['order:persist', 'product:update'])
  await decideOutbound(db.pool, 'discard', {}, '9223372036854775807')
  expect(
    await heard(`${products(`available_on = 'infinity'`)}; ${orders(`completed_at = '12345-01-01'`)}`),
  ).toEqual([])
  expect(await heard(`${listed}; ${placed}`)).toEqual(told)
  await db.drop()
})

test('reconcile after day one: a sale before the first worker leaves the catalogue as it was', async () => {
  const db = await createStore('spree-4.10', 'fixture')
  const hub = await startRecordingHub({ ours: true })
  await migrate(db)
  // So that products are noted by the pass that takes up the sales.
  await db.pool.query(
    `insert into bridge.seeding (kind, finished_at)
     select kind, now() from unnest('{stock_transfer,order,customer}'::text[]) kind
     on conflict (kind) do update set finished_at = excluded.finished_at`,
  )
  // Of a shirt, and of a hammock that was removed before.
  await db.pool.query('update spree_stock_items set count_on_hand = count_on_hand - 1 where id in (304, 315)')
  const worker = await startTestWorker(db, hub, { reconcileAt: 'off' })
  await worker.settled()
  const { drift } = await reconcile(db)
  expect(drift.filter(({ about }) => ['product', 'stock'].includes(about.kind))).toEqual([])
  expect(hub.requests.flatMap(({ method, type }) => (method === 'POST' ? [type] : []))).toEqual([
    'stock:change',
  ])
  await worker.stop()
  await hub.close()
  await db.drop()
})

test('columns that an upgrade of the shop adds are no drift as long as nothing stands in them', async () => {
  const db = await createStore('spree-4.10', 'fixture')
  await db.pool.query(`
    alter table spree_products drop column status;
    alter table spree_inventory_units drop column quantity;
    alter table spree_orders drop column public_metadata, drop column private_metadata, drop column internal_note;
    alter table spree_users drop column public_metadata`)
  await startCollecting(db)
  await db.pool.query(`
    alter table spree_products add column status varchar;
    alter table spree_inventory_units add column quantity integer default 1;
    alter table spree_orders add column public_metadata jsonb, add column private_metadata jsonb, add column internal_note text;
    alter table spree_users add column public_metadata jsonb`)
  expect((await reconcile(db)).drift.map(nameOf)).toEqual([])
  await db.pool.query(`
    alter table spree_products disable trigger user;
    alter table spree_orders disable trigger user;
    alter table spree_inventory_units disable trigger user;
    update spree_products set status = 'active' where id = 13;
    update spree_inventory_units set quantity = 2 where id = (select min(id) from spree_inventory_units where order_id = 42);
    update spree_orders set internal_note = 'fragile' where id = 41`)
  expect((await reconcile(db)).drift.map(nameOf).sort()).toEqual([
    'order 41 changed',
    'order 42 changed',
    'product 13 changed',
  ])
  await db.drop()
})

test('what a release announced for which null was content is as it was', async () => {
  const db = await createStore('spree-4.10', 'fixture')
  await startCollecting(db)
  // As shape 2 noted them of the same store.
  await db.pool.query(`
    update bridge.baseline b
       set shape = 2, digest = noted.digest
      from (values ('product:11', 'catalogue', '5NNKJ6DYxs41GbqcEf34ncqOWgE='),
                   ('order:42', 'order', '/1/6/2h47+sRSH5o2eHznzQT3J8='),
                   ('customer:1', 'customer', 'EIwanMPTxaCp/TY4spv54fnl/Io=')) noted (aggregate, part, digest)
     where b.aggregate = noted.aggregate and b.part = noted.part`)
  expect((await reconcile(db)).drift.map(nameOf)).toEqual([])
  await db.pool.query(`
    alter table spree_orders disable trigger user;
    update spree_orders set email = 'new@example.com' where id = 42`)
  expect((await reconcile(db)).drift.map(nameOf)).toEqual(['order 42 changed'])
  await db.drop()
})

test('reconcile after day one: a gap that opened while it was under way is closed as soon as it has ended', async () => {
  const db = await createStore('spree-4.10', 'fixture')
  const hub = await startRecordingHub({ ours: true })
  await migrate(db)
  await db.pool.query(
    `insert into bridge.gap (kind, reason) values ('stock', 'triggers_missing'), ('order', 'triggers_missing');
     create function bridge.slowly() returns trigger language plpgsql as
       $$ begin perform pg_sleep(3); return new; end $$;
     create trigger slowly before update on bridge.seeding
        for each row when (new.kind in ('product', 'order') and new.finished_at is not null)
        execute function bridge.slowly()`,
  )
  const worker = await startTestWorker(db, hub)
  const gaps = async () => (await db.pool.query(`select from bridge.gap where ${IS_OPEN}`)).rows.length
  const deadline = Date.now() + 60_000
  while ((await gaps()) > 0 && Date.now() < deadline) await pause(50)
  expect(await gaps()).toBe(0)
  await worker.stop()
  await hub.close()
  await db.drop()
})

test('a pass that came to grief does not put off the repair of what opens after it', async () => {
  const db = await createStore('spree-4.10', 'fixture')
  const hub = await startRecordingHub({ ours: true })
  const worker = await startTestWorker(db, hub, { reconcileAt: 'off' })
  await worker.settled()
  // As it stands when one has begun, and died.
  await db.pool.query(
    `update bridge.reconciliation
        set due_at = clock_timestamp() - interval '2 seconds', started_at = clock_timestamp() - interval '1 second'`,
  )
  await db.pool.query(`insert into bridge.gap (kind, reason) values ('order', 'triggers_missing')`)
  const open = `select from bridge.gap where ${IS_OPEN} union all select from bridge.reconciliation where due_at is not null`
  const deadline = Date.now() + 20_000
  while ((await db.pool.query(open)).rows.length > 0 && Date.now() < deadline) await pause(50)
  expect((await db.pool.query(open)).rows).toEqual([])
  await worker.stop()
  await hub.close()
  await db.drop()
})

test('a kind that cannot be read is not compared; the others are, and their gaps are closed', async () => {
  const db = await createStore('spree-4.10', 'fixture')
  await startCollecting(db)
  await db.pool.query(`
    alter table spree_line_items rename quantity to pieces;
    update bridge.reconciliation set due_at = now() - interval '1 hour';
    insert into bridge.gap (kind, reason) values ('customer', 'triggers_missing'), ('order', 'triggers_missing');
    begin;
    set local session_replication_role = replica;
    update spree_users set email = 'unseen@example.com' where id = 1;
    commit`)
  const { kinds, drift, gaps, clean } = await reconcile(db, { fix: true })
  expect(drift.map(nameOf)).toEqual(['customer 1 changed'])
  expect(kinds.order.unfinished).toMatch(/^it cannot be read: column l\.quantity does not exist/)
  expect(gaps.map(({ kind, closed }) => [kind, closed])).toEqual([
    ['customer', true],
    ['order', false],
  ])
  expect(clean).toBe(false)
  // The gap makes it due again, once it can be closed: until then the rest is not compared every ten minutes.
  const { rows } = await db.pool.query('select due_at from bridge.reconciliation')
  expect(rows).toEqual([{ due_at: null }])
  await db.drop()
})

function nameOf({ about, outcome, missed }: Drift): string {
  const id = about.kind === 'stock' ? about.variantId : about.id
  return [about.kind, id, outcome, ...(missed === undefined ? [] : [missed])].join(' ')
}

/** Some columns of a row's twin stand for other values, whatever columns the table has. */
function copyOf(table: string, id: number, values: Readonly<Record<string, string | number>>): string {
  const pairs = Object.entries(values).map(([name, value]) => `'${name}', ${value}`)
  return `insert into ${table}
          select (jsonb_populate_record(t, jsonb_build_object(${pairs.join(', ')}))).* from ${table} t where id = ${id}`
}
