import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, test } from '@jest/globals'
import { z } from 'zod'

import { aggregateOf } from '../../src/messages/aggregate-of.ts'
import { deriveOrderMessages } from '../../src/messages/derive-order-messages.ts'
import { messagesReference } from '../../src/messages/describe-messages.ts'
import { MESSAGE_TYPES, type MessageType, OBJECT_TYPES, type ObjectType } from '../../src/messages/message.ts'
import { BUILT_IN_TYPES } from '../../src/messages/message-types.ts'
import { objectSamples } from '../../src/messages/samples/objects.ts'
import { sampleNames, sampleOf } from '../../src/messages/samples/samples.ts'
import { genericOrderSchema, shipmentOfOrderSchema } from '../../src/messages/schemas/generic-order.ts'
import { messageSchemas } from '../../src/messages/schemas/message-schemas.ts'
import { announcedOrderSchema } from '../../src/messages/schemas/order-message.ts'
import { announcedProductSchema } from '../../src/messages/schemas/product-message.ts'
import { stockMessageSchema } from '../../src/messages/schemas/stock-message.ts'
import { ifSamples, readReferenceSample, readReferenceSamples } from './reference-samples.ts'

type Part = Record<string, unknown>

type Payload = Record<string, Part> & { order?: Part }

const isObject = (name: string): name is ObjectType => OBJECT_TYPES.some((known) => known === name)

const payloadOf = (name: string) =>
  (isObject(name) ? objectSamples[name] : sampleOf(name)?.payload) as Payload

describe('samples', () => {
  const protocolNames =
    'order:persist order:new order:update order:cancel shipment:ready payment:capture stock:change'.split(' ')

  test("C50 are listed by the protocol's names first, and each is a whole message of a type that is known", () => {
    expect(sampleNames().slice(0, 7)).toEqual(protocolNames)
    expect(new Set(sampleNames()).size).toBe(sampleNames().length)
    for (const name of sampleNames()) {
      const sample = sampleOf(name)
      expect(BUILT_IN_TYPES).toContain(sample?.message)
      expect(Object.keys(sample?.payload ?? {}).length).toBeGreaterThan(0)
      expect(JSON.parse(JSON.stringify(sample))).toEqual(sample)
    }
  })

  test('go by the delivered type too, and by no other name', () => {
    expect(sampleOf('order:updated')).toEqual(sampleOf('order:update'))
    expect(sampleOf('order:canceled')).toEqual(sampleOf('order:cancel'))
    expect(sampleOf('order:update')?.message).toBe('order:updated')
    expect(sampleOf('order:cancel')?.message).toBe('order:canceled')
    expect(sampleOf('some:event')).toBeUndefined()
    expect(sampleOf('toString')).toBeUndefined()
  })

  test('C51 C109 the raw order is one that the bridge announces, of any version', () => {
    for (const version of [undefined, '2.0', '4.10', '6.0', 'x']) {
      const raw = sampleOf('order:persist', version)?.payload ?? {}
      announcedOrderSchema.parse(raw)
      expect(raw).toMatchObject({ number: 'R900000017', store: { code: 'harbour' } })
      expect('fulfillment_status' in raw).toBe(version === '6.0')
    }
    expect(sampleOf('order:persist', '6.1')?.payload).toMatchObject({
      status: 'placed',
      payment_status: 'paid',
      fulfillment_status: 'partial',
      shipments: [{ status: 'fulfilled' }, { status: 'unfulfilled' }],
    })
  })

  test('C98 C117 what follows from it is derived from it', () => {
    const { order, original, previous, diff } = payloadOf('order:update')
    expect(genericOrderSchema.parse(order)).toEqual(order)
    expect(genericOrderSchema.parse(previous)).toEqual(previous)
    expect(original).toEqual(payloadOf('order:persist'))
    expect(Object.keys(diff ?? {}).sort()).toEqual(['shipment_state', 'shipments', 'updated_at'])
    expect(payloadOf('order:cancel').order).toMatchObject({ status: 'canceled', totals: { payment: 0 } })

    const { shipment, order: readyOrder } = payloadOf('shipment:ready')
    expect(shipmentOfOrderSchema.parse(shipment)).toMatchObject({
      status: 'ready',
      order_number: readyOrder?.['number'],
      items: [{ sku: 'FS-NAVY-M', quantity: 2, options: { size: 'medium', color: 'navy' } }],
    })
    const { shipment: confirmed } = payloadOf('shipment:confirm')
    expect(shipmentOfOrderSchema.parse(confirmed)).toMatchObject({
      status: 'shipped',
      tracking: 'HS-4411-0930',
    })
  })

  test('add up, and keep to their schemas', () => {
    const { totals, line_items, shipments } = genericOrderSchema.parse(payloadOf('order:new').order)
    const items = line_items.reduce((sum, item) => sum + (item.price ?? 0) * (item.quantity ?? 0), 0)
    const costs = shipments.reduce((sum, { cost }) => sum + (cost ?? 0), 0)
    expect(totals).toEqual({
      item: items,
      adjustment: 8.92,
      tax: 8.92,
      shipping: costs,
      payment: 243.92,
      order: items + costs + 8.92,
    })
    for (const type of ['product:new', 'product:update']) announcedProductSchema.parse(payloadOf(type))
    for (const type of ['stock:change', 'stock:actual']) stockMessageSchema.parse(payloadOf(type))
    const imported = payloadOf('order:import').order
    expect(imported).toMatchObject({ totals: { item: 2 * 45, shipping: 6, order: 96, payment: 96 } })
  })

  test('know what they are ordered by', () => {
    const aggregates = sampleNames().map((name) =>
      aggregateOf(sampleOf(name)?.message ?? '', sampleOf(name)?.payload),
    )
    expect(new Set(aggregates)).toEqual(
      new Set(['order:R900000017', 'order:QM-2026-04417', 'product:SL-7', 'product:TT-50', undefined]),
    )
  })

  test('a return is ordered with its order, a customer by whoever pushes it', () => {
    const authorization = { id: 7, number: 'RA7', order_id: 47, order: { id: 47, number: 'R900000017' } }
    expect(aggregateOf('return_authorization:new', authorization)).toBe('order:R900000017')
    expect(aggregateOf('user:updated', payloadOf('user:new'))).toBeUndefined()
  })

  test('a step further: the raw sample is told as what it is', () => {
    const derivation = deriveOrderMessages(payloadOf('order:persist'), undefined)
    expect(derivation.outcome === 'derived' && derivation.messages.map(({ type }) => type)).toEqual([
      'order:new',
      'shipment:ready',
    ])
  })
})

