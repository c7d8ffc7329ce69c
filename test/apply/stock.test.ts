import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import { stockActual } from '../../src/apply/stock-actual.ts'
import { stockChange } from '../../src/apply/stock-change.ts'
import type { Connection } from '../../src/postgres/pool.ts'
import { inTransaction } from '../../src/postgres/transaction.ts'
import { openStore, type Store } from '../../src/store/store.ts'
import { applyMessage, makeInbox } from '../support/applying.ts'
import type { TestDatabase } from '../support/postgres.ts'
import { createStore } from '../support/stores.ts'
import { differences, takePicture } from '../support/table-diff.ts'

const four = {
  stock: 'spree_stock_items',
  movedStock: 'stock_item_id',
  shipments: 'spree_shipments',
  units: 'spree_inventory_units',
  unitShipment: 'shipment_id',
  state: 'state',
  orderState: 'shipment_state',
} as const
const words = {
  'spree-4.10': four,
  'spree-4.7': four,
  'spree-3.7': four,
  'spree-5.6': four,
  'spree-6.0': {
    stock: 'spree_stock_levels',
    movedStock: 'stock_level_id',
    shipments: 'spree_fulfillments',
    units: 'spree_fulfillment_items',
    unitShipment: 'fulfillment_id',
    state: 'status',
    orderState: 'fulfillment_status',
  },
} as const

type Family = keyof typeof words

