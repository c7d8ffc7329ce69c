import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'

import { HANDLERS, handlerOf } from '../../src/apply/handlers.ts'
import { neededRights } from '../../src/apply/needed-rights.ts'
import { missingWriteGrants } from '../../src/apply/rights.ts'
import type { Connection } from '../../src/postgres/pool.ts'
import { openStore, type Store } from '../../src/store/store.ts'
import { applyMessage, makeInbox } from '../support/applying.ts'
import type { TestDatabase } from '../support/postgres.ts'
import { createStore } from '../support/stores.ts'

/** Of each family an order with a parcel that may leave, one that waits for its check, and what its tables are called. */
const four = {
  ready: { order: 'R204817355', parcel: 'H50417700157' },
  sent: { order: 'R204817351', sku: 'BC-01' },
  unpaid: 'R204817352',
  stock: 'spree_stock_items',
  parcels: 'spree_shipments',
  returns: 'spree_customer_returns',
  taxons: 'spree_taxons',
  customers: 'spree_users',
}
const families = {
  'spree-4.10': four,
  // Its names are in tables of their own.
  'spree-4.7': four,
  'spree-5.6': four,
  'solidus-4': four,
  'spree-6.0': {
    ready: { order: 'R1045', parcel: 'R1045-F2' },
    sent: { order: 'R1045', sku: 'FS-NAVY-S' },
    unpaid: 'R1042',
    stock: 'spree_stock_levels',
    parcels: 'spree_fulfillments',
    returns: 'spree_returns',
    taxons: 'spree_categories',
    customers: 'spree_customers',
  },
} as const

const street = {
  firstname: 'Ann',
  lastname: 'Guest',
  address1: '4 Quay Lane',
  city: 'Portland',
  zipcode: '04101',
  phone: '1',
  state: 'Maine',
  country: 'US',
}
const line = { sku: 'BC-01', name: 'Brass Compass', quantity: 2, price: 34.5 }
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
const shirt = {
  sku: 'SPREE-T-SHIRT',
  name: 'Spree T-Shirt',
  price: 35,
  permalink: 'spree-tshirt',
  shipping_category: 'Bulky',
  taxons: [['Brands', 'Spree']],
  options: ['hue'],
  properties: { fit: 'smart' },
  variants: [{ sku: 'SPREE-T-SHIRT-S', price: 39.99, options: { hue: 'GREY' } }],
}
const customer = {
  email: 'spree@example.com',
  firstname: 'Brian',
  lastname: 'Quinn',
  billing_address: street,
  shipping_address: street,
}

