import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import { missingGrants } from '../../src/capture/rights.ts'
import { findRepairs, purgeSchema, removeCapture, repairTriggers } from '../../src/capture/triggers.ts'
import { applyMigrations, readMigrations } from '../../src/postgres/migrate.ts'
import type { Pool } from '../../src/postgres/pool.ts'
import { type LiveStore, openLiveStore } from '../../src/store/live-store.ts'
import { watchLocks } from '../support/lock-watch.ts'
import { createDatabase, type TestDatabase } from '../support/postgres.ts'
import { createStore } from '../support/stores.ts'

const ATTEMPTS = 5

let template: TestDatabase
let templateName: string
let database: TestDatabase
let pool: Pool
let store: LiveStore

/** Each test gets a copy of a store in which all triggers are in place. */
beforeAll(async () => {
  template = await createStore('spree-4.10', 'fixture')
  templateName = new URL(template.url).pathname.slice(1)
  await applyMigrations(template.pool, 'bridge', await readMigrations('migrations/bridge'))
  await repairTriggers(template.pool, await openLiveStore(template.pool), ATTEMPTS)
  await template.pool.end()
})

beforeEach(async () => {
  database = await createDatabase(templateName)
  pool = database.pool
  store = await openLiveStore(pool)
})

afterEach(() => database.drop())

afterAll(async () => {
  const again = await createDatabase()
  await again.pool.query(`select pg_terminate_backend(pid) from pg_stat_activity where datname = $1`, [
    templateName,
  ])
  await again.pool.query(`drop database ${templateName}`)
  await again.drop()
})

async function tablesToRepair(): Promise<string[]> {
  await store.reopen(pool)
  return (await findRepairs(pool, store)).map(({ table }) => table)
}

async function repair(): Promise<string[]> {
  await store.reopen(pool)
  return (await repairTriggers(pool, store, ATTEMPTS)).map(
    ({ table, gap }) => `${table}${gap ? ': gap' : ''}`,
  )
}

async function gaps(): Promise<string[]> {
  const { rows } = await pool.query<{ text: string }>(
    `select concat_ws(' ', kind, reason, table_name) as text from bridge.gap order by id`,
  )
  return rows.map(({ text }) => text)
}

async function recordedIn(table: string): Promise<string[]> {
  const { rows } = await pool.query<{ text: string }>(
    `select concat_ws(' ', kind, row_id, op, parent, delta) as text from bridge.outbox where table_name = $1 order by id`,
    [table],
  )
  return rows.map(({ text }) => text)
}

/** The same pool at the other end of the world: each statement of a transaction arrives a quarter of a second late. */
function slow(quick: Pool): Pool {
  return {
    query: (text, values) => quick.query(text, values),
    end: () => quick.end(),
    connect: async () => {
      const connection = await quick.connect()
      return {
        query: async (text, values) => {
          await pause(1_000)
          return connection.query(text, values)
        },
        release: (error) => connection.release(error),
        openedAt: connection.openedAt,
      }
    },
  }
}

test('where all is in place there is nothing to do', async () => {
  expect(await tablesToRepair()).toEqual([])
  expect(await gaps()).toEqual([])
})

describe('what somebody took away is put back, and the gap is recorded once', () => {
  test.each([
    ['a dropped trigger', 'drop trigger bridge_update on spree_stock_items'],
    ['a disabled trigger', 'alter table spree_stock_items disable trigger bridge_update'],
    ['all triggers disabled', 'alter table spree_stock_items disable trigger user'],
    [
      'triggers that fire on replicas only',
      'alter table spree_stock_items enable replica trigger bridge_update',
    ],
    ['a dropped function', 'drop function bridge.capture_spree_stock_items() cascade'],
    [
      'a table made anew',
      `create table public.kept (like spree_stock_items including all);
       insert into public.kept select * from spree_stock_items;
       drop table spree_stock_items cascade;
       alter table public.kept rename to spree_stock_items`,
    ],
    [
      'a table swapped for another while the old one stays',
      `create table public.kept (like spree_stock_items including all);
       insert into public.kept select * from spree_stock_items;
       alter table spree_stock_items rename to spree_stock_items_old;
       alter table public.kept rename to spree_stock_items`,
    ],
  ])('%s', async (_what, damage) => {
    await pool.query(damage)
    expect(await tablesToRepair()).toEqual(['spree_stock_items'])
    expect(await repair()).toEqual(['spree_stock_items: gap'])
    expect(await repair()).toEqual([])
    expect(await gaps()).toEqual(['stock triggers_missing spree_stock_items'])

    await pool.query('update spree_stock_items set count_on_hand = count_on_hand - 1 where id = 301')
    expect(await recordedIn('spree_stock_items')).toEqual(['stock 301 update 102 -1'])

    await pool.query('drop trigger bridge_insert on spree_stock_items')
    await repair()
    expect(await gaps()).toHaveLength(1)
  })
})

