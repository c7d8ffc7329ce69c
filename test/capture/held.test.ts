import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { judgeGaps } from '../../src/capture/gaps.ts'
import { repairTriggers } from '../../src/capture/triggers.ts'
import { bridgeTroubles } from '../../src/operator/alarms/bridge-troubles.ts'
import { formatStatus, readStatus } from '../../src/operator/show-status.ts'
import { openStore } from '../../src/store/store.ts'
import type { TestDatabase } from '../support/postgres.ts'
import { reconcile } from '../support/reconcile.ts'
import { type RecordingHub, startRecordingHub } from '../support/recording-hub.ts'
import { createStore } from '../support/stores.ts'
import { startTestWorker, type TestWorker } from '../support/worker.ts'

let db: TestDatabase
let hub: RecordingHub
let worker: TestWorker

beforeAll(async () => {
  db = await createStore('spree-4.10', 'fixture')
  hub = await startRecordingHub({ ours: true })
  worker = await startTestWorker(db, hub, { settleQuietMs: 100 })
  await until(isReady)
})
afterAll(async () => {
  await worker.stop()
  await hub.close()
  await db.drop()
})

const told = () =>
  hub.requests
    .filter(({ method }) => method === 'POST')
    .map(({ type, payload }) => [
      type,
      payload['number'] ?? payload['sku'],
      payload['quantity'] ?? payload['name'] ?? payload['email'],
    ])

const waiting = async () => {
  const { rows } = await db.pool.query<{ what: string }>(
    `select distinct kind || ' ' || coalesce(parent, row_id) as what from bridge.outbox order by what`,
  )
  return rows.map(({ what }) => what)
}

const ready = async () => {
  const response = await fetch(`${worker.url}/readyz`)
  const { reasons } = (await response.json()) as { reasons: string[] }
  return [response.status, reasons] as const
}

/** Triggers are put right beside all else, and where a table was locked just then, by the next look. */
const isReady = async () => (await ready())[0] === 200

/** What the worker does by itself soon after a gap; it would tell what the next test changes. */
const isReconciled = async () => {
  const { rows } = await db.pool.query(
    `select from bridge.gap where closed_at is null or closed_at = 'infinity'
      union all
     select from bridge.reconciliation where due_at is not null`,
  )
  return rows.length === 0
}

const until = async (holds: () => Promise<boolean>) => {
  const deadline = Date.now() + 60_000
  while (!(await holds())) {
    if (Date.now() > deadline)
      throw new Error(`Not so after a minute: ${holds}. Told: ${JSON.stringify(told())}`)
    await pause(50)
  }
}

test('a column gone from under a running worker holds the kind that needs it, in the outbox and plain to see; the others go on', async () => {
  await db.pool.query('alter table spree_products rename description to story')
  // A product that changes, one that is new with its stock; then the stock of an old one and an order.
  await db.pool.query(`update spree_products set name = 'Steel Compass' where id = 13`)
  // What no trigger takes for a change: it knows no such column.
  await db.pool.query(`update spree_products set story = 'Of tin.' where id = 17`)
  await db.pool.query(`
    insert into spree_products (id, name, slug, status, created_at, updated_at)
    values (9001, 'Sea Chest', 'sea-chest', 'active', now(), now());
    insert into spree_variants (id, sku, product_id, is_master, position, created_at, updated_at)
    values (9101, 'SC', 9001, true, 1, now(), now());
    insert into spree_stock_items (variant_id, stock_location_id, count_on_hand, created_at, updated_at)
    values (9101, 1, 4, now(), now())`)
  await until(async () => (await ready())[0] === 503)
  await db.pool.query('update spree_stock_items set count_on_hand = count_on_hand + 5 where id = 306')
  await db.pool.query(`update spree_orders set email = 'new@example.com' where id = 42`)
  await until(async () => told().length === 2)

  expect(told().sort()).toEqual([
    ['order:persist', 'R204817352', 'new@example.com'],
    ['stock:change', 'BC-01', 5],
  ])
  expect(await waiting()).toEqual(['product 13', 'product 9001', 'stock 9101'])
  expect(await ready()).toEqual([
    503,
    ['kinds: changes of product wait: column p.description does not exist'],
  ])
  const held = 'held    changes of product wait in the outbox: column p.description does not exist'
  await until(async () => formatStatus(await readStatus(db.pool, 12)).includes(held))
  expect(bridgeTroubles(await readStatus(db.pool, 12), 300)).toMatchObject([
    {
      cause: 'parked',
      subject: 'changes of product',
      text: expect.stringContaining('column p.description does not exist'),
    },
  ])

  const gaps = async () =>
    (await judgeGaps(db.pool, await openStore(db.pool), 0)).map(({ kind, reason, keptOpen }) => [
      kind,
      reason,
      keptOpen,
    ])
  expect(await gaps()).toEqual([['product', 'unreadable', 'its tables are not as the triggers know them']])
  await db.pool.query('alter table spree_products rename story to description')
  await worker.settled()
  expect(told().slice(2)).toEqual(
    expect.arrayContaining([
      ['product:update', 'BC-01', 'Steel Compass'],
      ['product:new', 'SC', 'Sea Chest'],
      ['stock:change', 'SC', 4],
    ]),
  )
  const ofTheNew = told().filter(([, sku]) => sku === 'SC')
  expect(ofTheNew.map(([type]) => type)).toEqual(['product:new', 'stock:change'])
  await until(isReady)

  // The worker does both by itself within seconds, maybe by now.
  await repairTriggers(db.pool, await openStore(db.pool), 5)
  // A pass leaves the gap open as long as any transaction runs that may have written meanwhile, the worker's own among them.
  await until(async () => {
    await reconcile(db, { fix: true })
    return (await gaps()).length === 0
  })
  await worker.settled()
  expect(told()).toHaveLength(6)
  expect(told().filter(([, sku]) => sku === 'TM-1')).toEqual([['product:update', 'TM-1', 'Tin Mug']])
  await until(isReconciled)
})

