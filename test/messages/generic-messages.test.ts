import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'

import { deriveGenericMessages, type GenericMessage } from '../../src/messages/derive-generic-messages.ts'
import { genericOrder } from '../../src/messages/generic-order.ts'
import { canceledOrder, placedOrder, shippedOrder } from '../../src/messages/samples/order.ts'
import { messageSchemas } from '../../src/messages/schemas/message-schemas.ts'
import type { RawOrder } from '../../src/messages/schemas/order-message.ts'

const typesOf = (messages: readonly GenericMessage[]) => messages.map(({ type }) => type)

/** The payloads of a type, whatever type they have. */
const payloadsOf = (messages: readonly GenericMessage[], type: string): Record<string, unknown>[] =>
  messages.filter((message) => message.type === type).map(({ payload }) => payload)

const withPayment = (order: RawOrder, state: string): RawOrder => ({
  ...order,
  payments: order.payments.map((payment) => ({ ...payment, state })),
})

describe('the messages of an order for a hub that does not derive', () => {
  const pending = withPayment(placedOrder, 'pending')

  test('a new one: what our hub tells, then what is so already', () => {
    expect(typesOf(deriveGenericMessages(pending, 'never', false))).toEqual([
      'order:new',
      'shipment:ready',
      'shipment:ready',
      'payment:ready',
    ])
    expect(typesOf(deriveGenericMessages(shippedOrder, 'never', false))).toEqual([
      'order:new',
      'shipment:ready',
      'shipment:confirm',
      'payment:capture',
    ])
  })

  test('a payment is ready once, captured once, and says whose it is', () => {
    const captured = deriveGenericMessages(placedOrder, pending, false)
    expect(typesOf(captured)).toEqual([
      'order:updated',
      'shipment:ready',
      'shipment:ready',
      'payment:capture',
    ])
    expect(payloadsOf(captured, 'payment:capture')).toEqual([
      {
        payment: { payment_id: '9301', amount: '243.92', currency: 'USD' },
        auth_code: null,
        timestamp: '2026-03-09T14:07:52.640Z',
        order_number: 'R900000017',
      },
    ])
    const later = { ...placedOrder, email: 'ida@example.com' }
    expect(typesOf(deriveGenericMessages(later, placedOrder, false))).not.toContain('payment:capture')
    const renamed = withPayment(later, 'pending')
    expect(typesOf(deriveGenericMessages(renamed, pending, false))).not.toContain('payment:ready')
  })

  test('a shipment is confirmed once, complete in itself', () => {
    const messages = deriveGenericMessages(shippedOrder, placedOrder, false)
    expect(typesOf(messages)).toEqual(['order:updated', 'shipment:ready', 'shipment:confirm'])
    const { shipments, email, shipping_address } = genericOrder(shippedOrder)
    expect(payloadsOf(messages, 'shipment:confirm')).toEqual([
      { shipment: { ...shipments[0], order_number: 'R900000017', email, shipping_address } },
    ])
    const later = { ...shippedOrder, special_instructions: null }
    expect(typesOf(deriveGenericMessages(later, shippedOrder, false))).toEqual([
      'order:updated',
      'shipment:ready',
    ])
  })

  test('of a canceled one nothing is to be captured; of one that came back it is again', () => {
    const canceled = { ...pending, state: 'canceled' }
    expect(typesOf(deriveGenericMessages(canceledOrder, pending, false))).toEqual(['order:canceled'])
    expect(typesOf(deriveGenericMessages(canceled, 'never', false))).toEqual(['order:canceled'])
    expect(typesOf(deriveGenericMessages({ ...pending, state: 'resumed' }, canceled, false))).toEqual([
      'order:updated',
      'shipment:ready',
      'shipment:ready',
      'payment:ready',
    ])
  })

  test('of one whose last announced state was not kept: an update without a past, and all that is so', () => {
    const messages = deriveGenericMessages(shippedOrder, 'unknown', false)
    expect(typesOf(messages)).toEqual([
      'order:updated',
      'shipment:ready',
      'shipment:confirm',
      'payment:capture',
    ])
    expect(messages[0]?.payload).toEqual({
      order: genericOrder(shippedOrder),
      original: shippedOrder,
      previous: null,
      diff: null,
    })
    expect(typesOf(deriveGenericMessages(canceledOrder, 'unknown', false))).toEqual(['order:canceled'])
  })

  test('one of which none can be told is no silence', () => {
    expect(() => deriveGenericMessages({ ...placedOrder, number: '' }, 'never', false)).toThrow(
      /^order:9100 cannot be mapped: number: The payload is no order: number: /,
    )
  })

  test('one that is asked for: as it is, without what was told already; what changed comes with its past', () => {
    const asked = deriveGenericMessages(shippedOrder, shippedOrder, true)
    expect(typesOf(asked)).toEqual(['order:updated', 'shipment:ready'])
    expect(asked[0]?.payload).toMatchObject({ previous: null, diff: null })
    const changed = deriveGenericMessages(shippedOrder, placedOrder, true)
    expect(changed).toEqual(deriveGenericMessages(shippedOrder, placedOrder, false))
  })

  test('replayed they rebuild the order, and tell each shipment and payment when it comes to be', () => {
    const state = (...states: string[]) => fc.constantFrom(...states)
    const change: fc.Arbitrary<(order: RawOrder) => RawOrder> = fc.oneof(
      fc.constant((order: RawOrder) => order),
      fc.integer().map((n) => (order: RawOrder) => ({ ...order, updated_at: new Date(n).toISOString() })),
      fc.string().map((email) => (order: RawOrder) => ({ ...order, email })),
      state('complete', 'canceled', 'resumed', 'returned').map((word) => (order: RawOrder) => ({
        ...order,
        state: word,
      })),
      state('checkout', 'pending', 'completed', 'void').map(
        (word) => (order: RawOrder) => withPayment(order, word),
      ),
      fc
        .tuple(fc.nat(2), state('pending', 'ready', 'shipped', 'canceled'))
        .map(([at, word]) => (order: RawOrder) => ({
          ...order,
          shipments: order.shipments.map((shipment, index) =>
            index === at ? { ...shipment, state: word } : shipment,
          ),
        })),
      fc.nat(9).map((id) => (order: RawOrder) => ({
        ...order,
        shipments: [
          ...order.shipments.filter((shipment) => shipment.id !== id),
          { ...placedOrder.shipments[0]!, id, number: `H${id}` },
        ],
      })),
    )
    const count = (order: RawOrder) => ({
      'shipment:confirm': order.shipments
        .filter((shipment) => shipment.state === 'shipped')
        .map(({ number }) => number),
      'payment:capture': order.payments
        .filter((payment) => payment.state === 'completed')
        .map(({ id }) => String(id)),
      'payment:ready': order.payments
        .filter((payment) => payment.state === 'pending' && order.state !== 'canceled')
        .map(({ id }) => String(id)),
    })
    const about = (message: GenericMessage) =>
      'payment' in message.payload
        ? message.payload.payment.payment_id
        : 'shipment' in message.payload
          ? message.payload.shipment.number
          : null

    fc.assert(
      fc.property(fc.array(change, { maxLength: 12 }), (changes) => {
        let order: RawOrder = placedOrder
        let last: RawOrder | undefined
        let heard: Record<string, unknown> = {}
        for (const step of [(same: RawOrder) => same, ...changes]) {
          order = step(order)
          // What was last announced has been a text meanwhile.
          const messages = deriveGenericMessages(
            order,
            last ? JSON.parse(JSON.stringify(last)) : 'never',
            false,
          )
          for (const { type, payload } of messages) messageSchemas[type].parse(payload)
          const [first] = messages
          if (first?.type === 'order:updated') {
            const { previous, diff, original } = first.payload
            expect(previous).toEqual(genericOrder(last!))
            const changed = Object.entries(diff ?? {}).map(([key, [, now]]) => [key, now])
            expect(original).toEqual({ ...heard, ...Object.fromEntries(changed) })
          }
          if (first && 'original' in first.payload) {
            heard = first.payload.original
            expect(first.payload.order).toEqual(genericOrder(order))
          }
          expect({ ...heard, updated_at: null }).toEqual({ ...order, updated_at: null })
          const before = last && count(last)
          for (const [type, now] of Object.entries(count(order))) {
            const came = now.filter((one) => !before?.[type as 'payment:ready'].includes(one!))
            expect(messages.filter((message) => message.type === type).map(about)).toEqual(came)
          }
          if (first) last = order
          expect(deriveGenericMessages(order, order, false)).toEqual([])
        }
      }),
      { numRuns: 40 },
    )
  })
})
