import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'

import { compareOrders, compareProducts } from '../../src/capture/compare-window.ts'
import { cartKind } from '../../src/messages/cart.ts'
import { customerKind } from '../../src/messages/customer.ts'
import { deriveGenericMessages } from '../../src/messages/derive-generic-messages.ts'
import type { MessageType, ObjectType } from '../../src/messages/message.ts'
import { rawOrder } from '../../src/messages/raw-order.ts'
import { messageSchemas } from '../../src/messages/schemas/message-schemas.ts'
import type { StateKind } from '../../src/messages/state-kind.ts'
import { orderObjects, productObjects, stateObjects } from '../../src/messages/wombat/as-objects.ts'
import { previewMessages } from '../../src/operator/preview-messages.ts'
import { openStore } from '../../src/store/store.ts'
import { startCollecting } from '../support/collecting.ts'
import { type ObjectHub, type PushedObject, startObjectHub } from '../support/object-hub.ts'
import type { TestDatabase } from '../support/postgres.ts'
import { createStore, dumpsAvailable, replay, type StoreFamily } from '../support/stores.ts'
import { startTestWorker, type TestWorker } from '../support/worker.ts'
import { PATIENT } from './live-through-the-day.ts'
import { OBJECT_DAYS } from './object-days.ts'
import { deckShoe, shipTo, type ToldObject } from './object-forms.ts'

// What is expected was written from the protocol's table of serializers and from the statements, before any of it ran.

type Running = Readonly<{ db: TestDatabase; hub: ObjectHub; worker: TestWorker }>

async function start(
  family: StoreFamily,
  prepare?: (db: TestDatabase) => Promise<unknown>,
): Promise<Running> {
  const db = await createStore(family, 'fixture')
  await prepare?.(db)
  const hub = await startObjectHub()
  const settings = { hubDialect: 'wombat', ...PATIENT } as const
  return { db, hub, worker: await startTestWorker(db, hub, settings) }
}

async function stop({ db, hub, worker }: Running): Promise<void> {
  await worker.stop()
  await hub.close()
  await db.drop()
}

/** What a deed makes the bridge tell: orders and what hangs on them, then the catalogue, since these overtake each other. */
async function told({ db, hub, worker }: Running, act: (db: TestDatabase) => Promise<unknown>) {
  const before = hub.objects.length
  await act(db)
  await worker.settled()
  const objects = hub.objects.slice(before)
  for (const { type, object } of objects) messageSchemas[type as ObjectType].parse(object)
  const isCatalogue = ({ type }: PushedObject) => ['products', 'inventories'].includes(type)
  return [...objects.filter((each) => !isCatalogue(each)), ...objects.filter(isCatalogue)].map(
    ({ type, object }) => [type, object],
  )
}

const sql =
  (...statements: string[]) =>
  async ({ pool }: TestDatabase) => {
    for (const statement of statements) await pool.query(statement)
  }

let running: Running
beforeAll(async () => {
  running = await start(
    'spree-4.10',
    sql(
      `create table spree_promotion_categories (id bigint primary key, name varchar, code varchar);
         insert into spree_promotion_categories values (1, 'Seasonal', 'SEA');
         alter table spree_promotions add promotion_category_id bigint;
         update spree_promotions set code = 'spring-26', promotion_category_id = 1 where id = 1;
         create table spree_order_promotions (id bigint primary key, order_id bigint, promotion_id bigint);
         insert into spree_order_promotions values (1, 41, 1)`,
    ),
  )
})
afterAll(async () => {
  await stop(running)
})

