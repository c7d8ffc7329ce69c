import { adjusted, bare, noExtras, type ObjectDay, type ToldObject } from './object-forms.ts'

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
