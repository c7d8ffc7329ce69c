import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import fc from 'fast-check'

import { type Collecting, startCollecting } from '../support/collecting.ts'
import { createDatabase, onServer, type TestDatabase } from '../support/postgres.ts'
import { createStore } from '../support/stores.ts'
import * as catalogue from './catalogue.ts'
import { ReplayingConsumer } from './consumer.ts'
import * as customers from './customers.ts'
import * as fulfilment from './fulfilment.ts'
import * as orders from './orders.ts'
import * as removals from './removals.ts'
import { type Happening, happen, openReplayShop, type ReplayShop, UTC } from './shop.ts'
import { type Product, type State, skusOf } from './state.ts'
import * as stock from './stock.ts'
import { readWritten } from './written.ts'

const HAPPENINGS: Readonly<Record<string, Happening>> = {
  ...catalogue,
  ...removals,
  ...stock,
  ...orders,
  ...fulfilment,
  ...customers,
}

// REPLAY_SEED and REPLAY_RUNS choose other and more ones; a failure prints its seed.
const SEED = Number(process.env['REPLAY_SEED'] ?? 20_261_126)
const RUNS = Number(process.env['REPLAY_RUNS'] ?? 3)

const NAMES = Object.keys(HAPPENINGS)
// What is told by SKU is the hardest to tell: more of it.
const SKUS = [
  'removeVariant',
  'restoreVariant',
  'createWithFreeSku',
  'giveFreeSku',
  'removeProduct',
  'moveStock',
  'moveVariant',
]

const step = fc.record({
  happenings: fc.array(fc.record({ what: fc.constantFrom(...NAMES, ...SKUS), seed: fc.nat(1_000_000) }), {
    minLength: 1,
    maxLength: 3,
    size: 'max',
  }),
  how: fc.constantFrom('apart', 'together', 'together', 'savepoint', 'rolled back'),
  /** Whether the collector looks after it. */
  look: fc.constantFrom(false, false, true),
})
type Step = typeof step extends fc.Arbitrary<infer One> ? One : never

describe.each(['spree-2.4', 'spree-4.10', 'spree-6.0', 'solidus-4'] as const)(
  'replayed: a store of %s',
  (family) => {
    let original: TestDatabase
    let collecting: Collecting
    let shop: ReplayShop

    beforeAll(async () => {
      original = await createStore(family, 'fixture')
      shop = await openReplayShop(original.pool, family)
      collecting = await startCollecting(original)
      await original.pool.end()
    })
    afterAll(() => onServer((server) => server.query(`drop database ${nameOf(original)} with (force)`)))

    async function onCopy(work: (db: TestDatabase) => Promise<void>): Promise<void> {
      const db = await createDatabase(nameOf(original))
      try {
        await work(db)
      } finally {
        await db.drop()
      }
    }

    async function perform(db: TestDatabase, { happenings, how }: Step): Promise<void> {
      const one = await db.pool.connect()
      try {
        if (how !== 'apart') await one.query('begin')
        if (how === 'savepoint') {
          await one.query('savepoint attempt')
          for (const { what, seed } of happenings) await happen(one, shop, HAPPENINGS[what]!, seed + 1)
          await one.query('rollback to savepoint attempt')
        }
        for (const { what, seed } of happenings) await happen(one, shop, HAPPENINGS[what]!, seed)
        if (how !== 'apart') await one.query(how === 'rolled back' ? 'rollback' : 'commit')
        one.release()
      } catch (error) {
        one.release(error instanceof Error ? error : new Error(String(error)))
        throw error
      }
    }

    async function live(db: TestDatabase, steps: readonly Step[]): Promise<void> {
      const { all } = collecting.onCopy(db)
      const consumer = new ReplayingConsumer(await readWritten(db.pool, shop))
      const unsaid = new Set<string>()
      const listen = async () => {
        consumer.hear(await all())
        compare(consumer, await readWritten(db.pool, shop), unsaid)
      }
      for (const each of steps) {
        await perform(db, each)
        if (each.look) await listen()
      }
      await listen()
      await writeAgain(db, shop)
      expect(await all()).toEqual([])
    }

    test('its messages, replayed, are the shop; and the same content once more is silent', async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 15, size: 'max' }), async (steps) => {
          await onCopy((db) => live(db, steps))
        }),
        { seed: SEED, numRuns: RUNS, interruptAfterTimeLimit: 100_000 },
      )
    })
  },
)

