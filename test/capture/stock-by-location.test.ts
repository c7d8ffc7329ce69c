import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'

import { compareProducts } from '../../src/capture/compare-window.ts'
import { request } from '../../src/capture/outbox.ts'
import { previewMessages } from '../../src/operator/preview-messages.ts'
import { type Collecting, startCollecting } from '../support/collecting.ts'
import type { TestDatabase } from '../support/postgres.ts'
import { createStore } from '../support/stores.ts'

// FS-NAVY-S (102): 12 in Portland (item 301), 4 in Kiel (311). FS-NAVY-M (103): 5 in Portland (302), 2 in Kiel (312).
// SL-7 (110): -2 in Portland (308), nothing in Kiel. Each test goes on from the one before.

let db: TestDatabase
let collecting: Collecting

const start = async (stock: 'change' | 'actual', stockBy: 'location' | 'variant' = 'location') => {
  db = await createStore('spree-4.10', 'fixture')
  collecting = await startCollecting(db, { stock, stockBy })
}
const told = async (...sql: string[]) => {
  for (const statement of sql) await db.pool.query(statement)
  const messages = await collecting.all()
  return messages
    .map(({ type, payload }) => [type, payload])
    .sort(([, one], [, other]) => (JSON.stringify(one) < JSON.stringify(other) ? -1 : 1))
}
const add = (pieces: number, item: number) =>
  `update spree_stock_items set count_on_hand = count_on_hand + ${pieces} where id = ${item}`
const change = (quantity: number, stock_location?: string, sku = 'FS-NAVY-S') => [
  'stock:change',
  { sku, quantity, ...(stock_location && { stock_location }) },
]
const actual = (quantity: number, stock_location: string, sku = 'FS-NAVY-S') => [
  'stock:actual',
  { sku, quantity, stock_location },
]
/** As the hub's own, which it knows. */
const hubs = (sql: string) => `select set_config('bridge.origin', '1700000000000:m1', true); ${sql}`
/** Of 500 pieces in Portland. */
const giveSku = `update spree_variants set sku = 'TG-1' where id = 109`
/** As no trigger sees it. */
const unseen = async (sql: string) => {
  await db.pool.query('alter table spree_stock_items disable trigger user')
  await db.pool.query(sql)
  await db.pool.query('alter table spree_stock_items enable trigger user')
}
const reconcile = async (stockMessages: 'change' | 'actual') => {
  const options = { fix: true, stockMessages, stockBy: 'location' } as const
  const { drift } = await compareProducts(db.pool, collecting.store, ['11', '15'], options)
  return drift.map(({ outcome, name, missed }) => [outcome, name, missed])
}

describe('by how much stock changed in each location', () => {
  beforeAll(() => start('change'))
  afterAll(() => db.drop())

  test('is told with its name; what is moved between two is told of both', async () => {
    expect(await told(add(5, 301), add(-1, 301))).toEqual([change(4, 'Portland warehouse')])
    expect(await told(add(-3, 301), add(3, 311))).toEqual([
      change(-3, 'Portland warehouse'),
      change(3, 'Kiel depot'),
    ])
    expect(await told(add(-3, 301), add(3, 301))).toEqual([])
    const soft = 'update spree_stock_items set deleted_at = now() where id = 311'
    expect(await told(soft)).toEqual([change(-7, 'Kiel depot')])
    expect(await reconcile('change')).toEqual([])
  })

  test('is told of the whole where nobody knows of which: an item that is gone, and what no trigger saw', async () => {
    expect(await told('delete from spree_stock_items where id = 312')).toEqual([
      change(-2, undefined, 'FS-NAVY-M'),
    ])
    await unseen(add(2, 301))
    expect(await reconcile('change')).toEqual([['changed', 'FS-NAVY-S', 2]])
    expect(await told()).toEqual([change(2)])
    expect(await reconcile('change')).toEqual([])
  })

  test('is told of each where a variant gets its first SKU', async () => {
    expect(await told(giveSku)).toEqual([
      ['product:update', expect.objectContaining({ sku: 'TG-1' })],
      change(500, 'Portland warehouse', 'TG-1'),
    ])
  })

  test('begins, where a backfill says what is there, with the level of each', async () => {
    await request(db.pool, 'backfill', [{ kind: 'stock', id: '13', variantId: '108' }])
    expect(await told()).toEqual([
      actual(15, 'Kiel depot', 'BC-01'),
      actual(40, 'Portland warehouse', 'BC-01'),
    ])
  })

  test('bears no name where there is one location', async () => {
    await db.pool.query('update spree_stock_locations set deleted_at = now() where id = 2')
    expect(await told(add(5, 301))).toEqual([change(5)])
  })
})

