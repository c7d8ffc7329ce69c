import { setTimeout as pause } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { readNewRows } from '../../src/capture/outbox.ts'
import { openWindow } from '../../src/postgres/new-rows.ts'
import type { Db } from '../../src/postgres/pool.ts'
import { inTransaction } from '../../src/postgres/transaction.ts'
import { insertMessages } from '../../src/queue/enqueue.ts'
import { BRIDGE_QUEUE, type QueuedMessage, type SentMessage } from '../../src/queue/message.ts'
import { discardMessages, parkMessages, retryMessages } from '../../src/queue/operate.ts'
import { pauseTypes, resumeTypes } from '../../src/queue/pause.ts'
import { backOffSeconds, isTooOld } from '../../src/queue/policy.ts'
import { readChains, readNew } from '../../src/queue/read.ts'
import { settle } from '../../src/queue/settle.ts'
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

type Options = Parameters<typeof startWorker> extends [string, ...infer Rest] ? Rest : never
const start = (...options: Options) => {
  const worker = startWorker(db.url, ...options)
  workers.push(worker)
  return worker
}
const waiting = () => countRows(db.pool, 'bridge.message')
const parked = async () => (await countRows(db.pool, 'bridge.message', "state = 'parked'")) === 1
const drained = (seen: () => unknown = () => undefined) => until(async () => (await waiting()) === 0, seen)
const accept = { do: 'acknowledge', answer: 'hub-1' } as const
const numbersOf = (sent: readonly QueuedMessage[], aggregate: string) =>
  sent.filter((one) => one.aggregate === aggregate).map(({ payload }) => Number(payload))
const series = (aggregate: string, count: number, from = 0) =>
  Array.from({ length: count }, (_, place) => newMessage(aggregate, String(from + place)))
const history = async () =>
  (
    await db.pool.query<{ payload: string; state: string; attempts: number; answer: string | null }>(
      'select payload, state, attempts, answer from bridge.history order by id',
    )
  ).rows

describe('order', () => {
  test('of an aggregate is kept while 8 writers insert, overlap, commit late and roll back', async () => {
    const worker = start(async () => {
      await pause(Math.random() * 3)
      return accept
    })
    const next = new Map<string, number>()
    const write = async (writer: number) => {
      for (let round = 0; round < 40; round++) {
        const names = [
          ...new Set([`order:${(writer + round) % 5}`, `order:${(writer * 3 + round) % 5}`]),
        ].sort()
        const rollsBack = round % 7 === 3
        await inTransaction(db.pool, async (transaction) => {
          for (const name of names)
            await transaction.query('select pg_advisory_xact_lock(hashtext($1))', [name])
          const messages = names.map((name) => newMessage(name, String(next.get(name) ?? 0)))
          await insertMessages(transaction, BRIDGE_QUEUE, db.laneCount, messages)
          await transaction.query('select pg_sleep($1)', [Math.random() / 100])
          if (rollsBack) throw new Error('rolls back')
          for (const name of names) next.set(name, (next.get(name) ?? 0) + 1)
        }).catch((error: Error) => {
          if (error.message !== 'rolls back') throw error
        })
      }
    }
    await Promise.all(Array.from({ length: 8 }, (_, writer) => write(writer)))
    await drained(() => worker.errors)
    for (const [name, count] of next) {
      expect(numbersOf(worker.sent, name)).toEqual(Array.from({ length: count }, (_, number) => number))
    }
  })

  test('holds behind a failing head, which holds back its own aggregate only, not before it was asked to', async () => {
    let first: number | undefined
    const at = new Map<string, number>()
    const worker = start((message) => {
      const key = `${message.aggregate} ${message.payload}`
      if (key === 'order:1 0' && first === undefined) {
        first = performance.now()
        return { do: 'retry', reason: 'busy', afterSeconds: 10 }
      }
      at.set(key, performance.now())
      return accept
    })
    await enqueue(db, [...series('order:1', 40), ...series('order:2', 40)])
    await drained(() => worker.errors)
    expect(numbersOf(worker.sent, 'order:1')).toEqual([
      0,
      ...Array.from({ length: 40 }, (_, number) => number),
    ])
    expect(at.get('order:1 0')! - first!).toBeGreaterThanOrEqual(9_990)
    expect(at.get('order:2 39')!).toBeLessThan(at.get('order:1 0')!)
    expect((await history()).find(({ payload }) => payload === '0')).toMatchObject({
      attempts: 2,
      answer: 'hub-1',
    })
  })

  test('a parked message of history holds its aggregate, parked old news does not', async () => {
    const worker = start((message) => (message.payload === '0' ? { do: 'park', reason: 'refused' } : accept))
    const news = { type: 'product:update', subject: 'catalogue' }
    await enqueue(db, [
      ...series('order:1', 3),
      newMessage('product:1', '0', news),
      newMessage('product:1', '1', { ...news, type: 'product:other' }),
      ...series('order:2', 1, 7),
    ])
    const parked = () => countRows(db.pool, 'bridge.message', `state = 'parked'`)
    await until(async () => (await waiting()) === 4 && (await parked()) === 2, parked)
    await pause(300)
    expect(numbersOf(worker.sent, 'order:1')).toEqual([0])
    expect(numbersOf(worker.sent, 'product:1')).toEqual([0, 1])
    expect(await countRows(db.pool, 'bridge.message', `state = 'parked' and last_error = 'refused'`)).toBe(2)
  })

  test('what is put back counts as no attempt and leaves first', async () => {
    let held = 0
    const worker = start(async (message) => {
      if (message.payload !== '0' || ++held > 3) return accept
      await pause(5)
      return { do: 'hold', reason: 'circuit' }
    })
    await enqueue(db, series('order:1', 30))
    await drained(() => worker.errors)
    expect(numbersOf(worker.sent, 'order:1')).toEqual([
      0,
      0,
      0,
      ...Array.from({ length: 30 }, (_, number) => number),
    ])
    expect((await history()).every(({ attempts }) => attempts === 1)).toBe(true)
  })
})