test('a table renamed does the same to all that is read from it', async () => {
  await db.pool.query('alter table spree_line_items rename to spree_lines')
  await db.pool.query(`update spree_lines set quantity = quantity + 1 where order_id = 42`)
  await until(async () => (await ready())[0] === 503)
  await db.pool.query('update spree_products set name = $1 where id = 13', ['Brass Compass'])
  await until(async () => told().length === 7)
  expect(told()[6]).toEqual(['product:update', 'BC-01', 'Brass Compass'])
  expect(await ready()).toEqual([
    503,
    [
      expect.stringMatching(
        /^kinds: changes of order wait: relation "public.spree_line_items" does not exist/,
      ),
    ],
  ])
  await db.pool.query('alter table spree_lines rename to spree_line_items')
  await worker.settled()
  expect(told().slice(7)).toEqual([['order:persist', 'R204817352', 'new@example.com']])
  await until(isReconciled)
})

test('what a change of another kind touches of one that is held waits as well, and holds up nothing', async () => {
  await db.pool.query(`
    insert into spree_addresses (id, firstname, city, country_id, created_at, updated_at)
    values (9301, 'Joan', 'Oslo', (select min(id) from spree_countries), now(), now());
    update spree_users set bill_address_id = 9301, ship_address_id = 9301 where id = 1`)
  await worker.settled()
  const heard = told().length
  await db.pool.query('alter table spree_users rename email to mail')
  await db.pool.query(`update spree_addresses set city = 'Bergen' where id = 9301`)
  await db.pool.query(`update spree_orders set email = 'later@example.com' where id = 42`)
  await until(async () => told().length > heard)
  expect(told().slice(heard)).toEqual([['order:persist', 'R204817352', 'later@example.com']])
  expect(await waiting()).toEqual(['order 9301'])
  await db.pool.query('alter table spree_users rename mail to email')
  await worker.settled()
  expect(told().slice(heard + 1)).toEqual([['user:updated', undefined, expect.any(String)]])
  await until(isReady)
  await until(isReconciled)
})

test('a product whose SKUs change waits for its stock, which is told by SKU, where that is held; other products and orders do not', async () => {
  const heard = told().length
  await db.pool.query('alter table spree_stock_items rename count_on_hand to pieces')
  await db.pool.query(`update spree_variants set sku = 'TM-2' where sku = 'TM-1'`)
  await db.pool.query(`update spree_products set name = 'Late Compass' where id = 13`)
  await db.pool.query(`update spree_orders set email = 'latest@example.com' where id = 42`)
  await until(async () => told().length >= heard + 2)
  expect(told().slice(heard).sort()).toEqual([
    ['order:persist', 'R204817352', 'latest@example.com'],
    ['product:update', 'BC-01', 'Late Compass'],
  ])
  expect(await waiting()).toEqual(['product 17'])
  await db.pool.query('alter table spree_stock_items rename pieces to count_on_hand')
  await until(async () => told().some(([, sku]) => sku === 'TM-2'))
  expect(await waiting()).not.toContain('product 17')
  await until(isReady)
  await until(isReconciled)
})

test('a column that not every version has is done without at once', async () => {
  const heard = told().length
  const complaints = worker.complaints().length
  await db.pool.query('alter table spree_products drop column status')
  await db.pool.query(`update spree_products set name = 'Old Compass' where id = 13`)
  await worker.settled()
  expect(told().slice(heard)).toEqual([['product:update', 'BC-01', 'Old Compass']])
  await until(isReady)
  // It met the error, or had read the tables anew before it could.
  expect(worker.complaints().slice(complaints).join('\n')).not.toContain('wait in the outbox')
})

test('a table of customers that lacks what tells it from others is not exchanged for another under a running worker', async () => {
  await db.pool.query(
    'create table customers (id bigint primary key, email text, created_at timestamp, updated_at timestamp)',
  )
  await db.pool.query('alter table spree_users rename email to mail')
  await db.pool.query(`update spree_users set first_name = 'Joan' where id = 1`)
  const isHeld = async () =>
    (await ready())[1].some((why: string) =>
      /changes of customer wait: column .*email does not exist/.test(why),
    )
  await until(isHeld)
  await db.pool.query('alter table spree_users rename mail to email')
  await until(isReady)
})

test('one that starts over such a store knows that something may go unseen, though nothing is recorded', async () => {
  await worker.stop()
  await db.pool.query('alter table spree_prices rename amount to sum')
  worker = await startTestWorker(db, hub)
  const gap = async () =>
    (
      await db.pool.query(
        `select distinct kind from bridge.gap where reason = 'unreadable' and closed_at is null`,
      )
    ).rows
  await until(async () => (await gap()).some((open) => open['kind'] === 'product'))
  const { text } = bridgeTroubles(await readStatus(db.pool, 12), 300).find(
    ({ subject }) => subject === 'changes of product',
  )!
  expect(text).toMatch(/may go unseen.*`spree-bridge doctor` says what is missing/)
})
