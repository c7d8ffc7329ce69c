import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'

import { aggregateOf } from '../../src/messages/aggregate-of.ts'
import { MappingError } from '../../src/messages/mapping-error.ts'
import { splitName } from '../../src/messages/names.ts'
import { orderStates } from '../../src/messages/order-states.ts'
import {
  naturalKeySchema,
  productNaturalKey,
  productPayload,
  removedProductPayload,
} from '../../src/messages/product.ts'
import { announcedOrderSchema } from '../../src/messages/schemas/order-message.ts'
import { announcedProductSchema, productMessageSchema } from '../../src/messages/schemas/product-message.ts'
import { stockMessageSchema } from '../../src/messages/schemas/stock-message.ts'
import {
  type OrderSnapshot,
  type ProductSnapshot,
  parseOrder,
  parseProduct,
} from '../../src/messages/snapshot.ts'
import { stockPayload } from '../../src/messages/stock.ts'
import { addDecimals, compareDecimals, wireDecimal, wireTime } from '../../src/messages/wire.ts'
import { readExpected } from '../expected/read-expected.ts'
import { ifSamples, readReferenceSample } from './reference-samples.ts'

const product: ProductSnapshot = {
  id: '7',
  name: 'Anchor',
  description: null,
  permalink: 'anchor',
  metaDescription: null,
  metaKeywords: null,
  availableOn: null,
  updatedAt: '2026-03-02T08:00:00.5',
  deletedAt: null,
  sku: 'AN-1',
  price: '120.00',
  currency: 'USD',
  variants: [
    {
      id: '71',
      sku: 'AN-1-S',
      price: null,
      costPrice: '10',
      position: null,
      weight: '12.50',
      height: null,
      width: null,
      depth: null,
      deletedAt: null,
      optionValues: [{ typeName: 'size', name: 'small' }],
      images: [],
    },
  ],
  optionTypes: ['size'],
  taxons: [['Deck', 'Mooring']],
  properties: [['metal', 'iron']],
  images: [],
  translations: [],
  extras: { status: 'active' },
}

const order: OrderSnapshot = {
  id: '5',
  number: 'R5',
  userId: null,
  email: 'a@example.com',
  currency: 'USD',
  channel: 'spree',
  state: null,
  paymentState: null,
  shipmentState: null,
  statuses: { order: 'placed', payment: 'authorized', fulfillment: 'unfulfilled' },
  itemTotal: '10.0000',
  adjustmentTotal: '0.0000',
  shipTotal: '5.0000',
  includedTaxTotal: '0.0000',
  additionalTaxTotal: '0.0000',
  total: '15.0000',
  paymentTotal: '0.0000',
  createdAt: null,
  updatedAt: null,
  completedAt: '2026-03-02T08:00:00',
  lockedAt: null,
  specialInstructions: null,
  billAddress: null,
  shipAddress: null,
  lineItems: [],
  payments: [],
  shipments: [],
  adjustments: [],
  creditCards: [],
  refunds: [],
  extras: {},
}

function shipment(status: string): OrderSnapshot['shipments'][number] {
  return {
    id: '1',
    number: 'R5-F1',
    state: null,
    status,
    tracking: null,
    cost: '5',
    shippedAt: null,
    stockLocationName: null,
    stockLocationId: null,
    rates: [],
    method: null,
    units: [],
  }
}

describe('forms of the wire', () => {
  test.each([
    ['10', '10.0'],
    ['10.00', '10.0'],
    ['59.9800', '59.98'],
    ['-1.50', '-1.5'],
    ['0.0000', '0.0'],
    ['1000000.10', '1000000.1'],
  ])('the decimal %s is %s', (stored, wire) => {
    expect(wireDecimal(stored)).toBe(wire)
  })

  test.each([
    ['2026-03-02T08:00:00', '2026-03-02T08:00:00.000Z'],
    ['2026-03-02T08:00:00.5', '2026-03-02T08:00:00.500Z'],
    ['2026-03-02T08:00:00.679739', '2026-03-02T08:00:00.679Z'],
    ['2026-03-02T08:00:00.6797+02:00', '2026-03-02T06:00:00.679Z'],
    ['2026-03-02T08:00:00+00:00', '2026-03-02T08:00:00.000Z'],
  ])('the time %s is %s', (stored, wire) => {
    expect(wireTime(stored)).toBe(wire)
  })

  const decimals = fc
    .tuple(fc.bigInt({ min: -(10n ** 15n), max: 10n ** 15n }), fc.integer({ min: 0, max: 4 }))
    .map(([units, places]) => ({ units, places, text: toText(units, places) }))

  test('decimals are added and compared exactly, whatever their scales', () => {
    fc.assert(
      fc.property(decimals, decimals, (a, b) => {
        const exact = a.units * 10n ** BigInt(4 - a.places) + b.units * 10n ** BigInt(4 - b.places)
        expect(wireDecimal(addDecimals(a.text, b.text))).toBe(wireDecimal(toText(exact, 4)))
        expect(compareDecimals(addDecimals(a.text, b.text), toText(exact, 4))).toBe(0)
        expect(Math.sign(compareDecimals(a.text, b.text))).toBe(
          -Math.sign(compareDecimals(b.text, a.text)) + 0,
        )
      }),
    )
  })

  test('a name without parts of its own is split after its first word', () => {
    expect(splitName('Ann van der Berg')).toEqual({ first: 'Ann', last: 'van der Berg' })
    expect(splitName(' Cher ')).toEqual({ first: 'Cher', last: '' })
    expect(splitName(null)).toEqual({ first: null, last: null })
  })
})

