import type { ToldObject } from './object-forms.ts'
import type { Told, Version } from './old-returns.ts'
import { emptyCart, isOldest } from './other-kinds.ts'
import type { Payload } from './told.ts'

/** The life of an order as `orders: generic` tells it, and what it is as objects, where no day of the version has all of it. */
export type OrderLife = Readonly<{
  steps: readonly Told[]
  number: string
  objects: readonly ToldObject[]
  /** The raw order as it is in the end. */
  last: Payload
}>

const PLACED = '2026-04-01T10:00:00.000Z'
const PAID = '2026-04-01T10:05:00.000Z'
const SHIPPED = '2026-04-01T10:10:00.000Z'
const CANCELED = '2026-04-01T10:15:00.000Z'
const NUMBER = 'R900000002'
const EMAIL = 'inga@example.com'

/** What is bought, how it is sent, and what the stores of each version keep of it. */
const theirs = {
  old: {
    price: 24,
    total: 29,
    variant: {
      id: 104,
      name: 'Chart Case',
      product_id: 32,
      sku: 'CC',
      price: '24.0',
      weight: '1.25',
      height: null,
      width: null,
      depth: null,
      is_master: true,
      cost_price: null,
      permalink: 'chart-case',
    },
    place: 'default',
    method: { name: 'UPS Ground (USD)', code: null, tracking_url: null },
  },
  newer: {
    price: 34.5,
    total: 39.5,
    variant: {
      id: 108,
      name: 'Brass Compass',
      product_id: 13,
      sku: 'BC-01',
      price: '34.5',
      weight: '0.2',
      height: '8.0',
      width: '6.5',
      depth: '2.5',
      is_master: true,
      cost_price: '12.0',
      permalink: 'brass-compass',
    },
    place: 'Portland warehouse',
    method: { name: 'Ground', code: 'GROUND', tracking_url: 'https://track.example/:tracking' },
  },
} as const

