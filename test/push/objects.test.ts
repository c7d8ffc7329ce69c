import { afterEach, describe, expect, test } from '@jest/globals'

import { decide } from '../../src/delivery/outcome-decision.ts'
import type { PushClient, PushMessage } from '../../src/push/client.ts'
import { createClient } from '../../src/push/create-client.ts'
import { type Outcome, readObjectsAnswer } from '../../src/push/outcome.ts'
import { type ObjectHub, startObjectHub } from '../support/object-hub.ts'

const never = new AbortController().signal
const cleanUps: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp()
})

async function connect(token?: string): Promise<Readonly<{ hub: ObjectHub; client: PushClient }>> {
  const hub = await startObjectHub()
  const client = createClient('wombat', {
    hubUrl: hub.url,
    storeId: hub.storeId,
    token: token ?? hub.token,
    installation: 'i-1',
    version: '1.2.3',
    connections: 32,
    timeoutMilliseconds: 5_000,
  })
  cleanUps.push(
    () => hub.close(),
    () => client.close(),
  )
  return { hub, client }
}

const object = (type: string, id: number | string, more: Partial<PushMessage> = {}): PushMessage => ({
  type,
  payload: JSON.stringify({ id, status: 'complete' }),
  key: `key-${id}`,
  aggregate: `order:${id}`,
  ...more,
})
const orders = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, index) => object('orders', from + index))
const pushAll = (client: PushClient, messages: readonly PushMessage[]): Promise<Outcome[]> =>
  Promise.all(messages.map((message) => client.push(message, never)))
const sizes = ({ batches }: ObjectHub) =>
  batches.map(({ body, status }) => {
    const [[type, list] = ['', []]] = Object.entries<unknown[]>(JSON.parse(body))
    return [type, list.length, status]
  })

test('C127: a push carries store, token, the time in seconds, and JSON without a charset', async () => {
  const { hub, client } = await connect()
  const before = Math.floor(Date.now() / 1_000)
  expect(await client.push(object('orders', 'R154085346'), never)).toEqual({
    kind: 'accepted',
    messageId: '202',
  })
  const [batch] = hub.batches
  expect(batch).toMatchObject({
    path: '/cangaroo/endpoint',
    body: '{"orders":[{"id":"R154085346","status":"complete"}]}',
    headers: {
      'content-type': 'application/json',
      'x-hub-store': hub.storeId,
      'x-hub-access-token': hub.token,
      'user-agent': 'spree-bridge/1.2.3',
    },
  })
  const time = String(batch?.headers['x-hub-timestamp'])
  expect(time).toMatch(/^\d{10}$/)
  expect(Number(time) - before).toBeLessThan(10)
  expect(Number(time)).toBeGreaterThanOrEqual(before)
  for (const name of ['x-augury-token', 'idempotency-key']) expect(batch?.headers).not.toHaveProperty(name)
})

test('C128: what is sent at the same time goes as batches of ten at most, one root each', async () => {
  const { hub, client } = await connect()
  const outcomes = await pushAll(client, [
    ...orders(1, 23),
    object('shipments', 'H1'),
    object('shipments', 'H2'),
  ])
  expect(new Set(outcomes.map(({ kind }) => kind))).toEqual(new Set(['accepted']))
  expect(sizes(hub).sort()).toEqual([
    ['orders', 10, 202],
    ['orders', 10, 202],
    ['orders', 3, 202],
    ['shipments', 2, 202],
  ])
  expect(hub.held.size).toBe(25)
})

test('of a batch in which one is refused the others arrive, each with an outcome of its own', async () => {
  const { hub, client } = await connect()
  const bad = object('orders', 3, { payload: '{"number":"R3"}' })
  const [first, second, third, fourth] = await pushAll(client, [...orders(1, 2), bad, ...orders(4, 4)])
  expect([first?.kind, second?.kind, fourth?.kind]).toEqual(['accepted', 'accepted', 'accepted'])
  expect(third).toEqual({
    kind: 'refused',
    status: 500,
    text: "The hub answered 500: The property '#/orders/0' did not contain a required property of 'id' in schema",
  })
  expect(decide(third!).decision.do).toBe('park')
  expect([...hub.held.keys()].sort()).toEqual(['orders 1', 'orders 2', 'orders 4'])
})

test('of a batch over which the hub falls, the one that it falls over fails alone', async () => {
  const { hub, client } = await connect()
  hub.misbehave(({ objects }) =>
    objects.some((each) => 'id' in each && each.id === 2)
      ? { status: 500, body: '{"error":"Something went wrong!"}' }
      : undefined,
  )
  const outcomes = await pushAll(client, orders(1, 3))
  expect(outcomes.map(({ kind }) => kind)).toEqual(['accepted', 'failed', 'accepted'])
  expect(sizes(hub)).toHaveLength(4)
})