describe('superseding', () => {
  const news = { type: 'product:update', subject: 'catalogue' }

  test('closes old news unsent, where it waits and where it failed, but never history', async () => {
    let refusing = true
    const worker = start(() => (refusing ? { do: 'retry', reason: 'away', afterSeconds: 5 } : accept))
    await enqueue(db, [newMessage('product:1', '0', news), newMessage('order:1', '0')])
    await until(
      () => worker.sent.length === 2,
      () => worker.sent.length,
    )
    refusing = false
    await enqueue(db, [
      newMessage('product:1', '1', news),
      newMessage('product:1', '2', news),
      newMessage('order:1', '1'),
    ])
    await drained(() => worker.errors)
    expect(numbersOf(worker.sent, 'product:1')).toEqual([0, 2])
    expect(numbersOf(worker.sent, 'order:1')).toEqual([0, 0, 1])
    expect(worker.superseded.map(({ payload }) => payload)).toEqual(['0', '1'])
    expect(await countRows(db.pool, 'bridge.history', `state = 'superseded' and answer is null`)).toBe(2)
  })

  test('closes what a person put back once newer news has left, even before the owner of the lane has noticed', async () => {
    const worker = start(({ payload }) => (payload === '0' ? { do: 'park', reason: 'refused' } : accept))
    await enqueue(db, [newMessage('product:1', '0', news)])
    const parked = () => countRows(db.pool, 'bridge.message', `state = 'parked'`)
    await until(async () => (await parked()) === 1, parked)
    await retryMessages(db.pool, BRIDGE_QUEUE, { aggregate: 'product:1' })
    await enqueue(db, [newMessage('product:1', '1', news)])
    worker.wake()
    await drained(() => worker.errors)
    expect(numbersOf(worker.sent, 'product:1')).toEqual([0, 1])
    expect(worker.superseded.map(({ payload }) => payload)).toEqual(['0'])
  })

  test('the last acknowledgement is kept, also of two of one type in one batch', async () => {
    const before = new Date()
    start()
    await enqueue(db, [
      newMessage('product:1', '0', { type: 'product:update' }),
      newMessage('product:1', '1', { type: 'product:update' }),
      newMessage('order:1', '2'),
    ])
    await drained()
    const { rows } = await db.pool.query<{ aggregate: string; type: string; at: Date }>(
      'select * from bridge.acknowledged',
    )
    expect(rows).toMatchObject([{ aggregate: 'product:1', type: 'product:update' }])
    expect(rows[0]!.at.getTime()).toBeGreaterThanOrEqual(before.getTime() - 50)
  })
})