describe('a store of 4.10 is told as objects', () => {
  const step = (name: string) => told(running, (db) => replay(db, 'spree-4.10', name, 'fixture'))
  const inventory = (
    quantity: number,
    id = 317,
    sku = 'DS-41',
    location = 'Portland warehouse',
  ): ToldObject => ['inventories', { id, location, product_id: sku, quantity }]
  const deckShoeII = {
    ...deckShoe,
    name: 'Deck Shoe II',
    price: 61,
    variants: [{ ...deckShoe.variants[0], price: 64 }, deckShoe.variants[1]],
  }
  const check = {
    id: 77,
    number: 'PCHK0001',
    status: 'checkout',
    amount: 134,
    payment_method: 'Check',
    source: null,
  }
  const placed = {
    id: 'R310000001',
    status: 'complete',
    channel: 'spree',
    email: 'guest@example.com',
    currency: 'USD',
    placed_on: '2026-03-10T09:28:00.476Z',
    updated_at: '2026-03-10T09:28:00.476Z',
    totals: { item: 128, adjustment: 0, tax: 0, shipping: 6, payment: 0, order: 134 },
    adjustments: [
      { name: 'discount', value: 0 },
      { name: 'tax', value: 0 },
      { name: 'shipping', value: 6 },
    ],
    guest_token: null,
    shipping_instructions: null,
    line_items: [{ id: 509, product_id: 'DS-41', name: 'Deck Shoe II', quantity: 2, price: 64 }],
    payments: [check],
    promotions: [],
    shipping_address: shipTo,
    billing_address: { ...shipTo, lastname: 'Payer', address1: '5 Quay Lane' },
  }
  const pending = {
    id: 'H61000000001',
    order_id: 'R310000001',
    email: 'guest@example.com',
    cost: 6,
    status: 'pending',
    stock_location: 'Portland warehouse',
    shipping_method: 'Ground',
    shipping_method_code: 'GROUND',
    tracking: null,
    placed_on: '2026-03-10T09:28:00.476Z',
    shipped_at: null,
    totals: placed.totals,
    updated_at: '2026-03-10T09:28:00.424Z',
    channel: 'spree',
    items: [{ product_id: 'DS-41', name: 'Deck Shoe II', quantity: 2, price: 64 }],
    billing_address: placed.billing_address,
    shipping_address: shipTo,
  }
  const changed = {
    ...placed,
    updated_at: '2026-03-10T09:35:00.563Z',
    totals: { item: 128, adjustment: -2.5, tax: 0, shipping: 6, payment: 0, order: 131.5 },
    shipping_address: { ...shipTo, address1: '6 Quay Lane' },
  }
  const paid = {
    ...changed,
    updated_at: '2026-03-10T09:42:00.645Z',
    totals: { ...changed.totals, payment: 134 },
    payments: [{ ...check, status: 'completed' }],
  }
  const ready = {
    ...pending,
    status: 'ready',
    updated_at: '2026-03-10T09:42:00.618Z',
    totals: paid.totals,
    shipping_address: paid.shipping_address,
  }
  const canceled = {
    ...placed,
    id: 'R310000002',
    status: 'canceled',
    placed_on: '2026-03-10T10:10:01.184Z',
    updated_at: '2026-03-10T10:17:01.221Z',
    line_items: [{ ...placed.line_items[0], id: 510 }],
    payments: [
      {
        id: 78,
        number: 'PCRD0002',
        status: 'pending',
        amount: 134,
        payment_method: 'Credit card',
        source: {
          name: 'Ann Payer',
          cc_type: 'visa',
          last_digits: '4242',
          source_type: 'Spree::CreditCard',
        },
      },
    ],
  }

  test('a product, and its stock behind it', async () => {
    expect(await step('01-create-product')).toEqual([
      ['products', deckShoe],
      inventory(20),
      inventory(20, 318, 'DS-42'),
    ])
    expect(await step('02-change-product')).toEqual([['products', deckShoeII]])
    expect(await step('03-stock-movement')).toEqual([inventory(27)])
  })

  test('what only the object says of a product is a change of it too', async () => {
    expect(
      await told(running, sql('update spree_variants set cost_price = 31.25, weight = 0.7 where id = 115')),
    ).toEqual([['products', { ...deckShoeII, cost_price: 31.25, weight: '0.7' }]])
    expect(
      await told(running, sql('update spree_variants set cost_price = null, weight = 0 where id = 115')),
    ).toEqual([['products', deckShoeII]])
  })

  test('an order with its shipment, from the checkout to the return', async () => {
    expect(await step('04-checkout')).toEqual([['orders', placed], ['shipments', pending], inventory(25)])
    expect(await step('05-update-order')).toEqual([
      ['orders', changed],
      [
        'shipments',
        {
          ...pending,
          updated_at: '2026-03-10T09:35:00.556Z',
          totals: changed.totals,
          shipping_address: changed.shipping_address,
        },
      ],
    ])
    expect(await step('06-capture-payment')).toEqual([
      ['orders', paid],
      ['shipments', ready],
    ])
    expect(await step('07-ship')).toEqual([
      ['orders', { ...paid, updated_at: '2026-03-10T09:49:00.713Z' }],
      [
        'shipments',
        {
          ...ready,
          status: 'shipped',
          tracking: '1ZHARBOUR1',
          shipped_at: '2026-03-10T09:49:00.690Z',
          updated_at: '2026-03-10T09:49:00.690Z',
        },
      ],
    ])
    // The payment stays completed; the shipment says nothing of what was given back.
    expect(await step('08a-refund')).toEqual([
      ['orders', { ...paid, updated_at: '2026-03-10T09:56:00.763Z' }],
    ])
    expect(await step('08b-return')).toEqual([
      ['orders', { ...paid, status: 'returned', updated_at: '2026-03-10T10:03:00.808Z' }],
      [
        'customer_returns',
        {
          id: 'CR700000001',
          fully_reimbursed: false,
          stock_location: 'Portland warehouse',
          channel: 'spree',
          resolution_path: '/admin/orders/R310000001/customer_returns/1/edit',
          return_items: [
            {
              id: 1,
              return_authorization_id: 'RA700000001',
              product_id: 'DS-41',
              exchange_product_id: null,
              reception_status: 'received',
              acceptance_status: 'accepted',
              pre_tax_amount: '125.5',
              included_tax_total: '0.0',
              additional_tax_total: '0.0',
              order_number: 'R310000001',
              created_at: '2026-03-10T10:03:00.781Z',
              reimbursed_at: null,
              reimbursed: false,
              store: 'harbour',
              resellable: true,
            },
          ],
          reimbursements: [],
        },
      ],
      inventory(27),
    ])
  })

  test('its reimbursement, with what was paid', async () => {
    const [returned] = await told(
      running,
      sql(
        `insert into spree_reimbursements (id, number, reimbursement_status, customer_return_id, order_id, total, created_at, updated_at)
         values (9001, 'RI9001', 'reimbursed', 1, 47, 125.5, '2026-03-11 08:00:00', now());
         update spree_return_items set reimbursement_id = 9001 where id = 1;
         update spree_refunds set reimbursement_id = 9001 where id = 32`,
      ),
    )
    const item = {
      id: 1,
      reimbursed: true,
      reimbursed_at: '2026-03-11T08:00:00.000Z',
    }
    expect(returned).toEqual([
      'customer_returns',
      expect.objectContaining({
        id: 'CR700000001',
        fully_reimbursed: true,
        return_items: [expect.objectContaining(item)],
        reimbursements: [
          {
            id: 'RI9001',
            order_id: 'R310000001',
            total: '125.5',
            paid_amount: '4.0',
            reimbursement_status: 'reimbursed',
            return_items: [expect.objectContaining(item)],
            refunds: [
              {
                reason: 'Goodwill',
                amount: '4.0',
                description: 'Check',
                payment: { ...check, status: 'completed' },
              },
            ],
          },
        ],
      }),
    ])
  })

  test('an order that is canceled, paid by card', async () => {
    const [order] = await step('09a-create-order-to-cancel')
    const open = { ...canceled, status: 'complete', updated_at: '2026-03-10T10:10:01.184Z' }
    expect(order).toEqual(['orders', open])
    const [again, shipment, stock] = await step('09b-cancel-order')
    expect(again).toEqual(['orders', canceled])
    expect(shipment).toEqual([
      'shipments',
      expect.objectContaining({
        id: 'H61000000002',
        order_id: 'R310000002',
        status: 'canceled',
        updated_at: '2026-03-10T10:17:01.214Z',
      }),
    ])
    expect(stock).toEqual(inventory(27))
  })

  test('stock of each location; a removal has no object, nor has a transfer: both are counted as kept back', async () => {
    expect(
      await told(
        running,
        sql(
          'update spree_stock_items set count_on_hand = count_on_hand - 3 where id = 301',
          'update spree_stock_items set count_on_hand = count_on_hand + 3 where id = 311',
        ),
      ),
    ).toEqual([inventory(9, 301, 'FS-NAVY-S'), inventory(7, 311, 'FS-NAVY-S', 'Kiel depot')])
    expect((await step('11a-create-product-to-delete')).map(([type]) => type)).toEqual(['products'])
    expect(running.hub.held.get('products CF-1')).toMatchObject({
      id: 'CF-1',
      price: 5,
      options: [],
      variants: [{ sku: 'CF-1', price: 5, options: {} }],
    })
    expect(await step('11b-delete-product')).toEqual([])
    expect(
      await told(
        running,
        sql(
          `insert into spree_stock_transfers (number, type, source_location_id, destination_location_id, created_at, updated_at)
           values ('T900000001', null, 1, 2, now(), now())`,
        ),
      ),
    ).toEqual([])
    const { rows } = await running.db.pool.query(
      `select type, withheld_by from bridge.withheld where type <> 'return_authorization:updated' order by type`,
    )
    expect(rows).toEqual([
      { type: 'product:update', withheld_by: 'dialect' },
      { type: 'return_authorization:new', withheld_by: 'dialect' },
      { type: 'stock_transfer:persist', withheld_by: 'dialect' },
    ])
  })

  test('a customer, in the form of the hub, until the account is closed', async () => {
    const address = {
      address1: '12 Wharf Street',
      address2: null,
      zipcode: '04101',
      city: 'Portland',
      state: 'Maine',
      country: 'US',
      phone: '+1 207 555 0101',
    }
    expect(await told(running, sql(`update spree_users set last_name = 'Berg' where id = 1`))).toEqual([
      [
        'customers',
        {
          id: '1',
          firstname: 'Clara',
          lastname: 'Berg',
          email: 'clara@example.com',
          shipping_address: address,
          billing_address: { ...address, address2: 'Floor 2' },
        },
      ],
    ])
    expect(await told(running, sql('delete from spree_users where id = 1'))).toEqual([])
  })

  test('the same again is silent, and all is as it was told', async () => {
    expect(
      await told(
        running,
        sql(
          'update spree_products set updated_at = now()',
          'update spree_orders set updated_at = now() where id > 41',
          'update spree_shipments set updated_at = now()',
          'update spree_stock_items set updated_at = now()',
        ),
      ),
    ).toEqual([])
    const store = await openStore(running.db.pool, { hubDialect: 'wombat' })
    const how = { fix: false, stockMessages: 'actual', stockBy: 'location' } as const
    const products = await compareProducts(running.db.pool, store, ['11', '13', '19'], how)
    const orders = await compareOrders(running.db.pool, store, ['41', '47', '48'], how)
    expect([...products.drift, ...orders.drift]).toEqual([])
    expect(running.worker.complaints()).toEqual([])
  })

  test('is previewed so', async () => {
    const store = await openStore(running.db.pool, { hubDialect: 'wombat' })
    const preview = async (kind: 'order' | 'stock', name: string) => {
      const { pool } = running.db
      const how = { stockMessages: 'actual', stockBy: 'location', orderMessages: 'generic' } as const
      const found = await previewMessages(pool, store, {
        kind,
        name,
        ...how,
        shape: undefined,
        redact: undefined,
      })
      return found?.messages.map(({ type, payload, withheldBy }) => [type, payload, withheldBy])
    }
    expect((await preview('stock', '11'))?.slice(0, 2)).toEqual([
      [...inventory(9, 301, 'FS-NAVY-S'), null],
      [...inventory(7, 311, 'FS-NAVY-S', 'Kiel depot'), null],
    ])
    const shown = await preview('order', 'R310000002')
    expect(shown?.map(([type]) => type)).toEqual(['orders', 'shipments'])
    expect(shown?.[0]?.[1]).toEqual({ ...canceled, updated_at: expect.any(String) })
  })
})

