import { beforeAll, describe, expect, test } from '@jest/globals'
import { announcedCustomerSchema } from '../../src/messages/schemas/customer-message.ts'
import {
  announcedCustomerReturnSchema,
  announcedReturnAuthorizationSchema,
} from '../../src/messages/schemas/return-message.ts'
import { announcedStockTransferSchema } from '../../src/messages/schemas/stock-transfer-message.ts'
import { readExpected } from '../expected/read-expected.ts'
import type { RecordedRequest } from '../support/recorded-request.ts'
import { createStore, dumpsAvailable, replay } from '../support/stores.ts'
import { type Day, liveThroughTheDay, withWorker } from './live-through-the-day.ts'
import {
  byAbout,
  type Episode,
  milestones,
  type Payload,
  readDay,
  readSteps,
  type Store,
  subjects,
  told,
  toldOnTheDay,
  toTold,
  withNow,
} from './told.ts'

const all: Store[] = (['dump', 'fixture'] as const).flatMap((source) => [
  { family: 'spree-4.10', source },
  { family: 'spree-6.0', source },
  { family: 'solidus-4', source },
])
const possible = all.filter(({ source }) => source === 'fixture' || dumpsAvailable())

for (const { family } of all.filter((store) => !possible.includes(store)))
  test.skip(`a day in a real store of ${family} needs STORE_DUMPS`, () => {})

/** An order that changes later than its product's name says the new one. */
const RENAMED = '16-product-renamed'

// The stores live through their days at the same time: most of a day is waiting for things to settle.
const days = new Map<Store, Promise<Day>>()
beforeAll(async () => {
  // Loaded before any day begins: beside that who writes pauses for so long in a step that a worker takes it for over.
  for (const { family, source } of possible) await (await createStore(family, source)).drop()
  for (const store of possible) {
    const day = liveThroughTheDay(store)
    day.catch(() => {}) // its own tests tell
    days.set(store, day)
  }
})

