import {
  adjusted,
  bare,
  deckShoe,
  noExtras,
  type ObjectDay,
  shipTo,
  type ToldObject,
} from './object-forms.ts'

/** Of the small shop. What is sold is allocated: it leaves the level when it ships. A return has no object. */
export function objectDayOfSix(): ObjectDay {
  // No master: known by its default variant. What is said of a product as a whole is said of that.
  const shoe = { ...deckShoe, id: 'DS-41', sku: 'DS-41', price: 60, shipping_category: null, options: [] }
  const [first, second] = deckShoe.variants
  const stock = (quantity: number, id = 317, sku = 'DS-41'): ToldObject => [
    'inventories',
    { id, location: 'Portland warehouse', product_id: sku, quantity },
  ]

  const totals = { item: 128, adjustment: 0, tax: 0, shipping: 6, payment: 0, order: 134 }
  const check = {
    id: 77,
    number: 'R1046-P1',
    status: 'pending',
    amount: 134,
    payment_method: 'Check',
    source: null,
  }
  const placed = {
    id: 'R1046',
    status: 'complete',
    channel: 'spree',
    email: 'guest@example.com',
    currency: 'USD',
    placed_on: '2026-03-10T09:28:00.340Z',
    updated_at: '2026-03-10T09:28:00.380Z',
    totals,
    adjustments: adjusted(0, 0, 6),
    guest_token: null,
    shipping_instructions: null,
    line_items: [{ id: 511, product_id: 'DS-41', name: 'Deck Shoe II', quantity: 2, price: 64 }],
    payments: [check],
    promotions: [],
    shipping_address: shipTo,
    billing_address: { ...shipTo, address1: '5 Quay Lane' },
  }
  const pending = {
    id: 'R1046-F1',
    order_id: 'R1046',
    email: 'guest@example.com',
    cost: 6,
    status: 'pending',
    stock_location: 'Portland warehouse',
    shipping_method: 'Ground',
    shipping_method_code: 'GROUND',
    tracking: null,
    placed_on: placed.placed_on,
    shipped_at: null,
    totals,
    updated_at: '2026-03-10T09:28:00.280Z',
    channel: 'spree',
    items: [{ product_id: 'DS-41', name: 'Deck Shoe II', quantity: 2, price: 64 }],
    billing_address: placed.billing_address,
    shipping_address: shipTo,
  }
  const shipping_address = { ...shipTo, address1: '6 Quay Lane' }
  const paid = {
    ...placed,
    updated_at: '2026-03-10T09:42:00.470Z',
    totals: { ...totals, payment: 134 },
    payments: [{ ...check, status: 'completed' }],
    shipping_address,
  }
  const ready = { ...pending, status: 'ready', totals: paid.totals, shipping_address }

  const card = {
    id: 78,
    number: 'R1047-P1',
    status: 'completed',
    amount: 134,
    payment_method: 'Credit card',
    source: { name: 'Ann Payer', cc_type: 'visa', last_digits: '4242', source_type: 'Spree::CreditCard' },
  }
  const other = {
    ...placed,
    id: 'R1047',
    placed_on: '2026-03-10T10:10:00.868Z',
    updated_at: '2026-03-10T10:10:00.908Z',
    totals: paid.totals,
    line_items: [{ ...placed.line_items[0], id: 513 }],
    payments: [card],
  }
  const otherShipment = {
    ...pending,
    id: 'R1047-F1',
    order_id: 'R1047',
    status: 'ready',
    placed_on: other.placed_on,
    totals: other.totals,
    updated_at: '2026-03-10T10:10:00.795Z',
  }

  return {
    '01-create-product': [['products', shoe], stock(20), stock(20, 318, 'DS-42')],
    '02-change-product': [
      ['products', { ...shoe, name: 'Deck Shoe II', price: 64, variants: [{ ...first, price: 64 }, second] }],
    ],
    '03-stock-movement': [stock(27)],
    '04-checkout': [
      ['orders', placed],
      ['shipments', pending],
    ],
    '05-update-order': [
      ['orders', { ...placed, updated_at: '2026-03-10T09:35:00.431Z', shipping_address }],
      ['shipments', { ...pending, shipping_address }],
    ],
    '06-capture-payment': [
      ['orders', paid],
      ['shipments', ready],
    ],
    '07-ship': [
      ['orders', { ...paid, updated_at: '2026-03-10T09:49:00.526Z' }],
      [
        'shipments',
        {
          ...ready,
          status: 'shipped',
          tracking: '1ZHARBOUR1',
          shipped_at: '2026-03-10T09:49:00.497Z',
          updated_at: '2026-03-10T09:49:00.497Z',
        },
      ],
      stock(25),
    ],
    '08a-refund': [['orders', { ...paid, updated_at: '2026-03-10T09:56:00.564Z' }]],
    '08b-return': [['orders', { ...paid, updated_at: '2026-03-10T10:03:00.620Z' }], stock(26)],
    '09a-create-order-to-cancel': [
      ['orders', other],
      ['shipments', otherShipment],
    ],
    '09b-cancel-order': [
      [
        'orders',
        {
          ...other,
          status: 'canceled',
          updated_at: '2026-03-10T10:17:01.019Z',
          totals,
          payments: [{ ...card, status: 'void' }],
        },
      ],
      ['shipments', { ...otherShipment, status: 'canceled', updated_at: '2026-03-10T10:17:00.941Z', totals }],
    ],
    '11a-create-product-to-delete': [
      [
        'products',
        {
          ...bare,
          id: 'CF-1',
          name: 'Cork Float',
          sku: 'CF-1',
          price: 5,
          permalink: 'cork-float',
          shipping_category: null,
          variants: [{ ...noExtras, sku: 'CF-1', price: 5, options: {} }],
        },
      ],
    ],
    '11b-delete-product': [],
    '12-rollback-stock': [],
  }
}
