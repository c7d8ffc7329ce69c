import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import { addCustomer } from '../../src/apply/add-customer.ts'
import { addCustomerReturn } from '../../src/apply/add-customer-return.ts'
import { addOrder } from '../../src/apply/add-order.ts'
import { addProduct } from '../../src/apply/add-product.ts'
import { addShipment } from '../../src/apply/add-shipment.ts'
import type { Handler } from '../../src/apply/handler.ts'
import { hubPoll } from '../../src/apply/hub-poll.ts'
import { orderCapture } from '../../src/apply/order-capture.ts'
import { orderImport } from '../../src/apply/order-import.ts'
import { orderShip } from '../../src/apply/order-ship.ts'
import { productNew } from '../../src/apply/product-new.ts'
import { productUpdate } from '../../src/apply/product-update.ts'
import { setInventory } from '../../src/apply/set-inventory.ts'
import { setPrice } from '../../src/apply/set-price.ts'
import { shipmentConfirm } from '../../src/apply/shipment-confirm.ts'
import { stockActual } from '../../src/apply/stock-actual.ts'
import { stockChange } from '../../src/apply/stock-change.ts'
import { updateCustomer } from '../../src/apply/update-customer.ts'
import { updateOrder } from '../../src/apply/update-order.ts'
import { updateProduct } from '../../src/apply/update-product.ts'
import { updateShipment } from '../../src/apply/update-shipment.ts'
import type { Connection, Db } from '../../src/postgres/pool.ts'
import { inTransaction } from '../../src/postgres/transaction.ts'
import { openStore, type Store } from '../../src/store/store.ts'
import { placeMoves } from '../../src/store/writes/move-stock-together.ts'
import { applyMessage, makeInbox } from '../support/applying.ts'
import { startCollecting } from '../support/collecting.ts'
import type { TestDatabase } from '../support/postgres.ts'
import { type AnyStore, createStore, dumpsAvailable, replay, type StoreSource } from '../support/stores.ts'
import {
  type Difference,
  differences,
  type Picture,
  rememberSequences,
  takePicture,
} from '../support/table-diff.ts'

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

/** The fixture names its ids and lets the sequences stand where they are: here the one is drawn from of which it has rows. */
async function openOld(version: Old, source: StoreSource): Promise<TestDatabase> {
  const database = await createStore(version, source)
  if (source === 'fixture')
    await database.pool.query(`select setval('spree_product_option_types_id_seq', 100)`)
  return database
}

/** Rows of a new product: those of a version's models, column by column (`Product`, `Variant`, `StockLocation`). */
function newProduct(version: Old): Difference[] {
  const is20 = version === 'spree-2.0'
  const living = is20 ? {} : { deleted_at: null }
  const master = {
    sku: 'OAR',
    weight: 0,
    height: null,
    width: null,
    depth: null,
    deleted_at: null,
    is_master: true,
    product_id: '<new>',
    cost_price: null,
    position: 1,
    cost_currency: 'USD',
    track_inventory: true,
  }
  const product = {
    name: 'Ash Oar',
    description: null,
    available_on: '<time>',
    deleted_at: null,
    meta_description: null,
    meta_keywords: null,
    tax_category_id: null,
    shipping_category_id: 1,
  }
  const stock = (location: number, backorderable: boolean) =>
    inserted('spree_stock_items', {
      stock_location_id: location,
      variant_id: '<new>',
      count_on_hand: 0,
      backorderable,
      ...living,
    })
  const variant = { ...master, ...(is20 ? {} : { tax_category_id: null, ...touched }) }
  return [
    ...(is20
      ? []
      : [
          {
            table: 'friendly_id_slugs',
            was: 'inserted',
            columns: {
              slug: 'ash-oar',
              sluggable_id: '<new>',
              sluggable_type: 'Spree::Product',
              scope: null,
              created_at: '<time>',
              deleted_at: null,
            },
          } as const,
        ]),
    {
      table: 'spree_prices',
      was: 'inserted',
      columns: { variant_id: '<new>', amount: 45, currency: 'USD', ...living },
    },
    inserted('spree_products', {
      ...product,
      ...(is20 ? { permalink: 'ash-oar' } : { slug: 'ash-oar', promotionable: true, meta_title: null }),
      ...(version === 'spree-3.2' ? { discontinue_on: null } : {}),
    }),
    stock(1, true),
    stock(2, false),
    {
      table: 'spree_variants',
      was: 'inserted',
      columns: {
        ...variant,
        ...(version === 'spree-2.4' ? { stock_items_count: 2 } : {}),
        ...(version === 'spree-3.2' ? { discontinue_on: null, created_at: '<time>' } : {}),
      },
    },
  ]
}

const nell = {
  firstname: 'Nell',
  lastname: 'Guest',
  address1: '1 Mole End',
  address2: '',
  city: 'New York',
  zipcode: '10004',
  phone: '555-0142',
  state: 'NY',
  country: 'US',
}

/** Two charts for 13.25 each, 5.00 to ship them and 2.65 of tax on top, to be paid by check. */
const charts2 = {
  number: 'M100',
  channel: 'marketplace',
  email: 'nell@example.com',
  currency: 'USD',
  placed_on: '2026-03-10T09:30:00Z',
  totals: { item: 26.5, adjustment: 2.65, tax: 2.65, shipping: 5, payment: 0, order: 34.15 },
  line_items: [{ sku: 'HC-F', quantity: 2, price: 13.25 }],
  adjustments: [{ name: 'Sales Tax', value: 2.65 }],
  shipping_address: nell,
  billing_address: nell,
  payments: [{ amount: 34.15, status: 'checkout', payment_method: 'Check' }],
  shipments: [],
}

type OrderIds = Readonly<{ order: number; line: number; shipment: number }>

