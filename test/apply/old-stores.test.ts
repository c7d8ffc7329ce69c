import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import { stockActual } from '../../src/apply/stock-actual.ts'
import { stockChange } from '../../src/apply/stock-change.ts'
import type { Connection } from '../../src/postgres/pool.ts'
import { inTransaction } from '../../src/postgres/transaction.ts'
import { openStore, type Store } from '../../src/store/store.ts'
import { applyMessage } from '../support/applying.ts'
import { startCollecting } from '../support/collecting.ts'
import type { TestDatabase } from '../support/postgres.ts'
import { type AnyStore, createStore, dumpsAvailable, replay, type StoreSource } from '../support/stores.ts'
import { type Difference, differences, type Picture, takePicture } from '../support/table-diff.ts'

const touched = { updated_at: '<time>' }
const made = { created_at: '<time>', updated_at: '<time>' }
const changed = (table: string, columns: Record<string, unknown>): Difference => ({
  table,
  was: 'changed',
  columns: { ...columns, ...touched },
})
const inserted = (table: string, columns: Record<string, unknown>): Difference => ({
  table,
  was: 'inserted',
  columns: { ...columns, ...made },
})
const movement = (stockItem: number, quantity: number) =>
  inserted('spree_stock_movements', {
    stock_item_id: stockItem,
    quantity,
    action: null,
    originator_type: null,
    originator_id: null,
  })
const stateChange = (order: number, previous: string, next: string) =>
  inserted('spree_state_changes', {
    name: 'shipment',
    previous_state: previous,
    next_state: next,
    stateful_type: 'Spree::Order',
    stateful_id: order,
    user_id: null,
  })

/**
 * What the models of each version leave behind when the chart comes in for which half of order 41 waits: `StockMovement`,
 * `StockItem#process_backorders`, `InventoryUnit#fulfill_order`, `Order#fulfill!`. Until 2.1 that was `Order#update!`, whose
 * shipments get their state alone, and in 2.0 stock touches nothing.
 */
const filled = {
  'spree-2.0': [
    changed('spree_inventory_units', { state: 'on_hand' }),
    changed('spree_orders', { shipment_state: 'partial' }),
    changed('spree_shipments', { state: 'ready' }),
    stateChange(41, 'backorder', 'partial'),
    changed('spree_stock_items', { count_on_hand: 0 }),
    movement(303, 1),
  ],
  'spree-2.4': [
    changed('spree_inventory_units', { state: 'on_hand' }),
    changed('spree_orders', { shipment_state: 'partial' }),
    changed('spree_products', {}),
    changed('spree_shipments', {}),
    changed('spree_shipments', { state: 'ready' }),
    stateChange(41, 'backorder', 'partial'),
    changed('spree_stock_items', { count_on_hand: 0 }),
    movement(303, 1),
    changed('spree_variants', {}),
  ],
  get 'spree-3.2'() {
    return this['spree-2.4']
  },
}
type Old = keyof typeof filled

