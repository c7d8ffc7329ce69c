import type { ObjectType } from '../../src/messages/message.ts'
import type { SolidusStore, StoreSource } from '../support/stores.ts'
import { ofTheDayOfSolidus } from './old-returns.ts'
import type { Payload } from './told.ts'

/** An object as it leaves. */
export type ToldObject = readonly [type: ObjectType, object: Payload]

/** The steps of a day, each with the objects that it gives: by hand, from the protocol's serializers and the statements. */
export type ObjectDay = Readonly<Record<string, readonly ToldObject[]>>

const noSizes = { height: null, width: null, depth: null }
const bare = {
  description: null,
  cost_price: 0,
  available_on: null,
  meta_description: null,
  meta_keywords: null,
  taxons: [],
  weight: '0.0',
  ...noSizes,
  options: [],
  images: [],
}
const noExtras = { cost_price: 0, weight: '0.0', ...noSizes, images: [] }

/** Only of an order is it said what it is discounted by, taxed and shipped for, always in these words. */
const adjusted = (discount: number, tax: number, shipping: number) => [
  { name: 'discount', value: discount },
  { name: 'tax', value: tax },
  { name: 'shipping', value: shipping },
]

/** The same statements for the small shop and for the real store. */
export function objectDayOfOld(): ObjectDay {
  const cap = {
    ...bare,
    id: 'DC',
    name: 'Deck Cap',
    sku: 'DC',
    description: 'Keeps the spray off.',
    price: 19.99,
    available_on: '2026-03-01T00:00:00.000Z',
    permalink: 'deck-cap',
    meta_keywords: 'cap, deck',
    shipping_category: 'Default',
    options: ['cap-size'],
  }
  const small = {
    ...noExtras,
    sku: 'DC-S',
    price: 21.5,
    cost_price: 8.5,
    weight: '0.25',
    height: '10.0',
    options: { Size: 'S' },
  }
  const large = { ...noExtras, sku: 'DC-L', price: 22.5, options: { Size: 'L' } }
  const dearer = { ...cap, name: 'Deck Cap II', price: 24.99 }
  const alone = (sku: string, name: string, permalink: string, price: number): ToldObject => [
    'products',
    {
      ...bare,
      id: sku,
      name,
      sku,
      price,
      permalink,
      shipping_category: null,
      variants: [{ ...noExtras, sku, price, options: {} }],
    },
  ]
  const stock = (id: number, sku: string, quantity: number, location = 'default'): ToldObject => [
    'inventories',
    { id, location, product_id: sku, quantity },
  ]

  const totals = { item: 54.98, adjustment: 5.5, tax: 5.5, shipping: 5, payment: 0, order: 65.48 }
  const check = {
    id: 1001,
    number: 'CHK24AAA',
    status: 'checkout',
    amount: 65.48,
    payment_method: 'Check',
    source: null,
  }
  const placed = {
    id: 'R240000001',
    status: 'complete',
    channel: 'spree',
    email: 'nell@example.com',
    currency: 'USD',
    placed_on: '2026-03-10T09:30:10.100Z',
    updated_at: '2026-03-10T09:30:10.100Z',
    totals,
    adjustments: adjusted(0, 5.5, 5),
    guest_token: null,
    shipping_instructions: null,
    line_items: [{ id: 961, product_id: 'DC-S', name: 'Deck Cap II', quantity: 2, price: 27.49 }],
    payments: [check],
    promotions: [],
    shipping_address: {
      firstname: 'Nell',
      lastname: 'Guest',
      address1: '4 Quay Lane',
      address2: 'Floor 2',
      zipcode: '0150',
      city: 'Oslo',
      state: 'Oslo fylke',
      country: 'US',
      phone: '555-0177',
      company: null,
    },
    billing_address: {
      firstname: 'Nell',
      lastname: 'Payer',
      address1: '5 Quay Lane',
      address2: null,
      zipcode: '10004',
      city: 'New York',
      state: 'NY',
      country: 'US',
      phone: '555-0199',
      company: 'Payers',
    },
  }
  const piece = { product_id: 'DC-S', name: 'Deck Cap II', quantity: 1, price: 27.49 }
  const pending = {
    id: 'H24000000001',
    order_id: 'R240000001',
    email: 'nell@example.com',
    cost: 5,
    status: 'pending',
    stock_location: 'default',
    shipping_method: 'UPS Ground (USD)',
    shipping_method_code: null,
    tracking: null,
    placed_on: placed.placed_on,
    shipped_at: null,
    totals,
    updated_at: '2026-03-10T09:30:04.100Z',
    channel: 'spree',
    items: [piece, piece],
    billing_address: placed.billing_address,
    shipping_address: placed.shipping_address,
  }
  const shipping_address = { ...placed.shipping_address, address1: '6 Quay Lane' }
  const changed = {
    ...placed,
    updated_at: '2026-03-10T09:40:01.100Z',
    totals: { ...totals, adjustment: 4, order: 63.98 },
    shipping_address,
  }
  const paid = {
    ...changed,
    updated_at: '2026-03-10T09:50:02.120Z',
    totals: { ...changed.totals, payment: 65.48 },
    payments: [{ ...check, status: 'completed' }],
  }
  const ready = {
    ...pending,
    status: 'ready',
    totals: paid.totals,
    updated_at: '2026-03-10T09:50:02.110Z',
    shipping_address,
  }
  const refunded = { ...paid, updated_at: '2026-03-10T10:10:01.100Z' }
  const returned = {
    id: 1041,
    return_authorization_id: 'RA240000001',
    product_id: 'DC-S',
    exchange_product_id: null,
    reception_status: 'received',
    acceptance_status: 'accepted',
    pre_tax_amount: '27.49',
    included_tax_total: '0.0',
    additional_tax_total: '0.0',
    order_number: 'R240000001',
    created_at: '2026-03-10T10:20:00.110Z',
    reimbursed_at: '2026-03-10T10:20:02.100Z',
    reimbursed: true,
    store: 'spree',
    resellable: null,
  }
  const bo = {
    firstname: 'Bo',
    lastname: 'Sun',
    address1: '8 Mole End',
    address2: null,
    zipcode: '10004',
    city: 'New York',
    state: 'NY',
    country: 'US',
    phone: '555-0166',
    company: null,
  }
  const card = {
    id: 1002,
    number: 'CRD24BBB',
    status: 'pending',
    amount: 29.75,
    payment_method: 'Check',
    source: { name: 'Bo Sun', cc_type: 'visa', last_digits: '1111', source_type: 'Spree::CreditCard' },
  }
  const second = {
    ...placed,
    id: 'R240000002',
    email: 'bo@example.com',
    placed_on: '2026-03-10T10:30:04.100Z',
    updated_at: '2026-03-10T10:30:04.100Z',
    totals: { item: 22.5, adjustment: 2.25, tax: 2.25, shipping: 5, payment: 0, order: 29.75 },
    adjustments: adjusted(0, 2.25, 5),
    shipping_instructions: 'Ring twice',
    line_items: [{ id: 962, product_id: 'DC-L', name: 'Deck Cap II', quantity: 1, price: 22.5 }],
    payments: [card],
    shipping_address: bo,
    billing_address: bo,
  }
  const secondShipment = {
    ...pending,
    id: 'H24000000002',
    order_id: 'R240000002',
    email: 'bo@example.com',
    placed_on: second.placed_on,
    totals: second.totals,
    updated_at: '2026-03-10T10:30:01.110Z',
    items: [{ product_id: 'DC-L', name: 'Deck Cap II', quantity: 1, price: 22.5 }],
    billing_address: bo,
    shipping_address: bo,
  }

  return {
    // The stores push every stock item that they save (protocol §9.1): a new one is told, though there is nothing in it.
    '01-create-product': [
      ['products', { ...cap, variants: [small, large] }],
      stock(931, 'DC', 0),
      stock(932, 'DC', 0, 'east'),
      stock(933, 'DC-S', 20),
      stock(934, 'DC-S', 0, 'east'),
      stock(935, 'DC-L', 20),
      stock(936, 'DC-L', 0, 'east'),
    ],
    '02-change-product': [['products', { ...dearer, variants: [{ ...small, price: 27.49 }, large] }]],
    // The object says what people read: of a value that is renamed it says the same as before.
    '02b-change-options': [
      [
        'products',
        {
          ...dearer,
          variants: [
            { ...small, price: 27.49 },
            { ...large, options: { Size: 'M' } },
          ],
        },
      ],
    ],
    '03-stock-movement': [stock(933, 'DC-S', 27)],
    '04-checkout': [['orders', placed], ['shipments', pending], stock(933, 'DC-S', 25)],
    '05-update-order': [
      ['orders', changed],
      ['shipments', { ...pending, totals: changed.totals, shipping_address }],
    ],
    '06-capture-payment': [
      ['orders', paid],
      ['shipments', ready],
    ],
    '07-ship': [
      ['orders', { ...paid, updated_at: '2026-03-10T10:00:04.100Z' }],
      [
        'shipments',
        {
          ...ready,
          status: 'shipped',
          tracking: '1ZDECK1',
          shipped_at: '2026-03-10T10:00:03.100Z',
          updated_at: '2026-03-10T10:00:03.100Z',
        },
      ],
    ],
    // The payment stays completed; the shipment says nothing of what was given back.
    '08a-refund': [['orders', refunded]],
    '08b-return': [
      // Its units and its return are not in the object, but they are changes of the order.
      ['orders', refunded],
      [
        'customer_returns',
        {
          id: 'CR240000001',
          fully_reimbursed: false,
          stock_location: 'default',
          channel: 'spree',
          resolution_path: '/admin/orders/R240000001/customer_returns/1051/edit',
          return_items: [returned],
          reimbursements: [
            {
              id: 'RI240000001',
              order_id: 'R240000001',
              total: null,
              paid_amount: '0.0',
              reimbursement_status: 'pending',
              return_items: [returned],
              refunds: [],
            },
          ],
        },
      ],
      stock(933, 'DC-S', 26),
    ],
    '09a-create-order-to-cancel': [['orders', second], ['shipments', secondShipment], stock(935, 'DC-L', 19)],
    '09b-cancel-order': [
      [
        'orders',
        {
          ...second,
          status: 'canceled',
          updated_at: '2026-03-10T10:40:00.180Z',
          payments: [{ ...card, status: 'void' }],
        },
      ],
      ['shipments', { ...secondShipment, status: 'canceled', updated_at: '2026-03-10T10:40:00.120Z' }],
      stock(935, 'DC-L', 20),
    ],
    '11a-create-products-to-delete': [
      alone('CF-1', 'Cork Float', 'cork-float', 5),
      stock(937, 'CF-1', 0),
      alone('BP-1', 'Bilge Pump', 'bilge-pump', 80),
      stock(938, 'BP-1', 3),
    ],
    '11b-delete-product': [],
    '11c-destroy-product': [],
    '12-rollback-stock': [],
  }
}

