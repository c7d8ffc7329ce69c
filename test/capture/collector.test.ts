import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { Collect, type CollectSettings } from '../../src/capture/collect.ts'
import { startCollector } from '../../src/capture/collector.ts'
import type { Pool } from '../../src/postgres/pool.ts'
import { claimLease, registerWorker, releaseWorker } from '../../src/postgres/worker-lease.ts'
import { countLanes } from '../../src/queue/enqueue.ts'
import { BRIDGE_QUEUE } from '../../src/queue/message.ts'
import type { Store } from '../../src/store/store.ts'
import { startCollecting } from '../support/collecting.ts'
import type { TestDatabase } from '../support/postgres.ts'
import { createStore } from '../support/stores.ts'

let database: TestDatabase
let pool: Pool
let store: Store

beforeAll(async () => {
  database = await createStore('spree-4.10', 'fixture')
  pool = database.pool
  store = (await startCollecting(database)).store
  await pool.query('delete from bridge.worker')
})
afterAll(() => database.drop())

const SETTINGS: CollectSettings = {
  settle: { quietMilliseconds: 0, atMostMilliseconds: 0 },
  stockMessages: 'change',
  orderMessages: 'persist',
  statementTimeoutMilliseconds: 30_000,
}
const LONG = { quietMilliseconds: 4_000, atMostMilliseconds: 4_000 }

const RENAME = `
update spree_products p
   set name = name || ' II'
  from spree_variants v
  join spree_stock_items i on i.variant_id = v.id
 where p.id = v.product_id and i.id = 301`
const SALE_AND_RENAME = `
with sold as (update spree_stock_items set count_on_hand = count_on_hand - 2 where id = 301)
${RENAME}`

const register = () => registerWorker(pool, 'bridge.worker', { process: 'test', version: '0' }, 600_000, '{}')

async function told(type: string): Promise<number> {
  const { rows } = await pool.query<{ count: number }>(
    'select count(*)::integer as count from bridge.message where type = $1',
    [type],
  )
  return rows[0]?.count ?? 0
}

async function until(condition: () => Promise<boolean> | boolean): Promise<void> {
  const deadline = Date.now() + 60_000
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`it did not come about: ${condition}`)
    await pause(20)
  }
}

/** As another worker does that takes over: everything that waits, told at once. */
async function takeOver(): Promise<void> {
  const workerId = await register()
  const epoch = await claimLease(pool, 'collector', workerId)
  if (epoch === undefined) throw new Error('The lease is not free.')
  const collect = new Collect(pool, store, await countLanes(pool, BRIDGE_QUEUE), SETTINGS)
  for (let pass = await collect.pass({ workerId, epoch }, 0); pass.aggregates > 0 || pass.more; )
    pass = await collect.pass({ workerId, epoch }, 0)
  await releaseWorker(pool, 'bridge.worker', workerId)
}

test('what a collector had read when it lost its lease it does not tell when it has it again', async () => {
  let own: string | undefined = await register()
  let rows = 0
  const errors: unknown[] = []
  const collector = startCollector({
    pool,
    store,
    laneCount: await countLanes(pool, BRIDGE_QUEUE),
    settings: { ...SETTINGS, settle: LONG },
    workerId: () => own,
    hears: () => false,
    reopen: async () => {},
    onPass: ({ rowsRead }) => {
      rows += rowsRead.length
    },
    onHeld: () => {},
    onError: (error) => errors.push(error),
  })
  try {
    await until(() => collector.isCollecting())
    await pool.query(SALE_AND_RENAME)
    await until(() => rows === 2)

    // It settles. The worker stands still past its lease, and another tells what waits and goes.
    const before = own
    own = undefined
    await until(() => !collector.isCollecting())
    await releaseWorker(pool, 'bridge.worker', before)
    await takeOver()
    expect([await told('stock:change'), await told('product:update')]).toEqual([1, 1])

    own = await register()
    await until(() => collector.isCollecting())
    await pool.query(RENAME)
    await until(async () => (await told('product:update')) > 1)
    expect([await told('stock:change'), await told('product:update')]).toEqual([1, 2])
    expect(errors).toEqual([])
  } finally {
    await collector.stop()
  }
})

