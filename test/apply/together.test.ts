import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { HANDLERS, handlerOf } from '../../src/apply/handlers.ts'
import { createInbox, type Inbox, type Received } from '../../src/apply/inbox.ts'
import { enterApplied } from '../../src/apply/inbox-row.ts'
import { createLog } from '../../src/observe/log.ts'
import type { Db } from '../../src/postgres/pool.ts'
import { openStore, type Store } from '../../src/store/store.ts'
import { moveStock } from '../../src/store/writes/move-stock.ts'
import { makeMoves, placeMoves, takeMoves } from '../../src/store/writes/move-stock-together.ts'
import type { Moved, StockMove } from '../../src/store/writes/stock-move.ts'
import type { TestDatabase } from '../support/postgres.ts'
import { createStore } from '../support/stores.ts'
import { migrate, newMessageId } from '../support/web.ts'

describe('stock changes that come at once', () => {
  let database: TestDatabase
  let inbox: Inbox

  beforeAll(async () => {
    database = await createStore('spree-4.10', 'fixture')
    await migrate(database)
    const { log } = createLog({ level: 'error' })
    inbox = createInbox({ pool: database.pool, store: await openStore(database.pool), hub: 'hub', log })
  })
  afterAll(() => database.drop())

  type Sent = Readonly<{ sku: string; quantity: number; id: string; type?: string; parameters?: object[] }>
  const send = ({ id, type = 'stock:change', ...payload }: Sent) =>
    inbox.receive(handlerOf(HANDLERS, type)!, { messageId: id, payload })
  const sent = (sku: string, quantity: number): Sent => ({ sku, quantity, id: newMessageId() })
  const detailsOf = ({ answer }: Received) => JSON.parse(answer.body)
  const rows = async (text: string, values: unknown[] = []) =>
    (await database.pool.query<{ level: number; n: number }>(text, values)).rows
  const levelOf = async (sku: string) =>
    (
      await rows(
        `select count_on_hand as level from spree_stock_items i join spree_variants v on v.id = i.variant_id
          where v.sku = $1 and i.stock_location_id = 1`,
        [sku],
      )
    )[0]!.level
  /** How many transactions entered these messages. */
  const transactionsOf = async (messages: readonly Sent[]) =>
    (
      await rows(
        'select count(distinct xmin::text)::integer as n from bridge.inbox where message_id = any($1)',
        [messages.map(({ id }) => id)],
      )
    )[0]!.n

  test('share a transaction; each has its own result, and its own row in the inbox', async () => {
    const before = await levelOf('BC-01')
    const messages = Array.from({ length: 30 }, (_, index) => sent(index % 3 ? 'BC-01' : 'TM-1', index))
    const answers = (await Promise.all(messages.map(send))).map(detailsOf)
    expect(await transactionsOf(messages)).toBeLessThan(4)
    let level = before
    for (const [index, { sku, quantity, from, to, message_id: id }] of answers.entries()) {
      expect([id, sku, quantity, to]).toEqual([
        messages[index]!.id,
        messages[index]!.sku,
        index,
        from + index,
      ])
      if (sku !== 'BC-01') continue
      expect(from).toBe(level)
      level = to
    }
    expect(await levelOf('BC-01')).toBe(level)
    expect(
      await rows('select payload, state, attempts, answer from bridge.inbox where message_id = $1', [
        messages[1]!.id,
      ]),
    ).toEqual([
      {
        payload: '{"sku":"BC-01","quantity":1}',
        state: 'applied',
        attempts: 1,
        answer: expect.stringContaining('"quantity":1'),
      },
    ])
  })

  test('of which one is nothing for this store: it alone fails, with its reason', async () => {
    const before = await levelOf('BC-01')
    const wrong: Sent[] = [
      sent('NO-SUCH', 1),
      sent('BC-01', 2_147_483_647),
      { ...sent('BC-01', 1), parameters: [{ name: 'spree.stock_location_id', value: 99 }] },
      { ...sent('BC-01', 1), parameters: [{ name: 'spree.stock_location_id', value: 'main' }] },
      { ...sent('', 1) },
    ]
    const right = Array.from({ length: 5 }, () => sent('BC-01', 1))
    const answers = await Promise.all([...wrong, ...right].map(send))
    expect(answers.map(({ outcome }) => outcome)).toEqual([
      ...wrong.map(() => 'failed'),
      ...right.map(() => 'applied'),
    ])
    expect(answers.slice(0, 5).map(({ answer }) => answer.body)).toEqual([
      expect.stringContaining('No variant has SKU NO-SUCH'),
      expect.stringContaining('levels lie between'),
      expect.stringContaining('no stock location with id 99'),
      expect.stringContaining('is not an id'),
      expect.stringContaining('sku'),
    ])
    expect(await levelOf('BC-01')).toBe(before + 5)
  })

  test('of which one meets the shop at its row: the others do not wait, and it is applied when the shop is done', async () => {
    for (const held of [
      `select from spree_stock_items where variant_id = 110 for update`,
      `select from spree_variants where id = 110 for update`,
      `select from spree_products where id = (select product_id from spree_variants where id = 110) for update`,
    ]) {
      const before = await levelOf('SL-7')
      const shop = await database.pool.connect()
      await shop.query(`begin; ${held}`)
      let isDone = false
      const waits = send(sent('SL-7', -1)).then((received) => {
        isDone = true
        return received
      })
      const others = await Promise.all([sent('BC-01', 1), sent('TM-1', 1)].map(send))
      expect(others.map(({ outcome }) => outcome)).toEqual(['applied', 'applied'])
      expect(isDone).toBe(false)
      await shop.query('commit')
      shop.release()
      expect(await waits).toMatchObject({ outcome: 'applied' })
      expect(await levelOf('SL-7')).toBe(before - 1)
    }
  })

  test('of which one is being applied elsewhere: none is applied twice, and nobody waits for that', async () => {
    const messages = [sent('BC-01', 1), sent('TM-1', 1)]
    const before = [await levelOf('BC-01'), await levelOf('TM-1')]
    const elsewhere = await database.pool.connect()
    await elsewhere.query('begin')
    await elsewhere.query(
      `insert into bridge.inbox (hub, dialect, message_id, type, payload, state, status, answer)
       values ('hub', 'seed', $1, 'stock:change', '{}', 'applied', 200, '{"applied":"elsewhere"}')`,
      [messages[0]!.id],
    )
    const first = send(messages[0]!)
    expect(await send(messages[1]!)).toMatchObject({ outcome: 'applied' })
    await elsewhere.query('commit')
    elsewhere.release()
    expect(await first).toMatchObject({ outcome: 'repeated', answer: { body: '{"applied":"elsewhere"}' } })
    expect([await levelOf('BC-01'), await levelOf('TM-1')]).toEqual([before[0], before[1]! + 1])
  })

  test('of which one was entered elsewhere a moment ago: all of them fail, to go by themselves', async () => {
    const arrivals = [sent('BC-01', 1), sent('TM-1', 1)].map(({ id }) => {
      return { hub: 'hub', dialect: 'seed', messageId: id, type: 'stock:change', payload: '{}' } as const
    })
    const entered = (some: typeof arrivals) =>
      enterApplied(database.pool, new Map(some.map((arrival) => [arrival, { status: 200, body: '{}' }])))
    await entered(arrivals.slice(1))
    await expect(entered(arrivals)).rejects.toMatchObject({ code: '23505' })
    expect(await rows('select from bridge.inbox where message_id = $1', [arrivals[0]!.messageId])).toEqual([])
  })

  test('of which an order waits for some: they go to it', async () => {
    const owed = `select count(*)::integer as n from spree_inventory_units where variant_id = 110 and state = 'backordered'`
    expect((await rows(owed))[0]!.n).toBeGreaterThan(0)
    const messages = [sent('SL-7', 50), sent('BC-01', 1)]
    expect((await Promise.all(messages.map(send))).map(({ outcome }) => outcome)).toEqual([
      'applied',
      'applied',
    ])
    expect((await rows(owed))[0]!.n).toBe(0)
  })

  test('carry the time of the one that was made first, and the span of all; levels have theirs', async () => {
    const messages = [
      { ...sent('BC-01', 1), id: '523c67770000000000000001' },
      { ...sent('TM-1', 1), id: '523c67760000000000000002' },
      { ...sent('OC-L', 1234), type: 'stock:actual', id: '523c67750000000000000003' },
    ]
    await Promise.all(messages.map(send))
    expect(
      await rows(`select distinct origin from bridge.outbox where origin like '%:523c677%' order by origin`),
    ).toEqual([
      { origin: '1379690357000=1379690357000-1379690357000:523c67750000000000000003' },
      { origin: '1379690358000+1379690358000-1379690359000:523c67760000000000000002' },
    ])
  })
})

