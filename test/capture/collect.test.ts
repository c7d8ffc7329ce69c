import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { Collect } from '../../src/capture/collect.ts'
import { type Ask, request } from '../../src/capture/outbox.ts'
import { inTransaction } from '../../src/postgres/transaction.ts'
import { openStore } from '../../src/store/store.ts'
import type { TestDatabase } from '../support/postgres.ts'
import { createProcesses } from '../support/processes.ts'
import { type RecordingHub, startRecordingHub } from '../support/recording-hub.ts'
import { createStore } from '../support/stores.ts'
import { startTestWorker, type TestWorker } from '../support/worker.ts'

type Told = [type: string, about: unknown, value: unknown]
/** One statement of the store, and who made it: the shop where there is no origin. */
type Write = Readonly<{ sql: string; origin?: string }>

const SKEW_MS = 5 * 60_000
/** As the webhook notes it: when the message was made, and which it was. */
const originOf = (madeAt: number) => `${madeAt}:52811a8584a8169f7a000001`

describe.each([
  { family: 'spree-4.10', levels: 'spree_stock_items' },
  { family: 'spree-6.0', levels: 'spree_stock_levels' },
] as const)('the collector of a store of $family', ({ family, levels }) => {
  const processes = createProcesses()
  let db: TestDatabase
  let hub: RecordingHub
  let worker: TestWorker

  beforeAll(async () => {
    db = await createStore(family, 'fixture')
    hub = await startRecordingHub({ ours: true })
    worker = await startWorker()
  })
  afterAll(async () => {
    await processes.killAll()
    await worker.stop()
    await hub.close()
    await db.drop()
  })

  const startWorker = (stock: 'change' | 'actual' = 'change') =>
    startTestWorker(db, hub, { stock, settleQuietMs: 100 })

  /** One transaction, as a shop or the webhook makes it. */
  const write = (...writes: Write[]) =>
    inTransaction(db.pool, async (one) => {
      for (const { sql, origin = '' } of writes) {
        await one.query(`select set_config('bridge.origin', $1, true)`, [origin])
        await one.query(sql)
      }
    })

  /** What the hub was told of what `act` did: products by price, stock by quantity, orders by e-mail address. */
  const toldOf = async (act: () => Promise<unknown>): Promise<Told[]> => {
    const heard = hub.requests.length
    await act()
    await worker.settled()
    return hub.requests
      .slice(heard)
      .filter(({ method }) => method === 'POST')
      .map(({ type, payload: { sku, number, price, quantity, email } }) => [
        type,
        number ?? sku,
        price ?? quantity ?? email,
      ])
  }

  const add = (quantity: number, id: number, origin?: string): Write => ({
    sql: `update ${levels} set count_on_hand = count_on_hand + ${quantity} where id = ${id}`,
    ...(origin && { origin }),
  })
  /** Of the compass: of its master, or of its only variant. */
  const setPrice = (amount: number, origin?: string): Write => ({
    sql: `update spree_prices set amount = ${amount} where variant_id = 108 and currency = 'USD'`,
    ...(origin && { origin }),
  })
  const rename = (name: string): Write => ({
    sql: `update spree_products set name = '${name}' where id = 13`,
  })
  /** With the SKU of the product, which has none where masters were abolished. */
  const toldPrice = (price: string): Told => ['product:update', family === 'spree-4.10' ? 'BC-01' : '', price]

  type Entry = Readonly<{ variant: string; item: string; location: string; delta: number; origin: string }>
  const readLedger = async (since: Date): Promise<Entry[]> => {
    const { rows } = await db.pool.query<Entry>(
      `select variant_id as variant, stock_item_id as item, stock_location_id as location, delta::float8 as delta, origin
         from bridge.stock_ledger
        where at >= $1
        order by at`,
      [since],
    )
    return rows
  }
  const now = async (): Promise<Date> => {
    const { rows } = await db.pool.query<{ now: Date }>(
      `select date_trunc('milliseconds', clock_timestamp()) as now`,
    )
    return rows[0]!.now
  }

  test('tells a renamed option, and a renamed value of one, of each product that has it; what people read of it is no change', async () => {
    const optionsOf = async (sql: string) => {
      const heard = hub.requests.length
      await toldOf(() => write({ sql }))
      return hub.requests
        .slice(heard)
        .map(({ type, payload }) => [
          type,
          payload['id'],
          (payload['variants'] as { options: unknown }[]).map(({ options }) => options),
        ])
        .sort(([, one], [, other]) => Number(one) - Number(other))
    }
    expect(await optionsOf(`update spree_option_values set name = 'wide' where id = 22`)).toEqual([
      [
        'product:update',
        11,
        [
          { size: 'small', color: 'navy' },
          { size: 'wide', color: 'navy' },
          { size: 'wide', color: 'ochre' },
        ],
      ],
      ['product:update', 12, [{ size: 'wide' }, { size: 'large' }]],
    ])
    expect(await optionsOf(`update spree_option_types set name = 'hue' where id = 2`)).toEqual([
      [
        'product:update',
        11,
        [
          { size: 'small', hue: 'navy' },
          { size: 'wide', hue: 'navy' },
          { size: 'wide', hue: 'ochre' },
        ],
      ],
    ])
    const seen = family === 'spree-4.10' ? 'presentation' : 'label'
    expect(
      await optionsOf(`update spree_option_values set ${seen} = '?', position = 9 where id = 22`),
    ).toEqual([])
  })

  test('tells a renamed option of a product that lists it, though no variant has a value of it', async () => {
    const assign = `insert into spree_product_option_types (product_id, option_type_id, position, created_at, updated_at)
                    values (15, 2, 9, now(), now())`
    await toldOf(() => write({ sql: assign }))
    const heard = hub.requests.length
    await toldOf(() => write({ sql: `update spree_option_types set name = 'tint' where id = 2` }))
    const products = hub.requests.slice(heard).map(({ type, payload }) => [type, payload['id']])
    expect(products.sort()).toEqual([
      ['product:update', 11],
      ['product:update', 15],
    ])
  })

  describe('keeps a ledger', () => {
    test('of each stock delta: variant, stock item, location, origin', async () => {
      const since = await now()
      const origin = originOf(Date.now())
      await write(
        add(-2, 301),
        add(1, 311),
        add(7, 301, origin),
        { sql: `update ${levels} set backorderable = true, updated_at = now() where id = 301` },
        {
          sql: `insert into ${levels} (id, stock_location_id, variant_id, count_on_hand, created_at, updated_at)
                values (390, 2, 104, 6, now(), now())`,
        },
        { sql: `update ${levels} set deleted_at = now() where id = 302` },
      )
      await worker.settled()
      expect(await readLedger(since)).toEqual([
        { variant: '102', item: '301', location: '1', delta: -2, origin: null },
        { variant: '102', item: '311', location: '2', delta: 1, origin: null },
        { variant: '102', item: '301', location: '1', delta: 7, origin },
        { variant: '104', item: '390', location: '2', delta: 6, origin: null },
        { variant: '103', item: '302', location: '1', delta: -5, origin: null },
      ])
    })

    test('by the time of the change, not of its collection, in the partition of its day', async () => {
      const since = await now()
      const changed = await inTransaction(db.pool, async (one) => {
        await one.query(add(1, 308).sql)
        const { rows } = await one.query<{ changed: string }>('select clock_timestamp()::text as changed')
        // The collector sees it after this.
        await one.query('select pg_sleep(0.1)')
        return rows[0]!.changed
      })
      await worker.settled()
      const { rows } = await db.pool.query(
        `select at <= $2 as before,
                tableoid = to_regclass('bridge.stock_ledger_' || to_char(at at time zone 'UTC', 'YYYYMMDD')) as partitioned
           from bridge.stock_ledger
          where at >= $1`,
        [since, changed],
      )
      expect(rows).toEqual([{ before: true, partitioned: true }])
    })

    test('in the transaction that makes the message', async () => {
      const since = await now()
      await hub.down()
      await write(add(3, 310))
      await worker.collected()
      const { rows } = await db.pool.query(
        `select l.xmin::text = m.xid::text as same
           from bridge.stock_ledger l cross join bridge.message m
          where l.at >= $1`,
        [since],
      )
      await hub.up()
      expect(rows).toEqual([{ same: true }])
      await worker.settled()
    })

    test('so that a collector that has lost its lease, or dies before its commit, leaves neither, and the next one writes both once', async () => {
      const since = await now()
      await worker.stop()
      await write(add(4, 310))
      const late = new Collect(db.pool, await openStore(db.pool), 64, {
        settle: { quietMilliseconds: 0, atMostMilliseconds: 0 },
        stockMessages: 'change',
        orderMessages: 'persist',
        statementTimeoutMilliseconds: 6_000,
      })
      const passed = { workerId: randomUUID(), epoch: '1' }
      await expect(late.pass(passed, 0)).rejects.toThrow('another worker is the collector now')
      const victim = processes.start(['worker'], {
        env: {
          DATABASE_URL: db.url,
          HUB_URL: hub.url,
          HUB_STORE_ID: hub.storeId,
          HUB_TOKEN: hub.token,
        },
        killAt: { step: 'collect.fence:after' },
      })
      const heard = hub.requests.length
      expect(await victim.ended).toEqual({ code: null, signal: 'SIGKILL' })
      const left = await db.pool.query(
        `select (select count(*)::int from bridge.outbox) as changes,
                (select count(*)::int from bridge.message) as messages,
                (select count(*)::int from bridge.stock_ledger where at >= $1) as entries`,
        [since],
      )
      expect(left.rows).toEqual([{ changes: 1, messages: 0, entries: 0 }])

      // Its lease, which would run for 12 s.
      await db.pool.query(`update bridge.worker set expires_at = clock_timestamp() - interval '1 second'`)
      worker = await startWorker()
      await worker.settled()
      expect(await readLedger(since)).toHaveLength(1)
      const pushes = hub.requests.slice(heard).filter(({ method }) => method === 'POST')
      expect(pushes.map(({ type, payload }) => [type, payload])).toEqual([
        ['stock:change', { sku: 'TM-1', quantity: 4 }],
      ])
    })

    test('for thirty days, whichever partition holds it', async () => {
      await worker.stop()
      await db.pool.query(
        `create table bridge.stock_ledger_20250101 partition of bridge.stock_ledger
           for values from ('2025-01-01 00:00+00') to ('2025-01-02 00:00+00');
         insert into bridge.stock_ledger (variant_id, stock_item_id, delta, at)
         values ('1', '1', 1, '2025-01-01 12:00+00'),
                ('1', '1', 2, clock_timestamp() - interval '32 days'),
                ('1', '1', 3, clock_timestamp() - interval '29 days')`,
      )
      worker = await startWorker()
      const { rows } = await db.pool.query(
        `select delta::float8 as delta from bridge.stock_ledger where at < clock_timestamp() - interval '1 day'`,
      )
      expect(rows).toEqual([{ delta: 3 }])
      expect(
        (await db.pool.query(`select to_regclass('bridge.stock_ledger_20250101') as found`)).rows,
      ).toEqual([{ found: null }])
    })
  })

  describe('takes for an echo', () => {
    // Made after all that was acknowledged, whatever the tests before have told.
    const later = () => originOf(Date.now() + 2 * SKEW_MS)

    test('a price from the hub: it is not told, and known when the same price is written again', async () => {
      expect(await toldOf(() => write(setPrice(35, later())))).toEqual([])
      expect(await toldOf(() => write(setPrice(33), setPrice(35)))).toEqual([])
      expect(await toldOf(() => write(rename('Ship Compass')))).toEqual([toldPrice('35.0')])
    })

    test('a customer from the hub, until a person changes the same one', async () => {
      const table = family === 'spree-4.10' ? 'spree_users' : 'spree_customers'
      const change = (set: string) => `update ${table} set ${set} where id = 1`
      const byHub = () => write({ sql: change(`last_name = 'Berg'`), origin: later() })
      expect(await toldOf(byHub)).toEqual([])
      expect(await toldOf(() => write({ sql: change(`email = 'clara@example.org'`) }))).toEqual([
        ['user:updated', undefined, 'clara@example.org'],
      ])
      expect(
        await toldOf(() =>
          write({ sql: change(`last_name = 'Lund'`), origin: later() }, { sql: change(`first_name = 'C.'`) }),
        ),
      ).toEqual([['user:updated', undefined, 'clara@example.org']])
      // Made before the hub had heard of that: the hub may take its own for the newer.
      const earlier = originOf(Date.now() - 1_000)
      expect(await toldOf(() => write({ sql: change(`last_name = 'Holm'`), origin: earlier }))).toEqual([
        ['user:updated', undefined, 'clara@example.org'],
      ])
    })

    test('stock from the hub: it is left out of the sum', async () => {
      expect(await toldOf(() => write(add(9, 306, later())))).toEqual([])
      expect(await toldOf(() => write(add(-2, 306), add(9, 306, later()), add(-1, 314)))).toEqual([
        ['stock:change', 'BC-01', -3],
      ])
    })

    test('stock from the hub while no message can be made of its product; what the shop moved is told when one can', async () => {
      const list = (at: string): Write => ({
        sql: `update spree_products set available_on = ${at} where id = 13`,
      })
      expect(await toldOf(() => write(list(`'infinity'`), add(10, 306, later()), add(-3, 306)))).toEqual([])
      const mended = await toldOf(() => write(list('now()')))
      expect(mended.filter(([type]) => type === 'stock:change')).toEqual([['stock:change', 'BC-01', -3]])
    })

    test('what the hub wrote while no message could be made of it, unless the shop took it back', async () => {
      const { rows } = await db.pool.query<{ name: string; at: string; email: string; placed: string }>(
        `select p.name, p.available_on::text as at, o.email, o.completed_at::text as placed
           from spree_products p, spree_orders o
          where p.id = 13 and o.id = 41`,
      )
      const { name, at, email, placed } = rows[0]!
      const list = (when: string): Write => ({
        sql: `update spree_products set available_on = '${when}' where id = 13`,
      })
      const place = (when: string, by: string, origin?: string): Write => ({
        sql: `update spree_orders set completed_at = '${when}', email = '${by}' where id = 41`,
        ...(origin && { origin }),
      })
      const byHub = { ...rename('Hub’s'), origin: later() }
      const theirs = place('12345-01-01', 'hub@example.com', later())
      expect(await toldOf(() => write(list('infinity'), byHub, theirs))).toEqual([])
      const mended = await toldOf(() => write(rename(name), list(at), place(placed, email)))
      expect(mended.sort()).toEqual([['order:persist', expect.any(String), email], toldPrice('35.0')])
    })

    test('each kind for itself: a sale beside a price from the hub tells the sale, a price beside stock the price', async () => {
      expect(await toldOf(() => write(setPrice(36, later()), add(-1, 306)))).toEqual([
        ['stock:change', 'BC-01', -1],
      ])
      expect(await toldOf(() => write(setPrice(37), add(5, 306, later())))).toEqual([toldPrice('37.0')])
    })
  })

  test('tells a customer anew when asked, and what was forgotten when it is compared', async () => {
    const ask = (op: Ask) => toldOf(() => request(db.pool, op, [{ kind: 'customer', id: '2' }]))
    const told = [
      ['user:updated', undefined, family === 'spree-4.10' ? 'admin@harbour.example' : 'otto@example.org'],
    ]
    expect(await ask('compare')).toEqual([])
    expect(await ask('announce')).toEqual(told)
    expect(await ask('forget')).toEqual([])
    expect(await ask('compare')).toEqual(told)
    expect(await ask('compare')).toEqual([])
  })

  test('tells a return of an order of which no message can be made when one can again', async () => {
    const place = (at: string) => write({ sql: `update spree_orders set completed_at = ${at} where id = 42` })
    const add =
      family === 'spree-4.10'
        ? `insert into spree_return_authorizations (id, number, state, order_id) values (902, 'RA902', 'authorized', 42)`
        : `insert into spree_returns (id, number, store_id, order_id, stock_location_id, status, created_at, updated_at)
           values (902, 'RA902', 1, 42, 1, 'requested', now(), now())`
    expect(await toldOf(() => place(`'12345-01-01'`))).toEqual([])
    expect(await toldOf(() => write({ sql: add }))).toEqual([])
    expect(await toldOf(() => place('now()'))).toEqual([
      ['order:persist', expect.any(String), expect.any(String)],
      ['return_authorization:new', 'RA902', undefined],
    ])
    expect(await toldOf(() => place(`now() - interval '1 day'`))).toEqual([
      ['order:persist', expect.any(String), expect.any(String)],
    ])
  })

  describe('takes for no echo', () => {
    test('an order, whoever wrote it', async () => {
      const origin = originOf(Date.now() + 2 * SKEW_MS)
      const change = { sql: `update spree_orders set email = 'new@example.com' where id = 41`, origin }
      expect(await toldOf(() => write(change))).toEqual([
        ['order:persist', expect.any(String), 'new@example.com'],
      ])
    })

    test('what a person changed as well', async () => {
      const origin = originOf(Date.now() + 2 * SKEW_MS)
      expect(await toldOf(() => write(setPrice(40, origin), rename('Lensatic Compass')))).toEqual([
        toldPrice('40.0'),
      ])
    })

    test('what the hub made while a message of ours waited, or before it had answered ours by a safe margin', async () => {
      await hub.down()
      await write(rename('Pocket Compass'))
      await worker.collected()
      const told = await toldOf(async () => {
        await write(setPrice(41, originOf(Date.now() + 2 * SKEW_MS)))
        await worker.collected()
        await hub.up()
      })
      expect(told.at(-1)).toEqual(toldPrice('41.0'))

      const fromNow = (milliseconds: number) => originOf(Date.now() + milliseconds)
      expect(await toldOf(() => write(setPrice(42, fromNow(-1_000))))).toEqual([toldPrice('42.0')])
      expect(await toldOf(() => write(setPrice(43, fromNow(SKEW_MS - 60_000))))).toEqual([toldPrice('43.0')])
      expect(await toldOf(() => write(setPrice(44, fromNow(SKEW_MS + 60_000))))).toEqual([])
    })

    test('a level that a person changed as well, where levels are told', async () => {
      await worker.stop()
      worker = await startWorker('actual')
      const origin = originOf(Date.now() + 2 * SKEW_MS)
      const level = async () => {
        const { rows } = await db.pool.query<{ level: number }>(
          `select sum(count_on_hand)::int as level from ${levels} where variant_id = 106`,
        )
        return rows[0]!.level
      }
      expect(await toldOf(() => write(add(3, 304, origin)))).toEqual([])
      expect(await toldOf(() => write(add(3, 304, origin), add(-1, 313)))).toEqual([
        ['stock:actual', 'OC-M', await level()],
      ])
      expect(await toldOf(() => write(add(3, 304, originOf(Date.now()))))).toEqual([
        ['stock:actual', 'OC-M', await level()],
      ])
      expect(await toldOf(() => write(add(3, 304, origin)))).toEqual([])
    })
  })
})
