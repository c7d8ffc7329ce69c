import { beforeAll, describe, expect, test } from '@jest/globals'
import { HANDLERS } from '../../src/apply/handlers.ts'
import type { MappingError } from '../../src/messages/mapping-error.ts'
import { productPayload } from '../../src/messages/product.ts'
import { rawOrder } from '../../src/messages/raw-order.ts'
import { sampleOf } from '../../src/messages/samples/samples.ts'
import { announcedOrderSchema } from '../../src/messages/schemas/order-message.ts'
import { announcedProductSchema } from '../../src/messages/schemas/product-message.ts'
import type { OrderSnapshot, ProductSnapshot } from '../../src/messages/snapshot.ts'
import type { Reconciliation } from '../../src/operator/reconcile-store.ts'
import { createPool } from '../../src/postgres/pool.ts'
import { openStore, type Store } from '../../src/store/store.ts'
import { readExpected } from '../expected/read-expected.ts'
import type { TestDatabase } from '../support/postgres.ts'
import { reconcile } from '../support/reconcile.ts'
import { startRecordingHub } from '../support/recording-hub.ts'
import {
  createStore,
  dumpsAvailable,
  type OldStore,
  replay,
  type StoreFamily,
  type StoreSource,
} from '../support/stores.ts'
import { digestStore, newMessageId, post, startTestWeb } from '../support/web.ts'
import { startTestWorker } from '../support/worker.ts'
import { withWorker } from './live-through-the-day.ts'
import { aboutOf, toldOnOldDay } from './old-days.ts'
import { byAbout, type Episode, readDay, withNow } from './told.ts'

type Old = Readonly<{ version: OldStore; source: StoreSource; family: string }>

const stores: Old[] = [
  { version: 'spree-2.4', source: 'fixture', family: 'spree-2.4' },
  { version: 'spree-2.4', source: 'dump', family: 'spree-2.4' },
  { version: 'spree-2.0', source: 'fixture', family: 'spree-2.1' },
  { version: 'spree-3.2', source: 'fixture', family: 'spree-3.6' },
  { version: 'spree-3.7', source: 'dump', family: 'spree-4.10' },
  { version: 'spree-4.7', source: 'fixture', family: 'spree-4.7' },
]
const possible = stores.filter(({ source }) => source === 'fixture' || dumpsAvailable())

for (const { version } of stores.filter((store) => !possible.includes(store)))
  test.skip(`a real store of ${version} needs STORE_DUMPS`, () => {})

/** The statements and the payloads are the same for a version's dump and its own small shop. */
const stepsOf = ({ version }: Old) => readDay(`${version}.json`)

type Lived = Readonly<{
  episodes: readonly Episode[]
  touched: Episode
  before: number
  reconciled: Pick<Reconciliation, 'drift' | 'clean'>
  complaints: string[]
}>

// All at the same time, as most of a day is waiting for things to settle.
const days = new Map<Old, Promise<Lived>>()
beforeAll(() => {
  for (const store of possible) {
    const day = live(store)
    day.catch(() => {}) // its own tests tell
    days.set(store, day)
  }
})

function live(old: Old): Promise<Lived> {
  const { version, source } = old
  return withWorker({ family: version, source }, {}, { ours: true }, async (db, hub, act, worker) => {
    const before = hub.requests.filter(({ method }) => method === 'POST').length
    const episodes: Episode[] = []
    for (const step of Object.keys(stepsOf(old)).sort())
      episodes.push(await act(step, () => replay(db, version, step, 'fixture')))
    const touched = await act('touch', touch)
    const { drift, clean } = await reconcile(db)
    return { episodes, touched, before, reconciled: { drift, clean }, complaints: worker.complaints() }
  })
}

async function touch({ pool }: TestDatabase): Promise<void> {
  const { rows } = await pool.query<{ name: string }>(
    `select table_name as name from information_schema.columns
      where table_schema = 'public' and column_name = 'updated_at'`,
  )
  for (const { name } of rows) await pool.query(`update ${name} set updated_at = now()`)
}

describe.each(possible)('a day in a store of $version ($source)', (store) => {
  const steps = stepsOf(store)
  let day: Lived

  beforeAll(async () => {
    day = (await days.get(store))!
  })

  test('what the store came with is learnt in silence', () => {
    expect(day.before).toBe(0)
  })

  test.each(Object.keys(steps).sort())('%s', (step) => {
    const episode = day.episodes.find(({ name }) => name === step)!
    const told = episode.requests.map(({ type, payload }) => ({
      about: aboutOf(type, payload),
      type,
      payload,
    }))
    expect(byAbout(told.map((message) => withNow(message, episode)))).toEqual(
      byAbout(toldOnOldDay(store.version, steps, step)),
    )
  })

  test('a touch of every row says nothing', () => {
    expect(day.touched.requests.map(({ type, payload }) => [type, payload])).toEqual([])
  })

  test('reconcile finds nothing that was not told', () => {
    expect(day.reconciled).toEqual({ drift: [], clean: true })
  })

  test('the worker has nothing to complain of', () => {
    expect(day.complaints).toEqual([])
  })
})