describe.each(Object.keys(filled) as Old[])('stock from a hub, in a store of %s', (version) => {
  let database: TestDatabase
  let store: Store
  let db: Connection
  let before: Picture

  beforeAll(async () => {
    database = await createStore(version, 'fixture')
    store = await openStore(database.pool)
  })
  afterAll(() => database.drop())

  // What a test changes is rolled back.
  beforeEach(async () => {
    db = await database.pool.connect()
    await db.query('begin')
    before = await takePicture(db)
  })
  afterEach(async () => {
    await db.query('rollback')
    db.release()
  })

  const change = (sku: string, quantity: number, more = {}) =>
    applyMessage(db, store, stockChange, { sku, quantity, ...more })
  const since = async (picture = before) => differences(picture, await takePicture(db))
  const rows = async (text: string) => (await db.query(text)).rows

  test('fills what a paid order waits for, and leaves the rows that the shop itself would', async () => {
    const answer = await change('HC-Q', 1)
    expect(answer.details).toEqual({ sku: 'HC-Q', quantity: 1, from: -1, to: 0 })
    expect(await since()).toEqual(filled[version])
  })

  test('an actual level leaves the same, and the second time nothing', async () => {
    const actual = () => applyMessage(db, store, stockActual, { sku: 'HC-Q', quantity: 0 })
    expect((await actual()).details).toMatchObject({ from: -1, to: 0 })
    expect(await since()).toEqual(filled[version])
    const once = await takePicture(db)
    expect((await actual()).details).toMatchObject({ from: 0, to: 0 })
    expect(await since(once)).toEqual([])
  })

  test('a level that sinks, below zero too, is a movement and no more', async () => {
    expect((await change('HC-Q', -2)).details).toMatchObject({ from: -1, to: -3 })
    expect(await since()).toEqual([
      ...(version === 'spree-2.0' ? [] : [changed('spree_products', {})]),
      changed('spree_stock_items', { count_on_hand: -3 }),
      movement(303, -2),
      ...(version === 'spree-2.0' ? [] : [changed('spree_variants', {})]),
    ])
  })

  test('a variant that is not tracked gets the movement alone', async () => {
    await db.query('update spree_variants set track_inventory = false where id = 102')
    before = await takePicture(db)
    expect((await change('HC-F', 3)).details).toMatchObject({ from: 8, to: 8 })
    expect(await since()).toEqual([movement(301, 3)])
  })

  test('a missing row is made as the location makes its own, and counted by the variant where it counts', async () => {
    await change('HC-Q', 3, { stock_location: 'east' })
    const all = await since()
    expect(all.filter(({ table }) => table === 'spree_stock_items')).toEqual([
      inserted('spree_stock_items', {
        stock_location_id: 2,
        variant_id: 103,
        count_on_hand: 3,
        backorderable: false,
        ...(version === 'spree-2.0' ? {} : { deleted_at: null }),
      }),
    ])
    expect(all.filter(({ table }) => table === 'spree_variants')).toEqual(
      {
        'spree-2.0': [],
        'spree-2.4': [changed('spree_variants', { stock_items_count: 3 })],
        'spree-3.2': [changed('spree_variants', {})],
      }[version],
    )
  })

  test('piece by piece, the longest waiting order first; carts and canceled parcels get nothing', async () => {
    // Order 43 has waited longer for two pieces; order 42 is a cart, and a parcel of 43 is canceled.
    await db.query(`
      insert into spree_orders (id, number, state, completed_at, shipment_state, payment_state, created_at, updated_at)
      values (43, 'R43', 'complete', '2026-02-02 08:00:00', 'backorder', 'balance_due', '2026-02-02', '2026-02-02');
      insert into spree_shipments (id, number, order_id, state, stock_location_id, created_at, updated_at)
      values (561, 'H561', 43, 'pending', 1, '2026-02-02', '2026-02-02'), (562, 'H562', 43, 'canceled', 1, '2026-02-02', '2026-02-02'),
             (563, 'H563', 42, 'pending', 1, '2026-02-02', '2026-02-02');
      insert into spree_inventory_units (id, state, variant_id, order_id, shipment_id, created_at, updated_at)
      values (761, 'backordered', 103, 43, 561, '2026-02-05', '2026-02-05'), (762, 'backordered', 103, 43, 561, '2026-02-05', '2026-02-05'),
             (763, 'backordered', 103, 43, 562, '2026-02-01', '2026-02-01'), (764, 'backordered', 103, 42, 563, '2026-02-01', '2026-02-01')`)
    const waiting = () => rows(`select id from spree_inventory_units where state = 'backordered' order by id`)
    const order43 = () =>
      rows(`select shipment_state, updated_at > '2026-04-01' as touched from spree_orders where id = 43`)
    await change('HC-Q', 1)
    expect(await waiting()).toEqual([{ id: 752 }, { id: 762 }, { id: 763 }, { id: 764 }])
    expect(await order43()).toEqual([{ shipment_state: 'backorder', touched: true }])
    await change('HC-Q', 1)
    expect(await waiting()).toEqual([{ id: 752 }, { id: 763 }, { id: 764 }])
    await change('HC-Q', 5)
    expect(await waiting()).toEqual([{ id: 763 }, { id: 764 }])
    expect(await rows(`select state from spree_shipments where id in (552, 561, 562) order by id`)).toEqual([
      { state: 'ready' },
      { state: 'pending' },
      { state: 'canceled' },
    ])
  })

  test('what cannot be applied changes nothing', async () => {
    for (const [sku, more, code] of [
      ['hc-q', {}, 'unknown_sku'],
      ['TL', {}, 'deleted_variant'],
      ['HC-Q', { stock_location: 'west' }, 'unknown_location'],
    ] as const)
      await expect(change(sku, 1, more)).rejects.toMatchObject({ name: 'NotApplicable', code })
    expect(await since()).toEqual([])
  })
})

