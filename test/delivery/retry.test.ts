import { setTimeout as pause } from 'node:timers/promises'

import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { countLanes, insertMessages } from '../../src/queue/enqueue.ts'
import { BRIDGE_QUEUE } from '../../src/queue/message.ts'
import { countRows, until } from '../queue/ground.ts'
import type { TestDatabase } from '../support/postgres.ts'
import type { RecordedRequest } from '../support/recorded-request.ts'
import { type RecordingHub, startRecordingHub } from '../support/recording-hub.ts'
import { createStore } from '../support/stores.ts'
import { startTestWorker, type TestWorker } from '../support/worker.ts'

let store: TestDatabase
let hub: RecordingHub
let worker: TestWorker

beforeAll(async () => {
  store = await createStore('spree-4.10', 'fixture')
  hub = await startRecordingHub()
  worker = await startTestWorker(store, hub)
})

afterAll(async () => {
  await worker.stop()
  await hub.close()
  await store.drop()
})

test('Retry-After of a 500 is one message’s own: what follows in its aggregate waits so long, all else goes on', async () => {
  hub.misbehave((request) =>
    attemptsOf('slow 0').length === 1 && about(request) === 'slow 0'
      ? { kind: 'answer', status: 500, headers: { 'Retry-After': '2' } }
      : { kind: 'accept' },
  )
  await enqueue(['slow', 'slow', 'quick'])
  await hub.until(() => attemptsOf('slow 1').length === 1, 60_000)
  const [first, second] = attemptsOf('slow 0')
  expect(second!.arrivedAt - first!.arrivedAt).toBeGreaterThanOrEqual(2_000)
  expect(second!.key).toBe(first!.key)
  expect(attemptsOf('slow 1')[0]!.arrivedAt).toBeGreaterThanOrEqual(second!.arrivedAt)
  expect(attemptsOf('quick 2')[0]!.arrivedAt).toBeLessThan(second!.arrivedAt)
})

test('Retry-After of a 429 is for all of us: nothing is pushed so long, then one probe, then all', async () => {
  const from = hub.requests.length
  hub.misbehave(() =>
    hub.requests.length === from + 1
      ? { kind: 'answer', status: 429, headers: { 'Retry-After': '2' } }
      : { kind: 'accept', afterMs: 100 },
  )
  await enqueue(['told'])
  await hub.until(() => hub.requests.length === from + 1, 60_000)
  await enqueue(Array.from({ length: 10 }, (_, index) => `other${index}`))
  await hub.until(() => hub.requests.length === from + 12, 60_000)
  const [refused, probe, ...rest] = hub.requests.slice(from)
  expect(probe!.arrivedAt - refused!.arrivedAt).toBeGreaterThanOrEqual(1_900)
  for (const { arrivedAt } of rest) expect(arrivedAt - probe!.arrivedAt).toBeGreaterThanOrEqual(90)
  await worker.settled()
})

test('a hub that refuses one message after the other: the twentieth stops the parking, and a probe ends it', async () => {
  hub.misbehave(() => ({ kind: 'answer', status: 422 }))
  await enqueue(Array.from({ length: 60 }, (_, index) => `refused${index}`))
  await hub.until(() => hub.requests.filter((each) => isRefused(about(each))).length >= 33, 60_000)
  await until(async () => (await parked()) === 19, parked)
  await pause(200)
  const { rows } = await store.pool.query(
    'select state, count(*)::integer as n from bridge.message group by state order by state',
  )
  expect(rows).toEqual([
    { state: 'parked', n: 19 },
    { state: 'waiting', n: 41 },
  ])
  hub.misbehave()
  await hub.until(
    () =>
      new Set(
        hub.requests
          .filter(({ accepted }) => accepted)
          .map(about)
          .filter(isRefused),
      ).size === 41,
    60_000,
  )
})

test('what has failed for seven days is parked; what has waited for so long is tried again', async () => {
  await store.pool.query('delete from bridge.message')
  hub.misbehave(() => ({ kind: 'answer', status: 500 }))
  await enqueue(
    ['aged', 'waited'],
    `created_at = created_at - interval '8 days',
     state = case aggregate when 'aged' then 'failing' else 'waiting' end,
     attempts = case aggregate when 'aged' then 400 else 0 end`,
  )
  await hub.until(() => attemptsOf('aged 0').length > 0 && attemptsOf('waited 1').length > 1, 60_000)
  await until(async () => (await parked()) > 0, parked)
  const { rows } = await store.pool.query(
    'select aggregate, state, last_error from bridge.message order by aggregate',
  )
  expect(rows).toEqual([
    { aggregate: 'aged', state: 'parked', last_error: 'The hub answered 500.' },
    { aggregate: 'waited', state: 'failing', last_error: 'The hub answered 500.' },
  ])
})

test('what the hub says of a message stays with it: the log has no word of the hub', async () => {
  await store.pool.query('delete from bridge.message')
  const before = worker.complaints().length
  const said = () => worker.complaints().slice(before)
  let status = 422
  const body = JSON.stringify({ errors: { email: ['clara@example.com is taken'] } })
  hub.misbehave(() => ({ kind: 'answer', status, body }))
  await enqueue(['quoted'])
  await hub.until(() => attemptsOf('quoted 0').length > 0, 60_000)
  status = 500
  await enqueue(['again'])
  await hub.until(() => attemptsOf('again 0').length > 0, 60_000)
  status = 401
  await enqueue(['refuses us'])
  await hub.until(() => attemptsOf('refuses us 0').length > 0, 60_000)
  // Each has its line: one of the same cause as the one before comes a second later.
  const answered = ['"quoted".*The hub answered 422', '"again".*The hub answered 500', 'The hub answered 401']
  await until(() => answered.every((pattern) => said().some((line) => line.match(pattern))), said)
  await until(async () => (await parked()) > 0, parked)
  const { rows } = await store.pool.query('select last_error from bridge.message order by id limit 1')
  expect(rows).toEqual([{ last_error: expect.stringContaining('clara@example.com') }])
  expect(said().join('\n')).not.toContain('clara@example.com')
})

const parked = () => countRows(store.pool, 'bridge.message', `state = 'parked'`)
const isRefused = (text: string) => text.startsWith('refused')

function about({ body, method }: RecordedRequest): string {
  return method === 'POST' ? String(JSON.parse(body).payload.about) : ''
}

function attemptsOf(message: string): RecordedRequest[] {
  return hub.requests.filter((request) => about(request) === message)
}

async function enqueue(aggregates: readonly string[], change = 'attempts = 0'): Promise<void> {
  const laneCount = await countLanes(store.pool, BRIDGE_QUEUE)
  const connection = await store.pool.connect()
  await connection.query('begin')
  await insertMessages(
    connection,
    BRIDGE_QUEUE,
    laneCount,
    aggregates.map((aggregate, index) => ({
      aggregate,
      type: 'order:persist',
      payload: JSON.stringify({ about: `${aggregate} ${index}` }),
      subject: null,
      changedAt: new Date(),
    })),
  )
  await connection.query(`update bridge.message set ${change}`)
  await connection.query('commit')
  connection.release()
}