/** Of what leaves together, by what it is about; of two places neither comes first. */
describe.each(OBJECT_DAYS.filter(({ source }) => source === 'fixture' || dumpsAvailable()))(
  'a day in a store of $family ($source) is told as objects',
  ({ family, source, day }) => {
    let db: TestDatabase
    let objects: Awaited<ReturnType<typeof startCollecting>>

    beforeAll(async () => {
      db = await createStore(family, source)
      objects = await startCollecting(db, {
        hubDialect: 'wombat',
        stock: 'actual',
        stockBy: 'location',
        orders: 'generic',
      })
    })
    afterAll(() => db.drop())

    test.each(Object.keys(day))('%s', async (step) => {
      await replay(db, family, step, family === 'spree-2.4' ? 'fixture' : source)
      const told = await objects.all()
      for (const { type, payload } of told) messageSchemas[type as ObjectType].parse(payload)
      const about = ({ aggregate, type, payload }: (typeof told)[number]) =>
        type === 'inventories' ? `${aggregate} ${payload['id']}` : aggregate
      const sorted = told.toSorted((a, b) => (about(a) < about(b) ? -1 : about(a) > about(b) ? 1 : 0))
      expect(sorted.map(({ type, payload }) => [type, payload])).toEqual(day[step])
    })
  },
)

