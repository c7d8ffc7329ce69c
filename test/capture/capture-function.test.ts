import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import { captureOf } from '../../src/capture/capture-function.ts'
import { applyMigrations, readMigrations } from '../../src/postgres/migrate.ts'
import type { Pool } from '../../src/postgres/pool.ts'
import type { WatchedTable } from '../../src/store/store.ts'
import { createDatabase, type TestDatabase } from '../support/postgres.ts'

const all = ['insert', 'update', 'delete'] as const

const orders: WatchedTable = {
  table: 'spree_orders',
  kind: 'order',
  operations: all,
  id: 'id',
  parent: null,
  owner: 'root',
  placed: 'completed_at',
  carts: false,
  cart: null,
  level: null,
  columns: ['id', 'number', 'email', 'total', 'metadata', 'completed_at'],
}
const lines: WatchedTable = {
  ...orders,
  table: 'spree_line_items',
  parent: 'order_id',
  placed: null,
  columns: ['id', 'order_id', 'quantity'],
}
const stock: WatchedTable = {
  ...lines,
  table: 'spree_stock_items',
  kind: 'stock',
  parent: 'variant_id',
  level: { count: 'count_on_hand', deleted: 'deleted_at' },
  columns: ['count_on_hand', 'deleted_at', 'variant_id', 'stock_location_id'],
}

let database: TestDatabase
let pool: Pool

beforeAll(async () => {
  database = await createDatabase()
  pool = database.pool
  await applyMigrations(pool, 'bridge', await readMigrations('migrations/bridge'))
})

afterAll(() => database.drop())

beforeEach(async () => {
  await pool.query('drop table if exists spree_orders, spree_line_items, spree_stock_items cascade')
  await pool.query(`
    create table public.spree_orders (id serial primary key, number text, email text, total numeric, metadata json,
                               completed_at timestamp, updated_at timestamp);
    create table public.spree_line_items (id serial primary key, order_id bigint, quantity int, updated_at timestamp);
    create table public.spree_stock_items (id serial primary key, variant_id bigint, stock_location_id bigint,
                                    count_on_hand int, allocated_count int default 0, deleted_at timestamp, updated_at timestamp)`)
  for (const table of [orders, lines, stock]) {
    const capture = captureOf('public', table)
    await pool.query(capture.createFunction)
    for (const trigger of capture.triggers) await pool.query(trigger.create)
  }
  await pool.query('delete from bridge.outbox; delete from bridge.gap')
  await pool.query(
    `select setval('bridge.pulse_collected_id', nextval('bridge.outbox_id_seq')),
            setval('bridge.pulse_fuse_rows', 1000000), setval('bridge.pulse_asleep', 0)`,
  )
})

async function recorded(): Promise<string[]> {
  const { rows } = await pool.query<{ text: string }>(
    `select concat_ws(' ', kind, table_name, row_id, op, 'of ' || parent, 'was ' || parent_old, 'by ' || delta, 'from ' || nullif(origin, '')) as text
       from bridge.outbox order by id`,
  )
  return rows.map((row) => row.text)
}