test('a table that is gone is let alone until it comes back', async () => {
  await pool.query('create schema attic; alter table spree_refunds set schema attic')
  expect(await repair()).toEqual(['spree_refunds'])
  expect(await gaps()).toEqual([])
  await pool.query(`update attic.spree_refunds set updated_at = now()`)

  await pool.query('alter table attic.spree_refunds set schema public')
  expect(await repair()).toEqual(['spree_refunds: gap'])
  expect(await gaps()).toEqual(['order triggers_missing spree_refunds'])
})

test('a table renamed to another watched name brings its old triggers along, which are replaced', async () => {
  await pool.query('drop table spree_refunds cascade')
  await pool.query(
    'alter table spree_payments rename to spree_refunds; alter table spree_refunds add transaction_id text',
  )
  await pool.query('create table public.spree_payments (like spree_refunds including all)')
  expect(new Set(await repair())).toEqual(new Set(['spree_refunds: gap', 'spree_payments: gap']))
  expect(await repair()).toEqual([])
  const { rows } = await pool.query<{ text: string }>(
    `select distinct tgrelid::regclass::text || ' ' || p.proname as text
       from pg_trigger join pg_proc p on p.oid = tgfoid
      where tgname like 'bridge\\_%' and tgrelid in ('spree_refunds'::regclass, 'spree_payments'::regclass)
      order by 1`,
  )
  expect(rows.map(({ text }) => text)).toEqual([
    'spree_payments capture_spree_payments',
    'spree_refunds capture_spree_refunds',
  ])
})

test("the store's own migrations: a new column is watched, a dropped one is not, and nothing went unseen", async () => {
  await pool.query('alter table spree_variants add warehouse_code text, drop column weight')
  expect(await repair()).toEqual(['spree_variants'])
  expect(await gaps()).toEqual([])
  await pool.query(`update spree_variants set warehouse_code = 'A1' where id = 102`)
  expect(await recordedIn('spree_variants')).toEqual([expect.stringMatching(/^product 102 update/)])
})

describe('two releases side by side', () => {
  async function rewriteFunction(change: string): Promise<void> {
    const { rows } = await pool.query<{ definition: string }>(
      `select ${change} as definition from pg_proc where proname = 'capture_spree_orders'`,
    )
    await pool.query(rows[0]!.definition)
  }

  test('an older function is replaced in place: nothing went unseen', async () => {
    await rewriteFunction(`replace(pg_get_functiondef(oid), 'capture version 1', 'capture version 0')`)
    expect(await repair()).toEqual(['spree_orders'])
    expect(await gaps()).toEqual([])
  })

  test('the function of a newer release is left alone', async () => {
    await rewriteFunction(`replace(pg_get_functiondef(oid), 'capture version 1', 'capture version 2')`)
    expect(await repair()).toEqual([])
  })
})

test('several processes that repair at once do it once, and none is disturbed by another', async () => {
  for (let round = 0; round < 5; round++) {
    await pool.query('delete from bridge.gap')
    await pool.query('drop function bridge.capture_spree_stock_items() cascade')
    await store.reopen(pool)
    const repairs = await Promise.all(Array.from({ length: 6 }, () => repairTriggers(pool, store, ATTEMPTS)))
    expect(repairs.flat().map(({ table }) => table)).toEqual(['spree_stock_items'])
    expect(await gaps()).toEqual(['stock triggers_missing spree_stock_items'])
    expect(await tablesToRepair()).toEqual([])
  }
})

