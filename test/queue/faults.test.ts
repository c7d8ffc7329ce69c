import { setTimeout as pause } from 'node:timers/promises'
import { afterEach, beforeEach, expect, jest, test } from '@jest/globals'
import { claimLease } from '../../src/postgres/worker-lease.ts'
import { BRIDGE_QUEUE, type SentMessage } from '../../src/queue/message.ts'
import { retryMessages } from '../../src/queue/operate.ts'
import { type Settlement, settle } from '../../src/queue/settle.ts'
import {
  countRows,
  createQueue,
  enqueue,
  LEASE,
  newMessage,
  startWorker,
  type TestWorker,
  until,
} from './ground.ts'
import { openDetour } from './half-open.ts'

let db: Awaited<ReturnType<typeof createQueue>>
let workers: TestWorker[] = []
beforeEach(async () => {
  db = await createQueue()
  workers = []
})
afterEach(async () => {
  for (const worker of workers) {
    worker.pool.mode = 'fine'
    await worker.stop()
  }
  await db.drop()
})
const start = (...options: Parameters<typeof startWorker>) => {
  const worker = startWorker(...options)
  workers.push(worker)
  return worker
}
const accept = { do: 'acknowledge', answer: 'hub-1' } as const
const orders = (count: number, prefix = 'order') =>
  Array.from({ length: count }, (_, number) => newMessage(`${prefix}:${number}`, '{}'))

test('the owner of a named lease that forgot it gets it again, another does not', async () => {
  const [a, b] = [start(db.url), start(db.url)]
  await until(
    () => a.id() !== undefined && b.id() !== undefined,
    () => [a.id(), b.id()],
  )
  const first = await claimLease(db.pool, 'collector', a.id()!)
  expect(await claimLease(db.pool, 'collector', b.id()!)).toBeUndefined()
  expect(await claimLease(db.pool, 'collector', a.id()!)).toBe(String(Number(first) + 1))
})

test.each([
  ['its own clock', performance],
  ['the clock on the wall, the other having stood still', Date],
] as const)('a worker that wakes after its lease, by %s, sends nothing under it', async (_, clock) => {
  const worker = start(db.url, undefined, { leaseMilliseconds: LEASE })
  await until(
    () => worker.id() !== undefined,
    () => worker.errors,
  )
  const later = clock.now() + LEASE
  const awoken = jest.spyOn(clock, 'now').mockReturnValue(later)
  expect(worker.id()).toBeUndefined()
  awoken.mockRestore()
})

test('an outcome that is learnt under an epoch that has passed changes nothing, whatever it is', async () => {
  const owner = '00000000-0000-0000-0000-000000000001'
  await db.pool.query(
    `insert into bridge.worker (id, process, host, pid, version, expires_at) values ($1, 'x', 'x', 1, '0', 'infinity')`,
    [owner],
  )
  await db.pool.query('update bridge.lane set owner = $1, epoch = 7', [owner])
  await enqueue(db, orders(4))
  const { rows } = await db.pool.query<SentMessage>(
    'select id, lane, aggregate, type, subject, attempts from bridge.message order by id',
  )
  const outcomes = (epoch: string): Settlement[] => [
    { message: rows[0]!, epoch, as: 'done', answer: 'hub-1' },
    { message: rows[1]!, epoch, as: 'superseded' },
    { message: rows[2]!, epoch, as: 'failing', seconds: 1, reason: 'busy', attempts: 1 },
    { message: rows[3]!, epoch, as: 'parked', reason: 'refused', attempts: 1 },
  ]
  const stranger = owner.replace(/1$/, '2')
  for (const outcome of [...outcomes('6'), ...outcomes('8')])
    expect(await settle(db.pool, BRIDGE_QUEUE, owner, [outcome], [])).toBe(0)
  expect(await settle(db.pool, BRIDGE_QUEUE, stranger, outcomes('7'), [])).toBe(0)
  expect(await countRows(db.pool, 'bridge.message', `state = 'waiting' and attempts = 0`)).toBe(4)
  expect(await countRows(db.pool, 'bridge.history')).toBe(0)
  expect(await settle(db.pool, BRIDGE_QUEUE, owner, outcomes('7'), [])).toBe(4)
})

test('goes on reading after the database was away just when lanes came', async () => {
  const worker = start(db.url)
  let reads = 0
  worker.pool.failsBefore = (text) => text.startsWith('begin isolation level repeatable read') && ++reads < 4
  await until(
    () => reads >= 4,
    () => worker.errors.map(String),
  )
  await enqueue(db, orders(50))
  await until(
    () => worker.sent.length === 50,
    () => worker.sent.length,
  )
})