describe('the promises hold for objects', () => {
  const emails = (objects: readonly PushedObject[]) => objects.map(({ object }) => object['email'])

  test('an order with a promotion, taxes and a card, in the keys of both branches', async () => {
    const [order, shipment] = await told(
      running,
      sql(`update spree_orders set email = 'clara@example.org' where id = 41`),
    )
    const shipping = {
      firstname: 'Clara',
      lastname: 'Lindqvist',
      address1: '12 Wharf Street',
      address2: null,
      zipcode: '04101',
      city: 'Portland',
      state: 'ME',
      country: 'US',
      phone: '+1 207 555 0101',
      company: null,
    }
    expect(order).toEqual([
      'orders',
      {
        id: 'R204817351',
        status: 'complete',
        channel: 'spree',
        email: 'clara@example.org',
        currency: 'USD',
        placed_on: '2026-03-04T10:00:00.000Z',
        updated_at: '2026-03-04T10:00:00.000Z',
        totals: {
          item: 212.5,
          adjustment: -7.09,
          tax: 10.71,
          shipping: 6,
          payment: 211.41,
          order: 211.41,
        },
        adjustments: [
          { name: 'discount', value: -17.8 },
          { name: 'tax', value: 10.71 },
          { name: 'shipping', value: 6 },
        ],
        guest_token: null,
        shipping_instructions: 'Please ring the bell twice.',
        line_items: [
          { id: 501, product_id: 'FS-NAVY-M', name: "Fisherman's Sweater", quantity: 2, price: 89 },
          { id: 502, product_id: 'BC-01', name: 'Brass Compass', quantity: 1, price: 34.5 },
        ],
        payments: [
          {
            id: 71,
            number: 'PQ7M3XK1',
            status: 'completed',
            amount: 211.41,
            payment_method: 'Credit card',
            source: {
              name: 'Clara Lindqvist',
              cc_type: 'visa',
              last_digits: '1111',
              source_type: 'Spree::CreditCard',
            },
          },
        ],
        promotions: [
          {
            name: 'Spring',
            code: 'spring-26',
            codes: [{ value: 'spring-26' }],
            category_name: 'Seasonal',
            category_code: 'SEA',
          },
        ],
        shipping_address: shipping,
        billing_address: { ...shipping, address2: 'Floor 2', company: 'Lindqvist & Daughter' },
      },
    ])
    expect(shipment).toEqual([
      'shipments',
      expect.objectContaining({
        id: 'H50417700151',
        tracking: '1Z9990412345',
        items: [
          { product_id: 'FS-NAVY-M', name: "Fisherman's Sweater", quantity: 2, price: 89 },
          { product_id: 'BC-01', name: 'Brass Compass', quantity: 1, price: 34.5 },
        ],
      }),
    ])
  })

  test('while the hub fails for one order, its steps wait in order, and the others go on', async () => {
    const { hub, worker, db } = running
    const before = hub.objects.length
    const isFailing = (object: object) => 'id' in object && object.id === 'R204817352'
    hub.misbehave(({ objects }) =>
      objects.some(isFailing) ? { status: 500, body: '{"error":"Something went wrong!"}' } : undefined,
    )
    await db.pool.query(`update spree_orders set email = email || '.one' where id in (42, 43, 44, 45)`)
    await worker.collected()
    await db.pool.query(`update spree_orders set email = email || '.two' where id = 42`)
    await worker.collected()
    await until(() => hub.objects.filter(({ type }) => type === 'orders').length >= 3)
    expect(hub.objects.slice(before).filter(({ object }) => isFailing(object))).toEqual([])
    hub.misbehave()
    await worker.settled()
    const ofOne = hub.objects.slice(before).filter(({ object }) => isFailing(object))
    expect(emails(ofOne)).toEqual(['soren@example.org.one', 'soren@example.org.one.two'])
    const shipments = hub.objects.slice(before).filter(({ object }) => object['order_id'] === 'R204817352')
    expect(emails(shipments)).toEqual(emails(ofOne))
  })

  test('200 is no yes: the same comes again, and makes no second object', async () => {
    const { hub, worker, db } = running
    const before = hub.batches.length
    const held = hub.held.size
    let answered = 0
    hub.misbehave(() => (answered++ === 0 ? { status: 200, body: '{"orders":1}' } : undefined))
    await db.pool.query(`update spree_orders set special_instructions = 'Ring twice' where id = 43`)
    await worker.settled()
    hub.misbehave()
    const [first, second] = hub.batches.slice(before)
    expect([first?.status, second?.status]).toEqual([200, 202])
    expect(second?.body).toBe(first?.body)
    expect(hub.held.size).toBe(held)
  })

  test('what the hub refuses for good is parked with its reason', async () => {
    const { hub, worker, db } = running
    hub.misbehave(({ type }) =>
      type === 'customers' ? { status: 422, body: '{"error":"no such flow"}' } : undefined,
    )
    await db.pool.query(`update spree_users set first_name = 'Ada B.' where id = 2`)
    await worker.collected()
    const parked = async () =>
      (
        await db.pool.query<{ type: string; last_error: string }>(
          `select type, last_error from bridge.message where state = 'parked'`,
        )
      ).rows
    await until(async () => (await parked()).length > 0)
    expect(await parked()).toEqual([{ type: 'customers', last_error: 'The hub answered 422: no such flow' }])
    hub.misbehave()
    await db.pool.query('delete from bridge.message')
  })

  test('what the hub wrote itself is not told it, but what it wrote before it heard of ours', async () => {
    const byHub = (statement: string) =>
      sql(
        `select set_config('bridge.origin', '${Date.now() - 3_600_000}:52811a8584a8169f7a000001', true); ${statement}`,
      )
    expect(await told(running, byHub(`update spree_users set first_name = 'Ada C.' where id = 2`))).toEqual(
      [],
    )
    await told(running, sql(`update spree_products set name = 'Tin Cup' where id = 17`))
    const [crossed] = await told(running, byHub(`update spree_products set name = 'Tin Mug' where id = 17`))
    expect(crossed).toEqual(['products', expect.objectContaining({ id: 'TM-1', name: 'Tin Mug' })])
  })

  test('a location is named also where it is the only one', async () => {
    await running.db.pool.query('update spree_stock_locations set deleted_at = now() where id = 2')
    expect(await told(running, sql('update spree_stock_items set count_on_hand = 6 where id = 302'))).toEqual(
      [['inventories', { id: 302, location: 'Portland warehouse', product_id: 'FS-NAVY-M', quantity: 6 }]],
    )
  })

  test('many at once go by the batch', async () => {
    const { hub } = running
    const before = hub.batches.length
    const objects = await told(running, sql(`update spree_products set meta_keywords = 'sea' where id < 18`))
    expect(objects).toHaveLength(7)
    // Without a SKU it is known by its permalink.
    expect(hub.held.get('products hemp-rope')).toMatchObject({ sku: '', name: 'Hemp Rope, per metre' })
    expect(hub.batches.length - before).toBeLessThan(7)
  })
})