/** How many placed orders and products a store came with. */
const inventory: Readonly<Record<string, readonly [orders: number, products: number]>> = {
  'spree-2.0 fixture': [1, 3],
  'spree-2.4 fixture': [1, 3],
  'spree-2.4 dump': [5, 6],
  'spree-3.2 fixture': [1, 3],
  'spree-3.7 dump': [0, 0],
  'spree-4.7 fixture': [5, 8],
}

test.each(possible)('$version ($source) is known by its columns and can be told whole', async (old) => {
  await withStore(old, async (store, db) => {
    expect(store.family).toBe(old.family)
    const orders = await store.orders(db, await store.roots(db, 'order', '0', 200))
    const products = await store.products(db, await store.roots(db, 'product', '0', 200))
    for (const order of orders.values()) announcedOrderSchema.parse(orderPayload(order))
    for (const product of products.values()) announcedProductSchema.parse(payloadOf(product))
    expect([orders.size, products.size]).toEqual(inventory[`${old.version} ${old.source}`])
  })
})

describe('before 4.2', () => {
  test.each([
    ['spree-2.0', 'EUR'],
    ['spree-2.4', '--- EUR\n...\n'],
  ] as const)(
    'the currency is a setting of the shop (%s), which a store may name as well',
    async (version, value) => {
      await withStore({ version, source: 'fixture' }, async (_, db) => {
        const priceOf = async (id: string) => {
          const { price, currency } = payloadOf((await (await openStore(db)).products(db, [id])).get(id))
          return [price, currency]
        }
        expect(await priceOf('31')).toEqual(['12.0', 'USD'])
        await db.query(`update spree_preferences set value = $1`, [value])
        expect(await priceOf('31')).toEqual(['8.5', 'EUR'])
        if (version === 'spree-2.4') {
          await db.query(`update spree_stores set default_currency = 'USD'`)
          expect(await priceOf('31')).toEqual(['12.0', 'USD'])
        } else {
          await db.query(`delete from spree_preferences`)
          expect(await priceOf('31')).toEqual(['12.0', 'USD'])
        }
      })
    },
  )

  test.each(['spree-2.0', 'spree-2.4', 'spree-3.2'] as const)(
    'an order says the same wherever its money stands (%s)',
    async (version) => {
      await withStore({ version, source: 'fixture' }, async (store, db) => {
        const order = orderPayload((await store.orders(db, ['41', '42'])).get('41'))
        expect(order).toMatchObject({
          item_total: '21.5',
          ship_total: '5.0',
          tax_total: '2.15',
          total: '26.65',
          payment_state: 'paid',
          shipment_state: 'backorder',
          credit_cards: [{ id: 81, first_name: 'Ada', last_name: 'Keel', gateway_payment_profile_id: null }],
          refunds: [],
          return_authorizations: [],
        })
        expect(order.payments).toMatchObject([
          { id: 71, number: version === 'spree-3.2' ? 'P41AAAAA' : 'PAY41AAA' },
        ])
        expect(order.shipments.map(({ state, inventory_units }) => [state, inventory_units])).toEqual([
          ['shipped', [{ id: 751, state: 'shipped', variant_id: 102, order_id: 41, shipment_id: 551 }]],
          ['pending', [{ id: 752, state: 'backordered', variant_id: 103, order_id: 41, shipment_id: 552 }]],
        ])
        expect(order.adjustments.map(({ amount, originator_type }) => [amount, originator_type])).toEqual(
          version === 'spree-2.0'
            ? [
                ['5.0', 'Spree::ShippingMethod'],
                ['2.15', 'Spree::TaxRate'],
                ['-2.0', 'Spree::PromotionAction'],
              ]
            : [
                ['1.2', 'Spree::TaxRate'],
                ['0.95', 'Spree::TaxRate'],
                ['-2.0', 'Spree::PromotionAction'],
              ],
        )
      })
    },
  )

  test('a deleted product is told as it was, where prices are deleted with it and where they are not', async () => {
    for (const version of ['spree-2.0', 'spree-2.4'] as const)
      await withStore({ version, source: 'fixture' }, async (store, db) => {
        expect(payloadOf((await store.products(db, ['33'])).get('33'))).toMatchObject({
          sku: 'TL',
          price: '30.0',
          permalink: '1770026400_tin-lantern',
          deleted_at: '2026-02-02T10:00:00.000Z',
        })
        const stock = await store.stock(db, ['102', '103', '105'])
        expect(stock.get('102')).toMatchObject({ level: 12, living: true })
        expect(stock.get('103')).toMatchObject({ level: -1, living: true })
        expect(stock.get('105')).toMatchObject({ level: version === 'spree-2.4' ? 0 : 5, living: false })
      })
  })

  test('2.2 has sums already, and neither stores, refunds nor return items', async () => {
    await withStore({ version: 'spree-2.4', source: 'fixture' }, async (store, db) => {
      const told = orderPayload((await store.orders(db, ['41'])).get('41'))
      await db.query(`
        alter table spree_orders drop store_id, drop guest_token, drop canceled_at, drop canceler_id;
        alter table spree_shipping_methods drop code;
        alter table spree_inventory_units add return_authorization_id integer;
        drop table spree_stores, spree_refunds, spree_refund_reasons, spree_return_items`)
      const older = await openStore(db)
      expect(older.family).toBe('spree-2.4')
      expect(orderPayload((await older.orders(db, ['41'])).get('41'))).toEqual({ ...told, store: null })
      expect(payloadOf((await older.products(db, ['31'])).get('31'))).toMatchObject({ currency: 'USD' })
    })
  })

  test('a unit has a quantity from 3.3 on', async () => {
    await withStore({ version: 'spree-3.2', source: 'fixture' }, async (_, db) => {
      await db.query('alter table spree_inventory_units add quantity integer default 1')
      await db.query('update spree_inventory_units set quantity = 4 where id = 751')
      const store = await openStore(db)
      expect(store.family).toBe('spree-3.6')
      const { shipments } = orderPayload((await store.orders(db, ['41'])).get('41'))
      expect(shipments.map(({ inventory_units }) => inventory_units)).toMatchObject([
        [{ quantity: 4 }],
        [{ quantity: 1 }],
      ])
    })
  })
})

