import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'

import { aggregateOf } from '../../src/messages/aggregate-of.ts'
import { type DerivedMessage, deriveOrderMessages } from '../../src/messages/derive-order-messages.ts'
import { genericOrder } from '../../src/messages/generic-order.ts'
import type { RawPayload } from '../../src/messages/message.ts'
import { isTouch, orderDiff } from '../../src/messages/order-diff.ts'
import { genericOrderSchema, shipmentOfOrderSchema } from '../../src/messages/schemas/generic-order.ts'
import { announcedOrderSchema, type RawOrder } from '../../src/messages/schemas/order-message.ts'
import { pushedOrderSchema } from '../../src/messages/schemas/pushed-order.ts'
import { readExpected } from '../expected/read-expected.ts'
import { ifSamples, readReferenceSample } from './reference-samples.ts'

const fixture = (family: 'spree-4.10' | 'spree-6.0', order: string, ...steps: string[]) =>
  readExpected(family, 'fixture', `order-${order}`, steps)

const lantern = {
  name: 'Storm Lantern',
  sku: 'SL-7',
  external_ref: null,
  price: 45,
  variant_id: 110,
  options: {},
}
const pier = {
  firstname: 'Maeve',
  lastname: "O'Shea",
  address1: '3 Pier Road',
  address2: '',
  zipcode: 'B3H 4R2',
  city: 'Halifax',
  country: 'CA',
  phone: '+1 902 555 0103',
}

/** Written by hand from the raw order of the 4.10 shop. */
const genericR204817354 = {
  number: 'R204817354',
  channel: 'spree',
  email: 'maeve@example.net',
  currency: 'USD',
  placed_on: '2026-03-07T16:45:00.000Z',
  updated_at: '2026-03-07T16:45:00.000Z',
  status: 'complete',
  totals: { item: 135, adjustment: 0, tax: 0, shipping: 6, payment: 141, order: 141 },
  line_items: [{ ...lantern, quantity: 3 }],
  adjustments: [],
  shipping_address: { ...pier, state: 'Nova Scotia' },
  billing_address: { ...pier, state: 'Nova Scotia' },
  payments: [
    { number: 74, status: 'failed', amount: 141, payment_method: 'Credit card' },
    { number: 75, status: 'completed', amount: 141, payment_method: 'Credit card' },
  ],
  shipments: [
    {
      number: 'H50417700154',
      cost: 6,
      status: 'pending',
      stock_location: 'Portland warehouse',
      shipping_method: 'Ground',
      tracking: null,
      updated_at: null,
      shipped_at: null,
      items: [{ ...lantern, quantity: 3 }],
    },
  ],
}

function generic(raw: RawPayload) {
  return genericOrder(pushedOrderSchema.parse(raw))
}

function messagesOf(raw: RawPayload, previous?: RawPayload): readonly DerivedMessage[] {
  const derivation = deriveOrderMessages(raw, previous)
  if (derivation.outcome !== 'derived') throw new Error(derivation.reason)
  return derivation.messages
}

const typesOf = (messages: readonly DerivedMessage[]) => messages.map(({ type }) => type)