const ofTwo = {
  order: {
    id: 'R410000001',
    totals: { item: 21.5, tax: 2.15, shipping: 5, payment: 26.65, order: 26.65 },
    adjustments: [
      { name: 'discount', value: -2 },
      { name: 'tax', value: 2.15 },
      { name: 'shipping', value: 5 },
    ],
    payments: [
      {
        number: 'PAY41AAA',
        source: { name: 'Ada Keel', cc_type: 'visa', last_digits: '4242', source_type: 'Spree::CreditCard' },
      },
    ],
    shipping_address: { state: 'NY', country: 'US' },
  },
  shipment: { id: 'H41000000001', cost: 5, items: [{ product_id: 'HC-F', quantity: 1, price: 12 }] },
}

/** Of the first order. In 2.0 no column says its sums, in Solidus each unit is one piece. */
const FACTS: Readonly<Record<string, object>> = {
  'spree-2.0 fixture': ofTwo,
  'spree-2.4 fixture': ofTwo,
  'spree-3.2 fixture': {
    ...ofTwo,
    order: { ...ofTwo.order, payments: [{ ...ofTwo.order.payments[0], number: 'P41AAAAA' }] },
  },
  'solidus-4 fixture': {
    order: {
      id: 'R204817351',
      totals: { tax: 10.71 },
      shipping_address: { firstname: 'Clara', state: 'ME' },
    },
    shipment: {
      items: [
        { product_id: 'FS-NAVY-M', quantity: 1, price: 89 },
        { product_id: 'BC-01', quantity: 1, price: 34.5 },
        { product_id: 'FS-NAVY-M', quantity: 1, price: 89 },
      ],
    },
  },
}