describe('orders', () => {
  test('a cart says nothing, its completion is an insert', async () => {
    await pool.query(`insert into spree_orders (id, number) values (1, 'R1')`)
    await pool.query(`update spree_orders set email = 'a@example.com'`)
    await pool.query(`delete from spree_orders`)
    expect(await recorded()).toEqual([])

    await pool.query(`insert into spree_orders (id, number) values (2, 'R2')`)
    await pool.query(`update spree_orders set completed_at = now()`)
    expect(await recorded()).toEqual(['order spree_orders 2 insert'])
  })

  test('where carts are told their rows are recorded, and their completion is an insert still', async () => {
    const whole = { ...orders, carts: true }
    await pool.query(captureOf('public', whole).createFunction)
    await pool.query(`insert into spree_orders (id, number) values (1, 'R1'), (2, 'R2'), (3, 'R3')`)
    await pool.query(`update spree_orders set email = 'a@example.com' where id = 1`)
    await pool.query(`update spree_orders set completed_at = now() where id = 1`)
    await pool.query(
      `update spree_orders set email = 'b@example.com', completed_at = case when id < 3 then now() end`,
    )
    await pool.query('delete from spree_orders where id = 3')
    expect((await recorded()).sort()).toEqual([
      'order spree_orders 1 insert',
      'order spree_orders 1 insert',
      'order spree_orders 1 update',
      'order spree_orders 1 update',
      'order spree_orders 2 insert',
      'order spree_orders 2 insert',
      'order spree_orders 3 delete',
      'order spree_orders 3 insert',
      'order spree_orders 3 update',
    ])
  })

  test('a row that is of a cart names it, and one that passes to its order both', async () => {
    await pool.query('alter table spree_line_items add cart_id bigint')
    await pool.query(captureOf('public', { ...lines, cart: 'cart_id' }).createFunction)
    await pool.query('insert into spree_line_items (id, cart_id, quantity) values (1, 7, 1), (2, null, 1)')
    await pool.query('update spree_line_items set order_id = 5, cart_id = null where id = 1')
    await pool.query('alter table spree_line_items drop cart_id')
    await pool.query('update spree_line_items set quantity = 2 where id = 1')
    expect((await recorded()).sort()).toEqual([
      'order spree_line_items 1 insert of cart 7',
      'order spree_line_items 1 update of 5 was 5',
      'order spree_line_items 1 update of 5 was cart 7',
      'order spree_line_items 2 insert',
    ])
  })

  test('rows in which only updated_at moved are left out of a bulk update', async () => {
    await pool.query(
      `insert into spree_orders (id, number, email, completed_at) values (1, 'R1', 'x', now()), (2, 'R2', 'y', now())`,
    )
    await pool.query('delete from bridge.outbox')
    await pool.query(`update spree_orders set updated_at = now()`)
    await pool.query(`update spree_orders set email = 'x', updated_at = now()`)
    expect(await recorded()).toEqual(['order spree_orders 2 update'])
  })

  test('a bulk update of carts is not compared each with each', async () => {
    await pool.query(`insert into spree_orders (number) select 'R' || i from generate_series(1, 20000) i`)
    const connection = await pool.connect()
    try {
      await connection.query(`begin; set local statement_timeout = '10s'`)
      await connection.query(`update spree_orders set email = 'x'`)
    } finally {
      await connection.query('rollback')
      connection.release()
    }
    expect(await recorded()).toEqual([])
  })

  test('of a bulk update of carts and placed orders only those that are or were placed are told', async () => {
    await pool.query(
      `insert into spree_orders (id, completed_at) values (1, null), (2, null), (3, now()), (4, now()), (5, now())`,
    )
    await pool.query('delete from bridge.outbox')
    await pool.query(
      `update spree_orders set completed_at = case id when 2 then now() when 4 then null else completed_at end,
                               email = case id when 3 then 'x' end`,
    )
    expect((await recorded()).sort()).toEqual([
      'order spree_orders 2 insert',
      'order spree_orders 3 update',
      'order spree_orders 4 update',
    ])
  })

  test('a json column, which has no equality, is compared all the same', async () => {
    await pool.query(`insert into spree_orders (id, metadata, completed_at) values (1, '{"a":1}', now())`)
    await pool.query(`update spree_orders set metadata = '{"a":1}'`)
    await pool.query(`update spree_orders set metadata = '{"a":2}'`)
    expect(await recorded()).toEqual(['order spree_orders 1 insert', 'order spree_orders 1 update'])
  })

  test('a statement that touches no row, or a rolled back one, leaves nothing', async () => {
    await pool.query(`update spree_orders set email = 'x' where false`)
    const connection = await pool.connect()
    await connection.query('begin')
    await connection.query(`insert into spree_orders (completed_at) values (now())`)
    await connection.query('rollback')
    connection.release()
    expect(await recorded()).toEqual([])
  })
})

describe('children', () => {
  test('tell both parents when they move, and a changed id as a delete and an insert', async () => {
    await pool.query(`insert into spree_line_items (id, order_id, quantity) values (1, 10, 1)`)
    await pool.query(`update spree_line_items set order_id = 11`)
    await pool.query(`update spree_line_items set id = 2`)
    await pool.query(`delete from spree_line_items`)
    expect(new Set(await recorded())).toEqual(
      new Set([
        'order spree_line_items 1 insert of 10',
        'order spree_line_items 1 update of 11 was 10',
        'order spree_line_items 1 delete was 11',
        'order spree_line_items 2 insert of 11',
        'order spree_line_items 2 delete was 11',
      ]),
    )
  })

  test('upsert, copy and merge-like writes are seen', async () => {
    await pool.query(
      `insert into spree_line_items (id, order_id, quantity) values (1, 10, 1) on conflict (id) do update set quantity = 2`,
    )
    await pool.query(
      `insert into spree_line_items (id, order_id, quantity) values (1, 10, 1) on conflict (id) do update set quantity = 2`,
    )
    expect(await recorded()).toEqual([
      'order spree_line_items 1 insert of 10',
      'order spree_line_items 1 update of 10 was 10',
    ])
  })
})