/** What the same day of Solidus names in one store and in the other. */
const named = {
  fixture: {
    sku: 'EM',
    name: 'Enamel Mug',
    about: 'Holds hot grog.',
    permalink: 'enamel-mug',
    available: '2026-03-09T09:16:51.589Z',
    category: 'Parcel',
    option: ['glaze', 'Glaze'],
    renamed: ['Enamel Mug II', 'enamel-mug-ii'],
    gone: ['GW', 'Glass Whale', 'glass-whale'],
    items: { EM: 317, 'EM-RED': 318, 'EM-BLUE': 319, GW: 320 } as Readonly<Record<string, number>>,
    lines: [510, 511, 512],
    payments: [77, 78, 79],
    paymentNumbers: ['CHK00001', 'CHK00002', 'CHK00003'],
    orders: ['R340000001', 'R340000002', 'R340000003'],
    emails: ['clara@example.com', 'soren@example.org', 'maeve@example.net'],
    shipments: ['H64000000001', 'H64000000002', 'H64000000003', 'H64000000004'],
    place: 'Portland warehouse',
    method: ['Ground', 'GROUND'],
    tracking: '1ZHARBOUR1',
    customer: '1',
    hour: '2026-03-10T09',
    state: ['OR', 'Oregon'],
    address: {
      firstname: 'Ann',
      lastname: 'Marie Buyer',
      address1: '4 Quay Lane',
      address2: null,
      zipcode: '97201',
      city: 'Portland',
      country: 'US',
      phone: '+1 503 555 0199',
    },
    returned: ofTheDayOfSolidus,
  },
  dump: {
    sku: 'BM-DAY1',
    name: 'Bridge Mug DAY1',
    about: 'made by activity-solidus.rb',
    permalink: 'bridge-mug-DAY1',
    available: '2026-11-21T05:16:51.589Z',
    category: 'Default',
    option: ['bridge-color', 'Color'],
    renamed: ['Bridge Mug DAY1 v2', 'bridge-mug-day1'],
    gone: ['GONE-DAY1', 'Gone DAY1', 'gone-day1'],
    items: { 'BM-DAY1': 52, 'BM-DAY1-RED': 53, 'BM-DAY1-BLUE': 54, 'GONE-DAY1': 55 } as Readonly<
      Record<string, number>
    >,
    lines: [4, 5, 6],
    payments: [5, 6, 7],
    paymentNumbers: ['Y796DYHG', '88RWLCYN', '2XE8TS3P'],
    orders: ['R737693769', 'R746264148', 'R257818730'],
    emails: ['buyer-day1@example.com', 'cancel-DAY1@example.com', 'backorder-DAY1@example.com'],
    shipments: ['H16451881188', 'H33175272588', 'H75588634314', 'H02103142763'],
    place: 'default',
    method: ['UPS Ground (USD)', null],
    tracking: '1ZDAY1',
    customer: '2',
    hour: '2026-11-22T05',
    state: ['NY', 'New York'],
    address: {
      firstname: 'Ann',
      lastname: 'Buyer',
      address1: '1 Main St',
      address2: null,
      zipcode: '10001',
      city: 'New York',
      country: 'US',
      phone: '5551234',
    },
    returned: {
      ...ofTheDayOfSolidus,
      id: 'CR604753838',
      stock_location: 'default',
      resolution_path: '/admin/orders/R737693769/customer_returns/2/edit',
      return_items: [
        {
          ...ofTheDayOfSolidus.return_items[0],
          id: 2,
          return_authorization_id: 'RA432124156',
          product_id: 'BM-DAY1-RED',
          order_number: 'R737693769',
          created_at: '2026-11-22T05:17:06.472Z',
          store: 'sample-store',
        },
      ],
    },
  },
} as const