describe('the JSON Schemas', () => {
  const reference = messagesReference()
  const schemaOf = (type: MessageType) =>
    z.fromJSONSchema(JSON.parse(reference.get(`docs/schemas/${type.replace(':', '-')}.json`)!))
  const schemas = new Map(MESSAGE_TYPES.map((type) => [type, schemaOf(type)]))

  test('docs/messages.md and docs/schemas are what the schemas say', () => {
    const files = [...reference.keys()].filter((file) => file.startsWith('docs/schemas/'))
    expect(readdirSync('docs/schemas').sort()).toEqual(files.map((file) => path.basename(file)).sort())
    for (const [file, content] of reference) expect(readFileSync(file, 'utf8')).toBe(content)
  })

  test.each(MESSAGE_TYPES)('%s: the sample keeps to it, and without any of its keys does not', (type) => {
    const payload = payloadOf(type)
    expect(schemas.get(type)?.parse(payload)).toEqual(payload)
    expect(messageSchemas[type].parse(payload)).toEqual(payload)
    const { required } = JSON.parse(reference.get(`docs/schemas/${type.replace(':', '-')}.json`)!)
    expect(required.length).toBeGreaterThan(0)
    for (const key of required) {
      const { [key]: _, ...rest } = payload
      expect([key, schemas.get(type)?.safeParse(rest).success]).toEqual([key, false])
    }
  })

  ifSamples('the whole samples of the reference keep to them (needs the samples)', () => {
    const whole = [
      'order_new',
      'shipment_ready_full',
      'shipment_confirm',
      'shipment_confirm_amazon',
      'stock_actual',
      'stock_change',
    ]
    for (const name of whole) {
      const { message, payload } = readReferenceSample(`aug.msg.${name}`)
      schemas.get(message as MessageType)?.parse(payload)
    }
  })

  ifSamples('so do the objects that the stores serialized (needs the samples)', () => {
    const { inventories } = readReferenceSample('wombat.out.inventory_serialized')
    const objects: readonly (readonly [MessageType, unknown])[] = [
      ['orders', readReferenceSample('wombat.out.order_serialized')],
      ['shipments', readReferenceSample('wombat.out.shipment_serialized')],
      ['inventories', Array.isArray(inventories) && inventories[0]],
      ['customers', readReferenceSample('wombat.obj.customer')['customer']],
    ]
    for (const [type, object] of objects) expect(schemas.get(type)?.parse(object)).toEqual(object)
  })

  ifSamples(
    'no sample of the reference has a key in a form that they do not allow (needs the samples)',
    () => {
      const odd = messagesIn(readReferenceSamples()).flatMap(({ message, payload }) => {
        const issues = messageSchemas[message as MessageType]?.safeParse(payload).error?.issues ?? []
        return (
          issues
            .filter((issue) => !isAbsent(payload, issue.path))
            // Raw decimals stand in the samples as text and as numbers (protocol §11, 35); ours are text.
            .filter(({ message: why }) => why !== 'Invalid input: expected string, received number')
            .map((issue) => `${message} ${issue.path.join('.')}: ${issue.message}`)
        )
      })
      // Its one sample has the time of the first step on the moon, in words.
      expect(odd).toEqual(['payment:capture timestamp: Invalid ISO datetime'])
    },
  )
})

/** Every message in the samples, answers' messages too. */
function messagesIn(sample: unknown): { message: string; payload: unknown }[] {
  if (typeof sample !== 'object' || sample === null) return []
  const { message, payload } = sample as Record<string, unknown>
  const inside = Object.values(sample).flatMap(messagesIn)
  return typeof message === 'string' && payload ? [{ message, payload }, ...inside] : inside
}

function isAbsent(payload: unknown, keys: readonly PropertyKey[]): boolean {
  return (
    keys.reduce<unknown>((part, key) => (part as Record<PropertyKey, unknown>)?.[key], payload) === undefined
  )
}

describe('the built-in types', () => {
  const documented = [
    ...['endpoint:poll', 'notification:error', 'notification:info', 'notification:warn'],
    ...['order:canceled', 'order:import', 'order:new', 'order:persist', 'order:updated'],
    ...['payment:capture', 'payment:ready', 'product:new', 'product:update'],
    ...['shipment:ready', 'stock:change', 'user:new'],
  ]

  test('C22 C186 are sorted, unique and hold every documented one', () => {
    expect([...new Set(BUILT_IN_TYPES)].sort()).toEqual([...BUILT_IN_TYPES])
    expect(BUILT_IN_TYPES).toEqual(expect.arrayContaining(documented))
  })

  ifSamples('C22 hold the twelve of the printed list (needs the samples)', () => {
    const printed = Object.values(readReferenceSample('aug.api.available_messages.response'))
    expect(printed).toHaveLength(12)
    expect(BUILT_IN_TYPES).toEqual(expect.arrayContaining(printed))
  })
})