describe('versions between', () => {
  /** In a store whose tables `statements` change, in a transaction that is rolled back. */
  const inStoreOf = async (
    version: AnyStore,
    statements: string,
    work: (db: Connection, store: Store) => Promise<void>,
  ) => {
    const database = await createStore(version, 'fixture')
    const db = await database.pool.connect()
    try {
      await db.query('begin')
      await db.query(statements)
      await work(db, await openStore(db))
    } finally {
      await db.query('rollback')
      db.release()
      await database.drop()
    }
  }
  const taxons = (position: string) => `
    create table spree_taxonomies (id serial primary key, updated_at timestamp);
    create table spree_taxons (id serial primary key, parent_id integer, taxonomy_id integer, lft integer, rgt integer,
                               updated_at timestamp);
    create table spree_products_taxons (product_id integer, taxon_id integer${position});
    insert into spree_taxonomies (id) values (1);
    insert into spree_taxons (id, parent_id, taxonomy_id, lft, rgt) values (1, null, 1, 1, 4), (2, 1, 1, 2, 3);
    insert into spree_products_taxons (product_id, taxon_id) values (31, 2);`

  test.each([
    ['2.1', 'spree-2.0', `alter table spree_variants add updated_at timestamp;${taxons('')}`, []],
    ['2.2', 'spree-2.4', taxons(', position integer'), ['spree_taxonomies', 'spree_taxons', 'spree_taxons']],
  ] as const)(
    'stock touches variant and product from 2.1 on, and its taxons from 2.2 on: %s',
    async (_, version, statements, more) => {
      await inStoreOf(version, statements, async (db, store) => {
        const before = await takePicture(db)
        await applyMessage(db, store, stockChange, { sku: 'HC-F', quantity: 1 })
        const tables = differences(before, await takePicture(db)).map(({ table }) => table)
        expect(tables).toEqual([
          'spree_products',
          'spree_stock_items',
          'spree_stock_movements',
          ...more,
          'spree_variants',
        ])
      })
    },
  )

  test('from 3.3 on a unit of more pieces than came in is split', async () => {
    await inStoreOf(
      'spree-3.2',
      `alter table spree_inventory_units add quantity integer default 1;
       update spree_inventory_units set quantity = 3 where id = 752`,
      async (db, store) => {
        const before = await takePicture(db)
        await applyMessage(db, store, stockChange, { sku: 'HC-Q', quantity: 2 })
        const units = differences(before, await takePicture(db)).filter(
          ({ table }) => table === 'spree_inventory_units',
        )
        const unit = { variant_id: 103, order_id: 41, shipment_id: 552, line_item_id: 502, pending: false }
        expect(units.toSorted((a, b) => (a.was < b.was ? -1 : 1))).toEqual([
          changed('spree_inventory_units', { quantity: 1 }),
          inserted('spree_inventory_units', { ...unit, state: 'on_hand', quantity: 2 }),
        ])
      },
    )
  })

  test('before 2.4, where no location is marked as the default, it is the oldest', async () => {
    await inStoreOf(
      'spree-2.0',
      `update spree_stock_locations set name = 'zeta' where id = 1`,
      async (db, store) => {
        await applyMessage(db, store, stockChange, { sku: 'HC-F', quantity: 1 })
        const { rows } = await db.query(
          'select count_on_hand from spree_stock_items where variant_id = 102 order by stock_location_id',
        )
        expect(rows).toEqual([{ count_on_hand: 9 }, { count_on_hand: 4 }])
      },
    )
  })
})

// The step of each day is written after what the version's own code issues.
const days: [AnyStore, StoreSource, sku: string, before: string[], step: string][] = [
  ['spree-2.0', 'fixture', 'HC-F', [], '02-stock-movement'],
  ['spree-3.2', 'fixture', 'HC-F', [], '02-stock-movement'],
  ['spree-2.4', 'fixture', 'DC-S', ['01-create-product'], '03-stock-movement'],
  ['spree-2.4', 'dump', 'DC-S', ['01-create-product'], '03-stock-movement'],
]

test.each(days.filter(([, source]) => source === 'fixture' || dumpsAvailable()))(
  'seven pieces that come in leave what the shop’s own statements leave: %s (%s)',
  async (version, source, sku, steps, step) => {
    const database = await createStore(version, source)
    try {
      for (const earlier of steps) await replay(database, version, earlier, 'fixture')
      const store = await openStore(database.pool)
      const before = await takePicture(database.pool)
      const db = await database.pool.connect()
      try {
        await db.query('begin')
        await applyMessage(db, store, stockChange, { sku, quantity: 7 })
        const ours = differences(before, await takePicture(db))
        await db.query('rollback')
        await replay(database, version, step, 'fixture')
        expect(ours).toEqual(differences(before, await takePicture(database.pool)))
        expect(ours).toContainEqual(movement(version === 'spree-2.4' ? 933 : 301, 7))
      } finally {
        db.release()
      }
    } finally {
      await database.drop()
    }
  },
)

test.each([
  ['spree-2.0', 'HC-F', 301, 'HC-Q', 'R410000001'],
  ['spree-2.4', 'HC-F', 301, 'HC-Q', 'R410000001'],
  ['spree-3.2', 'HC-F', 301, 'HC-Q', 'R410000001'],
  ['spree-4.7', 'TM-1', 310, 'SL-7', 'R204817354'],
] as const)(
  'a level is not announced back in %s; a sale at the same time is, and the order that it filled',
  async (version, sku, row, owed, number) => {
    const database = await createStore(version, 'fixture')
    try {
      const collecting = await startCollecting(database)
      const fromHub = (name: string, quantity: number) =>
        inTransaction(database.pool, (db) =>
          applyMessage(db, collecting.store, stockChange, { sku: name, quantity }),
        )
      await fromHub(sku, 50)
      expect(await collecting.all()).toEqual([])
      await fromHub(sku, -30)
      await database.pool.query(
        'update spree_stock_items set count_on_hand = count_on_hand - 2 where id = $1',
        [row],
      )
      await fromHub(sku, 7)
      expect(await collecting.all()).toMatchObject([{ type: 'stock:change', payload: { sku, quantity: -2 } }])
      await fromHub(owed, 5)
      expect(await collecting.all()).toMatchObject([{ type: 'order:persist', payload: { number } }])
    } finally {
      await database.drop()
    }
  },
)