describe('products', () => {
  test('are told with their former SKU where it changed, else without that key', () => {
    const known = productNaturalKey(product)
    expect(naturalKeySchema.parse(JSON.parse(JSON.stringify(known)))).toEqual({
      id: '7',
      sku: 'AN-1',
      permalink: 'anchor',
      name: 'Anchor',
      variants: [{ id: '71', sku: 'AN-1-S' }],
    })
    expect(productPayload({ ...product, sku: 'AN-2' }, known)).toMatchObject({
      sku: 'AN-2',
      previous_sku: 'AN-1',
    })
    expect(productPayload(product, known)).not.toHaveProperty('previous_sku')
    expect(productPayload(product, undefined)).not.toHaveProperty('previous_sku')
  })

  test('that are gone are told by what was known of them', () => {
    const removed = removedProductPayload(productNaturalKey(product), new Date('2026-03-04T05:06:07.008Z'))
    expect(removed).toEqual({
      id: 7,
      name: 'Anchor',
      description: null,
      price: null,
      available_on: null,
      permalink: 'anchor',
      meta_description: null,
      meta_keywords: null,
      sku: 'AN-1',
      currency: null,
      updated_at: null,
      deleted_at: '2026-03-04T05:06:07.008Z',
      variants: [
        {
          id: 71,
          sku: 'AN-1-S',
          price: null,
          cost_price: null,
          options: {},
          position: null,
          weight: null,
          height: null,
          width: null,
          depth: null,
          deleted_at: '2026-03-04T05:06:07.008Z',
          images: [],
        },
      ],
      options: [],
      taxons: [],
      properties: {},
      images: [],
      translations: {},
    })
    announcedProductSchema.parse(removed)
  })
})

describe('states of orders that use newer words', () => {
  const statesOf = (change: Partial<OrderSnapshot>) => orderStates({ ...order, ...change })
  const statuses = (fulfillment: string, payment = 'paid', status = 'placed') => ({
    statuses: { order: status, payment, fulfillment },
  })

  test.each([
    ['placed', 'complete'],
    ['canceled', 'canceled'],
    ['under_review', 'under_review'],
  ])('the order is %s: %s', (word, state) => {
    expect(statesOf(statuses('unfulfilled', 'none', word)).state).toBe(state)
  })

  test.each([
    ['voided', '0', '15', 'void'],
    ['none', '0.0000', '15.0000', 'balance_due'],
    ['partially_refunded', '12', '15.0000', 'balance_due'],
    ['paid', '15', '15.0000', 'paid'],
    ['overcharged', '15.0001', '15', 'credit_owed'],
    ['none', '0', '0', 'paid'],
  ])('paid %s, %s of %s: %s', (word, paymentTotal, total, paymentState) => {
    expect(statesOf({ ...statuses('unfulfilled', word), paymentTotal, total }).paymentState).toBe(
      paymentState,
    )
  })

  test.each([
    ['unfulfilled', true, 'ready'],
    ['unfulfilled', false, 'pending'],
    ['fulfilled', false, 'shipped'],
    ['delivered', true, 'shipped'],
    ['canceled', true, 'canceled'],
  ])('a shipment that is %s, of an order paid (%s): %s', (status, isPaid, state) => {
    const paid = { paymentTotal: isPaid ? '15' : '14', total: '15' }
    expect(statesOf({ ...paid, shipments: [shipment(status)] }).shipments).toEqual([state])
  })

  test.each([
    ['backorder', 'backorder'],
    ['backordered', 'backorder'],
    ['partial', 'partial'],
    ['fulfilled', 'shipped'],
    ['delivered', 'shipped'],
    ['canceled', 'canceled'],
  ])('the shipments together are %s: %s', (word, state) => {
    expect(statesOf(statuses(word)).shipmentState).toBe(state)
  })

  test('together they are ready only if every one is', () => {
    const paid = { ...statuses('unfulfilled'), paymentTotal: '15' }
    const both = [shipment('unfulfilled'), shipment('unfulfilled')]
    expect(statesOf({ ...paid, shipments: both }).shipmentState).toBe('ready')
    expect(statesOf({ ...paid, shipments: [...both, shipment('canceled')] }).shipmentState).toBe('pending')
    expect(statesOf({ ...paid, shipments: [] }).shipmentState).toBe('pending')
    expect(statesOf({ ...paid, paymentTotal: '0', shipments: both }).shipmentState).toBe('pending')
  })

  test('the old words stay as they are stored', () => {
    const old = { state: 'awaiting_return', paymentState: 'failed', shipmentState: null, statuses: null }
    expect(statesOf({ ...old, shipments: [{ ...shipment('x'), state: 'ready' }] })).toEqual({
      state: 'awaiting_return',
      paymentState: 'failed',
      shipmentState: null,
      shipments: ['ready'],
    })
  })
})