describe.each(Object.keys(words) as Family[])('stock from a hub, in a store of %s', (family) => {
  const w = words[family]
  const isSix = family === 'spree-6.0'
  const isFive = family === 'spree-5.6'
  let database: TestDatabase
  let store: Store
  let db: Connection

  beforeAll(async () => {
    database = await createStore(family, 'fixture')
    store = await openStore(database.pool)
  })
  afterAll(() => database.drop())

  // What a test changes is rolled back.
  beforeEach(async () => {
    db = await database.pool.connect()
    await db.query('begin')
  })
  afterEach(async () => {
    await db.query('rollback')
    db.release()
  })

  const change = (sku: string, quantity: number, parameters = {}) =>
    applyMessage(db, store, stockChange, { sku, quantity }, parameters)
  const actual = (sku: string, quantity: number, parameters = {}) =>
    applyMessage(db, store, stockActual, { sku, quantity }, parameters)
  const rows = async (text: string, values: unknown[] = []) => (await db.query(text, values)).rows
  const levels = (variantId: number) =>
    rows(
      `select stock_location_id::integer as location, count_on_hand as level, backorderable
         from ${w.stock} where variant_id = $1 and deleted_at is null order by 1`,
      [variantId],
    )
  const movements = () =>
    rows(
      `select ${w.movedStock}::integer as row, quantity${isSix ? ', kind, reason, order_id' : ', originator_type, originator_id'}
         from spree_stock_movements
        where created_at > '2026-04-01' order by id`,
    )
  const movement = (row: number, quantity: number, reason: string) =>
    isSix
      ? { row, quantity, kind: 'adjusted', reason, order_id: null }
      : { row, quantity, originator_type: null, originator_id: null }
  /** Nothing in any row of the store says that something happened. */
  const untouched = async () => {
    for (const table of [
      w.stock,
      'spree_stock_movements',
      'spree_variants',
      'spree_products',
      'spree_orders',
    ])
      expect(await rows(`select id from ${table} where updated_at > '2026-04-01'`)).toEqual([])
  }

  test('C144 an answer says what was received and what came of it', async () => {
    await actual('BC-01', 0)
    expect(await change('BC-01', 5)).toEqual({
      notifications: [
        {
          level: 'info',
          subject: 'stock:change',
          description: 'received 5 for sku BC-01, changed stock from 0 to 5 (force = false)',
        },
      ],
      details: { sku: 'BC-01', quantity: 5, from: 0, to: 5 },
    })
  })

  test('C145 C146 levels may go below zero', async () => {
    await actual('TM-1', 6)
    expect((await change('TM-1', -7)).details).toMatchObject({ from: 6, to: -1 })
    await actual('TM-1', -6)
    expect((await change('TM-1', -1)).details).toMatchObject({ from: -6, to: -7 })
    await actual('TM-1', -6)
    expect((await change('TM-1', 20)).details).toMatchObject({ from: -6, to: 14 })
  })

  test.each([{ 'spree.force_quantity': true }, { 'spree.force_quantity': 'true' }, { force_quantity: true }])(
    'C147 a forced quantity is the level: %j',
    async (parameters) => {
      const answer = await change('BC-01', 7, parameters)
      expect(answer.details).toMatchObject({ from: 40, to: 7 })
      expect(answer.notifications[0]?.description).toBe(
        'received 7 for sku BC-01, changed stock from 40 to 7 (force = true)',
      )
      expect(await levels(108)).toMatchObject([{ level: 7 }, { level: 15 }])
    },
  )

  test('C147 an actual level is set', async () => {
    const answer = await actual('BC-01', 38)
    expect(answer.notifications[0]).toMatchObject({
      subject: 'stock:actual',
      description: 'received 38 for sku BC-01, changed stock from 40 to 38 (force = true)',
    })
    expect(await movements()).toEqual([movement(306, -2, 'stock:actual')])
  })

  test.each([{ 'spree.stock_location_id': 2 }, { 'spree.stock_location_id': '2' }, { stock_location_id: 2 }])(
    'C148 the location is that of the parameter: %j',
    async (parameters) => {
      await change('BC-01', 5, parameters)
      expect(await levels(108)).toMatchObject([{ level: 40 }, { level: 20 }])
    },
  )

  test('without a parameter the location is the one named, else the default, else the first active', async () => {
    await applyMessage(db, store, stockChange, { sku: 'BC-01', quantity: 1, stock_location: 'Kiel depot' })
    await applyMessage(db, store, stockChange, { sku: 'BC-01', quantity: 1, stock_location: 'KEL' })
    expect(await levels(108)).toMatchObject([{ level: 40 }, { level: 17 }])
    await db.query('update spree_stock_locations set "default" = (id = 2)')
    await change('BC-01', 1)
    expect(await levels(108)).toMatchObject([{ level: 40 }, { level: 18 }])
    await db.query('update spree_stock_locations set "default" = false, active = (id = 1)')
    await change('BC-01', 1)
    expect(await levels(108)).toMatchObject([{ level: 41 }, { level: 18 }])
  })

  // After the traces of `stock_movement`, in 4.2 and Solidus `stock_moved`.
  test('a change is a movement, a level and touches, and nothing else', async () => {
    const before = await takePicture(db)
    await change('BC-01', 5)
    const touch = { updated_at: '<time>' }
    const touched = (table: string) => ({ table, was: 'changed', columns: touch })
    const inserted = {
      ...{ [w.movedStock]: 306, quantity: 5, action: null, originator_type: null, originator_id: null },
      ...{ created_at: '<time>', ...touch },
    }
    const ofSix = {
      ...{ kind: 'adjusted', reason: 'stock:change', order_id: null, fulfillment_id: null, return_id: null },
      ...{ exchange_id: null, stock_transfer_id: null, purchase_order_id: null, unit_cost: null },
      stock_receipt_id: null,
    }
    expect(differences(before, await takePicture(db))).toEqual([
      // The two lines that hold it.
      ...(isSix || isFive ? [touched('spree_line_items'), touched('spree_line_items')] : []),
      touched('spree_products'),
      { table: w.stock, was: 'changed', columns: { count_on_hand: 45, ...touch } },
      {
        table: 'spree_stock_movements',
        was: 'inserted',
        columns: isSix ? { ...inserted, ...ofSix } : inserted,
      },
      // Its taxon with the one above it.
      ...(isSix ? [] : [touched('spree_taxonomies'), touched('spree_taxons'), touched('spree_taxons')]),
      touched('spree_variants'),
    ])
  })

  test('a level that is so already is left alone', async () => {
    await makeInbox(db)
    expect((await actual('BC-01', 40)).details).toMatchObject({ from: 40, to: 40 })
    expect((await change('BC-01', 0)).details).toMatchObject({ from: 40, to: 40 })
    expect((await actual('TM-1', 0, { stock_location_id: 2 })).details).toMatchObject({ from: 0, to: 0 })
    await untouched()
    // But of the levels it is known that they were said, for an older one that may come later.
    expect(
      await rows('select variant_id, stock_location_id from bridge.stock_count order by variant_id'),
    ).toEqual([
      { variant_id: '108', stock_location_id: '1' },
      { variant_id: '112', stock_location_id: '2' },
    ])
  })

  test('a missing row of stock is made as the location makes its own', async () => {
    await db.query('update spree_stock_locations set backorderable_default = (id = 2)')
    expect((await change('TM-1', 3, { 'spree.stock_location_id': 2 })).details).toMatchObject({
      from: 0,
      to: 3,
    })
    expect(await levels(112)).toEqual([
      { location: 1, level: 25, backorderable: false },
      { location: 2, level: 3, backorderable: true },
    ])
    expect(await movements()).toHaveLength(1)
  })

  test('a variant whose stock is not tracked gets the movement and keeps its level', async () => {
    expect((await change('GV-25', 3)).details).toMatchObject({ from: 0, to: 0 })
    expect(await levels(111)).toMatchObject([{ level: 0 }])
    expect(await movements()).toEqual([movement(309, 3, 'stock:change')])
    expect((await actual('GV-25', 3)).details).toMatchObject({ from: 0, to: 3 })
  })

  const units = () =>
    rows(
      `select ${w.state} as state, quantity, ${w.unitShipment}::integer as shipment, line_item_id::integer as line
         from ${w.units} where order_id = 44 order by ${w.state}, quantity`,
    )
  const order44 = async () =>
    (
      await rows(
        `select ${w.orderState} as shipping, updated_at > '2026-04-01' as touched from spree_orders where id = 44`,
      )
    )[0]
  const shipment54 = async () =>
    (
      await rows(
        `select ${w.state} as state, updated_at > '2026-04-01' as touched from ${w.shipments} where id = 54`,
      )
    )[0]

  test('what comes in fills backorders, in part', async () => {
    await change('SL-7', 1)
    expect(await units()).toEqual([
      { state: 'backordered', quantity: 1, shipment: 54, line: 506 },
      { state: 'on_hand', quantity: 1, shipment: 54, line: 506 },
      { state: 'on_hand', quantity: 1, shipment: 54, line: 506 },
    ])
    expect(await order44()).toEqual({ shipping: 'backorder', touched: true })
    expect(await shipment54()).toMatchObject({ touched: true })
  })

  test('what comes in fills backorders, and the paid order can be sent', async () => {
    await change('SL-7', 5)
    expect(await units()).toEqual([
      { state: 'on_hand', quantity: 1, shipment: 54, line: 506 },
      { state: 'on_hand', quantity: 2, shipment: 54, line: 506 },
    ])
    expect(await order44()).toEqual({
      shipping: isSix ? 'unfulfilled' : 'ready',
      touched: true,
    })
    expect(await shipment54()).toEqual({
      state: isSix ? 'unfulfilled' : 'ready',
      touched: true,
    })
    if (!isSix)
      expect(
        await rows(
          `select name, previous_state, next_state, stateful_type, stateful_id::integer, user_id from spree_state_changes
            where created_at > '2026-04-01'`,
        ),
      ).toEqual([
        {
          name: 'shipment',
          previous_state: 'backorder',
          next_state: 'ready',
          stateful_type: 'Spree::Order',
          stateful_id: 44,
          user_id: null,
        },
      ])
    else
      expect(
        await rows('select allocated_count, reserved_count from spree_stock_levels where id = 308'),
      ).toEqual([{ allocated_count: 3, reserved_count: 0 }])
  })

  test('an unpaid order whose backorder is filled still waits for its payment', async () => {
    if (isSix) return // there a parcel's status does not speak of money
    await db.query(`update spree_orders set payment_state = 'balance_due' where id = 44`)
    await change('SL-7', 5)
    expect(await shipment54()).toMatchObject({ state: 'pending' })
    expect(await order44()).toMatchObject({ shipping: 'pending' })
  })

  test('the longest waiting order comes first, and other locations and canceled parcels get nothing', async () => {
    // Order 42 waits for two pieces too, and longer; order 45 waits at the other location; 43 is canceled.
    for (const [id, order, shipment] of [
      [901, 42, 52],
      [902, 45, 57],
      [903, 43, 53],
    ])
      await db.query(
        `insert into ${w.units} (id, ${w.state}, variant_id, order_id, ${w.unitShipment}, quantity, created_at, updated_at)
         values ($1, 'backordered', 110, $2, $3, 2, '2026-03-05', '2026-03-05')`,
        [id, order, shipment],
      )
    await change('SL-7', 3)
    const waiting = () =>
      rows(
        `select order_id::integer as order, sum(quantity)::integer as pieces from ${w.units}
          where ${w.state} = 'backordered' and variant_id = 110 and order_id is not null group by 1 order by 1`,
      )
    const left = await waiting()
    expect(left).toEqual([
      { order: 43, pieces: 2 },
      { order: 44, pieces: 1 },
      { order: 45, pieces: 2 },
    ])
    await change('SL-7', 20)
    expect((await waiting()).map((row) => row['order'])).toEqual([43, 45])
  })

  test('a level that sinks fills nothing', async () => {
    await change('SL-7', -1)
    expect(await order44()).toEqual({ shipping: 'backorder', touched: false })
  })

  test.each([
    ['unknown_sku', 'bc-01', 1, {}, /No variant has SKU bc-01: create/],
    ['deleted_variant', 'FS-OCHRE-S', 1, {}, /variant with SKU FS-OCHRE-S is deleted/],
    ['deleted_variant', 'CH-1', 1, {}, /SKU CH-1 is deleted/],
    ['unknown_location', 'BC-01', 1, { 'spree.stock_location_id': 99 }, /no stock location with id 99/],
    ['unknown_location', 'BC-01', 1, { 'spree.stock_location_id': 'main' }, /is not an id/],
    ['unknown_location', 'BC-01', 1, { 'spree.stock_location_id': '9'.repeat(30) }, /is not an id/],
    ['stock_out_of_range', 'BC-01', 2_147_483_647, {}, /from 40 to 2147483687/],
    ['stock_out_of_range', 'BC-01', -2_147_483_648, { 'spree.force_quantity': true }, /from 40/],
  ])('%s: not applicable, and nothing is written', async (code, sku, quantity, parameters, message) => {
    await expect(change(sku, quantity, parameters)).rejects.toMatchObject({
      name: 'NotApplicable',
      code,
      message: expect.stringMatching(message),
    })
    await untouched()
  })

  test('a SKU of two living variants is not applicable; of a living and a deleted one, it is the living', async () => {
    await db.query(`update spree_variants set sku = 'BC-01' where id in (112, 114)`)
    await expect(change('BC-01', 1)).rejects.toMatchObject({
      code: 'ambiguous_sku',
      message: expect.stringContaining('ids 108, 112'),
    })
    await db.query(`update spree_variants set sku = 'TM-1' where id = 112`)
    await change('BC-01', 1)
    expect(await levels(108)).toMatchObject([{ level: 41 }, { level: 15 }])
  })

  test('several at once add up, on a row that none of them finds and on one that is there', async () => {
    const atOnce = () =>
      Promise.all(
        Array.from({ length: 4 }, () =>
          inTransaction(database.pool, (writer) =>
            applyMessage(writer, store, stockChange, { sku: 'OC-L', quantity: 3 }, { stock_location_id: 2 }),
          ),
        ),
      )
    const levelsFound = async () =>
      (await atOnce()).map(({ details }) => details['from']).sort((a, b) => Number(a) - Number(b))
    expect(await levelsFound()).toEqual([0, 3, 6, 9])
    expect(await levelsFound()).toEqual([12, 15, 18, 21])
    expect((await levels(107)).slice(1)).toEqual([{ location: 2, level: 24, backorderable: false }])
  })
})

test.each([1.5, '5', null, 2_147_483_648, -2_147_483_649, Number.NaN])(
  'a quantity of %p is no quantity',
  (quantity) => {
    expect(stockChange.schema.safeParse({ sku: 'BC-01', quantity }).success).toBe(false)
  },
)
test.each(['', 'a\0b', 5, null, 'x'.repeat(256)])('a SKU of %p is no SKU', (sku) => {
  expect(stockActual.schema.safeParse({ sku, quantity: 1 }).success).toBe(false)
})