describe('several workers', () => {
  test('a frozen one is taken over within its lease and a second; what it learns too late changes nothing', async () => {
    const arrived: string[] = []
    const late: (() => void)[] = []
    let frozen = false
    const a = start(
      (message) =>
        new Promise((resolve) => {
          if (frozen) late.push(() => resolve({ do: 'park', reason: 'too late' }))
          else {
            arrived.push(`${message.aggregate} ${message.payload}`)
            resolve(accept)
          }
        }),
      { leaseMilliseconds: LEASE },
    )
    await until(
      () => a.lanes() === 64,
      () => a.lanes(),
    )
    frozen = true
    await enqueue(db, Array.from({ length: 6 }, (_, order) => series(`order:${order}`, 30)).flat())
    await until(
      () => late.length === 6,
      () => late.length,
    )
    a.pool.mode = 'hangs'
    const frozenAt = performance.now()
    const b = start((message) => {
      arrived.push(`${message.aggregate} ${message.payload}`)
      return accept
    })
    await until(
      () => b.sent.length > 0,
      () => b.lanes(),
    )
    // Within the lease and a second, and what a busy machine adds; the usual lease here would take far longer.
    expect(performance.now() - frozenAt).toBeLessThan(LEASE + 10_000)
    for (const answer of late) answer()
    a.pool.mode = 'fine'
    await drained(() => [b.sent.length, b.errors])
    expect(new Set(arrived).size).toBe(arrived.length)
    for (let order = 0; order < 6; order++) {
      const numbers = arrived
        .filter((one) => one.startsWith(`order:${order} `))
        .map((one) => Number(one.split(' ')[1]))
      expect(numbers).toEqual(Array.from({ length: 30 }, (_, number) => number))
    }
    const done = await history()
    expect(done.map(({ state }) => state)).toEqual(done.map(() => 'done'))
    // The heads may have been sent by the one that died; nothing behind them can have been.
    expect(done.filter(({ attempts }) => attempts === 2)).toHaveLength(6)
    expect(done.filter(({ payload }) => payload === '0').map(({ attempts }) => attempts)).toEqual(
      Array(6).fill(2),
    )
  })

  test('share the lanes equally, also after one came while a backlog is sent, and after one has left', async () => {
    const answer = async () => {
      await pause(5)
      return accept
    }
    const a = start(answer)
    await enqueue(db, [
      ...series('order:hot', 400),
      ...Array.from({ length: 1_500 }, (_, n) => newMessage(`order:${n}`, '0')),
    ])
    await until(
      () => a.sent.length > 100,
      () => a.sent.length,
    )
    const b = start(answer)
    await until(
      () => a.lanes() === 32 && b.lanes() === 32,
      () => [a.lanes(), b.lanes()],
    )
    await until(
      () => b.sent.length > 0,
      () => b.sent.length,
    )
    await b.stop()
    workers.pop()
    await until(
      () => a.lanes() === 64,
      () => a.lanes(),
    )
    expect(await countRows(db.pool, 'bridge.worker')).toBe(1)
    await drained(() => [a.sent.length, b.sent.length])
    const ids = [...a.sent, ...b.sent].map(({ id }) => id)
    expect(ids).toHaveLength(1_900)
    expect(new Set(ids).size).toBe(1_900)
  })

  test('a message whose worker dies twice waits before it is sent again', async () => {
    await enqueue(db, series('order:1', 1))
    for (const attempts of [1, 2]) {
      await db.pool.query(`insert into bridge.worker (id, process, host, pid, version, expires_at)
                           values ('00000000-0000-0000-0000-00000000000${attempts}', 'x', 'x', 1, '0', clock_timestamp() - interval '1 s')`)
      await db.pool.query(
        `update bridge.lane set owner = '00000000-0000-0000-0000-00000000000${attempts}', clean = false`,
      )
      const worker = start(async () => {
        await pause(20)
        return { do: 'hold', reason: 'none' }
      })
      await until(
        () => worker.lanes() === 64,
        () => worker.lanes(),
      )
      await worker.stop()
      workers.pop()
      expect(await countRows(db.pool, 'bridge.message', `attempts = ${attempts}`)).toBe(1)
    }
    const { rows } = await db.pool.query('select state, last_error from bridge.message')
    expect(rows).toEqual([{ state: 'failing', last_error: 'The worker that was sending it died.' }])
  })

  test('stop gives the lanes back at once, with nothing in flight and all outcomes written', async () => {
    let answer = () => {}
    const a = start(
      (_message, signal) =>
        new Promise((resolve) => {
          answer = () => resolve(accept)
          signal.addEventListener('abort', () => resolve({ do: 'hold', reason: 'aborted' }))
        }),
    )
    await enqueue(db, [...series('order:1', 2), ...series('order:2', 2, 8)])
    await until(
      () => a.sent.length === 2,
      () => a.sent.length,
    )
    answer()
    await a.stop()
    workers.pop()
    expect(a.sent).toHaveLength(2)
    expect(await countRows(db.pool, 'bridge.lane', 'owner is null and clean')).toBe(64)
    expect(await countRows(db.pool, 'bridge.history')).toBe(1)
    expect(await countRows(db.pool, 'bridge.message', 'attempts = 0')).toBe(3)
    expect(a.errors).toEqual([])
  })
})