test('a hub puts the messages of a cart into one order: with its order where it has the number, else by its id', () => {
  expect(aggregateOf('cart:updated', { cart: { id: 46, number: 'R1046' } })).toBe('order:R1046')
  expect(aggregateOf('cart:updated', { cart: { id: 46, number: null } })).toBe('order:46')
})

describe('rows as snapshots', () => {
  const parsed = (change: Record<string, unknown>) => parseOrder('5', JSON.stringify({ ...order, ...change }))

  test('are taken as they are', () => {
    expect(parsed({})).toEqual(order)
    expect(parseProduct('7', JSON.stringify(product))).toEqual(product)
  })

  test.each([
    [{ total: 'Infinity' }, 'total'],
    [{ completedAt: '0044-03-15T12:00:00 BC' }, 'completedAt'],
    [{ number: null }, 'number'],
    [{ userId: '1234567890123456' }, 'userId'],
    [{ lineItems: [{ ...shipment('x') }] }, 'lineItems.0.quantity'],
  ])('that cannot be told are an error naming where: %j', (change, where) => {
    const failure = parsed(change)
    expect(failure).toBeInstanceOf(MappingError)
    expect(failure).toMatchObject({ code: 'unmappable', aggregate: 'order:5', path: where })
  })
})

describe('schemas of messages', () => {
  test.each(['spree-4.10', 'spree-6.0'] as const)(
    'what we announce of %s keeps to them, every key present',
    (family) => {
      const orderFile = family === 'spree-4.10' ? 'order-R204817354' : 'order-R1044'
      const payload = readExpected(family, 'fixture', orderFile)
      announcedOrderSchema.parse(payload)
      announcedProductSchema.parse(readExpected(family, 'fixture', 'product-11'))
      const { token: _, ...withoutToken } = payload
      expect(announcedOrderSchema.safeParse(withoutToken).success).toBe(false)
    },
  )

  test('extra keys are welcome, wrong forms are not', () => {
    const push = { id: 1123, name: 'Example product', price: '15.99', colour: 'red' }
    expect(productMessageSchema.parse(push)).toEqual(push)
    expect(productMessageSchema.safeParse({ ...push, price: 15.99 }).success).toBe(false)
    expect(stockMessageSchema.parse(stockPayload('A-1', -2))).toEqual({ sku: 'A-1', quantity: -2 })
    expect(stockMessageSchema.safeParse({ sku: 'A-1', quantity: 1.5 }).success).toBe(false)
    expect(stockMessageSchema.safeParse({ sku: '', quantity: 1 }).success).toBe(false)
  })

  ifSamples.each([
    ['aug.api.push_product_new.request', productMessageSchema],
    ['aug.msg.stock_change', stockMessageSchema],
    ['aug.msg.stock_actual', stockMessageSchema],
    ['aug.api.push_stock_change.request', stockMessageSchema],
  ] as const)('the reference sample %s keeps to them (needs the samples)', (name, schema) => {
    const { payload } = readReferenceSample(name)
    expect(schema.parse(payload)).toEqual(payload)
  })
})

function toText(units: bigint, places: number): string {
  const digits = (units < 0n ? -units : units).toString().padStart(places + 1, '0')
  const fraction = places === 0 ? '' : `.${digits.slice(-places)}`
  return `${units < 0n ? '-' : ''}${digits.slice(0, digits.length - places)}${fraction}`
}