/**
 * What `charts2` leaves: the rows of the version's own checkout of the same (03-checkout, in 2.4 04-checkout), with the state
 * changes of its models, the default tax category (`Product#tax_category`), and the adjustments closed. Until 2.1 shipping and tax hang on the order, and a shipment has no cost.
 */
function importedCharts(version: Old, { order, line, shipment }: OrderIds): Difference[] {
  const is20 = version === 'spree-2.0'
  const is32 = version === 'spree-3.2'
  const adjusted = is32 ? { taxable_adjustment_total: 0, non_taxable_adjustment_total: 0 } : {}
  const address = inserted('spree_addresses', {
    ...nell,
    address2: null,
    state: undefined,
    country: undefined,
    state_name: null,
    alternative_phone: null,
    company: null,
    state_id: 1,
    country_id: 1,
  })
  const charge = {
    adjustable_type: 'Spree::Order',
    adjustable_id: order,
    mandatory: true,
    eligible: true,
    state: 'closed',
  }
  const adjustments = is20
    ? [
        {
          ...charge,
          source_type: 'Spree::Shipment',
          source_id: shipment,
          originator_type: 'Spree::ShippingMethod',
          originator_id: 1,
          amount: 5,
          label: 'Shipping',
        },
        {
          ...charge,
          source_type: 'Spree::Order',
          source_id: order,
          originator_type: 'Spree::TaxRate',
          originator_id: null,
          amount: 2.65,
          label: 'Sales Tax',
        },
      ]
    : [
        {
          source_type: 'Spree::TaxRate',
          source_id: null,
          adjustable_type: 'Spree::LineItem',
          adjustable_id: line,
          amount: 2.65,
          label: 'Sales Tax',
          mandatory: null,
          eligible: true,
          state: 'closed',
          order_id: order,
          included: false,
        },
      ]
  const unit = inserted('spree_inventory_units', {
    state: 'on_hand',
    variant_id: 102,
    order_id: order,
    shipment_id: shipment,
    pending: false,
    ...(is20 ? { return_authorization_id: null } : { line_item_id: line }),
  })
  const change = (name: string, previous: string | null, next: string) =>
    inserted('spree_state_changes', {
      name,
      previous_state: previous,
      next_state: next,
      stateful_type: 'Spree::Order',
      stateful_id: order,
      user_id: null,
    })
  const money = { promo_total: 0, included_tax_total: 0 }
  return [
    address,
    address,
    ...adjustments.map((adjustment) => inserted('spree_adjustments', adjustment)),
    unit,
    unit,
    inserted('spree_line_items', {
      variant_id: 102,
      order_id: order,
      quantity: 2,
      price: 13.25,
      currency: 'USD',
      cost_price: 4,
      ...(is20
        ? {}
        : {
            ...money,
            ...adjusted,
            tax_category_id: 1,
            adjustment_total: 2.65,
            additional_tax_total: 2.65,
            pre_tax_amount: 26.5,
          }),
    }),
    inserted('spree_orders', {
      number: 'M100',
      item_total: 26.5,
      adjustment_total: is20 ? 7.65 : 2.65,
      total: 34.15,
      payment_total: 0,
      state: 'complete',
      payment_state: 'balance_due',
      shipment_state: 'pending',
      completed_at: '<time>',
      user_id: null,
      email: 'nell@example.com',
      bill_address_id: '<new>',
      ship_address_id: '<new>',
      currency: 'USD',
      special_instructions: null,
      last_ip_address: null,
      ...(is32 ? {} : { shipping_method_id: null }),
      ...(is20
        ? {}
        : {
            ...money,
            ...adjusted,
            shipment_total: 5,
            additional_tax_total: 2.65,
            item_count: 2,
            channel: 'marketplace',
            created_by_id: null,
            approver_id: null,
            approved_at: null,
            confirmation_delivered: false,
            considered_risky: false,
            guest_token: expect.stringMatching(/^[\w-]{20,}$/),
            canceled_at: null,
            canceler_id: null,
            store_id: 1,
            state_lock_version: 0,
          }),
    }),
    inserted('spree_payments', {
      amount: 34.15,
      order_id: order,
      source_type: null,
      source_id: null,
      payment_method_id: 1,
      state: 'checkout',
      response_code: null,
      avs_response: null,
      cvv_response_code: null,
      cvv_response_message: null,
      ...(is32
        ? { number: expect.stringMatching(/^P[0-9A-Z]{7}$/) }
        : { identifier: expect.stringMatching(/^[A-Z2-9]{8}$/) }),
    }),
    ...(is20 ? [] : [changed('spree_products', {})]),
    inserted('spree_shipments', {
      tracking: null,
      number: expect.stringMatching(/^H\d{11}$/),
      cost: is20 ? null : 5,
      shipped_at: null,
      order_id: order,
      address_id: '<new>',
      state: 'pending',
      stock_location_id: 1,
      ...(is20
        ? {}
        : { ...money, ...adjusted, adjustment_total: 0, additional_tax_total: 0, pre_tax_amount: 5 }),
    }),
    inserted('spree_shipping_rates', {
      shipment_id: shipment,
      shipping_method_id: 1,
      selected: true,
      cost: 5,
      tax_rate_id: null,
    }),
    change('order', 'cart', 'complete'),
    change('payment', null, 'balance_due'),
    change('shipment', null, 'pending'),
    changed('spree_stock_items', { count_on_hand: 6 }),
    inserted('spree_stock_movements', {
      stock_item_id: 301,
      quantity: -2,
      action: null,
      originator_type: 'Spree::Shipment',
      originator_id: shipment,
    }),
    ...(is20
      ? [
          inserted('spree_tokenized_permissions', {
            permissable_type: 'Spree::Order',
            permissable_id: order,
            token: expect.stringMatching(/^[\w-]{20,}$/),
          }),
        ]
      : [changed('spree_variants', {})]),
  ]
}