describe('every product and order has its object, of whatever family', () => {
  const stores = [
    ...(['spree-2.0', 'spree-2.4', 'spree-3.2', 'spree-4.7', 'solidus-4'] as const).map(
      (family) => [family, 'fixture'] as const,
    ),
    ...(dumpsAvailable()
      ? (['spree-2.4', 'spree-4.10', 'spree-6.0', 'solidus-4'] as const).map(
          (family) => [family, 'dump'] as const,
        )
      : []),
  ]

  test.each(stores)('%s, %s', async (family, source) => {
    const db = await createStore(family, source)
    try {
      const store = await openStore(db.pool, { hubDialect: 'wombat' })
      const products = await store.products(db.pool, await store.roots(db.pool, 'product', '0', 500))
      const orders = await store.orders(db.pool, await store.roots(db.pool, 'order', '0', 500))
      const objects = [
        ...[...products.values()].flatMap((product) => {
          if (product instanceof Error) throw product
          const messages = [{ type: 'product:new', payload: {}, subject: null }] as const
          const stock = { variantOf: () => undefined, places: new Map() }
          return productObjects(messages, product, stock).messages
        }),
        ...[...orders.values()].flatMap((order) => {
          if (order instanceof Error) throw order
          const [told] = deriveGenericMessages(rawOrder(order), 'never', false)
          return told ? orderObjects([{ ...told, subject: null }], order, []).messages : []
        }),
      ]
      for (const { type, payload } of objects) messageSchemas[type].parse(payload)
      const count = (root: ObjectType) => objects.filter(({ type }) => type === root).length
      const living = [...products.values()].filter(
        (product) => !(product instanceof Error) && product.deletedAt === null,
      )
      expect([count('products'), count('orders')]).toEqual([living.length, orders.size])
      const facts = FACTS[`${family} ${source}`]
      if (facts) {
        const [order] = objects.filter(({ type }) => type === 'orders')
        const shipments = objects.filter(({ type }) => type === 'shipments')
        expect({ order: order?.payload, shipment: shipments[0]?.payload }).toMatchObject(facts)
      }
    } finally {
      await db.drop()
    }
  })
})

