import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { addCustomerReturn } from '../../src/apply/add-customer-return.ts'
import type { Handler } from '../../src/apply/handler.ts'
import { productNew } from '../../src/apply/product-new.ts'
import { productUpdate } from '../../src/apply/product-update.ts'
import { shipmentConfirm } from '../../src/apply/shipment-confirm.ts'
import { stockChange } from '../../src/apply/stock-change.ts'
import { inTransaction } from '../../src/postgres/transaction.ts'
import { applyMessage } from '../support/applying.ts'
import { type Collecting, startCollecting } from '../support/collecting.ts'
import type { TestDatabase } from '../support/postgres.ts'
import { createRandom } from '../support/random.ts'
import { createStore, type StoreFamily } from '../support/stores.ts'

const families: StoreFamily[] = ['spree-4.10', 'spree-6.0']

describe.each(families)('what a hub wrote into a store of %s', (family) => {
  const stock = family === 'spree-4.10' ? 'spree_stock_items' : 'spree_stock_levels'
  let database: TestDatabase
  let collecting: Collecting

  beforeAll(async () => {
    database = await createStore(family, 'fixture')
    collecting = await startCollecting(database)
  })
  afterAll(() => database.drop())

  const fromHub = <Payload>(handler: Handler<Payload>, payload: unknown) =>
    inTransaction(database.pool, (db) => applyMessage(db, collecting.store, handler, payload))
  const byPerson = (text: string) => database.pool.query(text)
  const told = async () =>
    (await collecting.all()).map(({ type, payload }) => [type, payload['sku'] ?? payload['number']])

  test('a price and a name are not announced back; a person’s change beside them is', async () => {
    await fromHub(productUpdate, { sku: 'BC-01', price: '33.00', name: 'Compass' })
    expect(await told()).toEqual([])
    await fromHub(productUpdate, { sku: 'BC-01', price: '32.00' })
    await byPerson(`update spree_products set name = 'Compass, brass' where id = 13`)
    const announced = await collecting.all()
    expect(announced).toMatchObject([
      { type: 'product:update', payload: { name: 'Compass, brass', price: '32.0' } },
    ])
  })

  test('a level is not announced back; a sale at the same time is, by exactly the sale', async () => {
    await fromHub(stockChange, { sku: 'TM-1', quantity: 50 })
    expect(await told()).toEqual([])
    await fromHub(stockChange, { sku: 'TM-1', quantity: -30 })
    await byPerson(`update ${stock} set count_on_hand = count_on_hand - 2 where id = 310`)
    await fromHub(stockChange, { sku: 'TM-1', quantity: 7 })
    expect(await collecting.all()).toMatchObject([
      { type: 'stock:change', payload: { sku: 'TM-1', quantity: -2 } },
    ])
    expect((await byPerson(`select count_on_hand from ${stock} where id = 310`)).rows).toEqual([
      { count_on_hand: 50 },
    ])
  })

  test('an order whose backorder was filled by it is announced', async () => {
    await fromHub(stockChange, { sku: 'SL-7', quantity: 5 })
    expect(await told()).toEqual([['order:persist', family === 'spree-4.10' ? 'R204817354' : 'R1044']])
  })

  test('a parcel that it says has left is announced with its order, the stock that left with it is not', async () => {
    const isSix = family === 'spree-6.0'
    if (isSix) await byPerson('update spree_orders set payment_total = total where id = 45')
    await collecting.all()
    await fromHub(shipmentConfirm, {
      shipment: { number: isSix ? 'R1045-F2' : 'H50417700157', tracking: '1ZHALF' },
    })
    expect(await collecting.all()).toMatchObject([
      {
        type: 'order:persist',
        payload: { shipment_state: 'shipped', shipments: [{}, { state: 'shipped', tracking: '1ZHALF' }] },
      },
    ])
  })

  test('C171 what it says came back is announced with its order and its return, the stock that came with it is not', async () => {
    const number = family === 'spree-4.10' ? 'R204817355' : 'R1045'
    const items = [{ sku: 'FS-NAVY-S', quantity: 1, order_number: number }]
    await fromHub(addCustomerReturn, {
      customer_return: { rma: 'RA123456789', stock_location: 'Portland warehouse', items },
    })
    const kind = family === 'spree-4.10' ? 'customer_return' : 'return_authorization'
    expect((await told()).map(([type]) => type)).toEqual(['order:persist', `${kind}:new`])
  })

  test('a product that it made is not announced back; what a person then does is a change of it', async () => {
    await fromHub(productNew, { sku: 'HUB-1', name: 'From the hub', price: '5' })
    expect(await told()).toEqual([])
    await byPerson(`update spree_products set name = 'Ours now' where name = 'From the hub'`)
    expect(await collecting.all()).toMatchObject([
      { type: 'product:update', payload: { name: 'Ours now', price: '5.0' } },
    ])
    await fromHub(productNew, { sku: 'HUB-2', name: 'Both at once', price: '5' })
    await byPerson(`update spree_products set description = 'ours' where name = 'Both at once'`)
    expect(await collecting.all()).toMatchObject([
      { type: 'product:new', payload: { name: 'Both at once', description: 'ours' } },
    ])
  })

  test('a product that nobody was told of is announced, though it was the hub that changed it', async () => {
    await database.pool.query(`delete from bridge.baseline where aggregate = 'product:16'`)
    await fromHub(productUpdate, { sku: 'GV-25', price: '26' })
    expect(await told()).toEqual([['product:new', family === 'spree-4.10' ? 'GV-25' : '']])
  })
})