describe.each(possible)('a day in a store of $family ($source)', (store) => {
  const { family, source } = store
  const { canceled, order } = subjects[family][source]
  const named: readonly string[] = Object.values(subjects[family][source])
  const numbersOfTheDay = named
    .filter((name) => name.startsWith('order-'))
    .map((name) => name.replace('order-', ''))
  const steps = readSteps(store)
  let day: Day

  beforeAll(async () => {
    day = (await days.get(store))!
  })

  test.each(Object.keys(steps).sort())('%s', (step) => {
    expect(told(day.episode(step), store)).toEqual(toldOnTheDay(store, steps, step))
  })

  test('a touch that changes nothing', () => {
    expect(told(day.episode('touch'), store)).toEqual([])
  })

  test('C121 a cart, its lines and its growing total are told nobody; an order is, from its completion on', () => {
    expect(told(day.episode('cart'), store)).toEqual([])
    for (const step of milestones[family].placed)
      expect(orders(day.episode(step)).map(({ completed_at }) => completed_at)).toEqual([expect.any(String)])
  })

  test('all stock in one statement: one stock:change per SKU with its sum; without a SKU it is counted', () => {
    const changes = day.episode('bulk').requests.map(({ type, payload }) => [type, payload])
    const expected = Object.entries(day.bulk).map(([sku, quantity]) => ['stock:change', { sku, quantity }])
    expect(changes.sort(bySku)).toEqual(expected.sort(bySku))
    if (source === 'fixture')
      expect(day.bulk).toEqual(
        readDay(`bulk-stock.${family === 'solidus-4' ? 'solidus-4.' : ''}fixture.json`),
      )
    expect(day.metrics).toMatch(
      new RegExp(`^spree_bridge_stock_without_sku_total ${source === 'fixture' ? 1 : 0}$`, 'm'),
    )
  })

  const programs = {
    ...readDay<Record<string, [string, Payload][]>>(`${family}.other-programs.json`),
    ...readDay<Record<string, [string, Payload][]>>(`${family}.accounts.json`),
    ...(family !== 'solidus-4' && readDay<Record<string, [string, Payload][]>>(`${family}.transfers.json`)),
  }
  test.each(Object.keys(programs))('another program: %s', (name) => {
    const expected = programs[name]!.map(([type, payload]) => toTold(type, payload, store))
    const episode = day.episode(name)
    expect(byAbout(told(episode, store).map((message) => withNow(message, episode)))).toEqual(
      byAbout(expected),
    )
  })

  test('C109 an order is pushed as order:persist, with the raw order itself as its payload', () => {
    const numbers = new Set(day.requests.filter(isOrder).map(({ payload }) => payload['number']))
    expect(numbers).toEqual(new Set(numbersOfTheDay))
    expect(new Set(day.requests.map(({ type }) => type))).toEqual(
      new Set([
        ...['product:new', 'product:update', 'stock:change', 'order:persist'],
        ...(family === 'solidus-4' ? [] : ['stock_transfer:persist']),
        ...['user:new', 'user:updated'],
        ...['return_authorization:new', 'return_authorization:updated'],
        ...(family === 'spree-6.0' ? [] : ['customer_return:new', 'customer_return:updated']),
      ]),
    )
  })

  test('C110 decimals of the raw order are strings', () => {
    const amounts = valuesOf(day.requests.filter(isOrder), /(_total|^total|amount|^cost|^price|weight)$/)
    expect(amounts.length).toBeGreaterThan(100)
    for (const amount of amounts) expect(amount).toMatch(/^-?\d+\.(\d|\d*[1-9])$/)
  })

  test('C112 the channel is spree', () => {
    expect(new Set(day.requests.filter(isOrder).map(({ payload }) => payload['channel']))).toEqual(
      new Set(['spree']),
    )
  })

  test('C118 a shipment names its order by the number', () => {
    for (const { payload } of day.requests.filter(isOrder)) {
      const shipments = payload['shipments'] as Payload[]
      expect(new Set(shipments.map(({ order_id }) => order_id))).toEqual(new Set([payload['number']]))
    }
  })

  test('C120 a payment, a shipment or an inventory unit that changes alone is a change of its order', () => {
    const [before] = toldOnTheDay(store, steps, milestones[family].canceled)
    const since = family === 'solidus-4' ? readExpected(family, source, canceled, [RENAMED]) : {}
    const expected = structuredClone({ ...before!.payload, ...since }) as Record<
      string,
      Record<string, unknown>[]
    >
    expected['payments']![0]!['amount'] = '61.25'
    expect(orders(day.episode('payment alone'))).toEqual([expected])
    expected['shipments']![0]!['cost'] = '7.5'
    expect(orders(day.episode('shipment alone'))).toEqual([expected])
    const [unit] = expected['shipments']![0]!['inventory_units'] as Record<string, unknown>[]
    if (family === 'solidus-4') unit!['state'] = 'shipped'
    else unit!['quantity'] = 3
    expect(orders(day.episode('unit alone'))).toEqual([expected])
    if (family !== 'solidus-4') return
    const [last] = toldOnTheDay(store, steps, '15-refund')
    const sent = structuredClone({
      ...last!.payload,
      ...readExpected(family, source, order, [RENAMED]),
    }) as typeof expected
    ;(sent['shipments']![0]!['cartons'] as Record<string, unknown>[])[0]!['tracking'] = '1ZAGAIN'
    expect(orders(day.episode('carton alone'))).toEqual([sent])
  })

  test('what is told of customers, stock transfers and returns keeps to its schema', () => {
    const schemas = {
      'return_authorization:new': announcedReturnAuthorizationSchema,
      'return_authorization:updated': announcedReturnAuthorizationSchema,
      ...(family !== 'spree-6.0' && { 'customer_return:new': announcedCustomerReturnSchema }),
      'user:updated': announcedCustomerSchema,
      'user:new': announcedCustomerSchema,
      ...(family !== 'solidus-4' && { 'stock_transfer:persist': announcedStockTransferSchema }),
    }
    for (const [told, schema] of Object.entries(schemas)) {
      const payloads = day.requests.filter(({ type }) => type === told).map(({ payload }) => payload)
      expect(payloads.length).toBeGreaterThan(0)
      for (const payload of payloads) expect(schema.parse(payload)).toEqual(payload)
    }
  })

  test('a return that changes alone is told by itself, with the order as it was', () => {
    const [, authorization, ...received] = toldOnTheDay(store, steps, milestones[family].returned).filter(
      ({ about }) => about === order,
    )
    expect(told(day.episode('return alone'), store)).toEqual([
      {
        about: order,
        type: 'return_authorization:updated',
        payload: { ...authorization!.payload, memo: 'too wide' },
      },
      ...received.map(({ payload }) => ({
        about: order,
        type: 'customer_return:updated',
        payload: {
          ...payload,
          reimbursements: [{ id: 9001, number: 'RI9001', reimbursement_status: 'pending', total: '12.5' }],
        },
      })),
    ])
  })

  test('C126 times are ISO 8601 in UTC with Z', () => {
    const times = valuesOf(day.requests, /(_at|^available_on)$/)
    expect(times.length).toBeGreaterThan(50)
    for (const time of times) expect(time).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
  })

  test('every push has the store’s token, a key of its own and three members', () => {
    const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/
    for (const { headers, key, body, origin } of day.requests) {
      expect(headers).toMatchObject({ 'x-augury-token': day.token, 'content-type': 'application/json' })
      expect(key).toMatch(uuid)
      expect(Object.keys(JSON.parse(body)).sort()).toEqual(['message', 'origin', 'payload'])
      expect(origin).toBe('store')
    }
    expect(new Set(day.requests.map(({ key }) => key)).size).toBe(day.requests.length)
  })

  test('the worker has nothing to complain of', () => {
    expect(day.complaints).toEqual([])
  })
})

