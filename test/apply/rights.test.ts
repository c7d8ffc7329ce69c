import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'

import { NotApplicable } from '../../src/apply/handler.ts'
import { HANDLERS, handlerOf } from '../../src/apply/handlers.ts'
import { neededRights } from '../../src/apply/needed-rights.ts'
import { missingWriteGrants } from '../../src/apply/rights.ts'
import type { Connection } from '../../src/postgres/pool.ts'
import { openStore, type Store } from '../../src/store/store.ts'
import { applyMessage, makeInbox } from '../support/applying.ts'
import { learningRights } from '../support/learned-rights.ts'
import type { TestDatabase } from '../support/postgres.ts'
import { createStore } from '../support/stores.ts'

/** Of each family's shop what the messages name, and what its tables are called. */
const harbour = {
  product: 'BC-01',
  /** Kept in one place, and not `elsewhere`. */
  plain: 'TM-1',
  /** In the parcel that has left, two pieces in one. */
  numbered: 'FS-NAVY-M',
  owed: 'SL-7',
  places: { main: 'Portland warehouse', elsewhere: 'Kiel depot' },
  state: 'Maine',
  method: 'Ground',
  customer: 'clara@example.com',
  stock: 'spree_stock_items',
  units: 'spree_inventory_units',
  parcels: 'spree_shipments',
  status: 'state',
}
const four = {
  ...harbour,
  ready: { order: 'R204817355', parcel: 'H50417700157', sku: 'FS-NAVY-S' },
  sent: { order: 'R204817351', parcel: 'H50417700151', sku: 'BC-01', unit: 752, several: 'FS-NAVY-M' },
  unpaid: 'R204817352',
}
const families = {
  'spree-4.10': four,
  // Its names are in tables of their own.
  'spree-4.7': four,
  'spree-3.7': four,
  'spree-5.6': four,
  'solidus-4': four,
  'spree-6.0': {
    ...harbour,
    ready: { order: 'R1045', parcel: 'R1045-F2', sku: 'FS-NAVY-S' },
    sent: { order: 'R1045', parcel: 'R1041-F1', sku: 'FS-NAVY-S', unit: 758, several: 'FS-NAVY-S' },
    unpaid: 'R1042',
    stock: 'spree_stock_levels',
    units: 'spree_fulfillment_items',
    parcels: 'spree_fulfillments',
    status: 'status',
  },
  'spree-2.4': {
    ...harbour,
    product: 'CC',
    plain: 'CC',
    numbered: 'HC-F',
    owed: 'HC-Q',
    places: { main: 'default', elsewhere: 'east' },
    state: 'New York',
    method: 'UPS Ground (USD)',
    ready: { order: 'R410000001', parcel: 'H41000000002', sku: 'HC-Q' },
    sent: { order: 'R410000001', parcel: 'H41000000001', sku: 'HC-F', unit: 751, several: 'HC-F' },
    unpaid: 'R410000001',
  },
} as const

/** Messages for one service, one after the other, in a shop in which `before` has happened; those `refused` are not applicable. */
type Case = Readonly<{ before?: string; sent?: readonly unknown[]; refused?: readonly unknown[] }>

