import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { until } from '../queue/ground.ts'
import { type Audit, startAudit } from '../support/audit.ts'
import { check } from '../support/checker.ts'
import { lostAnswers, passingTrouble } from '../support/hub-trouble.ts'
import type { TestDatabase } from '../support/postgres.ts'
import type { RecordedRequest } from '../support/recorded-request.ts'
import { type RecordingHub, startRecordingHub } from '../support/recording-hub.ts'
import { createStore, replay, type StoreFamily } from '../support/stores.ts'
import { asHeard } from '../support/ways.ts'
import { startWorkload } from '../support/workload.ts'
import { isSetAside } from './message.ts'
import { createReferenceBridge } from './reference-bridge.ts'
import { findDisorder } from './repeats.ts'
import { ROLLED_BACK } from './rolled-back.ts'

type Setting = Readonly<{ store: TestDatabase; audit: Audit; hub: RecordingHub; announce(): Promise<void> }>

async function setUp(family: StoreFamily): Promise<Setting> {
  const store = await createStore(family, 'fixture')
  const audit = await startAudit(store.url, family)
  const hub = await startRecordingHub()
  return { store, audit, hub, announce: createReferenceBridge(audit, hub).announce }
}

async function tearDown({ store, audit, hub }: Setting): Promise<void> {
  await hub.close()
  await audit.close()
  await store.drop()
}

describe('a run that keeps the promises', () => {
  test('gives no finding, whatever a busy 4.10 shop and a troubled hub do', async () => {
    const setting = await setUp('spree-4.10')
    const { store, audit, hub, announce } = setting
    hub.misbehave(passingTrouble(7, 0.1))
    const workload = await startWorkload(store.url, 'spree-4.10', { seed: 7, writers: 6, acts: 200 })
    let ended = false
    const done = workload.ended.finally(() => {
      ended = true
    })
    while (!ended) await announce()
    const { acts } = await done
    await announce()
    expect(await check({ audit, requests: hub.requests })).toEqual([])
    expect([...acts.keys()].length).toBeGreaterThan(15)
    expect(hub.requests.filter(({ accepted, delivered }) => accepted && !delivered).length).toBeGreaterThan(0)
    await tearDown(setting)
  })

  test('gives no finding for products and stock of a busy 6.0 shop', async () => {
    const setting = await setUp('spree-6.0')
    const { store, audit, hub, announce } = setting
    const workload = await startWorkload(store.url, 'spree-6.0', { seed: 8, writers: 4, acts: 100 })
    await Promise.race([workload.ended, announce()])
    await workload.ended
    await announce()
    const findings = await check({ audit, requests: hub.requests })
    // Of orders and customers the reference bridge knows 4.10's words only.
    expect(findings.filter(({ about }) => !/^(order|customer):/.test(about))).toEqual([])
    expect(hub.requests.length).toBeGreaterThan(20)
    await tearDown(setting)
  })

  test('is silent about a cart and about what was only touched', async () => {
    const setting = await setUp('spree-4.10')
    const { store, audit, hub } = setting
    await store.pool.query('update spree_products set updated_at = now()')
    await store.pool.query(
      `insert into spree_orders (number, state, created_at, updated_at) values ('CART', 'cart', now(), now())`,
    )
    expect(await check({ audit, requests: hub.requests })).toEqual([])
    await tearDown(setting)
  })
})