test('what comes in many transactions of some thousand changes each is not all held in memory', async () => {
  await pool.query('delete from bridge.worker')
  const workerId = await register()
  const epoch = await claimLease(pool, 'collector', workerId)
  if (epoch === undefined) throw new Error('The lease is not free.')
  const collect = new Collect(pool, store, await countLanes(pool, BRIDGE_QUEUE), {
    ...SETTINGS,
    settle: LONG,
  })
  let most = 0
  let waiting = 0
  for (let transaction = 0; waiting > 0 || transaction < 6; transaction++) {
    if (transaction < 6)
      await pool.query(
        `insert into bridge.outbox (kind, table_name, row_id, op)
         select 'order', 'spree_orders', $1::bigint + n % 50, 'update' from generate_series(1, 9000) n`,
        [1_000_000 * (transaction + 1)],
      )
    await collect.pass({ workerId, epoch }, transaction < 6 ? 0 : 10_000)
    waiting = collect.waitingRows
    most = Math.max(most, waiting)
  }
  expect(most).toBeLessThanOrEqual(30_000)
  const { rows } = await pool.query('select count(*)::integer as left from bridge.outbox')
  expect(rows).toEqual([{ left: 0 }])
  await releaseWorker(pool, 'bridge.worker', workerId)
})

test('what waits aside for a kind that is held does not stand in the way of the rest, however much it is', async () => {
  const workerId = await register()
  const epoch = await claimLease(pool, 'collector', workerId)
  if (epoch === undefined) throw new Error('The lease is not free.')
  await pool.query(`
    insert into spree_addresses (id, firstname, created_at, updated_at) values (9301, 'Joan', now(), now());
    update spree_users set bill_address_id = 9301 where id = 1;
    delete from bridge.outbox;
    insert into bridge.outbox (kind, table_name, row_id, op)
    select 'order', 'spree_addresses', '9301', 'update' from generate_series(1, 25000);
    update spree_orders set email = 'behind@example.com' where id = 42`)
  const collect = new Collect(
    pool,
    store,
    await countLanes(pool, BRIDGE_QUEUE),
    SETTINGS,
    new Set(['customer']),
  )
  const before = await told('order:persist')
  for (let pass = 0; pass < 5; pass++) await collect.pass({ workerId, epoch }, pass)
  expect(await told('order:persist')).toBe(before + 1)
  const { more } = await collect.pass({ workerId, epoch }, 10)
  expect([more, collect.settlesIn(10)]).toEqual([false, undefined])
  const { rows } = await pool.query('delete from bridge.outbox returning row_id')
  expect(rows).toHaveLength(25_000)
  await releaseWorker(pool, 'bridge.worker', workerId)
})

test('what a held kind keeps back of a customer is told, though all that was read of it is the hub’s', async () => {
  const workerId = await register()
  const epoch = await claimLease(pool, 'collector', workerId)
  if (epoch === undefined) throw new Error('The lease is not free.')
  await pool.query(`update spree_addresses set city = 'Tromsø' where id = 9301`)
  await pool.query(
    `select set_config('bridge.origin', '1:52811a8584a8169f7a000001', true);
     update spree_users set first_name = 'By the hub' where id = 1`,
  )
  const laneCount = await countLanes(pool, BRIDGE_QUEUE)
  const held = new Collect(pool, store, laneCount, SETTINGS, new Set(['order']))
  await held.pass({ workerId, epoch }, 0)
  await held.pass({ workerId, epoch }, 1_000)
  const released = new Collect(pool, store, laneCount, SETTINGS)
  await released.pass({ workerId, epoch }, 2_000)
  await released.pass({ workerId, epoch }, 3_000)
  const { rows } = await pool.query<{ payload: string }>(
    `select payload::text as payload from bridge.message where type = 'user:updated' order by id desc limit 1`,
  )
  expect(rows[0]?.payload).toContain('Tromsø')
  await releaseWorker(pool, 'bridge.worker', workerId)
})

test('changes recorded under a name that no table has any more are a gap, whoever meets them', async () => {
  await pool.query('delete from bridge.worker')
  const gaps = async () =>
    (await pool.query('select kind, reason, table_name from bridge.gap order by kind')).rows
  await pool.query(
    `insert into bridge.outbox (kind, table_name, row_id, op, parent)
     select k, t, n, 'update', '1'
       from (values ('stock', 'spree_stock_cells'), ('order', 'spree_parcels'), ('cart', 'spree_baskets')) v (k, t)
      cross join generate_series(1, 2) n`,
  )
  await takeOver()
  const opened = [
    { kind: 'order', reason: 'unknown_table', table_name: 'spree_parcels' },
    { kind: 'stock', reason: 'unknown_table', table_name: 'spree_stock_cells' },
  ]
  expect(await gaps()).toEqual(opened)
  await pool.query(
    `insert into bridge.outbox (kind, table_name, op) values ('stock', 'spree_stock_cells', 'delete')`,
  )
  await takeOver()
  expect(await gaps()).toEqual(opened)
})