describe('the generic order', () => {
  test('C110 C111 C113 C115 C116 C126 is told from the raw one key by key (Spree 4.10)', () => {
    const raw = fixture('spree-4.10', 'R204817354')
    expect(generic(raw)).toEqual(genericR204817354)
    // What the bridge announces needs no second reading: its type is one of those that may be pushed.
    const announced: RawOrder = announcedOrderSchema.parse(raw)
    expect(genericOrder(announced)).toEqual(genericR204817354)
  })

  test('is told from the raw one of Spree 6.0, states and countries by their codes', () => {
    const [shipment] = genericR204817354.shipments
    const [failed, completed] = genericR204817354.payments
    expect(generic(fixture('spree-6.0', 'R1044'))).toEqual({
      ...genericR204817354,
      number: 'R1044',
      totals: { item: 135, adjustment: 0, tax: 0, shipping: 6, payment: 144, order: 144 },
      adjustments: [{ name: 'Gift wrapping', value: 3 }],
      shipping_address: { ...pier, state: 'NS' },
      billing_address: { ...pier, state: 'NS' },
      payments: [
        { ...failed, amount: 144 },
        { ...completed, amount: 144 },
      ],
      shipments: [{ ...shipment, number: 'R1044-F1', status: 'ready' }],
    })
  })

  test('C112 names its channel spree where the store names none', () => {
    const raw = { number: 'R1' }
    expect(generic(raw).channel).toBe('spree')
    expect(generic({ ...raw, channel: null }).channel).toBe('spree')
    expect(generic({ ...raw, channel: '' }).channel).toBe('spree')
    expect(generic({ ...raw, channel: 'Amazon.com' }).channel).toBe('Amazon.com')
  })

  test('C114 C116 tells options by the names of type and value, and the units of a shipment by variant', () => {
    const size = { id: 1, name: 'Medium', presentation: 'M', option_type_name: 'size', option_type_id: 1 }
    const sweater = { id: 103, name: 'Sweater', sku: 'FS-M', external_ref: 'E-9', option_values: [size] }
    const unit = (variant_id: number, quantity?: number) => ({
      id: 1,
      state: 'on_hand',
      variant_id,
      quantity,
    })
    const { line_items, shipments } = generic({
      number: 'R1',
      line_items: [
        { quantity: 3, price: '89.0', variant_id: 103, variant: sweater },
        { quantity: 1, price: 24, variant_id: 108, variant: { id: 108, name: 'Compass', sku: 'BC-01' } },
      ],
      shipments: [
        { number: 'H1', inventory_units: [unit(108), unit(103), unit(108), unit(103, 2), unit(7)] },
      ],
    })
    expect(line_items[0]).toEqual({
      name: 'Sweater',
      sku: 'FS-M',
      external_ref: 'E-9',
      quantity: 3,
      price: 89,
      variant_id: 103,
      options: { size: 'Medium' },
    })
    expect(line_items[1]).toMatchObject({ sku: 'BC-01', price: 24, options: {} })
    expect(shipments[0]?.items).toEqual([
      { ...line_items[1], quantity: 2 },
      { ...line_items[0], quantity: 3 },
      { name: null, sku: null, external_ref: null, quantity: 1, price: null, variant_id: 7, options: {} },
    ])
  })

  test("C119 says nothing of the store's own columns, and of adjustments only those that count", () => {
    const told = generic({
      number: 'R1',
      released_at: '2026-03-07T16:45:00.000Z',
      adjustments: [
        { label: 'Tax', amount: '5.0', eligible: true, vat_code: 'X' },
        { label: 'Spring', amount: '-5.0', eligible: false },
        { label: 'Shipping', amount: 4.99 },
      ],
    })
    expect(told).not.toHaveProperty('released_at')
    expect(told.adjustments).toEqual([
      { name: 'Tax', value: 5 },
      { name: 'Shipping', value: 4.99 },
    ])
  })

  test('C126 tells times in UTC, however the store wrote them', () => {
    const placedOn = (completed_at: string) => generic({ number: 'R1', completed_at }).placed_on
    expect(placedOn('2013-09-20T16:24:22-04:00')).toBe('2013-09-20T20:24:22.000Z')
    expect(placedOn('2013-08-09T20:10:33')).toBe('2013-08-09T20:10:33.000Z')
    expect(placedOn('2013-07-30T19:19:05Z')).toBe('2013-07-30T19:19:05Z')
  })

  test('is complete, whatever an order of its kinds says', () => {
    const text = fc.option(fc.string(), { nil: null })
    const decimal = fc.option(
      fc.oneof(fc.double({ noNaN: true, noDefaultInfinity: true }), fc.constant('-9.50')),
    )
    const id = fc.option(fc.integer({ min: -1000, max: 1000 }))
    const time = fc.constantFrom(
      null,
      '2026-03-07T16:45:00Z',
      '2026-03-07T16:45:00.123456+02:00',
      '2026-03-07T16:45',
    )
    const some = <T>(shape: Record<string, fc.Arbitrary<T>>) => fc.record(shape, { requiredKeys: [] })
    const list = (part: fc.Arbitrary<unknown>) => fc.option(fc.array(part, { maxLength: 3 }))
    // zod passes over a key `__proto__`, and with it the comparison.
    const key = text.filter((name) => name !== '__proto__')
    const option = some({ name: text, option_type_name: key })
    const variant = some<unknown>({
      id,
      name: text,
      sku: text,
      external_ref: text,
      option_values: list(option),
    })
    const address = some<unknown>({
      firstname: text,
      address1: text,
      company: text,
      state_name: text,
      state: fc.option(some({ name: text, abbr: text })),
      country: fc.option(some({ iso: text })),
    })
    const orders = fc
      .tuple(
        fc.string({ minLength: 1, maxLength: 20 }).filter((number) => !number.includes('\0')),
        some<unknown>({
          channel: text,
          email: text,
          state: fc.constantFrom('cart', 'complete', 'canceled', 'resumed'),
          completed_at: time,
          item_total: decimal,
          ship_total: decimal,
          line_items: list(
            some<unknown>({ quantity: id, price: decimal, variant_id: id, variant: fc.option(variant) }),
          ),
          adjustments: list(
            some<unknown>({ label: text, amount: decimal, eligible: fc.option(fc.boolean()) }),
          ),
          ship_address: fc.option(address),
          payments: list(some<unknown>({ id, amount: decimal, state: text })),
          shipments: list(
            some<unknown>({
              number: text,
              state: fc.constantFrom('ready', 'pending', null),
              shipped_at: time,
              inventory_units: list(some({ variant_id: id, quantity: id })),
            }),
          ),
        }),
      )
      .map(([number, order]): RawPayload => ({ number, ...order }))

    fc.assert(
      fc.property(orders, fc.option(orders, { nil: undefined }), (raw, previous) => {
        const told = generic(raw)
        expect(genericOrderSchema.parse(told)).toEqual(told)
        const derivation = deriveOrderMessages(raw, previous)
        if (derivation.outcome === 'nothing') return
        const [first, ...shipments] = derivation.messages
        expect(first?.payload.order).toEqual(first === undefined ? undefined : told)
        expect(typesOf(shipments).every((type) => type === 'shipment:ready')).toBe(true)
      }),
    )
  })
})