export function orderLife(version: Version): OrderLife | undefined {
  if (version === 'spree-2.4') return undefined
  const { price, total, variant, place, method } = isOldest(version) ? theirs.old : theirs.newer
  // In 2.0 what is shipped for is an adjustment of the order.
  const adjusts = version === 'spree-2.0'
  const charged = `${total}${total % 1 === 0 ? '.0' : ''}`
  const payment = {
    id: 9005,
    number: 'P9005',
    amount: charged,
    state: 'pending',
    payment_method_id: 1,
    payment_method: { id: 1, name: 'Check', environment: adjusts ? 'production' : null },
  }
  const unit = {
    id: 9006,
    state: 'on_hand',
    variant_id: variant.id,
    order_id: 9002,
    shipment_id: 9004,
    ...(version === 'spree-4.7' && { quantity: 1 }),
  }
  const shipment = {
    id: 9004,
    number: 'H9004',
    tracking: null,
    cost: '5.0',
    shipped_at: null,
    state: 'pending',
    order_id: NUMBER,
    stock_location_name: place,
    shipping_rates: [{ id: 9007, cost: '5.0', selected: true, shipment_id: 9004, shipping_method_id: 1 }],
    shipping_method: { ...method, zone_id: null, shipping_category_id: null },
    inventory_units: [unit],
    ...(version === 'solidus-4' && { cartons: [] }),
  }
  const placed: Payload = {
    ...emptyCart(version),
    id: 9002,
    number: NUMBER,
    email: EMAIL,
    state: 'complete',
    payment_state: 'balance_due',
    shipment_state: 'pending',
    item_total: variant.price,
    adjustment_total: adjusts ? '5.0' : '0.0',
    ship_total: '5.0',
    total: charged,
    completed_at: PLACED,
    line_items: [
      {
        id: 9003,
        quantity: 1,
        price: variant.price,
        variant_id: variant.id,
        created_at: PLACED,
        updated_at: PLACED,
        variant: { ...variant, options_text: '', option_values: [], images: [] },
      },
    ],
    payments: [payment],
    shipments: [shipment],
    adjustments: adjusts
      ? [
          {
            id: 9008,
            amount: '5.0',
            label: 'Shipping',
            mandatory: true,
            eligible: true,
            included: false,
            originator_type: 'Spree::ShippingMethod',
            adjustable_type: 'Spree::Order',
          },
        ]
      : [],
  }
  const item = {
    name: variant.name,
    sku: variant.sku,
    external_ref: null,
    quantity: 1,
    price,
    variant_id: variant.id,
    options: {},
  }
  const genericShipment = {
    number: 'H9004',
    cost: 5,
    status: 'pending',
    stock_location: place,
    shipping_method: method.name,
    tracking: null as string | null,
    updated_at: null,
    shipped_at: null as string | null,
    items: [item],
  }
  const genericPayment = { number: 9005, status: 'pending', amount: total, payment_method: 'Check' }
  const totals = {
    item: price,
    adjustment: adjusts ? 5 : 0,
    tax: 0,
    shipping: 5,
    payment: 0,
    order: total,
  }
  const order = {
    number: NUMBER,
    channel: 'spree',
    email: EMAIL,
    currency: 'USD',
    placed_on: PLACED,
    updated_at: PLACED,
    status: 'complete',
    totals,
    line_items: [item],
    adjustments: adjusts ? [{ name: 'Shipping', value: 5 }] : [],
    shipping_address: null,
    billing_address: null,
    payments: [genericPayment],
    shipments: [genericShipment],
  }

  const toPaid = {
    payment_state: 'paid',
    shipment_state: 'ready',
    payment_total: charged,
    updated_at: PAID,
    payments: [{ ...payment, state: 'completed' }],
    shipments: [{ ...shipment, state: 'ready' }],
  }
  const paid = { ...placed, ...toPaid }
  const readyShipment = { ...genericShipment, status: 'ready' }
  const paidOrder = {
    ...order,
    updated_at: PAID,
    totals: { ...totals, payment: total },
    payments: [{ ...genericPayment, status: 'completed' }],
    shipments: [readyShipment],
  }
  const toShipped = {
    shipment_state: 'shipped',
    updated_at: SHIPPED,
    shipments: [
      {
        ...shipment,
        state: 'shipped',
        tracking: '1ZLIFE1',
        shipped_at: SHIPPED,
        inventory_units: [{ ...unit, state: 'shipped' }],
      },
    ],
  }
  const shipped = { ...paid, ...toShipped }
  const shippedShipment = {
    ...readyShipment,
    status: 'shipped',
    tracking: '1ZLIFE1',
    shipped_at: SHIPPED,
  }
  const shippedOrder = { ...paidOrder, updated_at: SHIPPED, shipments: [shippedShipment] }

  const whole = { order_number: NUMBER, email: EMAIL, shipping_address: null }
  const paymentMessage = (timestamp: string) => ({
    payment: { payment_id: '9005', amount: charged, currency: 'USD' },
    auth_code: null,
    timestamp,
    order_number: NUMBER,
  })
  const diff = (before: Payload, changes: Payload) =>
    Object.fromEntries(Object.entries(changes).map(([key, now]) => [key, [before[key], now]]))
  const objectTotals = { ...totals, payment: total }

  return {
    number: NUMBER,
    last: { ...shipped, state: 'canceled', updated_at: CANCELED },
    steps: [
      {
        name: 'an order is placed',
        statements: placeStatements(version, variant.id, price, total),
        tells: [
          ['order:new', { order, original: placed }],
          ['payment:ready', paymentMessage(PLACED)],
        ],
      },
      {
        name: 'it is paid',
        statements: [
          'begin',
          `update spree_payments set state = 'completed' where id = 9005`,
          `update spree_shipments set state = 'ready', updated_at = '${PAID}' where id = 9004`,
          `update spree_orders set payment_state = 'paid', shipment_state = 'ready', payment_total = total,
                                   updated_at = '${PAID}'
            where id = 9002`,
          'commit',
        ],
        tells: [
          [
            'order:updated',
            { order: paidOrder, original: paid, previous: order, diff: diff(placed, toPaid) },
          ],
          ['shipment:ready', { shipment: { ...readyShipment, ...whole }, order: paidOrder, original: paid }],
          ['payment:capture', paymentMessage(PAID)],
        ],
      },
      {
        name: 'it is shipped',
        statements: [
          'begin',
          `update spree_shipments set state = 'shipped', tracking = '1ZLIFE1', shipped_at = '${SHIPPED}',
                                      updated_at = '${SHIPPED}'
            where id = 9004`,
          `update spree_inventory_units set state = 'shipped' where id = 9006`,
          `update spree_orders set shipment_state = 'shipped', updated_at = '${SHIPPED}' where id = 9002`,
          'commit',
        ],
        tells: [
          [
            'order:updated',
            { order: shippedOrder, original: shipped, previous: paidOrder, diff: diff(paid, toShipped) },
          ],
          ['shipment:confirm', { shipment: { ...shippedShipment, ...whole } }],
        ],
      },
      {
        name: 'it is canceled',
        statements: [
          `update spree_orders set state = 'canceled', updated_at = '${CANCELED}' where id = 9002`,
        ],
        tells: [
          [
            'order:canceled',
            {
              order: { ...shippedOrder, status: 'canceled', updated_at: CANCELED },
              original: { ...shipped, state: 'canceled', updated_at: CANCELED },
            },
          ],
        ],
      },
    ],
    objects: [
      [
        'orders',
        {
          id: NUMBER,
          status: 'canceled',
          channel: 'spree',
          email: EMAIL,
          currency: 'USD',
          placed_on: PLACED,
          updated_at: CANCELED,
          totals: objectTotals,
          adjustments: [
            { name: 'discount', value: 0 },
            { name: 'tax', value: 0 },
            { name: 'shipping', value: 5 },
          ],
          guest_token: null,
          shipping_instructions: null,
          line_items: [{ id: 9003, product_id: variant.sku, name: variant.name, quantity: 1, price }],
          payments: [
            {
              id: 9005,
              number: 'P9005',
              status: 'completed',
              amount: total,
              payment_method: 'Check',
              source: null,
            },
          ],
          promotions: [],
          shipping_address: null,
          billing_address: null,
        },
      ],
      [
        'shipments',
        {
          id: 'H9004',
          order_id: NUMBER,
          email: EMAIL,
          cost: 5,
          status: 'shipped',
          stock_location: place,
          shipping_method: method.name,
          shipping_method_code: method.code,
          tracking: '1ZLIFE1',
          placed_on: PLACED,
          shipped_at: SHIPPED,
          totals: objectTotals,
          updated_at: SHIPPED,
          channel: 'spree',
          items: [{ product_id: variant.sku, name: variant.name, quantity: 1, price }],
          billing_address: null,
          shipping_address: null,
        },
      ],
    ],
  }
}