describe('4.6 and 4.7', () => {
  const old: Pick<Old, 'version' | 'source'> = { version: 'spree-4.7', source: 'fixture' }

  test('tell the same as 4.10, though the names live in translations', async () => {
    await withStore(old, async (store, db) => {
      const product = payloadOf((await store.products(db, ['11'])).get('11'))
      const sweater = (mark: string) => ({
        name: `Fisherman's Sweater${mark}`,
        description: `Heavy wool, "felted".\nWash by hand.${mark}`,
        permalink: `fishermans-sweater${mark}`,
        meta_description: `A sweater for gales${mark}`,
        meta_keywords: `wool, navy, ochre${mark}`,
      })
      expect(product).toEqual({
        ...readExpected('spree-4.10', 'fixture', 'product-11'),
        translations: { de: sweater('-de'), en: sweater('') },
      })
      const order = orderPayload((await store.orders(db, ['44'])).get('44'))
      expect(order).toEqual(readExpected('spree-4.10', 'fixture', 'order-R204817354'))
    })
  })

  test('a name that is not in the store’s language is told in the one that was written first', async () => {
    await withStore(old, async (store, db) => {
      await db.query(
        `update spree_product_translations set name = null where spree_product_id = 13 and locale = 'en'`,
      )
      await db.query(`delete from spree_product_translations where spree_product_id = 14`)
      await db.query(`update spree_products set name = 'Left over' where id = 14`)
      const products = await store.products(db, ['13', '14'])
      expect(payloadOf(products.get('13'))).toMatchObject({
        name: 'Brass Compass-de',
        permalink: 'brass-compass',
      })
      expect(payloadOf(products.get('14'))).toMatchObject({ name: 'Left over', permalink: null })
    })
  })
})

test('5.x: the price is the first variant’s once there are variants, price lists do not count, a status is told', async () => {
  await withStore({ version: 'spree-4.10', source: 'fixture' }, async (_, db) => {
    await db.query(`
      alter table spree_prices add price_list_id bigint;
      alter table spree_products add store_id bigint, add variant_count integer not null default 0;
      alter table spree_variants add media_count integer not null default 0;
      alter table spree_orders add status varchar not null default 'draft';
      insert into spree_stores (id, name, code, default_currency, "default", created_at, updated_at)
      values (9, 'Kiel', 'kiel', 'EUR', false, now(), now());
      update spree_products set store_id = 1;
      update spree_products set store_id = 9 where id = 13;
      update spree_orders set status = 'placed';
      delete from spree_prices where variant_id = 101;
      insert into spree_prices (variant_id, amount, currency, price_list_id, created_at, updated_at)
      values (101, 1, 'USD', 5, now(), now()), (102, 2, 'USD', 5, now(), now())`)
    const store = await openStore(db)
    expect(store.family).toBe('spree-4.10')
    const products = await store.products(db, ['11', '13'])
    expect(payloadOf(products.get('11'))).toMatchObject({ sku: 'FS', price: '89.0', currency: 'USD' })
    expect(payloadOf(products.get('13'))).toMatchObject({ price: '31.9', currency: 'EUR' })
    expect(orderPayload((await store.orders(db, ['41'])).get('41'))).toMatchObject({
      state: 'complete',
      status: 'placed',
    })
    const catalogue = store.watched.filter(({ kind }) => kind === 'product')
    const columns = catalogue.flatMap((table) => table.columns)
    expect(columns.filter((name) => name.endsWith('_count'))).toEqual([])
  })
})

