import type { StoreSource } from '../support/stores.ts'
import { adjusted, bare, noExtras, type ObjectDay, type ToldObject } from './object-forms.ts'
import { ofTheDayOfSolidus } from './old-returns.ts'

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