function placeStatements(version: Version, variant: number, price: number, total: number): string[] {
  const two = version === 'spree-2.0'
  const number = two ? 'identifier' : 'number'
  const ofOrder = version !== 'solidus-4'
  const at = `'${PLACED}', '${PLACED}'`
  return [
    'begin',
    `insert into spree_orders (id, number, state, payment_state, shipment_state, email, currency, item_total,
                               adjustment_total, ${two ? '' : 'shipment_total, '}total, completed_at, created_at, updated_at)
     values (9002, '${NUMBER}', 'complete', 'balance_due', 'pending', '${EMAIL}', 'USD', ${price},
             ${two ? '5' : '0, 5'}, ${total}, '${PLACED}', ${at})`,
    `insert into spree_line_items (id, order_id, variant_id, quantity, price, created_at, updated_at)
     values (9003, 9002, ${variant}, 1, ${price}, ${at})`,
    `insert into spree_shipments (id, number, state, cost, order_id, stock_location_id, created_at, updated_at)
     values (9004, 'H9004', 'pending', ${two ? 'null' : '5'}, 9002, 1, ${at})`,
    `insert into spree_shipping_rates (id, shipment_id, shipping_method_id, selected, cost, created_at, updated_at)
     values (9007, 9004, 1, true, 5, ${at})`,
    `insert into spree_inventory_units (id, state, variant_id, ${ofOrder ? 'order_id, ' : ''}shipment_id, created_at, updated_at)
     values (9006, 'on_hand', ${variant}, ${ofOrder ? '9002, ' : ''}9004, ${at})`,
    `insert into spree_payments (id, ${number}, amount, state, order_id, payment_method_id, created_at, updated_at)
     values (9005, 'P9005', ${total}, 'pending', 9002, 1, ${at})`,
    ...(two
      ? [
          `insert into spree_adjustments (id, source_type, source_id, adjustable_type, adjustable_id, originator_type,
                                          originator_id, amount, label, mandatory, eligible, state, created_at, updated_at)
           values (9008, 'Spree::Shipment', 9004, 'Spree::Order', 9002, 'Spree::ShippingMethod', 1, 5, 'Shipping', true, true,
                   'open', ${at})`,
        ]
      : []),
    'commit',
  ]
}