describe.each(['spree-4.10', 'spree-6.0'] as const)('a store of %s that announces levels', (family) => {
  const store: Store = { family, source: 'fixture' }
  const expected = readDay(`${family}.actual.json`)

  test('stock:actual instead of stock:change, and to a hub that is not ours the sender’s name', async () => {
    await withWorker(store, { stock: 'actual' }, {}, async (_db, _hub, live) => {
      for (const step of Object.keys(expected)) {
        const episode = await live(step, (database) => replay(database, family, step, 'fixture'))
        const sources = episode.requests.map(({ payload }) => payload['source'])
        for (const source of sources) expect(source).toMatch(/^spree-bridge:[0-9a-f-]{36}$/)
        const messages = told(episode, store).map(({ payload: { source: _, ...payload }, ...message }) => ({
          ...message,
          payload,
        }))
        expect({ step, messages }).toEqual({ step, messages: toldOnTheDay(store, expected, step) })
      }
    })
  })
})

test('while the hub is away, a newer state of a product replaces an older one, but not the news of its SKU', async () => {
  const store: Store = { family: 'spree-4.10', source: 'fixture' }
  await withWorker(store, {}, { ours: true }, async (db, hub, live, worker) => {
    const { requests } = await live('away', async () => {
      await hub.down()
      for (const change of [
        `update spree_variants set sku = 'BC-02' where sku = 'BC-01'`,
        `update spree_products set name = 'Steel Compass' where id = 13`,
        `update spree_products set name = 'Silver Compass' where id = 13`,
      ]) {
        await db.pool.query(change)
        await worker.collected()
      }
      await hub.up()
    })
    expect(
      requests.map(({ type, payload: { name, sku, previous_sku } }) => [type, name, sku, previous_sku]),
    ).toEqual([
      ['product:update', 'Brass Compass', 'BC-02', 'BC-01'],
      ['product:update', 'Silver Compass', 'BC-02', undefined],
    ])
  })
})

function isOrder({ type }: RecordedRequest): boolean {
  return type === 'order:persist'
}

function orders({ requests }: Episode): Payload[] {
  return requests.filter(isOrder).map(({ payload }) => payload)
}

/** Everything that is not null under such a key, however deep. */
function valuesOf(requests: readonly RecordedRequest[], key: RegExp): unknown[] {
  const found: unknown[] = []
  for (const { body } of requests)
    JSON.parse(body, (name, value) => {
      if (key.test(name) && value !== null) found.push(value)
      return value
    })
  return found
}

function bySku([, a]: unknown[], [, b]: unknown[]): number {
  const [one, other] = [JSON.stringify(a), JSON.stringify(b)]
  return one < other ? -1 : one > other ? 1 : 0
}