describe('what each location holds', () => {
  beforeAll(() => start('actual'))
  afterAll(() => db.drop())

  test('is told of those that hold something else than was told', async () => {
    expect(await told(add(5, 301))).toEqual([actual(17, 'Portland warehouse')])
    expect(await told(add(-3, 301), add(3, 311))).toEqual([
      actual(14, 'Portland warehouse'),
      actual(7, 'Kiel depot'),
    ])
    expect(await told(add(-3, 301), add(3, 301))).toEqual([])
    expect(await told('delete from spree_stock_items where id = 311')).toEqual([actual(0, 'Kiel depot')])
    expect(
      await told(
        `insert into spree_stock_items (stock_location_id, variant_id, count_on_hand, created_at, updated_at)
         values (2, 110, 6, now(), now())`,
      ),
    ).toEqual([actual(6, 'Kiel depot', 'SL-7')])
    expect(await reconcile('actual')).toEqual([])
  })

  test('is found by a reconcile where pieces went from one to another unseen', async () => {
    await told(add(1, 302))
    await unseen(`${add(-5, 302)}; ${add(5, 312)}`)
    expect(await reconcile('actual')).toEqual([['changed', 'FS-NAVY-M', 0]])
    expect(await told()).toEqual([
      actual(1, 'Portland warehouse', 'FS-NAVY-M'),
      actual(7, 'Kiel depot', 'FS-NAVY-M'),
    ])
    expect(await reconcile('actual')).toEqual([])
  })

  test('is told where a variant gets its first SKU', async () => {
    expect(await told(giveSku)).toEqual([
      ['product:update', expect.objectContaining({ sku: 'TG-1' })],
      actual(500, 'Portland warehouse', 'TG-1'),
    ])
  })

  test('waits for each location by itself', async () => {
    const { rows } = await db.pool.query<{ subject: string }>(
      `select distinct subject from bridge.message where subject like 'stock:103@%' order by subject`,
    )
    expect(rows.map(({ subject }) => subject)).toEqual([
      'stock:103@Kiel depot',
      'stock:103@Portland warehouse',
    ])
  })

  test('is previewed so', async () => {
    const preview = await previewMessages(db.pool, collecting.store, {
      kind: 'stock',
      name: '15',
      stockMessages: 'actual',
      stockBy: 'location',
      orderMessages: 'persist',
      shape: undefined,
      redact: undefined,
    })
    expect(preview?.messages.map(({ type, payload }) => [type, payload])).toEqual([
      actual(-2, 'Portland warehouse', 'SL-7'),
      actual(6, 'Kiel depot', 'SL-7'),
    ])
  })

  test('is told where a variant gets its first SKU again, though the hub moved some of it', async () => {
    await told(`update spree_variants set sku = '' where id = 109`)
    await db.pool.query('truncate bridge.message')
    expect(await told(giveSku, hubs(add(2, 307)))).toEqual([
      ['product:update', expect.objectContaining({ sku: 'TG-1' })],
      actual(502, 'Portland warehouse', 'TG-1'),
    ])
  })

  test('is not told of what the hub moved itself, but of all that this does not explain', async () => {
    await db.pool.query('truncate bridge.message')
    expect(await told(hubs(add(1, 302)))).toEqual([])
    expect(
      await told(hubs(`${add(2, 302)}; ${add(1, 312)}`), hubs(`${add(-3, 302)}; ${add(-1, 312)}`)),
    ).toEqual([])
    await unseen(add(1, 312))
    expect(await told(hubs(add(-1, 302)))).toEqual([
      actual(0, 'Portland warehouse', 'FS-NAVY-M'),
      actual(8, 'Kiel depot', 'FS-NAVY-M'),
    ])
    await db.pool.query('truncate bridge.message')
    await unseen(add(-1, 302))
    expect(await told(hubs(add(1, 302)))).toEqual([actual(0, 'Portland warehouse', 'FS-NAVY-M')])
    await db.pool.query('truncate bridge.message')
    expect(await told(hubs(add(1, 312)), add(-1, 312))).toEqual([actual(8, 'Kiel depot', 'FS-NAVY-M')])
    await told(add(1, 302), add(-1, 312))
  })

  test('is told under the new name of a location, and under its old one that nothing is left', async () => {
    await db.pool.query(`update spree_stock_locations set name = 'Portland hall' where id = 1`)
    expect(await told(add(-1, 312))).toEqual([
      actual(0, 'Portland warehouse', 'FS-NAVY-M'),
      actual(1, 'Portland hall', 'FS-NAVY-M'),
      actual(6, 'Kiel depot', 'FS-NAVY-M'),
    ])
    expect(await reconcile('actual')).toEqual([
      ['changed', 'FS-NAVY-S', 0],
      ['changed', 'SL-7', 0],
    ])
    expect(await told()).toEqual(
      expect.arrayContaining([
        actual(14, 'Portland hall'),
        actual(0, 'Portland warehouse'),
        actual(-2, 'Portland hall', 'SL-7'),
      ]),
    )
    expect(await reconcile('actual')).toEqual([])
  })

  test('is told without a name once one location is left, and what stood under names is gone', async () => {
    await told(add(1, 302), add(1, 312))
    const nowhere = await told(
      'update spree_stock_locations set active = false where id = 2',
      'delete from spree_stock_items where stock_location_id = 2',
      'delete from spree_stock_locations where id = 2',
    )
    const ofOne = nowhere.filter((message) => JSON.stringify(message).includes('FS-NAVY-M'))
    expect(ofOne).toEqual([
      actual(0, 'Kiel depot', 'FS-NAVY-M'),
      actual(0, 'Portland hall', 'FS-NAVY-M'),
      ['stock:actual', { sku: 'FS-NAVY-M', quantity: 2 }],
    ])
    expect(await told(add(1, 302))).toEqual([['stock:actual', { sku: 'FS-NAVY-M', quantity: 3 }]])
    // The first change after it may be the hub's own.
    await db.pool.query('truncate bridge.message')
    expect(await told(hubs(add(3, 301)))).toEqual([
      actual(0, 'Kiel depot'),
      actual(0, 'Portland hall'),
      actual(0, 'Portland warehouse'),
      ['stock:actual', { sku: 'FS-NAVY-S', quantity: 17 }],
    ])
    await db.pool.query('truncate bridge.message')
    expect(await told(hubs(add(3, 301)))).toEqual([])
    expect(await reconcile('actual')).toEqual([])
  })
})