describe('the difference of two orders', () => {
  test('C98 names each changed key at the top with what it was and is', () => {
    const before = { number: 'R1', email: 'a@x', payments: [{ id: 1, state: 'pending' }], note: null }
    const after = { number: 'R1', email: 'a@x', payments: [{ state: 'void', id: 1 }], locked_at: '2026' }
    expect(orderDiff(before, after)).toEqual({
      payments: [[{ id: 1, state: 'pending' }], [{ id: 1, state: 'void' }]],
      locked_at: [null, '2026'],
    })
  })

  test('of equal ones is empty, and back is forth with its pairs turned round', () => {
    // As JSON brings them: a text has no -0.
    const payloads = fc
      .dictionary(fc.oneof(fc.string(), fc.constantFrom('__proto__', 'toString')), fc.jsonValue())
      .map((payload): RawPayload => JSON.parse(JSON.stringify(payload)))
    fc.assert(
      fc.property(payloads, payloads, (a, b) => {
        expect(orderDiff(a, JSON.parse(JSON.stringify(a)))).toEqual({})
        const back = Object.entries(orderDiff(b, a)).map(([key, [old, now]]) => [key, [now, old]])
        expect(new Map(Object.entries(orderDiff(a, b)))).toEqual(
          new Map(back as [string, [unknown, unknown]][]),
        )
      }),
    )
  })

  test("is a mere touch if only updated_at moved, the order's or a part's", () => {
    const order = { updated_at: '1', line_items: [{ id: 1, updated_at: '1', quantity: 2 }] }
    expect(
      isTouch(orderDiff(order, { updated_at: '2', line_items: [{ id: 1, updated_at: '2', quantity: 2 }] })),
    ).toBe(true)
    expect(
      isTouch(orderDiff(order, { updated_at: '2', line_items: [{ id: 1, updated_at: '2', quantity: 3 }] })),
    ).toBe(false)
  })
})