/** Resolves when the worker has read what is paused: what comes from then on does not leave. */
async function pauseHeardBy({ pool, lanes }: TestWorker, type: string): Promise<void> {
  let isHeard = false
  pool.waitsAfter = (text) => {
    isHeard ||= text.includes('paused_at')
    return undefined
  }
  await pauseTypes(db.pool, BRIDGE_QUEUE, [type])
  await until(() => isHeard, lanes)
}

describe('trouble', () => {
  test('a database whose connections all end in mid-drain loses and reorders nothing', async () => {
    const worker = start(async () => {
      await pause(1)
      return accept
    })
    await enqueue(
      db,
      Array.from({ length: 40 }, (_, number) =>
        Array.from({ length: 50 }, (__, order) => newMessage(`order:${order}`, String(number))),
      ).flat(),
    )
    for (let cut = 0; cut < 5; cut++) {
      await pause(60)
      await db.pool.query(
        `select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'faulty'`,
      )
    }
    await drained(() => [worker.sent.length, worker.errors.slice(-2)])
    expect(new Set(worker.sent.map(({ id }) => id)).size).toBe(2_000)
    for (let order = 0; order < 50; order++) {
      const firsts = [...new Set(numbersOf(worker.sent, `order:${order}`))]
      expect(firsts).toEqual(Array.from({ length: 40 }, (_, number) => number))
    }
  })

  test('after its connections have ended a worker reads all anew: a server that crashed may give out ids again', async () => {
    const worker = start()
    await enqueue(db, series('order:1', 1))
    await drained(() => worker.sent)
    await enqueue(db, series('order:2', 1))
    await drained(() => worker.sent)
    // As if it were of the time before the crash, by whose snapshot this id had ended.
    await db.pool.query(
      `insert into bridge.message (xid, lane, aggregate, type, payload, changed_at)
       values ('3', 0, 'order:3', 'order:persist', '0', now())`,
    )
    await pause(700)
    expect(worker.sent).toHaveLength(2)
    await db.pool.query(
      `select pg_terminate_backend(pid) from pg_stat_activity
        where datname = current_database() and pid <> pg_backend_pid()`,
    )
    await drained(() => worker.sent)
    expect(worker.sent.at(-1)).toMatchObject({ aggregate: 'order:3' })
  })

  test('an answer that PostgreSQL cannot store holds nothing up', async () => {
    const worker = start(({ payload }) =>
      payload === '0' ? { do: 'acknowledge', answer: 'a\0b' } : { do: 'park', reason: '\0no' },
    )
    await enqueue(db, series('order:1', 2))
    await until(
      async () =>
        (await countRows(db.pool, 'bridge.message', `state = 'parked' and last_error = 'no'`)) === 1,
      () => worker.errors.map(String),
    )
    expect(await history()).toMatchObject([{ answer: 'ab' }])
  })

  test('a person parks, retries and discards: a running worker follows', async () => {
    let refuse = true
    const worker = start((message) =>
      refuse && message.payload === '0' ? { do: 'park', reason: 'no' } : accept,
    )
    await enqueue(db, [...series('order:1', 3), ...series('order:2', 3)])
    await until(async () => (await countRows(db.pool, 'bridge.message', `state = 'parked'`)) === 2, waiting)
    refuse = false
    expect(await retryMessages(db.pool, BRIDGE_QUEUE, { aggregate: 'order:1' })).toMatchObject({ count: 1 })
    expect(
      await discardMessages(db.pool, BRIDGE_QUEUE, { aggregate: 'order:2', states: ['parked'] }),
    ).toMatchObject({ count: 1, about: [{ aggregate: 'order:2' }] })
    await drained(() => worker.sent.length)
    expect(numbersOf(worker.sent, 'order:1')).toEqual([0, 0, 1, 2])
    expect(numbersOf(worker.sent, 'order:2')).toEqual([0, 1, 2])
    refuse = true
    await enqueue(db, series('order:3', 2))
    await until(async () => (await countRows(db.pool, 'bridge.message', `state = 'parked'`)) === 1, waiting)
    expect(await parkMessages(db.pool, BRIDGE_QUEUE, { aggregate: 'order:3' })).toMatchObject({ count: 1 })
    await retryMessages(db.pool, BRIDGE_QUEUE, { ids: worker.sent.slice(-1).map(({ id }) => id) })
    refuse = false
    await until(async () => (await waiting()) === 1, waiting)
    await pause(1_200)
    expect(numbersOf(worker.sent, 'order:3')).toEqual([0, 0])
  })

  test('of a paused type nothing is sent, nor what is behind it in its aggregate, until it is resumed; all else goes on', async () => {
    const of = (aggregate: string, types: readonly string[]) =>
      types.map((type, index) => newMessage(aggregate, String(index), { type }))
    await enqueue(db, of('order:1', ['order:persist', 'stock:change', 'order:persist']))
    await enqueue(db, of('product:1', ['product:new', 'product:update', 'stock:change']))
    await pauseTypes(db.pool, BRIDGE_QUEUE, ['stock:change'])
    const first = start()
    await until(
      () => first.sent.length === 3,
      () => first.sent,
    )
    await enqueue(db, [...of('order:1', ['order:persist']), ...of('order:2', ['order:persist'])])
    await until(
      () => first.sent.length === 4,
      () => first.sent,
    )
    expect(first.sent.map(({ aggregate, type }) => `${aggregate} ${type}`).toSorted()).toEqual([
      'order:1 order:persist',
      'order:2 order:persist',
      'product:1 product:new',
      'product:1 product:update',
    ])
    // A running worker hears of it, and one that takes over does not hold what waited for an attempt.
    await pauseHeardBy(first, 'order:persist')
    await enqueue(db, of('order:3', ['order:persist']))
    for (const _ of [1, 2]) {
      await db.pool.query('update bridge.lane set owner = null, clean = false')
      await until(
        () => first.lanes() === 64,
        () => first.lanes(),
      )
      await pause(700)
    }
    expect(first.sent).toHaveLength(4)
    expect(await countRows(db.pool, 'bridge.message', `state <> 'waiting'`)).toBe(0)

    await resumeTypes(db.pool, BRIDGE_QUEUE, ['stock:change', 'order:persist'])
    await drained(() => first.sent.length)
    expect(first.sent.filter(({ aggregate }) => aggregate === 'order:1').map(({ id }) => Number(id))).toEqual(
      [1, 2, 3, 7],
    )
    expect(first.sent.filter(({ aggregate }) => aggregate === 'product:1').map(({ type }) => type)).toEqual([
      'product:new',
      'product:update',
      'stock:change',
    ])
    expect(first.sent).toHaveLength(9)
  })

  test('what waits behind a message of a type that is paused while it is under way is sent behind it, in order', async () => {
    let answer = () => {}
    const worker = start((message) => {
      if (message.type !== 'product:update') return accept
      return new Promise((resolve) => {
        answer = () => resolve(accept)
      })
    })
    const of = (type: string, level = '') => newMessage('product:1', level, { type })
    await enqueue(db, [of('product:update'), of('stock:actual', '5')])
    await until(
      () => worker.sent.length === 1,
      () => worker.sent,
    )
    await pauseHeardBy(worker, 'product:update')
    await pause(300)
    answer()
    await until(async () => (await history()).length > 0, history)
    await enqueue(db, [of('stock:actual', '9')])
    await drained(() => worker.sent)
    expect(worker.sent.map(({ payload }) => payload)).toEqual(['', '5', '9'])
    await resumeTypes(db.pool, BRIDGE_QUEUE, ['product:update'])
  })

  test('20,000 waiting messages drain, none lost, none twice', async () => {
    await db.pool.query(
      `insert into bridge.message (lane, aggregate, type, payload, changed_at)
       select ('x' || substr(md5('order:' || n % 300), 1, 4))::bit(16)::integer % 64, 'order:' || n % 300, 'order:persist',
              (n / 300)::text, now()
         from generate_series(0, 19999) n
        order by n`,
    )
    let letGo = () => {}
    const held = new Promise<void>((resolve) => {
      letGo = resolve
    })
    let pages = 0
    const worker = start(() => held.then(() => accept), { concurrency: 32 })
    worker.pool.waitsAfter = (text) => {
      if (text.includes('pg_visible_in_snapshot')) pages++
      return undefined
    }
    await until(
      () => worker.sent.length === 32,
      () => worker.sent.length,
    )
    await pause(250)
    // 512 messages fill the memory: what is not sent yet is not read either.
    expect(pages).toBeLessThan(5)
    letGo()
    await drained(() => [worker.sent.length, worker.errors.slice(-1)])
    expect(worker.sent).toHaveLength(20_000)
    expect(new Set(worker.sent.map(({ id }) => id)).size).toBe(20_000)
    for (let order = 0; order < 300; order++) {
      const numbers = numbersOf(worker.sent, `order:${order}`)
      expect(numbers).toEqual(numbers.map((_, place) => place))
    }
  })
})