describe.each(Object.keys(filled) as Old[])('what a hub sends to a store of %s', (version) => {
  let database: TestDatabase
  let store: Store
  let db: Connection
  let before: Picture

  beforeAll(async () => {
    database = await openOld(version, 'fixture')
    await makeInbox(database.pool)
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

  const is20 = version === 'spree-2.0'
  const put = (payload: unknown) => applyMessage(db, store, productUpdate, payload)
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

  test('a new product is the rows that the shop itself would write, and the second time none', async () => {
    const oar = { sku: 'OAR', name: 'Ash Oar', price: '45' }
    const add = () => applyMessage(db, store, productNew, oar)
    expect((await add()).details).toEqual({ sku: 'OAR', permalink: 'ash-oar' })
    expect(await since()).toEqual(newProduct(version))
    const once = await takePicture(db)
    expect((await add()).notifications).toMatchObject([
      { description: expect.stringMatching(/is so already/) },
    ])
    await put(oar)
    expect(await since(once)).toEqual([])
  })

  test('a product without a price is not available yet', async () => {
    await applyMessage(db, store, productNew, { name: 'Ash Oar' })
    const slug = is20 ? 'permalink' : 'slug'
    expect(
      await rows(`select available_on, ${slug} as slug from spree_products where name = 'Ash Oar'`),
    ).toEqual([{ available_on: null, slug: 'ash-oar' }])
  })

  test('a variant and its option are added to a product, whose name and address change', async () => {
    const changes = {
      sku: 'HC',
      name: 'Chart of the Harbour',
      permalink: 'chart-of-the-harbour',
      variants: [{ sku: 'HC-O', price: '15.5', options: { 'chart-size': 'octavo' } }],
    }
    await put(changes)
    const links = version === 'spree-3.2' ? 'spree_option_value_variants' : 'spree_option_values_variants'
    expect(
      await rows(`
        select v.position, o.name, o.position as of_value, pr.amount::float8, pr.currency
          from spree_variants v
          join ${links} l on l.variant_id = v.id
          join spree_option_values o on o.id = l.option_value_id
          join spree_prices pr on pr.variant_id = v.id
         where v.sku = 'HC-O'`),
    ).toEqual([{ position: 4, name: 'octavo', of_value: 3, amount: 15.5, currency: 'USD' }])
    const all = await since()
    expect(all.filter(({ table }) => table === 'spree_products')).toEqual([
      changed('spree_products', {
        name: 'Chart of the Harbour',
        [is20 ? 'permalink' : 'slug']: 'chart-of-the-harbour',
      }),
    ])
    expect(all.filter(({ table }) => table === 'friendly_id_slugs')).toHaveLength(is20 ? 0 : 1)
    const once = await takePicture(db)
    await put(changes)
    expect(await since(once)).toEqual([])
    expect(await rows(`select count(*)::integer from ${links}`)).toEqual([{ count: 3 }])
  })

  test('prices may be in what the shop has prices in; what it has no place for is said', async () => {
    await put({ sku: 'CC', price: '21', currency: 'EUR' })
    expect(
      await rows('select currency, amount::float8 from spree_prices where variant_id = 104 order by 1'),
    ).toEqual([
      { currency: 'EUR', amount: 21 },
      { currency: 'USD', amount: 24 },
    ])
    await expect(put({ sku: 'CC', price: '21', currency: 'JPY' })).rejects.toMatchObject({
      code: 'unknown_currency',
    })
    expect((await put({ sku: 'CC', status: 'archived' })).notifications).toMatchObject([
      { description: expect.stringMatching(/so already/) },
      { level: 'warn', description: 'Not applied of product CC: its status' },
    ])
    const dear = put({ sku: 'CC', price: '1234567.5' })
    if (is20) await expect(dear).rejects.toMatchObject({ code: 'amount_too_large' })
    else await dear
  })

  test('what was waited for leaves; in 2.0 that is refused', async () => {
    await change('HC-Q', 1)
    before = await takePicture(db)
    const confirm = (tracking: string) =>
      applyMessage(db, store, shipmentConfirm, { shipment: { number: 'H41000000002', tracking } })
    if (is20) {
      const update = (more: object) =>
        applyMessage(db, store, updateShipment, { shipment: { id: 'H41000000002', ...more } })
      const add = {
        shipment: {
          ...{
            id: 'H1',
            order_id: 'R410000001',
            stock_location: 'default',
            shipping_method: 'UPS Ground (USD)',
          },
          shipping_address: { address1: '1 Quay', city: 'Bath', country: 'US' },
          items: [{ product_id: 'HC-Q', quantity: 1 }],
        },
      }
      for (const refused of [
        confirm('1ZQ'),
        update({ status: 'shipped', tracking: '1ZQ' }),
        // Nor is its tracking alone written, or that of one that has left.
        update({ tracking: '1ZQ' }),
        update({ id: 'H41000000001', status: 'shipped', tracking: '1ZQ' }),
        applyMessage(db, store, addShipment, add),
      ])
        await expect(refused).rejects.toMatchObject({
          name: 'NotApplicable',
          code: 'family_not_written',
          message: expect.stringMatching(/Spree 2\.0 or 2\.1/),
        })
      const items = [{ sku: 'HC-F', quantity: 1, order_number: 'R410000001' }]
      const back = { customer_return: { rma: 'RA1', stock_location: 'default', items } }
      await expect(applyMessage(db, store, addCustomerReturn, back)).rejects.toMatchObject({
        code: 'no_customer_returns',
        message: expect.stringMatching(/has no table spree_customer_returns/),
      })
      expect(await since()).toEqual([])
      return
    }
    await confirm('1ZQ')
    const row = stateChange(552, 'ready', 'shipped')
    expect(await since()).toEqual([
      changed('spree_inventory_units', { state: 'shipped' }),
      changed('spree_orders', { shipment_state: 'shipped' }),
      changed('spree_shipments', { state: 'shipped', tracking: '1ZQ', shipped_at: '<time>' }),
      { ...row, columns: { ...row.columns, stateful_type: 'Spree::Shipment' } },
      stateChange(41, 'partial', 'shipped'),
    ])
    const once = await takePicture(db)
    await confirm('1ZQ')
    expect(await since(once)).toEqual([])
  })

  const expectCharts = async () => {
    const [ids] = await rows(`
      select o.id as order, l.id as line, s.id as shipment
        from spree_orders o
        join spree_line_items l on l.order_id = o.id
        join spree_shipments s on s.order_id = o.id
       where o.number = 'M100'`)
    expect(await since()).toEqual(importedCharts(version, ids as OrderIds))
  }

  test('an order is imported as the rows of a checkout of the same; once', async () => {
    const add = () => applyMessage(db, store, orderImport, { order: charts2 })
    const { notifications, details } = await add()
    expect(notifications).toEqual([])
    expect(details).toMatchObject({
      order: {
        number: 'M100',
        item_total: '26.5',
        ship_total: '5.0',
        tax_total: '2.65',
        total: '34.15',
        shipments: [{ cost: '5.0', state: 'pending', shipping_method: { name: 'UPS Ground (USD)' } }],
      },
    })
    await expectCharts()
    const once = await takePicture(db)
    await expect(add()).rejects.toMatchObject({ name: 'NotApplicable', code: 'order_exists' })
    expect(await since(once)).toEqual([])
  })

  test('where a place has two rows of a variant, an order takes from the older, as all else does', async () => {
    await db.query(
      `insert into spree_stock_items (id, stock_location_id, variant_id, count_on_hand, created_at, updated_at)
       values (399, 1, 102, 50, now(), now())`,
    )
    await applyMessage(db, store, orderImport, { order: charts2 })
    expect(
      await rows(
        'select id, count_on_hand as level from spree_stock_items where id in (301, 399) order by id',
      ),
    ).toEqual([
      { id: 301, level: 6 },
      { id: 399, level: 50 },
    ])
  })

  test('add_order of the same leaves the same rows; once', async () => {
    const { number: id, line_items: lines, ...charts } = charts2
    const line_items = lines.map(({ sku, ...line }) => ({ product_id: sku, ...line }))
    const add = () => applyMessage(db, store, addOrder, { order: { id, ...charts, line_items } })
    expect((await add()).notifications).toMatchObject([{ description: 'Order number M100 was added' }])
    await expectCharts()
    const once = await takePicture(db)
    await expect(add()).rejects.toMatchObject({ name: 'NotApplicable', code: 'order_exists' })
    expect(await since(once)).toEqual([])
  })

  test('an order with a text or an amount that the columns cannot hold is refused', async () => {
    const long = { ...nell, address1: 'Quay '.repeat(60) }
    for (const [code, different] of [
      ['text_too_long', { shipping_address: long }],
      [
        'amount_too_large',
        { totals: { item: 26.5, shipping: 1_000_000, order: 1_000_026.5 }, adjustments: [] },
      ],
    ] as const) {
      await db.query('savepoint before')
      const order = { ...charts2, ...different }
      await expect(applyMessage(db, store, orderImport, { order })).rejects.toMatchObject({
        name: 'NotApplicable',
        code,
      })
      await db.query('rollback to savepoint before')
    }
  })

  test('an order owes what is not there, and adds up with a tax in its prices, a discount and a charge', async () => {
    const { details } = await applyMessage(db, store, orderImport, {
      order: {
        ...charts2,
        totals: { item: 31.5, tax: 5.03, shipping: 5, payment: 36, order: 36 },
        line_items: [
          { sku: 'HC-Q', quantity: 2, price: 9.5 },
          { sku: 'HC-F', quantity: 1, price: 12.5 },
        ],
        adjustments: [
          { name: 'VAT 19 %', value: 5.03 },
          { name: 'Promotion', value: -2.5 },
          { name: 'Gift wrap', value: 2 },
        ],
        payments: [{ amount: 36, status: 'completed', payment_method: 'Check' }],
      },
    })
    expect(details).toMatchObject({
      order: {
        total: '36.0',
        included_tax_total: '5.03',
        additional_tax_total: '0.0',
        payment_state: 'paid',
        shipment_state: 'backorder',
        shipments: [{ state: 'pending' }],
      },
    })
    expect(
      await rows(`
        select u.state, u.variant_id
          from spree_inventory_units u
          join spree_orders o on o.id = u.order_id
         where o.number = 'M100'
         order by u.id`),
    ).toEqual([
      { state: 'backordered', variant_id: 103 },
      { state: 'backordered', variant_id: 103 },
      { state: 'on_hand', variant_id: 102 },
    ])
    expect(
      await rows('select count_on_hand from spree_stock_items where id in (301, 303) order by id'),
    ).toEqual([{ count_on_hand: 7 }, { count_on_hand: -3 }])
    // What the shop's own updater makes of the rows: all that lies on the order before 2.2, and the shipping besides after it.
    const [order] = await rows(`
      select o.adjustment_total::float8 as stored, o.total::float8,
             (select sum(a.amount)::float8
                from spree_adjustments a
               where a.adjustable_type = 'Spree::Order' and a.adjustable_id = o.id) as of_order
        from spree_orders o
       where o.number = 'M100'`)
    expect(order).toEqual(
      is20 ? { stored: 4.5, of_order: 4.5, total: 36 } : { stored: -0.5, of_order: -0.5, total: 36 },
    )
  })

  test('a check is cashed; in 2.0 that is refused', async () => {
    await db.query(`
      update spree_payments set state = 'checkout', source_type = null, source_id = null where id = 71;
      update spree_orders set payment_total = 0, payment_state = 'balance_due' where id = 41`)
    before = await takePicture(db)
    const capture = () => applyMessage(db, store, orderCapture, { order: { number: 'R410000001' } })
    if (is20) {
      await expect(capture()).rejects.toMatchObject({ name: 'NotApplicable', code: 'family_not_written' })
      expect(await since()).toEqual([])
      return
    }
    await capture()
    const change = (of: string, id: number, from: string, to: string) =>
      inserted('spree_state_changes', {
        name: 'payment',
        previous_state: from,
        next_state: to,
        stateful_type: of,
        stateful_id: id,
        user_id: null,
      })
    expect((await since()).filter(({ table }) => table !== 'spree_log_entries')).toEqual([
      changed('spree_orders', { payment_total: 26.65, payment_state: 'paid' }),
      inserted('spree_payment_capture_events', { amount: 26.65, payment_id: 71 }),
      changed('spree_payments', { state: 'completed' }),
      changed('spree_shipments', {}),
      changed('spree_shipments', {}),
      change('Spree::Payment', 71, 'checkout', 'processing'),
      change('Spree::Payment', 71, 'processing', 'completed'),
      change('Spree::Order', 41, 'balance_due', 'paid'),
    ])
    const once = await takePicture(db)
    await capture()
    expect(await since(once)).toEqual([])
  })

  test('what hubs of the second generation say leaves what the shop itself would, and the second time nothing', async () => {
    const untimed = (table: string, columns: Record<string, unknown>): Difference => ({
      table,
      was: 'changed',
      columns,
    })
    const variant = (columns: Record<string, unknown>) =>
      is20 ? untimed('spree_variants', columns) : changed('spree_variants', columns)
    const buyer = { email: 'Spree@example.com', firstname: 'Brian', lastname: 'Smith' }
    const street = { ...nell, firstname: 'Brian', lastname: 'Smith', state: 'New York' }
    const customer = {
      ...buyer,
      shipping_address: street,
      billing_address: { ...street, address2: 'Floor 2' },
    }
    const address = (address2: string | null) =>
      inserted('spree_addresses', {
        ...street,
        address2,
        state: undefined,
        country: undefined,
        state_name: null,
        alternative_phone: null,
        company: null,
        state_id: 1,
        country_id: 1,
      })
    const says: readonly [Handler<unknown>, unknown, Difference[]][] = [
      [
        setInventory,
        { inventory: { location: 'default', product_id: 'HC-F', quantity: 10 } },
        [
          ...(is20 ? [] : [changed('spree_products', {})]),
          changed('spree_stock_items', { count_on_hand: 10 }),
          movement(301, 2),
          ...(is20 ? [] : [changed('spree_variants', {})]),
        ],
      ],
      [
        setPrice,
        { price: { product_id: 'CC', price: 25.5, cost_price: 6.25 } },
        [
          untimed('spree_prices', { amount: 25.5 }),
          changed('spree_products', {}),
          variant({ cost_price: 6.25 }),
        ],
      ],
      [
        updateOrder,
        { order: { id: 'R410000001', email: 'new@example.com', status: 'canceled' } },
        [changed('spree_orders', { email: 'new@example.com', state: 'canceled' })],
      ],
      [
        addCustomer,
        { customer },
        [
          address(null),
          address('Floor 2'),
          inserted('spree_users', {
            encrypted_password: null,
            password_salt: null,
            email: 'spree@example.com',
            login: 'spree@example.com',
            ship_address_id: '<new>',
            bill_address_id: '<new>',
            sign_in_count: 0,
            spree_api_key: null,
            ...(is20 ? {} : { deleted_at: null }),
          }),
        ],
      ],
      [updateCustomer, { customer }, []],
      [
        updateCustomer,
        { customer: { ...customer, shipping_address: { ...street, city: 'Salem' } } },
        [changed('spree_addresses', { city: 'Salem' }), changed('spree_users', {})],
      ],
      [addProduct, { product: { sku: 'OAR', name: 'Ash Oar', price: '45' } }, newProduct(version)],
      [updateProduct, { product: { sku: 'OAR', name: 'Ash Oar', price: '45' } }, []],
    ]
    for (const [handler, payload, expected] of says) {
      const restore = await takePicture(db)
      await applyMessage(db, store, handler, payload)
      expect([handler.message, await since(restore)]).toEqual([handler.message, expected])
    }
    const once = await takePicture(db)
    for (const [handler, payload] of says.filter(([{ message }]) => !message.startsWith('add_')))
      if (handler !== updateCustomer) await applyMessage(db, store, handler, payload)
    expect(await since(once)).toEqual([])
  })

  test('an order is locked in a column that the store has added', async () => {
    await db.query('alter table spree_orders add locked_at timestamp')
    before = await takePicture(db)
    await applyMessage(db, await openStore(db), orderShip, { order: { number: 'R410000001' } })
    expect(await since()).toEqual([changed('spree_orders', { locked_at: '<time>' })])
  })

  test('a poll is answered with what has changed', async () => {
    const since = { 'spree.collections_poll.last_updated_at': '2026-02-01T00:00:00Z' }
    const poll = async (target: string) =>
      (await applyMessage(db, store, hubPoll, { target: `collections.${target}` }, since)).details
    expect(await poll('orders')).toMatchObject({
      messages: [{ message: 'order:persist', payload: { number: 'R410000001' } }],
      parameters: [{ value: [{ orders: '2026-02-03T08:06:00.000000Z' }] }, { value: [{ orders: '20' }] }],
    })
    expect((await poll('products'))['messages']).toContainEqual({
      message: 'product:persist',
      payload: expect.objectContaining({ sku: 'HC' }),
    })
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

  const toFive = `
    alter table spree_orders add signup_for_an_account boolean default false;
    alter table spree_products add variant_count integer default 0 not null;
    create table spree_price_histories (
      id serial primary key, price_id bigint, variant_id bigint, amount numeric(10,2), compare_at_amount numeric(10,2),
      currency varchar, recorded_at timestamp, created_at timestamp);
    update spree_stock_locations set propagate_all_variants = (id = 1)`

  // After the trace of 5.6.1: create_product, change_product, stock_movement.
  test('from 5.0 on a product’s price is that of its first variant, its master has none, and lines are touched', async () => {
    await inStoreOf('spree-4.10', toFive, async (db, store) => {
      const prices = async () => {
        const { rows } = await db.query(
          `select v.sku, pr.amount::float8
               from spree_prices pr
               join spree_variants v on v.id = pr.variant_id
               join spree_products p on p.id = v.product_id
              where p.name = 'Deck Cap'
              order by v.position`,
        )
        return rows.map(({ sku, amount }) => [sku, amount])
      }
      const history = async () => {
        const { rows } = await db.query(
          'select v.sku, h.amount::float8 from spree_price_histories h join spree_variants v on v.id = h.variant_id order by h.id',
        )
        return rows.map(({ sku, amount }) => [sku, amount])
      }
      const update = (more: object) => applyMessage(db, store, productUpdate, { sku: 'DC', ...more })
      await applyMessage(db, store, productNew, {
        sku: 'DC',
        name: 'Deck Cap',
        price: '19.99',
        options: ['cap-size'],
        variants: [
          { sku: 'DC-S', price: '21.5', options: { 'cap-size': 'small' } },
          { sku: 'DC-L', price: '22.5', options: { 'cap-size': 'large' } },
        ],
      })
      expect(await prices()).toEqual([
        ['DC-S', 21.5],
        ['DC-L', 22.5],
      ])
      expect(await history()).toEqual([
        ['DC', 19.99],
        ['DC-S', 21.5],
        ['DC-L', 22.5],
      ])
      const { rows: stock } = await db.query(
        `select v.sku from spree_stock_items s join spree_variants v on v.id = s.variant_id where v.sku like 'DC%' order by 1`,
      )
      expect(stock).toEqual([{ sku: 'DC-L' }, { sku: 'DC-S' }])
      const { rows: slugs } = await db.query(`select scope from friendly_id_slugs where slug = 'deck-cap'`)
      expect(slugs).toEqual([{ scope: '' }])
      await update({ price: '24.99' })
      expect(await prices()).toEqual([
        ['DC-S', 24.99],
        ['DC-L', 22.5],
      ])
      expect((await history()).slice(3)).toEqual([['DC-S', 24.99]])
      const medium = { sku: 'DC-M', options: { 'cap-size': 'medium' } }
      await update({ price: '20', variants: [{ sku: 'DC-S', price: '27.49' }] })
      await update({ variants: [medium] })
      expect(await prices()).toEqual([
        ['DC-S', 27.49],
        ['DC-L', 22.5],
        ['DC-M', 27.49],
      ])
      const before = await takePicture(db)
      await update({ price: '27.49', variants: [{ sku: 'DC-S', price: '27.49' }] })
      expect(differences(before, await takePicture(db))).toEqual([])
      await applyMessage(db, store, stockChange, { sku: 'FS-NAVY-S', quantity: 7 })
      const touchedLines = differences(before, await takePicture(db)).filter(
        ({ table }) => table === 'spree_line_items',
      )
      expect(touchedLines).toEqual([changed('spree_line_items', {})])
    })
  })

  test('from 5.3 on the shop’s counts of what is filed where are kept', async () => {
    await inStoreOf(
      'spree-4.10',
      `${toFive};
       alter table spree_products add classification_count integer default 0 not null;
       alter table spree_taxons
         add classification_count integer default 0 not null, add products_count integer default 0 not null`,
      async (db, store) => {
        const taxons = [
          ['Categories', 'Clothing'],
          ['Categories', 'Hardware'],
        ]
        await applyMessage(db, store, updateProduct, { product: { sku: 'BC-01', taxons } })
        await applyMessage(db, store, updateProduct, { product: { sku: 'SL-7', taxons: taxons.slice(0, 1) } })
        const { rows: products } = await db.query(
          'select id::integer, classification_count as filed from spree_products where id in (13, 15) order by id',
        )
        expect(products).toEqual([
          { id: 13, filed: 2 },
          { id: 15, filed: 1 },
        ])
        const { rows } = await db.query(
          'select name, classification_count as own, products_count as all from spree_taxons order by id',
        )
        expect(rows).toEqual([
          { name: 'Categories', own: 0, all: 4 },
          { name: 'Clothing', own: 4, all: 4 },
          { name: 'Hardware', own: 1, all: 1 },
        ])
      },
    )
  })

  test('from 5.0 on what a taxon’s own rules file there is neither entered nor taken out', async () => {
    await inStoreOf(
      'spree-4.10',
      `${toFive};
       alter table spree_taxons add automatic boolean default false not null;
       create unique index on spree_products_taxons (product_id, taxon_id)`,
      async (db, store) => {
        const [clothing, hardware] = [
          ['Categories', 'Clothing'],
          ['Categories', 'Hardware'],
        ]
        const file = (sku: string, ...taxons: unknown[]) =>
          applyMessage(db, store, updateProduct, { product: { sku, taxons } })
        const filed = async () => {
          const { rows } = await db.query(
            `select t.name from spree_products_taxons l join spree_taxons t on t.id = l.taxon_id
              where l.product_id in (13, 15) order by l.product_id, t.name`,
          )
          return rows.map(({ name }) => name)
        }
        await file('BC-01', clothing, hardware)
        await file('SL-7', hardware)
        await db.query(`update spree_taxons set automatic = true where name = 'Clothing'`)
        await file('BC-01', clothing, hardware)
        await file('SL-7', clothing, hardware)
        expect(await filed()).toEqual(['Clothing', 'Hardware', 'Hardware'])
        await file('BC-01', hardware)
        expect(await filed()).toEqual(['Clothing', 'Hardware', 'Hardware'])
      },
    )
  })

  test('from 5.0 on options and properties are named as Rails writes parameters, beside what people read', async () => {
    await inStoreOf('spree-4.10', toFive, async (db, store) => {
      const variant = (sku: string, type: string, value: string) => ({ sku, options: { [type]: value } })
      const update = (content: object) => applyMessage(db, store, productUpdate, { sku: 'BC-01', ...content })
      await update({
        variants: [variant('BC-02', 'Ring Color', 'Black & White'), variant('BC-03', 'Ring Color', 'Łódź')],
        properties: { 'Country of Origin': 'Rød & Hvid' },
      })
      await update({
        variants: [variant('BC-04', 'ring color', 'BLACK & WHITE')],
        properties: { 'Country of Origin': 'Rød & Hvid' },
      })
      await db.query(`update spree_option_values set name = 'lodz-1' where name = 'lodz'`)
      await update({ variants: [variant('BC-05', 'Ring Color', 'Łódź')] })
      const made = async (table: string, more: string) => {
        const { rows } = await db.query(
          `select name, presentation${more} from ${table} order by id desc limit 2`,
        )
        return rows
      }
      expect((await made('spree_option_types', ''))[0]).toEqual({
        name: 'ring-color',
        presentation: 'Ring Color',
      })
      expect(await made('spree_option_values', '')).toEqual([
        { name: 'lodz-1', presentation: 'Łódź' },
        { name: 'black-white', presentation: 'Black & White' },
      ])
      expect((await made('spree_properties', ', filter_param'))[0]).toEqual({
        name: 'country-of-origin',
        presentation: 'Country of Origin',
        filter_param: 'country-of-origin',
      })
      const { rows } = await db.query(
        'select filter_param from spree_product_properties order by id desc limit 1',
      )
      expect(rows).toEqual([{ filter_param: 'rod-hvid' }])
    })
  })

  test('from 5.0 on a product that is listed among its variants keeps its price and its stock until there are others', async () => {
    await inStoreOf('spree-4.10', toFive, async (db, store) => {
      const variants = [{ sku: 'BC-01', price: 25, options: {} }]
      await applyMessage(db, store, updateProduct, { product: { sku: 'BC-01', variants } })
      const { rows } = await db.query(
        `select amount::float8, (select sum(count_on_hand)::integer from spree_stock_items where variant_id = 108) as level
           from spree_prices
          where variant_id = 108
            and currency = 'USD'`,
      )
      expect(rows).toEqual([{ amount: 25, level: 55 }])
      const both = [...variants, { sku: 'BC-02', price: 26, options: { size: 'small' } }]
      const again = () =>
        applyMessage(db, store, updateProduct, { product: { sku: 'BC-01', variants: both } })
      await again()
      const before = await takePicture(db)
      await again()
      expect(differences(before, await takePicture(db))).toEqual([])
    })
  })

  test('from 5.0 on the price and the stock of a product with variants are those of the variants alone', async () => {
    await inStoreOf(
      'spree-4.10',
      `${toFive};
       delete from spree_prices where variant_id in (101, 105);
       delete from spree_stock_items where variant_id in (101, 105)`,
      async (db, store) => {
        const before = await takePicture(db)
        const inventory = { product_id: 'OC', quantity: 5, location: 'Portland warehouse' }
        const sent = [
          message(stockChange, { sku: 'OC', quantity: 5 }),
          message(stockActual, { sku: 'OC', quantity: 5 }),
          message(setInventory, { inventory }),
          message(setPrice, { price: { product_id: 'OC', price: 12.95 } }),
        ]
        for (const send of sent) {
          await expect(send(db, store)).rejects.toMatchObject({
            name: 'NotApplicable',
            code: 'master_of_variants',
            message: expect.stringMatching(
              /^SKU OC is that of a product with variants, .*: send their SKUs instead/,
            ),
          })
        }
        const line = { sku: 'OC', quantity: 1, price: 10 }
        const order = { ...charts2, line_items: [line], totals: { item: 10, order: 10 }, adjustments: [] }
        await expect(applyMessage(db, store, orderImport, { order })).rejects.toMatchObject({
          code: 'master_of_variants',
          message: expect.stringMatching(/^Order M100 cannot be imported: SKU OC is that of a product with/),
        })
        const moves = ['OC', 'OC-M'].map((sku) => ({
          sku,
          quantity: 5,
          absolute: false,
          reason: 'sent',
          location: undefined,
        }))
        expect(await placeMoves(db, store, moves)).toMatchObject([undefined, { sku: 'OC-M' }])
        expect(differences(before, await takePicture(db))).toEqual([])
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

type Send = (db: Db, store: Store) => Promise<unknown>
type Step = Readonly<{
  step: string
  send: readonly Send[]
  /** Ours is compared with the shop's in all other tables and columns. */
  but?: (all: Difference[]) => Difference[]
}>
const message =
  <Payload>(handler: Handler<Payload>, payload: unknown): Send =>
  (db, store) =>
    applyMessage(db, store, handler, payload)
const stock = (sku: string, quantity: number) => message(stockChange, { sku, quantity })
const product = {
  sku: 'DC',
  name: 'Deck Cap',
  description: 'Keeps the spray off.',
  price: '19.99',
  meta_keywords: 'cap, deck',
}
const renamed = {
  sku: 'HC',
  name: 'Harbour Chart II',
  variants: [{ sku: 'HC-F', price: '13.25' }],
}

/** The steps of each day are written after what the version's own code issues. */
const days: Readonly<Record<Old, readonly Step[]>> = {
  'spree-2.0': [
    { step: '01-change-product', send: [message(productUpdate, renamed)] },
    { step: '02-stock-movement', send: [stock('HC-F', 7)] },
  ],
  'spree-2.4': [
    { step: '01-create-product.1', send: [] },
    {
      step: '01-create-product.2-6',
      send: [
        message(productNew, {
          ...product,
          available_on: '2026-03-01T00:00:00Z',
          options: ['cap-size'],
          variants: [
            {
              sku: 'DC-S',
              price: '21.5',
              cost_price: '8.5',
              weight: '0.25',
              height: '10',
              options: { 'cap-size': 'small' },
            },
            { sku: 'DC-L', price: '22.5', options: { 'cap-size': 'large' } },
          ],
        }),
        stock('DC-S', 20),
        stock('DC-L', 20),
      ],
      // There somebody chose the tax category, and set the levels without a movement.
      but: (all) =>
        all
          .filter(({ table }) => table !== 'spree_stock_movements')
          .map((one) =>
            one.table === 'spree_products'
              ? { ...one, columns: { ...one.columns, tax_category_id: 1 } }
              : one,
          ),
    },
    {
      step: '02-change-product',
      send: [
        message(productUpdate, {
          sku: 'DC',
          name: 'Deck Cap II',
          price: '24.99',
          variants: [{ sku: 'DC-S', price: '27.49' }],
        }),
      ],
    },
    { step: '03-stock-movement', send: [stock('DC-S', 7)] },
  ],
  'spree-3.2': [
    {
      step: '01-change-product',
      send: [message(productUpdate, renamed)],
      // There an option value was taken off besides.
      but: (all) => all.filter(({ table }) => table !== 'spree_option_value_variants'),
    },
    { step: '02-stock-movement', send: [stock('HC-F', 7)] },
  ],
}
const lived: [Old, StoreSource][] = [
  ['spree-2.0', 'fixture'],
  ['spree-3.2', 'fixture'],
  ['spree-2.4', 'fixture'],
  ['spree-2.4', 'dump'],
]

test.each(lived.filter(([, source]) => source === 'fixture' || dumpsAvailable()))(
  'the messages of a day leave what the shop’s own statements leave: %s (%s)',
  async (version, source) => {
    const database = await openOld(version, source)
    const db = await database.pool.connect()
    try {
      const store = await openStore(database.pool)
      for (const { step, send, but = (all: Difference[]) => all } of days[version]) {
        const before = await takePicture(db)
        const restore = await rememberSequences(db)
        await db.query('begin')
        for (const sent of send) await sent(db, store)
        const ours = differences(before, await takePicture(db))
        await db.query('rollback')
        await restore()
        await replay(database, version, step, 'fixture')
        const theirs = differences(before, await takePicture(db))
        if (send.length > 0) expect([step, but(ours)]).toEqual([step, but(theirs)])
      }
    } finally {
      db.release()
      await database.drop()
    }
  },
)

const charts = {
  sku: 'HC-F',
  row: 301,
  owed: 'HC-Q',
  number: 'R410000001',
  product: 'HC',
  other: 32,
  state: 'NY',
}
const harbour = {
  sku: 'TM-1',
  row: 310,
  owed: 'SL-7',
  number: 'R204817354',
  product: 'BC-01',
  other: 15,
  state: 'ME',
}

test.each([
  ['spree-2.0', charts],
  ['spree-2.4', charts],
  ['spree-3.2', charts],
  ['spree-4.7', harbour],
  ['spree-5.6', harbour],
  ['solidus-4', harbour],
] as const)(
  'a level, a price and a name are not announced back in %s; what a person did besides is, and the order that it filled or made',
  async (version, { sku, row, owed, number, product, other, state }) => {
    const database = await createStore(version, 'fixture')
    try {
      const collecting = await startCollecting(database)
      const fromHub = <Payload>(handler: Handler<Payload>, payload: unknown) =>
        inTransaction(database.pool, (db) => applyMessage(db, collecting.store, handler, payload))
      await fromHub(stockChange, { sku, quantity: 50 })
      expect(await collecting.all()).toEqual([])
      await fromHub(stockChange, { sku, quantity: -30 })
      await database.pool.query(
        'update spree_stock_items set count_on_hand = count_on_hand - 2 where id = $1',
        [row],
      )
      await fromHub(stockChange, { sku, quantity: 7 })
      expect(await collecting.all()).toMatchObject([{ type: 'stock:change', payload: { sku, quantity: -2 } }])
      await fromHub(productUpdate, { sku: product, price: '13', name: 'From the hub' })
      await database.pool.query(
        `update spree_prices set amount = 7.5
          where currency = 'USD' and variant_id in (select id from spree_variants where product_id = $1)`,
        [other],
      )
      expect(await collecting.all()).toMatchObject([{ type: 'product:update', payload: { price: '7.5' } }])
      await fromHub(stockChange, { sku: owed, quantity: 5 })
      expect(await collecting.all()).toMatchObject([{ type: 'order:persist', payload: { number } }])
      const address = { ...nell, state }
      const order = {
        ...charts2,
        line_items: [{ sku, quantity: 2, price: 13.25 }],
        shipping_address: address,
        billing_address: address,
      }
      await fromHub(orderImport, { order })
      expect(await collecting.all()).toMatchObject([
        { type: 'order:persist', payload: { number: 'M100', total: '34.15' } },
      ])
    } finally {
      await database.drop()
    }
  },
)