describe('what follows from a raw order', () => {
  const r44 = fixture('spree-6.0', 'R1044')

  test('C97 C99 C117 an unknown one: order:new, and shipment:ready complete in itself', () => {
    const messages = messagesOf(r44)
    expect(typesOf(messages)).toEqual(['order:new', 'shipment:ready'])
    const order = generic(r44)
    expect(messages[0]?.payload).toEqual({ order, original: r44 })
    expect(messages[1]?.payload).toEqual({
      shipment: {
        ...order.shipments[0],
        order_number: 'R1044',
        email: 'maeve@example.net',
        shipping_address: { ...pier, state: 'NS' },
      },
      order,
      original: r44,
    })
  })

  test('C97 C98 C99 a known and changed one: order:updated with what it was, and shipment:ready again', () => {
    const previous = { ...r44, email: 'old@example.net' }
    const messages = messagesOf(r44, previous)
    expect(typesOf(messages)).toEqual(['order:updated', 'shipment:ready'])
    expect(messages[0]?.payload).toEqual({
      order: generic(r44),
      original: r44,
      previous: generic(previous),
      diff: { email: ['old@example.net', 'maeve@example.net'] },
    })
  })

  test('C97 one that turned to canceled: order:canceled instead, and nothing to ship', () => {
    const canceled = { ...r44, state: 'canceled' }
    expect(messagesOf(canceled, r44)).toEqual([
      { type: 'order:canceled', payload: { order: generic(canceled), original: canceled } },
    ])
  })

  test('one that was canceled already is updated, one that came back too', () => {
    const canceled = { ...r44, state: 'canceled' }
    expect(typesOf(messagesOf({ ...canceled, payment_state: 'void' }, canceled))).toEqual(['order:updated'])
    expect(typesOf(messagesOf({ ...r44, state: 'resumed' }, canceled))).toEqual([
      'order:updated',
      'shipment:ready',
    ])
  })

  test('one that is canceled when it is first seen: order:canceled', () => {
    expect(typesOf(messagesOf({ ...r44, state: 'canceled' }))).toEqual(['order:canceled'])
  })

  test('an unchanged one, a merely touched one: nothing, but it is known', () => {
    expect(messagesOf(r44, JSON.parse(JSON.stringify(r44)))).toEqual([])
    expect(messagesOf({ ...r44, updated_at: '2026-03-08T00:00:00.000Z' }, r44)).toEqual([])
  })

  test.each([
    ['an empty payload', {}, 'The payload has no order number, so no order can be told from it.'],
    ['a number that is none', { number: 7 }, 'The payload is no order: number: '],
    ['a number that is empty', { number: '' }, 'The payload is no order: number: '],
    ['a NUL in the number', { number: 'R\0' }, 'The payload is no order: number: contains a NUL character.'],
    ['a list that is none', { number: 'R1', line_items: {} }, 'The payload is no order: line_items: '],
    [
      'a price that is none',
      { number: 'R1', line_items: [{ price: 'a lot' }] },
      'The payload is no order: line_items.0.price: ',
    ],
    ['too much money', { number: 'R1', total: '9'.repeat(400) }, 'The payload is no order: total: '],
    [
      'a cart',
      { number: 'R1', state: 'payment', completed_at: null },
      'Order R1 is still a cart: it has no completed_at.',
    ],
  ])('C121 nothing can be told from %s', (_, raw, reason) => {
    const derivation = deriveOrderMessages(raw, undefined)
    expect(derivation).toEqual({ outcome: 'nothing', reason: expect.stringContaining(reason) })
  })

  test('C121 a cart that was pushed before is no order that is known', () => {
    expect(typesOf(messagesOf(r44, { ...r44, state: 'cart', completed_at: null }))).toEqual([
      'order:new',
      'shipment:ready',
    ])
    expect(typesOf(messagesOf({ number: 'R1', state: 'complete' }))).toEqual(['order:new'])
  })

  test.each([
    ['spree-4.10', 'R310000001', 'R310000002'],
    ['spree-6.0', 'R1046', 'R1047'],
  ] as const)('C120 a day in the store of %s: every step is told', (family, sold, dropped) => {
    const steps = [
      '04-checkout',
      '05-update-order',
      '06-capture-payment',
      '07-ship',
      '08a-refund',
      '08b-return',
    ]
    const pictures = steps.map((_, index) => fixture(family, sold, ...steps.slice(0, index + 1)))
    const told = pictures.map((raw, index) => typesOf(messagesOf(raw, pictures[index - 1])))
    expect(told).toEqual([
      ['order:new'],
      ['order:updated'],
      ['order:updated', 'shipment:ready'],
      ['order:updated'],
      ['order:updated'],
      ['order:updated'],
    ])
    const ready = messagesOf(pictures[2] ?? {}, pictures[1])[1]?.payload
    expect(shipmentOfOrderSchema.parse(ready && 'shipment' in ready ? ready.shipment : null)).toMatchObject({
      order_number: sold,
      status: 'ready',
    })

    const placed = fixture(family, dropped, '09a-create-order-to-cancel')
    const canceled = fixture(family, dropped, '09a-create-order-to-cancel', '09b-cancel-order')
    expect(typesOf(messagesOf(placed))[0]).toBe('order:new')
    expect(typesOf(messagesOf(canceled, placed))).toEqual(['order:canceled'])
  })
})