/** The rule is the same whatever the family: the second shows that its tables are read right. */
const SHOPS = [
  { family: 'spree-4.10', size: 500 },
  { family: 'spree-6.0', size: 100 },
] as const
const STEPS = 9
const STEP_MS = 10 * 60_000
const START = Date.now() - STEPS * STEP_MS

type Content = { name: string; price: string }
/** A product of the interleavings: what its hub has made, has been told of, and believes. */
type Trader = {
  id: string
  sku: string
  prices: { value: string; madeAt: number }[]
  hub: Content
  told: Content | undefined
  byPerson: boolean
}

// The hub sends two prices, a person renames or reprices or does nothing, the collector looks, messages are acknowledged:
// each at its own time, in any order. A step is ten minutes on the clock by which the rule tells what crossed.
describe.each(SHOPS)('price, person and price in $family', ({ family, size }) => {
  test(`${size} random interleavings: the hub knows in the end what the store has`, async () => {
    const seed = Date.now() % 1_000_000
    const random = createRandom(seed)
    const database = await createStore(family, 'fixture')
    const { pool } = database
    try {
      await makeProducts(database)
      const collecting = await startCollecting(database)
      const { rows } = await pool.query<{ id: string; sku: string; variant: string }>(
        `select product_id::text as id, sku, id::text as variant from spree_variants where sku ~ '^IL-' order by id`,
      )
      const variants = new Map(rows.map(({ id, variant }) => [id, variant]))
      const traders = rows.map<Trader>(({ id, sku }) => ({
        id,
        sku,
        prices: [],
        hub: { name: sku, price: '10.0' },
        told: undefined,
        byPerson: false,
      }))
      const byAggregate = new Map(traders.map((trader) => [`product:${trader.id}`, trader]))

      // Deals with each product's part of a plan at the step that chance gives it.
      const plan = traders.map((trader) => {
        const at = () => random.between(0, STEPS - 1)
        const made = [at(), at()].sort((a, b) => a - b)
        return {
          trader,
          made,
          applied: made.map((step) => random.between(step, STEPS - 1)).sort((a, b) => a - b),
          person: random.pick(['renames', 'reprices', 'nothing'] as const),
          acts: at(),
        }
      })
      const applyPrice = (trader: Trader, { value, madeAt }: Trader['prices'][number]) =>
        inTransaction(pool, async (db) => {
          const payload = { sku: trader.sku, price: value }
          await applyMessage(db, collecting.store, productUpdate, payload, {}, { madeAt: new Date(madeAt) })
        })
      const act = async (trader: Trader, person: 'renames' | 'reprices') => {
        trader.byPerson = true
        if (person === 'renames')
          await pool.query(`update spree_products set name = name || ' renamed' where id = $1`, [trader.id])
        else
          await pool.query('update spree_prices set amount = 99.5 where variant_id = $1', [
            variants.get(trader.id),
          ])
      }
      const acknowledge = async (now: number, chance: number) => {
        const waiting = await pool.query<{ id: string; aggregate: string; payload: string }>(
          'select id::text, aggregate, payload from bridge.message order by xid, id',
        )
        const taken = waiting.rows.filter(
          ({ aggregate }) => byAggregate.has(aggregate) && random.chance(chance),
        )
        const first = new Map([...taken].reverse().map((message) => [message.aggregate, message]))
        for (const { aggregate, payload } of first.values()) {
          const { name, price } = JSON.parse(payload) as Content
          const trader = byAggregate.get(aggregate)!
          trader.hub = { name, price }
          trader.told = { name, price }
        }
        // What the settler writes when the hub has taken a message, and what came before it of the same product.
        await pool.query(
          `with gone as (
             delete from bridge.message m
              using unnest($1::text[], $2::bigint[]) done (aggregate, id)
              where m.aggregate = done.aggregate and m.id <= done.id
              returning m.aggregate, m.type
           )
           insert into bridge.acknowledged as a (aggregate, type, at)
           select distinct aggregate, type, $3::timestamptz from gone
           on conflict (aggregate, type) do update set at = excluded.at`,
          [[...first.keys()], [...first.values()].map(({ id }) => id), new Date(now)],
        )
      }

      for (let step = 0; step < STEPS; step++) {
        const now = START + step * STEP_MS
        for (const { trader, made } of plan) {
          for (const _ of made.filter((at) => at === step)) {
            const value = `${20 + trader.prices.length}.${random.between(10, 99)}`
            trader.prices.push({ value, madeAt: now })
            trader.hub = { ...trader.hub, price: value }
          }
        }
        // A product's own acts in an order that chance makes, but its hub's messages as the hub sends them: in order.
        const work = plan.map(({ trader, applied, person, acts }) => {
          const due = trader.prices.filter((_, index) => applied[index] === step)
          const own = due.map((price) => () => applyPrice(trader, price))
          if (acts === step && person !== 'nothing')
            own.splice(random.between(0, own.length), 0, () => act(trader, person))
          return async () => {
            for (const one of own) await one()
          }
        })
        // Half of it, perhaps a look at some of it, an acknowledgement in between, the other half.
        const half = Math.floor(work.length / 2)
        await inLanes(work.slice(0, half))
        for (let looks = random.between(0, 2); looks > 0; looks--) await collecting.look()
        await acknowledge(now, random.pick([0, 0.5, 1]))
        await inLanes(work.slice(half))
        for (let looks = random.between(0, 4); looks > 0; looks--) await collecting.look()
        await acknowledge(now, random.pick([0, 0.5, 1]))
      }
      await collecting.all()
      for (let round = 0; round < 3; round++) await acknowledge(START + STEPS * STEP_MS, 1)

      const stored = new Map(
        [
          ...(await collecting.store.products(
            pool,
            traders.map(({ id }) => id),
          )),
        ].map(([id, product]) => {
          if (product instanceof Error) throw product
          return [id, product]
        }),
      )
      const apart = traders.flatMap((trader) => {
        const product = stored.get(trader.id)
        const has = { name: product?.name, price: Number(product?.price) }
        const knows = { name: trader.hub.name, price: Number(trader.hub.price) }
        return JSON.stringify(has) === JSON.stringify(knows) ? [] : [{ sku: trader.sku, has, knows, seed }]
      })
      expect(apart).toEqual([])
      // Where no person did anything, nothing was ever announced; where one did, it was.
      expect(traders.filter(({ byPerson, told }) => !byPerson && told !== undefined)).toEqual([])
      expect(traders.filter(({ byPerson, told }) => byPerson && told === undefined)).toEqual([])
      expect(traders.filter(({ byPerson }) => byPerson).length).toBeGreaterThan(size / 2)
    } finally {
      await database.drop()
    }
  })

  /** Products `IL-0001` and on, at 10.00, written as bare as the tables allow. */
  async function makeProducts({ pool }: TestDatabase): Promise<void> {
    const master = family === 'spree-4.10'
    await pool.query(
      `with made as (
         insert into spree_products (name, slug, status, created_at, updated_at)
         select sku, lower(sku), 'active', now(), now()
           from (select 'IL-' || lpad(n::text, 4, '0') as sku from generate_series(1, $1::integer) n) s
         returning id, name
       ), variants as (
         insert into spree_variants (product_id, sku, is_master, position, created_at, updated_at)
         select id, name, $2, 1, now(), now() from made
         returning id
       )
       insert into spree_prices (variant_id, currency, amount, created_at, updated_at)
       select id, 'USD', 10, now(), now() from variants`,
      [size, master],
    )
  }
})

const LANES = 6

/** Several at a time, each lane one after the other. */
async function inLanes(work: readonly (() => Promise<void>)[]): Promise<void> {
  await Promise.all(
    Array.from({ length: LANES }, async (_, lane) => {
      for (let index = lane; index < work.length; index += LANES) await work[index]?.()
    }),
  )
}