describe.each(Object.keys(families) as (keyof typeof families)[])('in a store of %s', (family) => {
  const { ready, sent, unpaid, stock, parcels, returns, taxons, customers } = families[family]
  const role = `least_${process.pid}`
  let database: TestDatabase
  let store: Store
  let db: Connection

  beforeAll(async () => {
    database = await createStore(family, 'fixture')
    await database.pool.query('alter table spree_orders add locked_at timestamp')
    await makeInbox(database.pool)
    store = await openStore(database.pool)
  })
  afterAll(() => database.drop())
  // The role and its rights are gone with the test.
  beforeEach(async () => {
    db = await database.pool.connect()
    await db.query('begin')
    if (family === 'spree-6.0') await db.query('update spree_orders set payment_total = total where id = 45')
    await db.query(
      `create role ${role};
       grant usage on schema public, bridge to ${role};
       grant select on bridge.inbox to ${role}`,
    )
    await db.query(store.tables.map((table) => `grant select on ${table} to ${role}`).join(';'))
  })
  afterEach(async () => {
    await db.query('rollback')
    db.release()
  })

  const samples: Record<string, [payload: unknown, taken: string, ofTable: string]> = {
    'stock:change': [{ sku: 'SL-7', quantity: 1 }, 'insert', 'spree_stock_movements'],
    'stock:actual': [{ sku: 'GV-25', quantity: 3, stock_location: 'Kiel depot' }, 'update', stock],
    'product:new': [shirt, 'insert', 'spree_variants'],
    'product:update': [
      { ...shirt, sku: 'BC-01', permalink: undefined, variants: [], options: [] },
      'update',
      'spree_prices',
    ],
    'order:import': [{ order }, 'insert', 'spree_addresses'],
    'shipment:confirm': [{ shipment: { number: ready.parcel, tracking: '1Z' } }, 'update', parcels],
    'order:ship': [{ order: { number: ready.order } }, 'update', 'spree_orders'],
    'order:capture': [{ order: { number: unpaid } }, 'insert', 'spree_payment_capture_events'],
    set_inventory: [
      { inventory: { location: 'Portland warehouse', product_id: 'TM-1', quantity: 93 } },
      'update',
      'spree_variants',
    ],
    set_price: [{ price: { product_id: 'TM-1', price: 12.95 } }, 'update', 'spree_prices'],
    add_product: [{ product: shirt }, 'insert', taxons],
    update_product: [{ product: { sku: 'BC-01', taxons: [['Brands', 'Spree']] } }, 'insert', taxons],
    update_order: [
      { order: { id: ready.order, email: 'new@example.com', status: 'canceled' } },
      'update',
      'spree_orders',
    ],
    update_shipment: [
      { shipment: { id: ready.parcel, order_id: ready.order, status: 'shipped', tracking: '1Z' } },
      'update',
      parcels,
    ],
    add_order: [
      {
        order: {
          ...{ id: 'LEAST-2', status: 'complete', email: 'joe@example.com', currency: 'USD' },
          ...{ placed_on: '2026-03-09T09:28:00Z', totals: { item: 69, shipping: 6, order: 75 } },
          line_items: [{ product_id: 'BC-01', quantity: 2, price: 34.5 }],
          adjustments: [{ name: 'shipping', value: 6 }],
          shipping_address: street,
          payments: [{ amount: 75, payment_method: 'Check' }],
        },
      },
      'insert',
      'spree_line_items',
    ],
    add_shipment: [
      {
        shipment: {
          ...{ id: '12836', order_id: ready.order, status: 'shipped', tracking: 'T1', cost: 0 },
          ...{ stock_location: 'Portland warehouse', shipping_method: 'Ground' },
          shipping_address: { ...street, firstname: 'Clara' },
          items: [{ product_id: 'FS-NAVY-S', quantity: 1 }],
        },
      },
      'insert',
      parcels,
    ],
    add_customer_return: [
      {
        customer_return: {
          ...{ rma: 'RA123456789', stock_location: 'Portland warehouse' },
          items: [{ sku: sent.sku, quantity: 1, order_number: sent.order }],
        },
      },
      'insert',
      returns,
    ],
    add_customer: [{ customer }, 'insert', customers],
    update_customer: [{ customer: { ...customer, email: 'clara@example.com' } }, 'update', customers],
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

  test.each(Object.entries(samples))(
    '%s is applied with the listed rights, and not with one less',
    async (service, sample) => {
      const [payload, privilege, table] = sample
      const handler = handlerOf(HANDLERS, service)
      if (!handler) throw new Error(`There is no ${service}.`)
      const needed = neededRights(store).filter((right) => right.service === service)
      const missing = () => missingWriteGrants(db, store, needed)
      // Its pieces may go in another parcel.
      if (service === 'add_shipment')
        await db.query(
          `update ${parcels} set ${family === 'spree-6.0' ? 'status' : 'state'} = 'canceled' where id = 57`,
        )
      await db.query(`set local role ${role}`)
      const { grants } = await missing()
      await db.query(`reset role; ${grants.join('')} savepoint granted; set local role ${role}`)
      expect(await missing()).toEqual({ services: [], grants: [] })
      await applyMessage(db, store, handler, payload)

      await db.query(
        `rollback to granted; revoke ${privilege} on ${table} from ${role}; set local role ${role}`,
      )
      expect(await missing()).toEqual({
        services: [service],
        grants: [`grant ${privilege} on public.${table} to ${role};`],
      })
      await expect(applyMessage(db, store, handler, payload)).rejects.toThrow(
        `permission denied for table ${table}`,
      )
    },
  )
})