test('a table that stays locked is named, and does not keep the others from their repair', async () => {
  await pool.query('drop trigger bridge_update on spree_orders; drop trigger bridge_insert on spree_variants')
  const holder = await pool.connect()
  const watch = await watchLocks(database)
  let waited: number
  try {
    await holder.query('begin; lock table spree_orders in row exclusive mode')
    await expect(repairTriggers(pool, store, 2)).rejects.toMatchObject({
      code: 'locked',
      message: expect.stringContaining('Table spree_orders stayed locked'),
    })
    expect(await tablesToRepair()).toEqual(['spree_orders'])
  } finally {
    await holder.query('rollback')
    holder.release()
    waited = (await watch.stop()).waitedMs
  }
  // Whoever writes there meanwhile waits as long: 200 ms, and what a busy machine adds.
  expect(waited).toBeLessThan(2_000)
})

test('over a slow line a table is locked no longer than over a quick one: 200 ms at most', async () => {
  // 200 ms, and what a busy machine adds; over the line it would be a second.
  const heldDuring = async (act: () => Promise<readonly unknown[]>) => {
    const watch = await watchLocks(database)
    const done = await act()
    const { heldMs } = await watch.stop()
    return { done: done.length, asPromised: heldMs < 800 }
  }
  await pool.query('drop trigger bridge_update on spree_orders')
  const oneInTime = { done: 1, asPromised: true }
  expect(await heldDuring(() => repairTriggers(slow(pool), store, ATTEMPTS))).toEqual(oneInTime)

  // One table is enough to see.
  await pool.query(`do $$
    declare name text;
    begin
      for name in select proname from pg_proc where proname like 'capture\\_%' and proname <> 'capture_spree_orders' loop
        execute format('drop function bridge.%I cascade', name);
      end loop;
    end $$`)
  expect(await heldDuring(() => removeCapture(slow(pool), ATTEMPTS))).toEqual(oneInTime)
})

describe('uninstalling', () => {
  test('leaves no trigger, and no worker that still runs puts one back', async () => {
    await pool.query(
      `insert into bridge.installation (database_name, database_oid) values (current_database(), '1')`,
    )
    const removed = await removeCapture(pool, ATTEMPTS)
    expect(removed).toEqual(store.watched.map(({ table }) => table).sort())
    expect(await repairTriggers(pool, store, ATTEMPTS)).toEqual([])
    const { rows } = await pool.query(`select tgname from pg_trigger where tgname like 'bridge\\_%'`)
    expect(rows).toEqual([])
    expect(await gaps()).toContain('stock uninstalled spree_stock_items')

    await pool.query('update bridge.installation set installed = true')
    expect(await repair()).toHaveLength(store.watched.length)
    expect(await removeCapture(pool, ATTEMPTS)).toEqual(removed)
    expect(await gaps()).toHaveLength(store.watched.length)
  })

  test('and purging leaves nothing at all', async () => {
    await removeCapture(pool, ATTEMPTS)
    await purgeSchema(pool, ATTEMPTS)
    const { rows } = await pool.query(`select nspname from pg_namespace where nspname = 'bridge'`)
    expect(rows).toEqual([])
  })
})

test('a role that may do all lacks no grant', async () => {
  expect(await missingGrants(pool, store)).toEqual([])
})

test('once carts are told, the trigger of orders is another, and so it is after the store was read anew', async () => {
  const telling = await openLiveStore(pool, { carts: 'on' })
  await telling.reopen(pool)
  expect(telling.kinds).toContain('cart')
  const repairs = await findRepairs(pool, telling)
  expect(repairs.map(({ table, unseen, gap }) => [table, unseen, gap])).toEqual([
    ['spree_orders', false, false],
  ])
  await repairTriggers(pool, telling, ATTEMPTS)
  await pool.query(`update spree_orders set email = 'nina@example.com' where id = 46`)
  const { rows } = await pool.query('select table_name, row_id, op from bridge.outbox')
  expect(rows).toEqual([{ table_name: 'spree_orders', row_id: '46', op: 'update' }])
  await repairTriggers(pool, store, ATTEMPTS)
  await pool.query(`update spree_orders set email = 'ines@example.com' where id = 46`)
  expect((await pool.query('select from bridge.outbox')).rowCount).toBe(1)
})