describe('stock', () => {
  test('deltas are those of the living count', async () => {
    await pool.query(`insert into spree_stock_items (id, variant_id, count_on_hand) values (1, 7, 5)`)
    await pool.query(`update spree_stock_items set count_on_hand = count_on_hand - 2`)
    await pool.query(`update spree_stock_items set allocated_count = 3`)
    await pool.query(`update spree_stock_items set deleted_at = now()`)
    await pool.query(`update spree_stock_items set count_on_hand = 9`)
    await pool.query(`update spree_stock_items set deleted_at = null`)
    await pool.query(`delete from spree_stock_items`)
    expect(await recorded()).toEqual([
      'stock spree_stock_items 1 insert of 7 by 5',
      'stock spree_stock_items 1 update of 7 by -2',
      'stock spree_stock_items 1 update of 7 by -3',
      'stock spree_stock_items 1 update of 7 by 0',
      'stock spree_stock_items 1 update of 7 by 9',
      'stock spree_stock_items 1 delete was 7 by -9',
    ])
  })

  test('a row that moves to another variant takes its pieces along', async () => {
    await pool.query(`insert into spree_stock_items (id, variant_id, count_on_hand) values (1, 7, 5)`)
    await pool.query(`update spree_stock_items set variant_id = 8, count_on_hand = 6`)
    expect((await recorded()).slice(1).sort()).toEqual([
      'stock spree_stock_items 1 update of 7 by -5',
      'stock spree_stock_items 1 update of 8 by 6',
    ])
  })

  test('a bulk update is one row per item', async () => {
    await pool.query(
      `insert into spree_stock_items (variant_id, count_on_hand) select i, i from generate_series(1, 1000) i`,
    )
    await pool.query(`update spree_stock_items set count_on_hand = count_on_hand + 1`)
    const { rows } = await pool.query(
      `select count(*)::int as n, sum(delta)::int as sum from bridge.outbox where op = 'update'`,
    )
    expect(rows).toEqual([{ n: 1000, sum: 1000 }])
  })
})

describe('the store never fails because of the bridge', () => {
  test.each([
    ['spree_stock_items', 'count_on_hand', `update spree_stock_items set stock_location_id = 2`],
    ['spree_stock_items', 'variant_id', `update spree_stock_items set stock_location_id = 3`],
    ['spree_line_items', 'order_id', `update spree_line_items set quantity = 4`],
    ['spree_orders', 'completed_at', `update spree_orders set email = 'z'`],
  ])('%s.%s dropped or renamed under the triggers', async (table, column, write) => {
    await pool.query(`insert into spree_orders (completed_at) values (now())`)
    await pool.query(`insert into spree_line_items (order_id, quantity) values (1, 1)`)
    await pool.query(`insert into spree_stock_items (variant_id, count_on_hand) values (1, 1)`)
    await pool.query(`alter table ${table} rename column ${column} to renamed`)
    await expect(pool.query(write)).resolves.toMatchObject({ rowCount: 1 })
    await pool.query(`alter table ${table} drop column renamed`)
    await expect(
      pool.query(write.replace(/\d|'z'/, (value) => (value === "'z'" ? "'y'" : '99'))),
    ).resolves.toMatchObject({ rowCount: 1 })
    await expect(pool.query(`insert into ${table} (updated_at) values (now())`)).resolves.toMatchObject({
      rowCount: 1,
    })
    await expect(pool.query(`delete from ${table}`)).resolves.toMatchObject({ rowCount: 2 })
  })

  test('a key that is no number, and a count beyond integers', async () => {
    await pool.query(`alter table spree_stock_items alter id drop default, alter id type uuid using gen_random_uuid(),
                      alter count_on_hand type numeric`)
    await pool.query(`insert into spree_stock_items (id, variant_id, count_on_hand)
                      values ('00000000-0000-0000-0000-000000000001', 1, 99999999999999999999)`)
    expect(await recorded()).toEqual([
      'stock spree_stock_items 00000000-0000-0000-0000-000000000001 insert of 1 by 99999999999999999999',
    ])
  })
})