test.each([
  ['spree-4.10', `spree_option_values set presentation = 'Wide' where id = 22`],
  ['spree-4.7', `spree_option_value_translations set presentation = 'Wide' where spree_option_value_id = 22`],
  ['spree-6.0', `spree_option_values set label = 'Wide' where id = 22`],
] as const)(
  'in a store of %s what people read of an option is a change of the product, where its type stands is none',
  async (family, change) => {
    const db = await createStore(family, 'fixture')
    try {
      const { store, all } = await startCollecting(db, {
        hubDialect: 'wombat',
        orders: 'generic',
        stock: 'actual',
        stockBy: 'location',
      })
      await db.pool.query('update spree_option_types set position = 100 - position')
      const how = { fix: false, stockMessages: 'actual', stockBy: 'location' } as const
      expect((await compareProducts(db.pool, store, ['11', '12'], how)).drift).toEqual([])
      await db.pool.query(`update ${change}`)
      const wide = { options: expect.objectContaining({ Size: 'Wide' }) }
      expect(await all()).toMatchObject([
        {
          aggregate: 'product:11',
          payload: { variants: expect.arrayContaining([expect.objectContaining(wide)]) },
        },
        {
          aggregate: 'product:12',
          payload: { variants: expect.arrayContaining([expect.objectContaining(wide)]) },
        },
      ])
      expect((await compareProducts(db.pool, store, ['11', '12'], how)).drift).toEqual([])
    } finally {
      await db.drop()
    }
  },
)