test('serves lanes whose taking was committed but not answered', async () => {
  await enqueue(db, orders(200))
  const worker = start(db.url)
  let taking = false
  let lost = 0
  worker.pool.failsAfter = (text) => {
    taking ||= text.includes('for update skip locked')
    return taking && text === 'commit' && lost++ === 0
  }
  await until(
    () => worker.sent.length === 200,
    () => [worker.sent.length, worker.lanes()],
  )
  expect(lost).toBeGreaterThan(0)
})

test('a read that began before an outcome was written does not bring the message back', async () => {
  const sending: (() => void)[] = []
  const worker = start(
    db.url,
    (_message, signal) =>
      new Promise((resolve) => {
        sending.push(() => resolve(accept))
        signal.addEventListener('abort', () => resolve({ do: 'hold', reason: 'aborted' }))
      }),
  )
  await enqueue(db, orders(1))
  await until(
    () => sending.length === 1,
    () => worker.lanes(),
  )
  let answerRead: (() => void) | undefined
  worker.pool.waitsAfter = (text) =>
    text.includes('pg_visible_in_snapshot') && !answerRead
      ? new Promise((resolve) => {
          answerRead = resolve
        })
      : undefined
  // Another lane is lost and taken again, so that all are read from their beginning.
  await db.pool.query(
    'update bridge.lane set owner = null where lane = (select min(lane) from bridge.lane where lane not in (select lane from bridge.message))',
  )
  await until(
    () => answerRead !== undefined,
    () => 'not read again',
  )
  sending[0]?.()
  await until(
    async () => (await countRows(db.pool, 'bridge.message')) === 0,
    () => worker.errors.map(String),
  )
  await pause(50)
  answerRead?.()
  await enqueue(db, [newMessage('order:9', '{}')])
  await until(
    () => sending.length === 2,
    () => sending.length,
  )
  expect(worker.sent.map(({ aggregate }) => aggregate)).toEqual(['order:0', 'order:9'])
  for (const answer of sending) answer()
})

test('notices a retry among thousands of parked aggregates, and sends parked old news that nothing newer tells', async () => {
  let refuse = true
  const worker = start(db.url, () => (refuse ? { do: 'park', reason: 'no' } : accept), { concurrency: 32 })
  for (let part = 0; part < 3; part++) await enqueue(db, orders(1_000, `order:${part}`))
  await enqueue(db, [newMessage('product:1', '{}', { type: 'product:update', subject: 'catalogue' })])
  const parked = () => countRows(db.pool, 'bridge.message', `state = 'parked'`)
  await until(async () => (await parked()) === 3_001, parked)
  refuse = false
  const ids = worker.sent.slice(-20).map(({ id }) => id)
  await retryMessages(db.pool, BRIDGE_QUEUE, { ids })
  await retryMessages(db.pool, BRIDGE_QUEUE, { aggregate: 'product:1' })
  await until(async () => (await parked()) <= 2_981, parked)
  await until(
    async () => (await countRows(db.pool, 'bridge.message', `aggregate = 'product:1'`)) === 0,
    parked,
  )
})

test('a connection that never answers does not stop it for ever', async () => {
  const detour = await openDetour(db.url)
  const worker = start(detour.url, undefined, { answerWithinMilliseconds: 1_000 })
  await until(
    () => worker.lanes() === 64,
    () => worker.lanes(),
  )
  for (let round = 1; round <= 3; round++) {
    await enqueue(db, orders(20))
    worker.wake()
    await pause(3)
    detour.freeze()
    await until(
      () => new Set(worker.sent.map(({ id }) => id)).size >= round * 20,
      () => worker.errors.map(String),
    )
  }
  detour.close()
})

test('a failure that is written while a read is under way, and due at once, is tried again', async () => {
  const soon = jest.spyOn(Math, 'random').mockReturnValue(0)
  const failed = new Set<string>()
  let readers = 0
  const worker = start(db.url, async ({ aggregate }) => {
    if (failed.has(aggregate)) return accept
    failed.add(aggregate)
    // The next look for what is new comes back only after the failure is written.
    const written = until(
      async () => (await countRows(db.pool, 'bridge.message', "state = 'failing'")) > 0,
      () => worker.errors,
    )
    worker.pool.waitsAfter = (text) => {
      if (!text.includes('m.xid >= ')) return undefined
      readers++
      return written.then(() => pause(50))
    }
    await until(
      () => readers > 0,
      () => worker.errors,
    )
    return { do: 'retry', reason: 'busy' }
  })
  // The reads take turns, what is new and what is due: half of these meet the one order, half the other.
  for (let round = 0; round < 6; round++) {
    readers = 0
    await enqueue(db, [newMessage(`order:${round}`, '{}')])
    await until(
      async () => (await countRows(db.pool, 'bridge.message')) === 0,
      () => worker.errors,
    )
  }
  soon.mockRestore()
})