test("operators and types in the shop's search path do not run with the rights of the bridge", async () => {
  await pool.query(`
    create schema hostile;
    create domain hostile.text as pg_catalog.text check (false);
    create domain hostile."numeric" as pg_catalog.numeric check (false);
    create domain hostile.int8 as pg_catalog.int8 check (false);
    create function hostile.pg_notify(pg_catalog.text, pg_catalog.text) returns void language plpgsql as
      'begin raise exception ''hostile''; end';
    do $$
      declare
        type regtype;
        name pg_catalog.text;
      begin
        foreach type in array array['pg_catalog.text', 'pg_catalog.int4', 'pg_catalog.int8', 'pg_catalog.numeric']::regtype[] loop
          execute format('create function hostile.raise(%1$s, %1$s) returns bool language plpgsql as
            ''begin raise exception ''''hostile''''; end''', type);
          foreach name in array array['=', '<>', '>', '-', '*', '||', '*<>'] loop
            execute format('create operator hostile.%1$s (leftarg = %2$s, rightarg = %2$s, function = hostile.raise)', name, type);
          end loop;
        end loop;
      end $$`)
  const connection = await pool.connect()
  try {
    await connection.query(
      `set search_path = hostile, public, pg_catalog; select setval('bridge.pulse_asleep', 1)`,
    )
    await connection.query(`insert into spree_stock_items (variant_id, count_on_hand) values (7, 5), (8, 5)`)
    await connection.query(`update spree_stock_items set count_on_hand = count_on_hand + 1`)
    await connection.query(`update spree_stock_items set count_on_hand = 9 where id < 2`)
    await connection.query(`delete from spree_stock_items where id < 2`)
    await connection.query(`insert into spree_orders (completed_at) values (now())`)
    await connection.query(`update spree_orders set email = 'x'`)
    await connection.query(`truncate spree_stock_items`)
  } finally {
    await connection.query(
      `reset search_path; select setval('bridge.pulse_asleep', 0); drop schema hostile cascade`,
    )
    connection.release()
  }
  expect(await recorded()).toHaveLength(8)
})

describe('the store never waits for the bridge', () => {
  test('of two transactions that write the same tables neither waits for the other, nor for who reads the outbox', async () => {
    await pool.query(`select setval('bridge.pulse_asleep', 1)`)
    const open = await Promise.all([pool.connect(), pool.connect(), pool.connect()])
    const [one, other, reader] = open
    try {
      for (const connection of open) await connection.query(`begin; set local lock_timeout = '500ms'`)
      for (const writer of [one, other]) {
        await writer.query('insert into spree_orders (completed_at) values (now())')
        await writer.query('insert into spree_stock_items (variant_id, count_on_hand) values (1, 1)')
        await writer.query('update spree_stock_items set count_on_hand = 2')
        await reader.query('select from bridge.outbox')
      }
      // Of ours a writer holds its rows of the outbox, and of the rest only what it has read: sequences take this mode for that.
      const { rows } = await one.query(
        `select relname as of, mode
           from pg_locks l
           join pg_class c on c.oid = l.relation and c.relnamespace = 'bridge'::regnamespace
          where pid = pg_backend_pid() and mode <> 'AccessShareLock'
          order by relname`,
      )
      expect(rows).toEqual([
        { of: 'outbox', mode: 'RowExclusiveLock' },
        { of: 'outbox_id_seq', mode: 'RowExclusiveLock' },
        { of: 'pulse_asleep', mode: 'RowExclusiveLock' },
        { of: 'pulse_collected_id', mode: 'RowExclusiveLock' },
        { of: 'pulse_fuse_rows', mode: 'RowExclusiveLock' },
      ])
    } finally {
      for (const connection of open) {
        await connection.query('rollback')
        connection.release()
      }
    }
  })
})

test('the origin is that of the transaction that set it, and of no later one', async () => {
  const connection = await pool.connect()
  await connection.query('begin')
  await connection.query(`select set_config('bridge.origin', '1700000000000:abc', true)`)
  await connection.query(`insert into spree_line_items (id, order_id) values (1, 1)`)
  await connection.query('commit')
  await connection.query(`update spree_line_items set quantity = 2`)
  connection.release()
  expect(await recorded()).toEqual([
    'order spree_line_items 1 insert of 1 from 1700000000000:abc',
    'order spree_line_items 1 update of 1 was 1',
  ])
})

test('rows of savepoints carry the id of the whole transaction', async () => {
  const connection = await pool.connect()
  await connection.query('begin')
  await connection.query('savepoint a')
  await connection.query(`insert into spree_line_items (order_id) values (1)`)
  await connection.query('release savepoint a')
  const { rows } = await connection.query(`select xid = pg_current_xact_id() as same from bridge.outbox`)
  await connection.query('commit')
  connection.release()
  expect(rows).toEqual([{ same: true }])
})

test('truncate is a gap', async () => {
  await pool.query('truncate spree_stock_items')
  const { rows } = await pool.query('select kind, reason, table_name from bridge.gap')
  expect(rows).toEqual([{ kind: 'stock', reason: 'truncate', table_name: 'spree_stock_items' }])
})

test('the fuse stops recording without a worker, history last, and leaves one gap per kind', async () => {
  await pool.query(`select setval('bridge.pulse_fuse_rows', 10)`)
  for (let i = 0; i < 60; i++)
    await pool.query(`insert into spree_stock_items (variant_id, count_on_hand) values ($1, 1)`, [i])
  const { rows } = await pool.query(`select count(*)::int as rows from bridge.outbox`)
  expect(rows).toEqual([{ rows: 21 }])
  const gaps = await pool.query('select kind, reason from bridge.gap')
  expect(gaps.rows).toEqual([{ kind: 'stock', reason: 'fuse' }])
})