describe('what a message is ordered by', () => {
  test.each([
    ['order:persist', { number: 'R1', id: 4 }, 'order:R1'],
    ['order:updated', { order: { number: 'R1' }, original: {} }, 'order:R1'],
    ['order:canceled', { order: {}, original: { number: 'R1' } }, 'order:R1'],
    ['shipment:ready', { shipment: { number: 'H1', order_number: 'R1' }, order: {} }, 'order:R1'],
    ['shipment:confirm', { shipment: { number: 'H1', order_number: 'R1', sku: 'A' } }, 'order:R1'],
    ['shipment:confirm', { shipment_number: 'H1', order_id: 'R1' }, 'order:R1'],
    ['some:event', { order_number: 12 }, 'order:12'],
    ['cart:new', { cart: { number: 'R1' } }, 'order:R1'],
    ['stock:change', { sku: 'apc-00001', quantity: 10 }, 'product:apc-00001'],
    ['product:new', { id: 1123, sku: 'AN-1', permalink: 'anchor' }, 'product:AN-1'],
    ['product:new', { id: 1123, sku: '', permalink: 'anchor' }, 'product:anchor'],
    ['product:new', { product: { id: '92674', name: 'Widgets' } }, 'product:92674'],
    ['product:update', { id: 1123 }, 'product:1123'],
    ['user:new', { id: 1123, number: 'X' }, undefined],
    ['ql:shipment:confirm', { number: 'T1' }, undefined],
    ['order:persist', {}, undefined],
    ['hub:poll', { target: 'collections.orders' }, 'poll'],
    ['amazon:order:poll', {}, 'poll'],
    ['stock:change', { sku: 'A\0'.repeat(300) }, `product:${'A'.repeat(255)}`],
  ])('%s %j: %s', (type, payload, aggregate) => {
    expect(aggregateOf(type, payload)).toBe(aggregate)
  })

  test('is found or not in whatever JSON, and fits an index', () => {
    const keys = ['order', 'number', 'sku', 'product', 'shipment', 'id', 'permalink', 'order_number']
    const { payload } = fc.letrec((tie) => ({
      payload: fc.oneof(
        { depthSize: 'small' },
        fc.jsonValue(),
        fc.string({ maxLength: 400 }),
        fc.dictionary(fc.constantFrom(...keys, '__proto__', 'length'), tie('payload')),
      ),
    }))
    const types = fc.constantFrom('order:persist', 'product:new', 'stock:change', 'some:event', '')
    fc.assert(
      fc.property(types, payload, (type, value) => {
        expect(aggregateOf(type, value) ?? 'order:x').toMatch(/^(order|product):[^\0]{1,255}$/s)
      }),
    )
  })
})

describe('the reference samples (needs them)', () => {
  ifSamples('C111 the full original order gives the full generic one, but for its known slips', () => {
    const original = readReferenceSample('aug.msg.original_order_full')
    const expected = genericOrderSchema.parse(readReferenceSample('aug.msg.generic_order_full'))
    const item = (one: (typeof expected.line_items)[number]) => ({ ...one, external_ref: null })
    expect(generic(original)).toEqual({
      ...expected,
      totals: { ...expected.totals, shipping: 10 },
      line_items: expected.line_items.map(item),
      shipments: expected.shipments.map((shipment) => ({
        ...shipment,
        stock_location: 'default',
        items: shipment.items.map(item),
      })),
    })
    expect(typesOf(messagesOf(original))).toEqual(['order:new', 'shipment:ready'])
  })

  ifSamples.each([
    ['aug.msg.order_persist_old', undefined, ['order:new', 'shipment:ready']],
    ['aug.svc.spree.order_lock.request', 'original', ['order:new']],
    ['aug.msg.order_new', 'original', ['order:new']],
    ['aug.msg.order_canceled_hubspot', 'original', ['order:new']],
  ])('C109 the raw order of %s is read', (name, key, types) => {
    const { payload } = readReferenceSample(name)
    const raw = key === undefined ? payload : (payload as Record<string, unknown>)[key]
    expect(typesOf(messagesOf(raw as RawPayload))).toEqual(types)
  })
})
