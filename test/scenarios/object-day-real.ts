import type { StoreFamily } from '../support/stores.ts'
import { adjusted, bare, noExtras, type ObjectDay, type ToldObject } from './object-forms.ts'

/** What the same day of the real stores names, and when it happens. */
const named = {
  'spree-4.10': {
    product: {
      id: 'ACT-DAY1',
      price: 19.99,
      available_on: '2026-11-22T05:11:50.042Z',
      shipping_category: 'Default',
      options: ['color'],
    },
    dearer: 24.99,
    colours: ['#FFFFFF', '#800080'],
    doomed: 'Default',
    items: [233, 234],
    orders: ['R608302538', 'R561862494'],
    lines: [3, 4],
    payments: ['PVCQ1K66', 'PGLKJDHZ'],
    waiting: 'checkout',
    card: { status: 'pending', type: 'N/A' },
    shipments: ['H40540919315', 'H33033686285'],
    method: 'UPS Ground (USD)',
    lastnames: ['Guest1', 'Guest2'],
    payer: '2 Main St',
    customer: { id: '2', firstname: null, lastname: null, email: 'userday1@example.com' },
  },
  'spree-6.0': {
    // No master: known by its default variant.
    product: {
      id: 'ACT-DAY1-0',
      price: 21.5,
      available_on: null,
      shipping_category: null,
      options: [] as string[],
    },
    dearer: 27.49,
    colours: ['Matte Black', 'Silver'],
    doomed: null,
    items: [89, 90],
    orders: ['R1003', 'R1004'],
    lines: [4, 6],
    payments: ['R1003-P1', 'R1004-P1'],
    waiting: 'pending',
    card: { status: 'completed', type: 'visa' },
    shipments: ['R1003-F1', 'R1004-F1'],
    method: 'Standard',
    lastnames: ['Guest', 'Guest'],
    payer: '2 Bill St',
    customer: { id: '22', firstname: 'Uma', lastname: 'User', email: 'userDAY1@example.com' },
  },
} as const