describe('what all locations hold together', () => {
  beforeAll(() => start('actual', 'variant'))
  afterAll(() => db.drop())

  test('is not told of what the hub moved itself, but of all that this does not explain', async () => {
    const level = (quantity: number) => [['stock:actual', { sku: 'FS-NAVY-S', quantity }]]
    expect(await told(hubs(add(2, 301)), hubs(add(1, 311)))).toEqual([])
    expect(await told(hubs(add(1, 301)), add(-1, 301))).toEqual(level(19))
    await db.pool.query('truncate bridge.message')
    await unseen(add(3, 301))
    expect(await told(hubs(add(1, 311)))).toEqual(level(23))
    await db.pool.query('truncate bridge.message')
    expect(await told(hubs(add(1, 311)))).toEqual([])
  })

  test('is told where the hub moved some while no message could be made, and the shop took it back', async () => {
    const { rows } = await db.pool.query<{ at: string }>(
      'select available_on::text as at from spree_products where id = 11',
    )
    const list = (at: string) => `update spree_products set available_on = '${at}' where id = 11`
    expect(await told(list('infinity'), hubs(add(5, 301)))).toEqual([])
    expect(await told(list(rows[0]!.at), add(-5, 301))).toEqual([
      ['stock:actual', { sku: 'FS-NAVY-S', quantity: 24 }],
    ])
  })

  test('is told where a variant gets its first SKU, though the hub moved some of it', async () => {
    expect(await told(giveSku, hubs(add(2, 307)))).toEqual([
      ['product:update', expect.objectContaining({ sku: 'TG-1' })],
      ['stock:actual', { sku: 'TG-1', quantity: 502 }],
    ])
  })
})