describe('a backlog of 20,000, a history, and the dead of a transaction that is held open', () => {
  /** The pages of PostgreSQL that the statements about the queue have touched, which costs what no busy machine changes. */
  let pages = 0
  const measured = (of: Db): Db => ({
    query: async (text, values) => {
      if (/^\s*(select|\(select|with)\b.*bridge\.(message|outbox)/s.test(text)) {
        const { rows } = await of.query<{ 'QUERY PLAN': [{ Plan: Record<string, number> }] }>(
          `explain (analyze, buffers, format json) ${text}`,
          values,
        )
        const [{ Plan: plan }] = rows[0]!['QUERY PLAN']
        pages += plan['Shared Hit Blocks']! + plan['Shared Read Blocks']!
        // The plan of an outcome was carried out to be measured.
        if (text.includes('delete from')) return { rows: [], rowCount: 0 } as never
      }
      return of.query(text, values)
    },
  })
  const touched = async (work: () => Promise<unknown>) => {
    pages = 0
    await work()
    return pages
  }
  const look = async () => {
    const connection = await db.pool.connect()
    const snapshot = await openWindow(connection, 5_000)
    await connection.query('commit')
    connection.release()
    return snapshot
  }

  test('make nothing costlier: not what is new, nor going on with an aggregate, nor an outcome', async () => {
    const owner = '00000000-0000-0000-0000-000000000001'
    await db.pool.query(
      `insert into bridge.worker (id, process, host, pid, version, expires_at) values ($1, 'x', 'x', 1, '0', 'infinity')`,
      [owner],
    )
    await db.pool.query('update bridge.lane set owner = $1, epoch = 1', [owner])
    const pool = {
      query: measured(db.pool).query,
      end: async () => {},
      connect: async () => {
        const connection = await db.pool.connect()
        const { openedAt } = connection
        return { ...measured(connection), openedAt, release: (error?: Error) => connection.release(error) }
      },
    }
    const change = `insert into bridge.outbox (kind, table_name, row_id, op) select 'order', 'spree_orders', n::text, 'update' from generate_series(1, $1) n`
    const round = async () => {
      const late = await db.pool.connect()
      await late.query('begin; select pg_current_xact_id()')
      await db.pool.query('select pg_current_xact_id()')
      const seen = await look()
      await late.query('commit')
      late.release()
      await enqueue(db, [...series('order:hot', 4), ...series('order:cold', 4)])
      await db.pool.query(change, [8])
      const lanes = Array.from({ length: 64 }, (_, lane) => lane)
      const news = await touched(() =>
        readNew(pool, BRIDGE_QUEUE, lanes, { snapshot: seen, at: Number.POSITIVE_INFINITY }, 256),
      )
      const { rows } = await db.pool.query<SentMessage>(
        'select * from bridge.message order by id desc limit 4',
      )
      const after = { xid: rows[3]!.xid, id: String(Number(rows[3]!.id) - 5) }
      const chain = await touched(() =>
        readChains(measured(db.pool), BRIDGE_QUEUE, [{ aggregate: 'order:hot', after }], 16),
      )
      const outcomes = rows.map((message) => ({ message, epoch: '1', as: 'done', answer: 'hub-1' }) as const)
      const outcome = await touched(() => settle(measured(db.pool), BRIDGE_QUEUE, owner, outcomes, []))
      const changes = await touched(async () => {
        const connection = await db.pool.connect()
        await openWindow(connection, 5_000)
        await readNewRows(measured(connection), seen, 1_000)
        await connection.query('commit')
        connection.release()
      })
      return { news, chain, outcome, changes, late: seen.inProgress.size }
    }
    const empty = await round()

    const holder = await db.pool.connect()
    await holder.query('begin isolation level repeatable read; select from bridge.message')
    for (let part = 0; part < 20; part++) {
      await enqueue(db, series('order:hot', 500))
      await enqueue(
        db,
        Array.from({ length: 1_000 }, (_, n) => newMessage(`order:${n}`, '0')),
      )
    }
    await db.pool.query(change, [20_000])
    await db.pool.query(
      `with gone as (delete from bridge.message where aggregate = 'order:hot' returning *)
       insert into bridge.history (id, aggregate, key, type, payload, subject, attempts, last_error, changed_at, created_at, state)
       select id, aggregate, key, type, payload, subject, attempts, last_error, changed_at, created_at, 'done' from gone`,
    )
    const full = await round()
    await holder.query('rollback')
    holder.release()
    // Two or three pages for each lane, aggregate or message: the depth of an index. The lanes twice, for what is late; the
    // outbox once more for each transaction that was under way at the look before: our own, and other tests' on this server.
    expect(full.late).toBeGreaterThan(0)
    expect(full.news).toBeLessThan(2 * 64 * 4)
    expect(full.changes).toBeLessThan(8 * (1 + full.late))
    expect(full.chain).toBeLessThan(8)
    expect(full.outcome).toBeLessThan(empty.outcome + 40)
  })
})

describe('back-off', () => {
  test('doubles up to ten minutes with full jitter, and is never below what was asked', () => {
    expect([1, 2, 5, 11, 500].map((attempts) => backOffSeconds(attempts, 1))).toEqual([1, 2, 16, 600, 600])
    expect(backOffSeconds(5, 0.25)).toBe(4)
    expect(backOffSeconds(3, 0, 90)).toBe(90)
  })

  test('ends after seven days of failing, not of waiting', () => {
    const day = 86_400_000
    const failing = { createdAt: new Date(0), state: 'failing', attempts: 12 } as const
    expect(isTooOld(failing, 7 * day)).toBe(false)
    expect(isTooOld(failing, 7 * day + 1)).toBe(true)
    expect(isTooOld({ ...failing, attempts: 11 }, 8 * day)).toBe(false)
    expect(isTooOld({ ...failing, state: 'waiting' }, 8 * day)).toBe(false)
  })
})

describe('what follows from an outcome', () => {
  const followed = async () =>
    (await db.pool.query<{ payload: string }>('select payload from followed order by n')).rows.map(
      ({ payload }) => payload,
    )
  const note = (message: QueuedMessage) => async (transaction: Db) => {
    await transaction.query('insert into followed (payload) values ($1)', [message.payload])
  }
  beforeEach(async () => {
    await db.pool.query('create table followed (n integer generated always as identity, payload text unique)')
  })

  test('is written with it, before the next of the aggregate is sent', async () => {
    const seen: string[][] = []
    const worker = start(async (message) => {
      seen.push(await followed())
      return { ...accept, also: note(message) }
    })
    await enqueue(db, series('order:1', 3))
    await drained(() => worker.errors)
    expect(seen).toEqual([[], ['0'], ['0', '1']])
    expect(await followed()).toEqual(['0', '1', '2'])
  })

  test('follows from a failure too', async () => {
    const worker = start((message) =>
      message.attempts === 0 ? { do: 'retry', reason: 'busy', also: note(message) } : accept,
    )
    await enqueue(db, series('order:1', 1))
    await drained(() => worker.errors)
    expect(await followed()).toEqual(['0'])
  })

  test('is not written where the lane has passed to another worker meanwhile', async () => {
    const worker = start(async (message) => {
      await db.pool.query('update bridge.lane set epoch = epoch + 1')
      return { ...accept, also: note(message) }
    })
    await enqueue(db, series('order:1', 1))
    await until(
      () => worker.sent.length > 0,
      () => worker.errors,
    )
    await pause(300)
    expect(await followed()).toEqual([])
    expect(await history()).toEqual([])
  })

  test('which the database refuses for good parks its message, and nothing is half written', async () => {
    const worker = start((message) => ({ ...accept, also: note(message) }))
    await db.pool.query(`insert into followed (payload) values ('0')`)
    await enqueue(db, [...series('order:1', 1), ...series('order:2', 1, 7)])
    await until(parked, () => worker.errors)
    await until(
      async () => (await waiting()) === 1,
      () => worker.errors,
    )
    const { rows } = await db.pool.query('select payload, state, last_error from bridge.message')
    expect(rows).toEqual([
      { payload: '0', state: 'parked', last_error: expect.stringContaining('followed_payload_key') },
    ])
    expect(await followed()).toEqual(['0', '7'])
  })
})

test('an outcome that the database refuses for good is parked, and keeps no other from being written', async () => {
  await db.pool.query(`
    create function refuse() returns trigger language plpgsql as $$
    begin
      if new.payload = '3' then raise exception 'no history of 3' using errcode = 'check_violation'; end if;
      return new;
    end $$`)
  await db.pool.query(
    'create trigger refuse before insert on bridge.history_default for each row execute function refuse()',
  )
  const worker = start(() => accept)
  await enqueue(
    db,
    [0, 1, 2, 3, 4, 5].map((number) => newMessage(`order:${number}`, String(number))),
  )
  await until(
    async () => (await waiting()) === 1 && (await parked()),
    () => worker.errors,
  )
  const { rows } = await db.pool.query('select payload, state, last_error from bridge.message')
  expect(rows).toEqual([
    { payload: '3', state: 'parked', last_error: expect.stringContaining('no history of 3') },
  ])
})