function compare({ state, doubtful }: ReplayingConsumer, written: State, unsaid: Set<string>): void {
  // Of a product whose SKU lives on nothing is said when it goes: who goes by SKUs would remove the other one.
  for (const [id, product] of state.products)
    if (!written.products.has(id) && livesOn(product, written)) unsaid.add(id)
  // Nor is anything when that SKU dies in its turn: whose were the pieces?
  for (const id of unsaid)
    for (const sku of ownSkus(state.products.get(id)).filter((own) => !livingSkus(written).has(own)))
      doubtful.add(sku)
  const told = [...state.products].filter(([id]) => written.products.has(id) || !unsaid.has(id))
  expect(sorted(told.map(([id, product]) => [id, withOpenPrice(product, written.products.get(id))]))).toEqual(
    sorted([...written.products]),
  )
  const pieces = (stock: ReadonlyMap<string, number>) =>
    [...livingSkus(written)]
      .filter((sku) => !doubtful.has(sku))
      .sort()
      .map((sku) => [sku, stock.get(sku) ?? 0])
  expect(pieces(state.stock)).toEqual(pieces(written.stock))
  expect(sorted([...state.orders])).toEqual(sorted([...written.orders]))
  expect(sorted([...state.customers])).toEqual(sorted([...written.customers]))
}

function livesOn(product: Product, written: State): boolean {
  const own = ownSkus(product)
  return own.length > 0 && own.every((sku) => livingSkus(written).has(sku))
}

/** By which it is known: where it has none of its own, by those of its variants. */
function ownSkus(product: Product | undefined): string[] {
  if (!product) return []
  return product.sku === '' ? product.variants.map(({ sku }) => sku) : [product.sku]
}

function livingSkus({ products }: State): ReadonlySet<string> {
  return new Set([...products.values()].flatMap((product) => [...skusOf(product).values()]))
}

function withOpenPrice(product: Product, written: Product | undefined): Product {
  return written?.price === undefined ? { ...product, price: undefined } : product
}

function sorted<Entry>(entries: readonly (readonly [string, Entry])[]): (readonly [string, Entry])[] {
  return entries.toSorted(([one], [other]) => one.localeCompare(other))
}

function nameOf({ url }: TestDatabase): string {
  return new URL(url).pathname.slice(1)
}

/** Every row as it stands, with a new time; and in two commits something else, and what it was. */
async function writeAgain({ pool }: TestDatabase, shop: ReplayShop): Promise<void> {
  const { stock: levels, shipments, units, customers: accounts } = shop.words
  const columns = {
    spree_products: 'name',
    spree_variants: 'sku',
    spree_prices: 'amount',
    spree_option_values: 'name',
    spree_orders: 'number',
    spree_line_items: 'quantity',
    spree_payments: 'amount',
    spree_addresses: 'city',
    [levels]: 'count_on_hand',
    [shipments]: 'cost',
    [units]: 'variant_id',
    ...(accounts && { [accounts]: 'email' }),
  }
  for (const [table, column] of Object.entries(columns)) {
    // The price that was touched last is the one that counts in Solidus.
    const touched = table !== 'spree_prices' && shop.has(table, 'updated_at') ? `, updated_at = ${UTC}` : ''
    const isText = ['name', 'sku', 'number', 'city', 'email'].includes(column)
    await pool.query(`update ${table} set ${column} = ${column}${touched}`)
    await pool.query(`update ${table} set ${column} = ${column} ${isText ? `|| '~'` : '+ 1'}${touched}`)
    await pool.query(
      `update ${table} set ${column} = ${isText ? `left(${column}, -1)` : `${column} - 1`}${touched}`,
    )
  }
}