test.each([
  ['spree-4.10', 'R204817356', 'Maine'],
  ['spree-6.0', '46', 'ME'],
] as const)('a cart and a customer of %s, in the forms of the hub', async (family, id, state) => {
  const db = await createStore(family, 'fixture')
  try {
    const store = await openStore(db.pool, { hubDialect: 'wombat', carts: 'on' })
    const objectOf = async (about: StateKind, root: string, type: MessageType) => {
      const picture = (await store.pictures(db.pool, about, [root])).get(root)
      if (!picture || picture instanceof Error) throw new Error('There is none.', { cause: picture })
      const { payload } = picture
      return stateObjects([{ type, payload, subject: null }]).messages.map((message) => [
        message.type,
        message.payload,
      ])
    }
    const cart = {
      id,
      status: 'cart',
      channel: 'spree',
      email: null,
      currency: 'USD',
      placed_on: '',
      updated_at: '2026-03-09T18:00:00.000Z',
      totals: { item: 149.9, adjustment: 0, tax: 0, shipping: 0, payment: 0, order: 149.9 },
      line_items: [
        {
          name: 'Oilskin Coat',
          sku: 'OC-M',
          external_ref: null,
          quantity: 1,
          price: 149.9,
          variant_id: 106,
          options: { size: 'medium' },
        },
      ],
      adjustments: [],
      shipping_address: null,
      billing_address: null,
      payments: [],
      shipments: [],
    }
    expect(await objectOf(cartKind, '46', 'cart:new')).toEqual([['carts', cart]])
    messageSchemas.carts.parse(cart)
    const address = {
      address1: '12 Wharf Street',
      address2: null,
      zipcode: '04101',
      city: 'Portland',
      state,
      country: 'US',
      phone: '+1 207 555 0101',
    }
    const customer = {
      id: '1',
      firstname: 'Clara',
      lastname: 'Lindqvist',
      email: 'clara@example.com',
      shipping_address: address,
      billing_address: { ...address, address2: 'Floor 2' },
    }
    expect(await objectOf(customerKind, '1', 'user:new')).toEqual([['customers', customer]])
    messageSchemas.customers.parse(customer)
  } finally {
    await db.drop()
  }
})

async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 60_000
  while (!(await isSo())) {
    if (Date.now() > deadline) throw new Error('It did not come to that.')
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}