test('a store in another schema than public, beside one of another program: it alone is watched, read and told', async () => {
  const db = await createStore('spree-2.4', 'fixture')
  const hub = await startRecordingHub({ ours: true })
  try {
    await db.pool.query('alter schema public rename to "Old Shop"')
    await db.pool.query('create schema public')
    await db.pool.query('create table public.spree_orders (id bigint primary key, completed_at timestamp)')
    const name = new URL(db.url).pathname.slice(1)
    await db.pool.query(`alter database "${name}" set search_path = "Old Shop", public`)
    const own: TestDatabase = {
      ...db,
      pool: createPool(db.url, { applicationName: 'test', onConnectionError: () => {} }),
    }
    const worker = await startTestWorker(own, hub)
    try {
      await db.pool.query('insert into public.spree_orders values (1, now())')
      await db.pool.query(`update "Old Shop".spree_stock_items set count_on_hand = 9 where id = 301`)
      await db.pool.query(`update "Old Shop".spree_addresses set city = 'Albany' where id = 61`)
      await worker.settled()
      const told = hub.requests.filter(({ method }) => method === 'POST')
      expect(told.map(({ type, payload }) => [type, payload['number'] ?? payload])).toEqual(
        expect.arrayContaining([
          ['stock:change', { sku: 'HC-F', quantity: 1 }],
          ['order:persist', 'R410000001'],
        ]),
      )
      expect(told).toHaveLength(2)
      expect(worker.complaints()).toEqual([])
    } finally {
      await worker.stop()
      await own.pool.end()
    }
  } finally {
    await hub.close()
    await db.drop()
  }
})

test.each([
  ['spree-2.0', 'HC-F', 8],
  ['spree-2.4', 'HC-F', 8],
  ['spree-3.2', 'HC-F', 8],
  ['spree-4.7', 'BC-01', 40],
] as const)(
  'what a hub sends to a store of %s is written once: stock by its message, an order by its number',
  async (version, sku, level) => {
    const shop = await createStore(version, 'fixture')
    const web = await startTestWeb(shop, HANDLERS)
    const send = (message: string, payload: unknown) =>
      post(`${web.url}/webhook`, { message, message_id: newMessageId(), payload })
    try {
      expect(web.lines().filter((line) => /"level":"(warn|error)"/.test(line))).toEqual([])
      const sent = { message: 'stock:change', message_id: newMessageId(), payload: { sku, quantity: 5 } }
      const first = await post(`${web.url}/webhook`, sent)
      expect([first.status, JSON.parse(first.text)]).toMatchObject([200, { sku, from: level, to: level + 5 }])
      const after = await digestStore(shop)
      expect((await post(`${web.url}/webhook`, sent)).text).toBe(first.text)
      expect((await send('stock:actual', { sku, quantity: level + 5 })).status).toBe(200)
      expect(await digestStore(shop)).toEqual(after)
      const { payload } = sampleOf('order:import')!
      const order = {
        ...Object(payload).order,
        totals: { item: 10, shipping: 5, order: 15 },
        line_items: [{ sku, quantity: 1, price: 10 }],
        adjustments: [],
        payments: [],
        shipments: [],
      }
      expect(await send('order:import', { order })).toMatchObject({ status: 200 })
      const imported = await digestStore(shop)
      expect(await send('order:import', { order })).toMatchObject({
        status: 500,
        text: expect.stringContaining(`Order ${order.number} is in this store already`),
      })
      expect(await digestStore(shop)).toEqual(imported)
    } finally {
      await web.stop()
      await shop.drop()
    }
  },
)

function orderPayload(order: OrderSnapshot | MappingError | undefined) {
  if (order === undefined || order instanceof Error) throw order ?? new Error('no such order')
  return rawOrder(order)
}

function payloadOf(product: ProductSnapshot | MappingError | undefined) {
  if (product === undefined || product instanceof Error) throw product ?? new Error('no such product')
  return productPayload(product, undefined)
}

/** What `work` changes goes with the store. */
async function withStore(
  { version, source }: Readonly<{ version: OldStore | StoreFamily; source: StoreSource }>,
  work: (store: Store, db: TestDatabase['pool']) => Promise<void>,
): Promise<void> {
  const db = await createStore(version, source)
  try {
    await work(await openStore(db.pool), db.pool)
  } finally {
    await db.drop()
  }
}