describe('a planted fault is found', () => {
  let setting: Setting
  let clean: readonly RecordedRequest[]

  beforeAll(async () => {
    setting = await setUp('spree-4.10')
    const { store, announce, hub } = setting
    for (const step of [
      '01-create-product',
      '02-change-product',
      '03-stock-movement',
      '04-checkout',
      '05-update-order',
      '06-capture-payment',
      '07-ship',
      '12-rollback-stock',
    ]) {
      await replay(store, 'spree-4.10', step, 'fixture')
      await announce()
    }
    clean = structuredClone(hub.requests)
  })
  afterAll(() => tearDown(setting))

  const find = async (requests: readonly RecordedRequest[]) =>
    (await check({ audit: setting.audit, requests })).map(({ rule }) => rule)
  const plant = (type: string, which: number, alter: (request: RecordedRequest) => RecordedRequest[]) => {
    const victim = clean.filter((request) => request.type === type).at(which)
    if (!victim) throw new Error(`There is no ${type} ${which}.`)
    return clean.flatMap((request) => (request === victim ? alter(structuredClone(request)) : [request]))
  }
  const withPayload = (request: RecordedRequest, payload: RecordedRequest['payload']): RecordedRequest => ({
    ...request,
    payload,
    body: JSON.stringify({ message: request.type, payload, origin: request.origin }),
  })
  const later = (request: RecordedRequest, ms: number): RecordedRequest => ({
    ...request,
    arrivedAt: request.arrivedAt + ms,
    endedAt: (request.endedAt ?? 0) + ms,
  })

  test('nothing is found without one', async () => {
    expect(await check({ audit: setting.audit, requests: clean })).toEqual([])
    expect(clean.map(({ type }) => type)).toEqual(
      expect.arrayContaining(['product:new', 'product:update', 'stock:change', 'order:persist']),
    )
  })

  test.each([
    ['product:new', 0],
    ['product:update', -1],
    ['stock:change', 0],
    ['stock:change', -1],
    ['order:persist', -1],
  ])('a lost %s (%i)', async (type, which) => {
    expect(await find(plant(type, which, () => []))).not.toEqual([])
  })

  test('a refused message that is never repeated', async () => {
    const refused = plant('order:persist', -1, (request) => [
      { ...request, accepted: false, status: 500, messageId: null },
    ])
    expect(await find(refused)).toContain('announced')
  })

  test('two messages of an order that changed places', async () => {
    const [first, second] = clean.filter(({ type }) => type === 'order:persist')
    const swapped = clean.map((request) =>
      request === first ? (second ?? request) : request === second ? (first ?? request) : request,
    )
    expect(await find(swapped)).toContain('committed')
  })

  test('stock that overtakes the product:new of its SKU', async () => {
    const introduction = clean.find(({ type }) => type === 'product:new')
    const last = clean.filter(({ type }) => type === 'stock:change').at(1)
    const overtaken = clean.flatMap((request) =>
      request === introduction ? [] : request === last && introduction ? [request, introduction] : [request],
    )
    expect(await find(overtaken)).toContain('introduced')
  })

  test('a delta that is not the one that was committed', async () => {
    const altered = plant('stock:change', 0, (request) => [
      withPayload(request, { ...request.payload, quantity: Number(request.payload['quantity']) + 1 }),
    ])
    expect(await find(altered)).toContain('stock')
  })

  test('a delta that never was and its correction', async () => {
    const corrected = plant('stock:change', -1, (request) => {
      const quantity = Number(request.payload['quantity'])
      return [quantity + 5, -5].map((part) => ({
        ...withPayload(request, { ...request.payload, quantity: part }),
        key: randomUUID(),
      }))
    })
    expect(await find(corrected)).toContain('stock')
  })

  test('what was rolled back', async () => {
    const pretended = plant('product:update', 0, (request) => [
      { ...withPayload(request, { ...request.payload, name: ROLLED_BACK }), key: randomUUID() },
      request,
    ])
    expect(await find(pretended)).toEqual(expect.arrayContaining(['rolled back', 'committed']))
  })

  test('half of a transaction', async () => {
    const { store, announce, hub } = setting
    const heard = hub.requests.length
    const [order] = (await store.pool.query<{ id: string }>('select max(id) as id from spree_orders')).rows
    await store.pool.query(
      `with one as (update spree_orders set item_total = item_total + 10 where id = $1)
       update spree_line_items set quantity = quantity + 1 where order_id = $1`,
      [order?.id],
    )
    await announce()
    const message = structuredClone(hub.requests[heard])
    expect(message?.type).toBe('order:persist')
    if (!message) return
    const before = clean.filter(({ type }) => type === 'order:persist').at(-1)
    const torn = withPayload(message, { ...message.payload, line_items: before?.payload['line_items'] })
    expect(await find([...clean, { ...torn, key: randomUUID() }, message])).toContain('committed')
    clean = structuredClone(hub.requests)
  })

  test('a message told twice, each time under a key of its own', async () => {
    const doubled = plant('order:persist', 0, (request) => [request, { ...request, key: randomUUID() }])
    expect(await find(doubled)).toContain('announced twice')
    const doubledDelta = plant('stock:change', 0, (request) => [request, { ...request, key: randomUUID() }])
    expect(await find(doubledDelta)).toContain('stock')
  })

  test('a repeat, under the same key, of what had been answered', async () => {
    const repeated = plant('order:persist', 0, (request) => [request, later(request, 500)])
    expect(await find(repeated)).toContain('repeated')
  })

  test('but not a repeat after a lost answer, nor one of a sender that was killed', async () => {
    const lost = plant('order:persist', 0, (request) => [
      { ...request, status: null, delivered: false },
      later(request, 1),
    ])
    expect(await find(lost)).toEqual([])
    const repeated = plant('order:persist', 0, (request) => [request, later(request, 500)])
    const killedAt = (repeated.find(({ type }) => type === 'order:persist')?.endedAt ?? 0) + 100
    const disturbances = [{ what: 'kill', from: killedAt, to: killedAt }]
    expect(await check({ audit: setting.audit, requests: repeated, disturbances })).toEqual([])
  })

  test('a repeat with another body', async () => {
    const altered = plant('order:persist', 0, (request) => [
      { ...request, status: null, delivered: false, accepted: false },
      later({ ...request, body: `${request.body} ` }, 500),
    ])
    expect(await find(altered)).toContain('form')
  })

  test('but not a repeat in which the bridge no longer names itself', async () => {
    const unnamed = ({ body }: RecordedRequest) => body.replace(/,"source":"spree-bridge:[^"]*"/, '')
    const named = plant('order:persist', 0, (request) => [
      { ...request, status: null, delivered: false },
      later({ ...request, body: unnamed(request) }, 1),
    ])
    expect(named.some((request) => unnamed(request) === request.body)).toBe(true)
    expect(await find(named)).toEqual([])
  })

  test('two requests of one aggregate at once', async () => {
    const [first, second] = clean.filter(({ type }) => type === 'order:persist')
    const overlapping = clean.map((request) =>
      request === first ? { ...request, endedAt: (second?.arrivedAt ?? 0) + 50 } : request,
    )
    expect(new Set(await find(overlapping))).toEqual(new Set(['order']))
  })

  test('an older message tried again after a later one', async () => {
    const [first] = clean.filter(({ type }) => type === 'order:persist')
    const last = clean.filter(({ type }) => type === 'order:persist').at(-1)
    const straggler = { ...structuredClone(first), ...later(structuredClone(first ?? clean[0]!), 0) }
    const requests = clean.flatMap((request) =>
      request === first
        ? [{ ...request, delivered: false, status: null }]
        : request === last
          ? [request, { ...straggler, arrivedAt: request.arrivedAt + 500, endedAt: request.arrivedAt + 501 }]
          : [request],
    )
    expect(await find(requests)).toEqual(['order'])
  })

  describe('a message put back after a later one of its aggregate', () => {
    const overtaken = (...sent: readonly [key: string, type: string, status: number][]) =>
      findDisorder({
        requests: sent.map(([key, type, status], index) => ({
          ...structuredClone(clean.find((request) => request.type === type) ?? clean[0]!),
          key,
          status,
          arrivedAt: 1000 * index,
          endedAt: 1000 * index + 1,
        })),
        yes: 201,
        patienceMs: 10_000,
        aggregateOf: () => 'product:1',
        isSetAside,
        disturbances: [],
      })

    test('is no disorder where it is state that had been refused for good', () => {
      const [state, delta] = ['product:update', 'stock:change']
      const back = overtaken(
        ['a', state, 422],
        ['b', delta, 413],
        ['a', state, 500],
        ['a', state, 201],
        ['b', delta, 201],
      )
      expect(back).toEqual([])
    })

    test('is disorder once another overtakes it again', () => {
      const [state, delta] = ['product:update', 'stock:change']
      const back = overtaken(
        ['a', state, 422],
        ['b', delta, 201],
        ['a', state, 500],
        ['c', delta, 201],
        ['a', state, 201],
      )
      expect(back).toHaveLength(1)
    })

    test.each([
      [500, 'product:update'],
      [422, 'order:persist'],
      [422, 'product:new'],
    ])('is disorder after a %i to a %s', (status, type) => {
      expect(overtaken(['a', type, status], ['b', 'stock:change', 201], ['a', type, 201])).toHaveLength(1)
    })
  })

  test('a product that nobody changed', async () => {
    const untouched = plant('product:update', 0, (request) => [
      request,
      { ...withPayload(request, { ...request.payload, id: 1 }), key: randomUUID() },
    ])
    expect(await find(untouched)).toContain('announced')
  })

  test('a request without key or origin', async () => {
    const bare = plant('stock:change', 0, (request) => [{ ...request, key: '', origin: undefined }])
    expect(await find(bare)).toEqual(['form', 'form'])
  })
})