describe.each(Object.keys(families) as (keyof typeof families)[])('in a store of %s', (family) => {
  const shop = families[family]
  const { product, plain, owed, places, ready, sent, unpaid, stock, units, parcels } = shop
  const [isSix, isOld, isSolidus] = [family === 'spree-6.0', family === 'spree-2.4', family === 'solidus-4']
  const role = `least_${process.pid}`
  let database: TestDatabase
  let store: Store
  let db: Connection

  beforeAll(async () => {
    database = await createStore(family, 'fixture')
    await database.pool.query(
      `alter table spree_orders add locked_at timestamp;
       alter table ${units} add serial_number varchar;
       alter table spree_variants add external_ref varchar;
       update spree_variants set external_ref = sku;
       update spree_stock_locations set propagate_all_variants = (id = 1)`,
    )
    if (isSix) await database.pool.query('update spree_orders set payment_total = total where id = 45')
    if (isOld)
      await database.pool.query(
        `select setval('spree_product_option_types_id_seq', 100);
         insert into spree_users (email) values ('clara@example.com')`,
      )
    await makeInbox(database.pool)
    store = await openStore(database.pool)
  })
  afterAll(() => database.drop())
  // The role and its rights are gone with the test.
  beforeEach(async () => {
    db = await database.pool.connect()
    await db.query('begin')
    await db.query(
      `create role ${role};
       grant usage on schema public, bridge to ${role};
       grant all on all tables in schema bridge to ${role}`,
    )
  })
  afterEach(async () => {
    await db.query('rollback')
    db.release()
  })

  const street = {
    firstname: 'Ann',
    lastname: 'Guest',
    address1: '4 Quay Lane',
    city: 'Portland',
    zipcode: '04101',
    phone: '1',
    state: shop.state,
    country: 'US',
  }
  const shirt = {
    sku: 'SPREE-T-SHIRT',
    name: 'Spree T-Shirt',
    price: 35,
    permalink: 'spree-tshirt',
    shipping_category: 'Bulky',
    taxons: [['Brands', 'Spree']],
    options: ['hue'],
    properties: { cut: 'smart' },
    variants: [
      { sku: 'SPREE-T-SHIRT-S', price: 39.99, options: { hue: 'GREY' } },
      { sku: 'SPREE-T-SHIRT-S', cost_price: 20 },
    ],
  }
  const otherShirt = {
    ...shirt,
    taxons: [['Brands', 'Other']],
    variants: [{ sku: 'SPREE-T-SHIRT-S', price: 49.99 }],
  }
  const changes = [
    // By all its parts, and to an address of another.
    { ...shirt, sku: product, permalink: 'new-address' },
    { sku: product, taxons: [['Brands', 'Other']], properties: { cut: 'wide' }, price: 12, name: 'Other' },
    { sku: product, variants: [{ sku: 'SPREE-T-SHIRT-S', price: 41, options: { hue: 'RED' } }] },
  ]
  const line = { sku: product, quantity: 2, price: 34.5 }
  const order = {
    number: 'LEAST-1',
    email: 'buyer@marketplace.example',
    currency: 'USD',
    placed_on: '2026-03-09T09:28:00Z',
    totals: { item: 69, adjustment: 0, tax: 0, shipping: 6, payment: 75, order: 75 },
    line_items: [line],
    shipping_address: street,
    payments: [{ amount: 75, status: 'completed', payment_method: 'Check' }],
    shipments: [{ number: '', cost: 6, items: [line] }],
  }
  /** From a place that has never had it, which is not asked where nobody counts. */
  const farOrder = {
    ...order,
    totals: { ...order.totals, item: 10, payment: 16, order: 16 },
    line_items: [{ sku: plain, quantity: 1, price: 10 }],
    payments: [{ ...order.payments[0], amount: 16 }],
    shipments: [
      { number: '', cost: 6, stock_location: places.elsewhere, items: [{ sku: plain, quantity: 1 }] },
    ],
  }
  const nowhere = `delete from ${stock} where variant_id = (select id from spree_variants where sku = '${plain}')`
  const uncounted = `update spree_variants set track_inventory = false where sku = '${plain}'`
  /** With a tax, a discount and a charge; in Solidus with the tax that it asks for parcels to Oregon. */
  const adjustments = isSolidus
    ? [{ name: 'Tax', value: 0.3 }]
    : [
        { name: 'Discount', value: -5 },
        { name: 'Gift Wrap', value: 3 },
        { name: 'Tax', value: 2.3 },
      ]
  const taxedOrder = {
    ...order,
    totals: { item: 69, adjustment: 0.3, tax: isSolidus ? 0.3 : 2.3, shipping: 6, payment: 0, order: 75.3 },
    adjustments,
    payments: [],
    shipping_address: isSolidus ? { ...street, city: 'Salem', zipcode: '97301', state: 'OR' } : street,
  }
  type Order = Omit<typeof order, 'shipments' | 'payments'> &
    Readonly<{ shipments: unknown; payments: unknown }>
  const asObject = ({ number, line_items, shipments: _, ...rest }: Order, more: object = {}) => ({
    order: {
      ...{ ...rest, id: number, status: 'complete' },
      line_items: line_items.map(({ sku, ...one }) => ({ ...one, product_id: sku })),
      adjustments: [{ name: 'shipping', value: 6 }],
      ...more,
    },
  })
  const customer = {
    email: shop.customer,
    firstname: 'Brian',
    lastname: 'Quinn',
    billing_address: street,
    shipping_address: { ...street, address1: '5 Quay Lane' },
  }
  const hasQuantity = !isSolidus && !isOld
  const isReady = isOld
    ? `update ${units} set state = 'on_hand' where id = 752; update ${parcels} set state = 'ready' where id = 552`
    : ''
  const notPacked = isOld
    ? `${isReady}; update ${stock} set count_on_hand = 5 where id = 303; update ${parcels} set state = 'canceled' where id = 552`
    : `update ${parcels} set ${shop.status} = 'canceled' where id = 57`
  /** One piece, or two in one, of what comes back is owed to somebody. */
  const isAwaited = (sku: string, pieces: number) =>
    `update ${units} set ${shop.status} = 'on_hand'
      where ${shop.status} = 'backordered' and id > (select min(id) from ${units} where ${shop.status} = 'backordered');
     update ${units}
        set variant_id = (select id from spree_variants where sku = '${sku}') ${hasQuantity ? `, quantity = ${pieces}` : ''}
      where ${shop.status} = 'backordered';
     update spree_orders set completed_at = now() - interval '9 days' where completed_at is not null`
  const never = `delete from ${stock} where variant_id = (select id from spree_variants where sku = '${sent.sku}') and stock_location_id = 2
    ${isSix ? '; delete from spree_number_sequences' : ''}`
  const isAuthorized = isSix
    ? `insert into spree_returns (id, number, store_id, order_id, stock_location_id, status, created_at, updated_at)
       values (7, 'RMA', 1, 45, 1, 'approved', now(), now());
       insert into spree_return_line_items
              (return_id, fulfillment_item_id, line_item_id, variant_id, pre_tax_amount, created_at, updated_at)
       values (7, 758, 507, 102, 89, now(), now())`
    : `insert into spree_return_authorizations (id, number, state, order_id, created_at, updated_at)
       values (7, 'RMA', 'authorized', 41, now(), now());
       insert into spree_return_items
              (return_authorization_id, inventory_unit_id, reception_status, acceptance_status, created_at, updated_at)
       values (7, ${sent.unit}, 'awaiting', 'pending', now(), now())`
  const back = (more: object = {}, sku: string = sent.sku) => ({
    customer_return: {
      ...{ rma: 'RMA', stock_location: places.main, ...more },
      items: [{ sku, quantity: 1, order_number: sent.order }],
    },
  })
  const shipped = { id: ready.parcel, order_id: ready.order, status: 'shipped', tracking: '1Z' }
  const untaxed = isSolidus ? 'update spree_shipping_methods set tax_category_id = null' : ''
  const parcel = (more: object) => ({
    shipment: {
      ...{
        id: '12836',
        order_id: ready.order,
        cost: 0,
        stock_location: places.main,
        shipping_method: shop.method,
      },
      shipping_address: { ...street, firstname: 'Clara' },
      items: [{ product_id: ready.sku, quantity: 1 }],
      ...more,
    },
  })
  const serials = [{ part_number: shop.numbered, quantity: 1, serial_numbers: ['S1'] }]
  /** A part of what is owed comes in, then the others. */
  const levels = isSix ? [2, 4] : [-1, 3]
  const level = (quantity: number, more: object = {}) => ({
    inventory: { location: places.main, product_id: owed, quantity, ...more },
  })
  const unnamed = family === 'spree-4.7' ? 'delete from spree_product_translations' : ''
  /** In a currency that is looked for everywhere. */
  const unsold = { price: 12, currency: 'ZAR' }
  const noPrice = (sku: string) =>
    `delete from spree_prices where variant_id = (select id from spree_variants where sku = '${sku}')`
  const isUnpaid = isOld
    ? `update spree_payments set state = 'checkout' where order_id = 41;
       update spree_orders set payment_state = 'balance_due', payment_total = 0 where id = 41`
    : ''

  const samples: Record<string, readonly Case[]> = {
    'stock:change': [
      { sent: [1, 2].map((quantity) => ({ sku: owed, quantity })) },
      { sent: [{ sku: plain, quantity: 1, stock_location: places.elsewhere }] },
    ],
    'stock:actual': [
      { sent: levels.map((quantity) => ({ sku: owed, quantity })) },
      { sent: [{ sku: plain, quantity: 1, stock_location: places.elsewhere }] },
    ],
    set_inventory: [
      {
        sent: levels.map((quantity) => level(quantity)),
        refused: [level(1, { location: places.elsewhere })],
      },
    ],
    'product:new': [{ sent: [shirt], refused: [otherShirt, { ...shirt, ...unsold }] }],
    add_product: [{ sent: [{ product: shirt }], refused: [{ product: { ...shirt, ...unsold } }] }],
    'product:update': [{ before: unnamed, sent: changes, refused: [{ sku: product, ...unsold }] }],
    update_product: [
      {
        before: unnamed,
        sent: changes.map((one) => ({ product: one })),
        refused: [{ product: { sku: product, ...unsold } }],
      },
    ],
    set_price: [
      {
        sent: [{ price: { product_id: plain, price: 12.95 } }],
        refused: [{ price: { product_id: plain, ...unsold } }],
      },
      { before: noPrice(plain), sent: [{ price: { product_id: plain, price: 12.95 } }] },
    ],
    'order:import': [
      { sent: [{ order }] },
      { before: uncounted, sent: [{ order: farOrder }] },
      { sent: [{ order: taxedOrder }] },
    ],
    add_order: [
      { sent: [asObject(order)] },
      { before: `${uncounted}; ${nowhere}`, sent: [asObject(farOrder)] },
      { sent: [asObject(taxedOrder, { adjustments: [...adjustments, { name: 'shipping', value: 6 }] })] },
    ],
    'order:ship': [{ sent: [{ order: { number: ready.order } }] }],
    'order:capture': [{ before: isUnpaid, sent: [{ order: { number: unpaid } }] }],
    update_order: [{ sent: [{ order: { id: ready.order, email: 'new@example.com', status: 'canceled' } }] }],
    'shipment:confirm': [
      {
        before: isReady,
        sent: ['1Z', '2Z'].map((tracking) => ({ shipment: { number: ready.parcel, tracking } })),
      },
      { sent: [{ shipment_number: sent.parcel, items: serials }] },
    ],
    update_shipment: [
      { before: isReady, sent: [{ shipment: shipped }, { shipment: { ...shipped, tracking: '2Z' } }] },
    ],
    add_shipment: [
      { before: notPacked, sent: [parcel({ status: 'shipped', tracking: 'T1' })] },
      { before: `${notPacked}; ${untaxed}`, sent: [parcel({ status: 'ready', cost: 2.5 })] },
    ],
    add_customer_return: [
      { before: isAwaited(sent.sku, 1), sent: [back({ rma: null })] },
      {
        before: `${isAwaited(sent.sku, 1)}; ${never}`,
        sent: [back({ rma: null, stock_location: places.elsewhere })],
      },
      { before: isAwaited(sent.several, 2), sent: [back({ rma: null }, sent.several)] },
      { before: `${isAwaited(sent.sku, 1)}; ${isAuthorized}`, sent: [back()] },
    ],
    add_customer: [{ sent: [{ customer: { ...customer, email: 'spree@example.com' } }] }],
    update_customer: [
      {
        sent: [
          { customer },
          { customer: { ...customer, billing_address: { ...street, address1: '6 Quay Lane' } } },
        ],
      },
    ],
  }

  test('what every service needs is listed, but for that which only reads', () => {
    const listed = new Set(neededRights(store).map(({ service }) => service))
    const missing = HANDLERS.filter(({ message }) => !listed.has(message)).map(({ message }) => message)
    expect(missing).toEqual(['hub:poll'])
  })

  test('what a family never writes is not listed', () => {
    const written = (pattern: RegExp) => [
      ...new Set(
        neededRights(store).flatMap(({ table, privilege }) =>
          privilege !== 'select' && pattern.test(table) ? [`${privilege} ${table}`] : [],
        ),
      ),
    ]
    const isSix = family === 'spree-6.0'
    const translated = ['insert spree_product_translations', 'update spree_product_translations']
    expect(written(/product_translations$/)).toEqual(family === 'spree-4.7' ? translated : [])
    expect(written(/taxonom|log_entries/).length > 0).toBe(!isSix)
    const changes = new Set(
      neededRights(store).map(({ service, table, privilege }) => [service, privilege, table].join(' ')),
    )
    expect(changes.has('update_customer update spree_addresses')).toBe(family !== 'solidus-4')
  })

  /** As one who is to run them reads them: `update spree_orders`. */
  const rightsIn = (grants: readonly string[]) =>
    grants.flatMap((grant) => {
      const [, privileges = '', object = ''] =
        /^grant (.+) on ((?:sequence )?public\.\w+) to \w+;$/.exec(grant) ?? []
      return privileges.split(', ').map((privilege) => `${privilege} ${object.replace('public.', '')}`)
    })

  test.each(Object.entries(samples))(
    '%s needs every right that is listed, and no other',
    async (service, cases) => {
      const handler = handlerOf(HANDLERS, service)
      if (!handler) throw new Error(`There is no ${service}.`)
      const needed = neededRights(store).filter((right) => right.service === service)
      const missing = async () => {
        await db.query(`set local role ${role}`)
        const found = await missingWriteGrants(db, store, needed)
        await db.query('reset role')
        return found
      }
      const { grants } = await missing()
      const listed = rightsIn(grants)
      // What is read besides, as `test/capture/rights.test.ts` has it.
      const read = store.tables.filter((table) => !listed.includes(`select ${table}`))
      await db.query(read.map((table) => `grant select on ${table} to ${role}`).join(';'))
      await db.query('savepoint untouched')

      const learned = new Set<string>()
      const learning = learningRights(db, role, learned)
      for (const { before = '', sent: payloads = [], refused = [] } of cases) {
        await db.query(`${before}; set local role ${role}`)
        for (const payload of payloads) await applyMessage(learning, store, handler, payload)
        for (const payload of refused)
          await expect(applyMessage(learning, store, handler, payload)).rejects.toBeInstanceOf(NotApplicable)
        await db.query('rollback to untouched')
      }
      expect({
        missing: [...learned].filter((right) => !listed.includes(right)),
        superfluous: listed.filter((right) => !learned.has(right)),
      }).toEqual({ missing: [], superfluous: [] })

      await db.query(grants.join('\n'))
      expect(await missing()).toEqual({ services: [], grants: [] })
      const [last = ''] = grants.slice(-1)
      await db.query(last.replace('grant', 'revoke').replace(' to ', ' from '))
      expect(await missing()).toEqual({ services: [service], grants: [last] })
    },
  )
})