export function objectDayOfSolidus(source: StoreSource): ObjectDay {
  const its = named[source]
  const at = (time: string) => `${its.hour}:${time}Z`
  const [red, blue] = [`${its.sku}-RED`, `${its.sku}-BLUE`]
  const [type, shown] = its.option
  const mug = {
    ...bare,
    id: its.sku,
    name: its.name,
    sku: its.sku,
    description: its.about,
    price: 19.99,
    available_on: its.available,
    permalink: its.permalink,
    shipping_category: its.category,
    options: [type],
  }
  const variant = (sku: string, price: number, colour: string) => ({
    ...noExtras,
    sku,
    price,
    options: { [shown]: colour },
  })
  const dear = variant(red, 24.75, 'Red')
  const other = variant(blue, 21.5, 'Blue')
  const [newName, newPermalink] = its.renamed
  const renamed = { ...mug, name: newName, permalink: newPermalink }
  const [sku, name, permalink] = its.gone
  const stock = (product_id: string, quantity: number): ToldObject => [
    'inventories',
    { id: its.items[product_id], location: its.place, product_id, quantity },
  ]

  const address = { ...its.address, state: its.state[0], company: null }
  const payment = (which: 0 | 1 | 2, amount: number) => ({
    id: its.payments[which],
    number: its.paymentNumbers[which],
    status: 'checkout',
    amount,
    payment_method: 'Check',
    source: null,
  })
  const order = (
    which: 0 | 1 | 2,
    placed: string,
    totals: Readonly<Record<'item' | 'adjustment' | 'tax' | 'shipping' | 'payment' | 'order', number>>,
    item: Readonly<{ product_id: string; quantity: number; price: number }>,
  ) => ({
    id: its.orders[which],
    status: 'complete',
    channel: 'spree',
    email: its.emails[which],
    currency: 'USD',
    placed_on: at(placed),
    updated_at: at(placed),
    totals,
    adjustments: adjusted(0, totals.tax, totals.shipping),
    guest_token: null,
    shipping_instructions: null,
    line_items: [{ id: its.lines[which], name: its.name, ...item }],
    payments: [payment(which, totals.order)],
    promotions: [],
    shipping_address: address,
    billing_address: address,
  })
  /** One piece a unit. */
  const shipment = (of: ReturnType<typeof order>, id: string, updated: string, pieces: number) => {
    const { product_id, price } = of.line_items[0]!
    return {
      id,
      order_id: of.id,
      email: of.email,
      cost: 5,
      status: 'pending',
      stock_location: its.place,
      shipping_method: its.method[0],
      shipping_method_code: its.method[1],
      tracking: null,
      placed_on: of.placed_on,
      shipped_at: null,
      totals: of.totals,
      updated_at: at(updated),
      channel: 'spree',
      items: Array.from({ length: pieces }, () => ({ product_id, name: its.name, quantity: 1, price })),
      billing_address: address,
      shipping_address: address,
    }
  }

  const sums = { item: 49.5, adjustment: 0.25, tax: 0.25, shipping: 5, payment: 0, order: 54.75 }
  const placed = order(0, '16:58.577', sums, { product_id: red, quantity: 2, price: 24.75 })
  const pending = shipment(placed, its.shipments[0], '16:58.538', 2)
  const paid = {
    ...placed,
    updated_at: at('16:59.713'),
    totals: { ...sums, payment: 54.75 },
    payments: [{ ...payment(0, 54.75), status: 'completed' }],
  }
  const ready = { ...pending, status: 'ready', totals: paid.totals, updated_at: at('16:59.733') }
  const more = { ...sums, item: 74.25, order: 79.5 }
  const second = order(1, '17:01.987', more, { product_id: red, quantity: 3, price: 24.75 })
  const secondShipment = shipment(second, its.shipments[1], '17:01.967', 3)
  const twice = { item: 64.5, adjustment: 0.5, tax: 0.5, shipping: 10, payment: 0, order: 75 }
  const waiting = order(2, '17:04.270', twice, { product_id: blue, quantity: 3, price: 21.5 })
  const inStock = shipment(waiting, its.shipments[2], '17:04.238', 1)
  const owed = shipment(waiting, its.shipments[3], '17:04.241', 2)
  const filled = {
    ...waiting,
    updated_at: at('17:05.382'),
    totals: { ...twice, payment: 75 },
    payments: [{ ...payment(2, 75), status: 'completed' }],
  }
  const sent = { status: 'ready', totals: filled.totals, updated_at: at('17:05.396') }

  const { lastname, firstname, ...street } = its.address
  const home = { ...street, state: its.state[1] }
  const customer = { id: its.customer, firstname, lastname, email: its.emails[0] }
  const registered = { ...customer, firstname: null, lastname: null }

  return {
    '01-product-created': [
      ['products', { ...mug, variants: [variant(red, 19.99, 'Red'), other] }],
      stock(its.sku, 0),
      stock(red, 0),
      stock(blue, 0),
    ],
    '02-price-changed': [['products', { ...mug, variants: [dear, other] }]],
    '03-stock-moved': [stock(red, 10), stock(blue, 1)],
    '04-stock-rolled-back': [],
    ...(source === 'dump' && {
      '05-user-created': [
        ['customers', { ...registered, shipping_address: null, billing_address: null }],
      ] satisfies ToldObject[],
    }),
    '06-cart-only': [],
    '07-order-completed': [
      ['customers', { ...customer, shipping_address: home, billing_address: home }],
      ['orders', placed],
      ['shipments', pending],
      stock(red, 8),
    ],
    '08-payment-captured': [
      ['orders', paid],
      ['shipments', ready],
    ],
    '09-shipment-shipped': [
      ['orders', { ...paid, updated_at: at('17:00.822') }],
      [
        'shipments',
        {
          ...ready,
          status: 'shipped',
          tracking: its.tracking,
          shipped_at: at('17:00.779'),
          updated_at: at('17:00.780'),
        },
      ],
    ],
    '10-order-completed': [['orders', second], ['shipments', secondShipment], stock(red, 5)],
    '11-order-canceled': [
      ['orders', { ...second, status: 'canceled', updated_at: at('17:03.020') }],
      ['shipments', { ...secondShipment, status: 'canceled', updated_at: at('17:03.019') }],
      stock(red, 8),
    ],
    '12-order-backordered.1-19': [stock(blue, 0)],
    '12-order-backordered.20-24': [
      ['orders', waiting],
      ['shipments', inStock],
      ['shipments', owed],
      stock(blue, -2),
    ],
    '13-backorder-filled': [
      ['orders', filled],
      ['shipments', { ...inStock, ...sent }],
      ['shipments', { ...owed, ...sent }],
      stock(blue, 3),
    ],
    '14-return-received': [
      ['orders', { ...paid, updated_at: at('17:06.524') }],
      ['customer_returns', its.returned],
      stock(red, 9),
    ],
    '15-refund': [['orders', { ...paid, updated_at: at('17:07.569') }]],
    '16-product-renamed': [['products', { ...renamed, variants: [dear, other] }]],
    '17-variant-discarded': [['products', { ...renamed, variants: [dear] }]],
    '18-product-discarded.1': [
      [
        'products',
        {
          ...bare,
          id: sku,
          name,
          sku,
          price: 5,
          available_on: at('17:10.618'),
          permalink,
          shipping_category: its.category,
          variants: [{ ...noExtras, sku, price: 5, options: {} }],
        },
      ],
      stock(sku, 0),
    ],
    '18-product-discarded.2-5': [],
  }
}

export const OBJECT_DAYS: readonly Readonly<{
  family: 'spree-2.4' | SolidusStore
  source: StoreSource
  day: ObjectDay
}>[] = (['fixture', 'dump'] as const).flatMap((source) => [
  { family: 'spree-2.4' as const, source, day: objectDayOfOld() },
  { family: 'solidus-4' as const, source, day: objectDayOfSolidus(source) },
])