test('a hub that is in no state to take anything is not asked for each of a batch', async () => {
  const { hub, client } = await connect()
  hub.misbehave(() => ({ status: 503, headers: { 'Retry-After': '7' } }))
  const outcomes = await pushAll(client, orders(1, 4))
  for (const outcome of outcomes)
    expect(outcome).toMatchObject({ kind: 'failed', status: 503, retryAfterSeconds: 7 })
  expect(sizes(hub)).toEqual([['orders', 4, 503]])
})

test('what failed before goes alone', async () => {
  const { hub, client } = await connect()
  await pushAll(client, [...orders(1, 3), object('orders', 4, { hasFailed: true })])
  expect(sizes(hub).sort()).toEqual([
    ['orders', 1, 202],
    ['orders', 3, 202],
  ])
})

test('a wrong token holds everything, by one request', async () => {
  const { hub, client } = await connect('another-token')
  const outcomes = await pushAll(client, orders(1, 3))
  for (const outcome of outcomes) expect(decide(outcome).decision.do).toBe('hold')
  expect(outcomes[0]).toEqual({
    kind: 'refused',
    status: 401,
    text: 'The hub answered 401: wrong credentials',
  })
  expect(sizes(hub)).toEqual([['orders', 3, 401]])
})

test('what was made for the other dialect is parked, and not sent', async () => {
  const { hub, client } = await connect()
  const message = await client.push(object('order:persist', 1), never)
  expect(message).toMatchObject({ kind: 'foreign' })
  expect(decide(message)).toMatchObject({ decision: { do: 'park' }, report: { signal: 'nothing' } })
  const seed = createClient('seed', {
    hubUrl: hub.url,
    storeId: hub.storeId,
    token: hub.token,
    installation: 'i-1',
    version: '1',
    connections: 1,
    timeoutMilliseconds: 5_000,
  })
  expect(await seed.push(object('orders', 1), never)).toMatchObject({ kind: 'foreign' })
  await seed.close()
  expect(hub.batches).toEqual([])
})

test('it is asked whether it knows us by a batch of nothing', async () => {
  const { hub, client } = await connect()
  expect(await client.probe(never)).toEqual({ kind: 'reachable', types: [], isOurs: false })
  expect(hub.batches[0]?.body).toBe('{"orders":[]}')
  expect(hub.objects).toEqual([])
  expect(await (await connect('another-token')).client.probe(never)).toMatchObject({
    kind: 'refused',
    status: 401,
  })
})

describe('what an answer to a batch means', () => {
  const schema = `{"error":"The property '#/orders/0' did not contain a required property of 'id' in schema"}`
  test.each([
    // status, body, outcome, decision, what the circuit hears
    [202, '{"orders":2}', 'accepted', 'acknowledge', 'success'],
    [202, '', 'accepted', 'acknowledge', 'success'],
    [202, '<html>', 'accepted', 'acknowledge', 'success'],
    [200, '{"orders":2}', 'unconfirmed', 'retry', 'unavailable'],
    [201, '{"message_id":"52811a8584a8169f7a000002"}', 'unconfirmed', 'retry', 'unavailable'],
    [204, '', 'unconfirmed', 'retry', 'unavailable'],
    [301, '', 'misdirected', 'hold', 'refusedUs'],
    [400, '{"error":"no"}', 'refused', 'park', 'refusedMessage'],
    [401, '{"error":"wrong credentials"}', 'refused', 'hold', 'refusedUs'],
    [403, '', 'refused', 'hold', 'refusedUs'],
    [404, '', 'refused', 'hold', 'refusedUs'],
    [406, '', 'refused', 'hold', 'refusedUs'],
    [408, '', 'refused', 'retry', 'unavailable'],
    [413, '', 'refused', 'park', 'refusedMessage'],
    [422, '{"error":"no"}', 'refused', 'park', 'refusedMessage'],
    [429, '', 'refused', 'retry', 'unavailable'],
    [500, schema, 'refused', 'park', 'refusedMessage'],
    [500, '{"error":"Something went wrong!"}', 'failed', 'retry', 'unavailable'],
    [500, '', 'failed', 'retry', 'unavailable'],
    [502, schema, 'failed', 'retry', 'unavailable'],
    [503, '', 'failed', 'retry', 'unavailable'],
  ] as const)('C129: %i %s: %s, %s, circuit %s', (status, body, kind, decision, signal) => {
    const outcome = readObjectsAnswer({ status, body }, 'the-token')
    const verdict = decide(outcome)
    expect([outcome.kind, verdict.decision.do, verdict.report.signal]).toEqual([kind, decision, signal])
  })
})