describe.each(['spree-2.0', 'spree-4.10', 'spree-5.6', 'spree-6.0', 'solidus-4'] as const)(
  'in a store of %s',
  (family) => {
    let database: TestDatabase
    let store: Store

    beforeAll(async () => {
      database = await createStore(family, 'fixture')
      store = await openStore(database.pool)
    })
    afterAll(() => database.drop())

    test('moves made together leave what they leave one after another', async () => {
      const { pool } = database
      const skus = (
        await pool.query(`select distinct sku from spree_variants where deleted_at is null and sku <> ''`)
      ).rows.map(({ sku }) => sku)
      const locations = (await pool.query<{ id: string }>('select id::text as id from spree_stock_locations'))
        .rows
      const move: fc.Arbitrary<StockMove> = fc.record({
        sku: fc.constantFrom(...skus, 'NO-SUCH'),
        location: fc.constantFrom(undefined, ...locations, { id: '99' }),
        quantity: fc.integer({ min: -5, max: 5 }),
        absolute: fc.boolean(),
        reason: fc.constantFrom('stock:change', 'stock:actual'),
      })
      const fromTo = (moved: Moved | undefined) => moved && { from: moved.from, to: moved.to }
      let together = 0
      await fc.assert(
        fc.asyncProperty(fc.array(move, { minLength: 1, maxLength: 12 }), async (moves) => {
          const connection = await pool.connect()
          const left = async (work: (db: Db) => Promise<unknown>) => {
            await connection.query('begin')
            const results = await work(connection)
            const state = await stateOf(connection, store)
            await connection.query('rollback')
            return { results, ...state }
          }
          try {
            let taken: readonly (Moved | undefined)[] = []
            const atOnce = await left(async (db) => {
              const found = await takeMoves(db, store, await placeMoves(db, store, moves))
              await makeMoves(
                db,
                store,
                found.filter((one) => one !== undefined),
              )
              taken = found
              return found.map(fromTo)
            })
            const oneByOne = await left(async (db) => {
              const results: (Moved | undefined)[] = []
              for (const [index, one] of moves.entries())
                results.push(fromTo(taken[index] && (await moveStock(db, store, one))))
              return results
            })
            together += taken.filter(Boolean).length
            expect(atOnce).toEqual(oneByOne)
          } finally {
            connection.release()
          }
        }),
        { numRuns: 25 },
      )
      expect(together).toBeGreaterThan(25)
    })
  },
)

/** Of what moves change, all but ids and the very time. */
async function stateOf(db: Db, { family }: Store) {
  const [stock, row] =
    family === 'spree-6.0' ? ['spree_stock_levels', 'stock_level_id'] : ['spree_stock_items', 'stock_item_id']
  const touched = family === 'spree-2.1' ? ['spree_products'] : ['spree_products', 'spree_variants']
  const touches = await Promise.all(
    [stock, ...touched].map((table) =>
      db.query(
        `select id from ${table} where updated_at > now() at time zone 'utc' - interval '1 minute' order by id`,
      ),
    ),
  )
  const movements = await db.query(
    `select ${row}, quantity, to_jsonb(m) ->> 'reason' as reason, to_jsonb(m) ->> 'kind' as kind
       from spree_stock_movements m where created_at > now() at time zone 'utc' - interval '1 minute' order by m.id`,
  )
  const levels = await db.query(`select id, count_on_hand from ${stock} order by id`)
  return { levels: levels.rows, movements: movements.rows, touched: touches.map(({ rows }) => rows) }
}