/** The recorded day of the real Spree 4.10.3 and 6.0.1. In 6.0 what is sold leaves the level when it ships. */
export function objectDayOfReal(family: StoreFamily): ObjectDay {
  const its = named[family]
  const six = family === 'spree-6.0'
  const at = (four: string, inSix: string) => `2026-11-22T05:${six ? inSix : four}Z`
  const location = 'Shop location'

  const tee = {
    ...bare,
    ...its.product,
    name: 'Act Tee DAY1',
    sku: its.product.id,
    description: 'made by activity script',
    permalink: 'act-tee-day1',
  }
  const variant = (which: 0 | 1, price: number) => ({
    ...noExtras,
    sku: `ACT-DAY1-${which}`,
    price,
    options: { Color: its.colours[which] },
  })
  const stock = (quantity: number, which: 0 | 1 = 0): ToldObject => [
    'inventories',
    { id: its.items[which], location, product_id: `ACT-DAY1-${which}`, quantity },
  ]

  const shipTo = {
    firstname: 'Ann',
    lastname: its.lastnames[0],
    address1: '1 Main St',
    address2: null,
    zipcode: '78701',
    city: 'Austin',
    state: 'TX',
    country: 'US',
    phone: '5551234567',
    company: null,
  }
  const billTo = { ...shipTo, lastname: its.lastnames[1], address1: its.payer }
  const totals = { item: 54.98, adjustment: 0, tax: 0, shipping: 5, payment: 0, order: 59.98 }
  const piece = { product_id: 'ACT-DAY1-0', name: 'Act Tee DAY1 renamed', quantity: 2, price: 27.49 }
  const check = {
    id: 3,
    number: its.payments[0],
    status: its.waiting,
    amount: 59.98,
    payment_method: 'Check',
    source: null,
  }
  const placed = {
    id: its.orders[0],
    status: 'complete',
    channel: 'spree',
    email: 'guestDAY1@example.com',
    currency: 'USD',
    placed_on: at('11:54.679', '13:24.081'),
    updated_at: at('11:54.679', '13:24.213'),
    totals,
    adjustments: adjusted(0, 0, 5),
    guest_token: null,
    shipping_instructions: null,
    line_items: [{ id: its.lines[0], ...piece }],
    payments: [check],
    promotions: [],
    shipping_address: shipTo,
    billing_address: billTo,
  }
  const pending = {
    id: its.shipments[0],
    order_id: its.orders[0],
    email: 'guestDAY1@example.com',
    cost: 5,
    status: 'pending',
    stock_location: location,
    shipping_method: its.method,
    shipping_method_code: null,
    tracking: null,
    placed_on: placed.placed_on,
    shipped_at: null,
    totals,
    updated_at: at('11:54.640', '13:23.943'),
    channel: 'spree',
    items: [piece],
    billing_address: billTo,
    shipping_address: shipTo,
  }
  const moved = { shipping_address: { ...shipTo, address1: '99 Changed Ave' } }
  // In 4.10 it is given 1.50 for goodwill; not as a promotion, so there is no discount.
  const sums = six ? totals : { ...totals, adjustment: -1.5, order: 58.48 }
  const changed = { ...placed, ...moved, totals: sums, updated_at: at('11:55.994', '13:25.584') }
  const changedShipment = { ...pending, ...moved, totals: sums, updated_at: at('11:55.991', '13:23.943') }
  const paid = {
    ...changed,
    updated_at: at('11:57.451', '13:26.878'),
    totals: { ...sums, payment: 59.98 },
    payments: [{ ...check, status: 'completed' }],
  }
  const ready = {
    ...changedShipment,
    status: 'ready',
    totals: paid.totals,
    updated_at: at('11:57.447', '13:23.943'),
  }

  const card = {
    id: 4,
    number: its.payments[1],
    status: its.card.status,
    amount: 59.98,
    payment_method: 'Credit Card',
    source: {
      name: 'Ann Guest',
      cc_type: its.card.type,
      last_digits: '1111',
      source_type: 'Spree::CreditCard',
    },
  }
  const captured = { ...totals, payment: six ? 59.98 : 0 }
  const other = {
    ...placed,
    id: its.orders[1],
    placed_on: at('12:03.026', '13:32.814'),
    updated_at: at('12:03.026', '13:32.921'),
    totals: captured,
    line_items: [{ id: its.lines[1], ...piece }],
    payments: [card],
  }
  const otherShipment = {
    ...pending,
    id: its.shipments[1],
    order_id: its.orders[1],
    status: six ? 'ready' : 'pending',
    placed_on: other.placed_on,
    totals: captured,
    updated_at: at('12:02.995', '13:32.629'),
  }

  return {
    '01-create-product': [
      ['products', { ...tee, variants: [variant(0, 21.5), variant(1, 22.5)] }],
      stock(20),
      stock(20, 1),
    ],
    '02-change-product': [
      [
        'products',
        {
          ...tee,
          name: 'Act Tee DAY1 renamed',
          price: its.dearer,
          variants: [variant(0, 27.49), variant(1, 22.5)],
        },
      ],
    ],
    '03-stock-movement': [stock(27)],
    '04-checkout': [['orders', placed], ['shipments', pending], ...(six ? [] : [stock(25)])],
    '05-update-order': [
      ['orders', changed],
      ['shipments', changedShipment],
    ],
    '06-capture-payment': [
      ['orders', paid],
      ['shipments', ready],
    ],
    '07-ship': [
      ['orders', { ...paid, updated_at: at('11:58.687', '13:28.264') }],
      [
        'shipments',
        {
          ...ready,
          status: 'shipped',
          tracking: '1ZDAY1',
          shipped_at: at('11:58.683', '13:28.130'),
          updated_at: at('11:58.683', '13:28.130'),
        },
      ],
      ...(six ? [stock(25)] : []),
    ],
    // The payment stays completed; the shipment says nothing of what was given back.
    '08a-refund': [['orders', { ...paid, updated_at: at('11:59.957', '13:29.527') }]],
    // In 6.0 one piece of two comes back, and there is no object for a return.
    '08b-return': six
      ? [['orders', { ...paid, updated_at: at('', '13:30.878') }], stock(26)]
      : [
          ['orders', { ...paid, status: 'returned', updated_at: at('12:01.316', '') }],
          ['customer_returns', received],
          stock(27),
        ],
    '09a-create-order-to-cancel': [
      ['orders', other],
      ['shipments', otherShipment],
      ...(six ? [] : [stock(25)]),
    ],
    // 4.10 voids the order's payment, whose own row stays as it is.
    '09b-cancel-order': [
      [
        'orders',
        {
          ...other,
          status: 'canceled',
          updated_at: at('12:04.266', '13:34.384'),
          totals,
          payments: [six ? { ...card, status: 'void' } : card],
        },
      ],
      [
        'shipments',
        { ...otherShipment, status: 'canceled', updated_at: at('12:04.361', '13:34.231'), totals },
      ],
      ...(six ? [] : [stock(27)]),
    ],
    '10-create-user': [['customers', { ...its.customer, shipping_address: null, billing_address: null }]],
    '11a-create-product-to-delete': [
      [
        'products',
        {
          ...bare,
          id: 'DOOM-DAY1',
          name: 'Act Doomed DAY1',
          sku: 'DOOM-DAY1',
          price: 5,
          permalink: 'act-doomed-day1',
          shipping_category: its.doomed,
          variants: [{ ...noExtras, sku: 'DOOM-DAY1', price: 5, options: {} }],
        },
      ],
    ],
    '11b-delete-product': [],
    '12-rollback-stock': [],
  }
}

/** Of 4.10. */
const received = {
  id: 'CR392896927',
  fully_reimbursed: false,
  stock_location: 'Shop location',
  channel: 'spree',
  resolution_path: '/admin/orders/R608302538/customer_returns/1/edit',
  return_items: [
    {
      id: 1,
      return_authorization_id: 'RA531752024',
      product_id: 'ACT-DAY1-0',
      exchange_product_id: null,
      reception_status: 'received',
      acceptance_status: 'accepted',
      pre_tax_amount: '53.48',
      included_tax_total: '0.0',
      additional_tax_total: '0.0',
      order_number: 'R608302538',
      created_at: '2026-11-22T05:12:01.179Z',
      reimbursed_at: null,
      reimbursed: false,
      store: 'spree',
      resellable: true,
    },
  ],
  reimbursements: [],
}