describe('the recording hub', () => {
  test('answers with everything submitted and one message_id per key', async () => {
    const hub = await startRecordingHub()
    const first = await push(hub, 'a')
    const answer = (await first.json()) as { message_id: string }
    expect(first.status).toBe(201)
    expect(answer).toMatchObject({ message: 'stock:change', payload: { sku: 'A', quantity: 1 } })
    expect(answer.message_id).toMatch(/^[0-9a-f]{24}$/)
    expect(await (await push(hub, 'a')).json()).toEqual(answer)
    expect(((await (await push(hub, 'b')).json()) as typeof answer).message_id).not.toBe(answer.message_id)
    expect((await push(hub, 'c', 'wrong')).status).toBe(401)
    expect(hub.requests.map(({ accepted }) => accepted)).toEqual([true, true, true, false])
    await hub.close()
  })

  test('has the message whose answer it loses, and not the one it drops', async () => {
    const hub = await startRecordingHub()
    hub.misbehave(lostAnswers(1, 1))
    await expect(push(hub, 'a')).rejects.toThrow()
    hub.misbehave(() => ({ kind: 'reset', accepted: false }))
    await expect(push(hub, 'b')).rejects.toThrow()
    await hub.until(() => hub.requests.every(({ endedAt }) => endedAt !== null), 30_000)
    expect(hub.requests).toMatchObject([
      { accepted: true, delivered: false, status: null },
      { accepted: false, delivered: false, status: null },
    ])
    await hub.close()
  })

  test('knows which answers a sender did not wait for', async () => {
    const hub = await startRecordingHub()
    for (const behaviour of [
      { kind: 'hang' },
      { kind: 'drip', everyMs: 1000 },
      { kind: 'accept', afterMs: 10_000 },
    ] as const) {
      hub.misbehave(() => behaviour)
      const broken = new AbortController()
      const pushed = fetch(`${hub.url}/api/stores/${hub.storeId}/messages`, {
        method: 'POST',
        headers: { 'x-augury-token': hub.token },
        body: '{"message":"a"}',
        signal: broken.signal,
      }).then((answer) => answer.text())
      const before = hub.requests.length
      const breakOff = async () => {
        await until(
          () => hub.requests[before]?.accepted === true,
          () => hub.requests,
        )
        broken.abort()
      }
      await Promise.all([expect(pushed).rejects.toThrow(), breakOff()])
    }
    expect(hub.requests).toHaveLength(3)
    await hub.until(() => hub.requests.every(({ endedAt }) => endedAt !== null), 30_000)
    expect(hub.requests.map(({ accepted, delivered }) => [accepted, delivered])).toEqual([
      [true, false],
      [true, false],
      [true, false],
    ])
    await hub.close()
  })

  test('comes back on the same port', async () => {
    const hub = await startRecordingHub()
    await hub.down()
    await expect(push(hub, 'a')).rejects.toThrow()
    await hub.up()
    expect((await push(hub, 'a')).status).toBe(201)
    await hub.close()
  })
})

test('a wire loses the last answer of its connection, not of another that has got the port since', async () => {
  const hub = await startRecordingHub()
  for (const key of ['a', 'b', 'c']) await push(hub, key)
  const requests = hub.requests.map((request, index) => ({ ...request, port: 7, arrivedAt: 10 * index }))
  const connections = [
    { port: 7, openedAt: 0, missed: true },
    { port: 7, openedAt: 15, missed: false },
  ]
  expect(asHeard(requests, { connections }).map(({ delivered }) => delivered)).toEqual([true, false, true])
  await hub.close()
})

function push(hub: RecordingHub, key: string, token = hub.token): Promise<Response> {
  return fetch(`${hub.url}/api/stores/${hub.storeId}/messages`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-augury-token': token, 'idempotency-key': key },
    body: JSON.stringify({ message: 'stock:change', payload: { sku: 'A', quantity: 1 } }),
  })
}
