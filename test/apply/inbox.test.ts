import { once } from 'node:events'
import { request as httpRequest, type IncomingMessage } from 'node:http'
import { PassThrough } from 'node:stream'
import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { HANDLERS } from '../../src/apply/handlers.ts'
import { createInbox } from '../../src/apply/inbox.ts'
import { createLog } from '../../src/observe/log.ts'
import { createMetrics } from '../../src/observe/metrics.ts'
import type { Step } from '../../src/observe/steps.ts'
import { readInstallation, recordInstallation } from '../../src/postgres/installation.ts'
import { inShortTries } from '../../src/postgres/short-locks.ts'
import { inTransaction } from '../../src/postgres/transaction.ts'
import { openOwnStore } from '../../src/processes/own-store.ts'
import { openStore as openShop } from '../../src/store/store.ts'
import { deliver } from '../../src/webhook/deliver.ts'
import { findMiscounts } from '../checker/counted.ts'
import { countRows, readMovements, readOrders } from '../checker/counted-rows.ts'
import { openDetour } from '../queue/half-open.ts'
import { planDeliveries } from '../support/deliveries.ts'
import type { TestDatabase } from '../support/postgres.ts'
import { type BridgeProcess, buildWithTestHandlers, createProcesses } from '../support/processes.ts'
import { createRandom } from '../support/random.ts'
import { startRecordingHub } from '../support/recording-hub.ts'
import { deliverAll } from '../support/senders.ts'
import { putUpShelves, readShelves } from '../support/shelves.ts'
import { createStore } from '../support/stores.ts'
import { statement, TEST_HANDLERS } from '../support/test-handlers.ts'
import {
  digestStore,
  migrate,
  newMessageId,
  post,
  settingsOf,
  startTestWeb,
  type TestWeb,
  WEBHOOK_TOKEN,
} from '../support/web.ts'

/** Left out is what leaves the same behind as its neighbour: between two steps nothing is written or sent. */
const KILLED_AT: readonly `${Step}:${'before' | 'after'}`[] = [
  'apply.inbox:before',
  'apply.inbox:after',
  'apply.write:after',
  'apply.answer:after',
  'apply.commit:after',
  'apply.failure:before',
  'apply.failure:after',
  'apply.reply:after',
]

const processes = createProcesses()
const stores: TestDatabase[] = []
const webs: TestWeb[] = []
const detours: Awaited<ReturnType<typeof openDetour>>[] = []
let store: TestDatabase
let web: TestWeb
let webhook: string
let stories: ReturnType<typeof startStories> | undefined

beforeAll(async () => {
  await buildWithTestHandlers()
  store = await openStore()
  web = await open(store)
  webhook = `${web.url}/webhook`
  // What takes the web some seconds to notice happens while the rest is tested.
  stories = startStories()
})

afterAll(async () => {
  await Promise.allSettled(Object.values(stories ?? {}))
  await processes.killAll()
  for (const opened of webs) await opened.stop()
  for (const detour of detours) detour.close()
  for (const opened of stores) await opened.drop()
})

async function openStore(): Promise<TestDatabase> {
  const opened = await createStore('spree-4.10', 'fixture')
  stores.push(opened)
  return opened
}

async function open(of: TestDatabase, how: Parameters<typeof startTestWeb>[2] = {}): Promise<TestWeb> {
  const opened = await startTestWeb(of, TEST_HANDLERS, how)
  webs.push(opened)
  return opened
}

const stock = (sku: string, quantity: number, messageId = newMessageId()) => ({
  message: 'stock:change',
  message_id: messageId,
  payload: { sku, quantity },
})

const running = (sql: string, messageId = newMessageId()) => ({
  message: 'test:statement',
  message_id: messageId,
  payload: { sql },
})

async function levelOf(sku: string, of = store): Promise<number> {
  const { rows } = await of.pool.query<{ level: number }>(
    `select count_on_hand as level
       from spree_stock_items i join spree_variants v on v.id = variant_id
      where sku = $1 order by i.id limit 1`,
    [sku],
  )
  return rows[0]!.level
}

type Row = Readonly<Record<string, unknown>>

async function inboxOf(messageId: string, of = store): Promise<Row | undefined> {
  const { rows } = await of.pool.query<Row>('select * from bridge.inbox where message_id = $1', [messageId])
  return rows[0]
}

async function originsOf(messageId: string, of = store): Promise<unknown[]> {
  const { rows } = await of.pool.query<{ origin: string }>(
    `select origin from bridge.outbox where origin like '%:' || $1`,
    [messageId],
  )
  return rows.map(({ origin }) => origin)
}

async function counted(name: string): Promise<number> {
  const text = await (await fetch(`${web.url}/metrics`)).text()
  const line = text.split('\n').find((found) => found.startsWith(`spree_bridge_${name} `))
  return Number(line?.split(' ')[1] ?? 0)
}

describe('a message that comes again', () => {
  test('C141 after it was applied gets its first answer and changes nothing', async () => {
    const sent = stock('OC-M', 3)
    const before = await levelOf('OC-M')
    const repeated = await counted('repeated_total')
    const first = await post(webhook, sent)
    expect(first.status).toBe(200)
    const changed = await digestStore(store)
    for (const body of [sent, sent, stock('OC-L', 100, sent.message_id)])
      expect(await post(webhook, body)).toMatchObject({ status: 200, text: first.text })
    expect(await digestStore(store)).toEqual(changed)
    expect(await levelOf('OC-M')).toBe(before + 3)
    expect(await inboxOf(sent.message_id)).toMatchObject({
      hub: '5281a1584a8169f7a0000001',
      dialect: 'seed',
      state: 'applied',
      attempts: 1,
      repeats: 3,
      payload: '{"sku":"OC-M","quantity":3}',
    })
    expect(await originsOf(sent.message_id)).toHaveLength(1)
    expect(await counted('repeated_total')).toBe(repeated + 3)
  })

  test('C141 20 times at once is applied once, and all get the same answer', async () => {
    const sent = stock('OC-M', 7)
    const before = await levelOf('OC-M')
    const answers = await Promise.all(Array.from({ length: 20 }, () => post(webhook, sent)))
    expect(answers.map(({ status }) => status)).toEqual(Array(20).fill(200))
    expect(new Set(answers.map(({ text }) => text)).size).toBe(1)
    expect(await levelOf('OC-M')).toBe(before + 7)
    expect(await inboxOf(sent.message_id)).toMatchObject({ state: 'applied', attempts: 1, repeats: 19 })
  })

  test('after it failed is tried again, as it is sent then', async () => {
    const [id, before] = [newMessageId(), await levelOf('OC-M')]
    expect((await post(webhook, stock('OC-XL', 1, id))).status).toBe(500)
    expect((await post(webhook, stock('OC-XXL', 1, id))).status).toBe(500)
    expect(await inboxOf(id)).toMatchObject({
      state: 'failed',
      attempts: 2,
      repeats: 0,
      payload: '{"sku":"OC-XXL","quantity":1}',
      last_error: 'There is no variant with the SKU OC-XXL.',
    })
    await store.pool.query(`update spree_variants set sku = 'OC-XXL' where id = 106`)
    const applied = await post(webhook, stock('OC-XXL', 1, id))
    expect(applied.status).toBe(200)
    expect(await post(webhook, stock('OC-XXL', 1, id))).toMatchObject({ status: 200, text: applied.text })
    await store.pool.query(`update spree_variants set sku = 'OC-M' where id = 106`)
    expect(await levelOf('OC-M')).toBe(before + 1)
    expect(await inboxOf(id)).toMatchObject({ state: 'applied', attempts: 3, repeats: 1, last_error: null })
  })

  test('20 times at once while it cannot be applied: each is told so, and one row is kept', async () => {
    const sent = stock('NO-SUCH', 7)
    const answers = await Promise.all(Array.from({ length: 20 }, () => post(webhook, sent)))
    expect(answers.map(({ status }) => status)).toEqual(Array(20).fill(500))
    expect(await inboxOf(sent.message_id)).toMatchObject({ state: 'failed', attempts: 20 })
  })

  test('and fails at last where another delivery is applied meanwhile: applied it stays, with its answer', async () => {
    const id = newMessageId()
    const waiting = async () => {
      const { rows } = await store.pool.query<{ n: number }>(
        `select count(distinct pid)::integer as n
           from pg_locks
          where not granted and pid in (select pid from pg_stat_activity where datname = current_database())`,
      )
      return rows[0]!.n
    }
    const untilWaiting = async (count: number) => {
      while ((await waiting()) < count) await pause(50)
    }
    const holder = await store.pool.connect()
    await holder.query('select pg_advisory_lock(4711)')
    const fails = 'do $$ begin perform pg_advisory_xact_lock(4711); perform 1 / 0; end $$'
    const failing = post(webhook, running(fails, id))
    await untilWaiting(1)
    const applying = post(webhook, running('select 1', id))
    await untilWaiting(2)
    await holder.query('select pg_advisory_unlock(4711)')
    holder.release()
    expect((await failing).status).toBe(500)
    const applied = await applying
    expect([applied.status, applied.text]).toEqual([200, expect.any(String)])
    expect(await inboxOf(id)).toMatchObject({ state: 'applied', status: 200, failures: 0, last_error: null })
    expect(await post(webhook, running('select 1', id))).toMatchObject({ status: 200, text: applied.text })
  })

  test('to a web beside this one is known there too', async () => {
    const [sent, before] = [stock('OC-M', 7), await levelOf('OC-M')]
    const beside = await open(store)
    const answers = await Promise.all(
      Array.from({ length: 10 }, (_, index) =>
        post(index % 2 ? webhook : `${beside.url}/webhook/stock_change`, sent),
      ),
    )
    expect(new Set(answers.map(({ text }) => text)).size).toBe(1)
    expect(await levelOf('OC-M')).toBe(before + 7)
  })
})

describe('what is written carries when its message was made', () => {
  const horizon = 7 * 24 * 3600 * 1000
  test.each([
    ['by its ObjectId', '523c677763e2990205000007', () => 0x523c6777 * 1000],
    ['arrival less the week of retries, where the id tells no time', 'xyz', () => Date.now() - horizon],
    ['the same where the id claims the future', 'ffffffff63e2990205000007', () => Date.now() - horizon],
  ] as const)('%s', async (_what, id, expected) => {
    expect((await post(webhook, stock('OC-M', 1, id))).status).toBe(200)
    const [origin] = await originsOf(id)
    const made = Number(/^(\d+):/.exec(String(origin))?.[1])
    expect(origin).toBe(`${made}:${id}`)
    expect(Math.abs(made - expected())).toBeLessThan(30_000)
  })

  test('and what the store itself writes afterwards does not', async () => {
    await post(webhook, stock('OC-M', 1))
    await store.pool.query('update spree_stock_items set count_on_hand = count_on_hand + 1 where id = 305')
    const { rows } = await store.pool.query(`select origin from bridge.outbox where row_id = '305'`)
    expect(rows).toEqual([{ origin: null }])
  })
})

describe('a trouble', () => {
  test('of our own is told with an id only; nothing is written, and log and inbox tell the rest', async () => {
    const before = await digestStore(store)
    const sent = running('select 1 / 0')
    const { status, text } = await post(webhook, sent)
    const answer = JSON.parse(text)
    expect({ status, answer }).toEqual({
      status: 500,
      answer: {
        message_id: sent.message_id,
        error: 'This failed by a fault of ours; the log tells more under the id.',
        id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      },
    })
    expect(await digestStore(store)).toEqual(before)
    expect(await inboxOf(sent.message_id)).toMatchObject({
      state: 'failed',
      status: 500,
      last_error: `division by zero (${answer.id} in the log)`,
    })
    const line = web.lines().find((found) => found.includes(answer.id))
    expect(JSON.parse(line!)).toMatchObject({ level: 'error', message_id: sent.message_id })
    expect(line).toContain('division by zero')
  })

  test('at the very commit is told as one: nothing is written, and nothing was answered before', async () => {
    const before = await digestStore(store)
    const sent = running(
      `create temporary table late (n integer unique deferrable initially deferred) on commit drop;
       insert into late values (1), (1)`,
    )
    expect(await post(webhook, sent)).toMatchObject({ status: 500 })
    expect(await digestStore(store)).toEqual(before)
    expect(await inboxOf(sent.message_id)).toMatchObject({
      state: 'failed',
      last_error: expect.stringContaining('duplicate key'),
    })
  })

  test.each(['40P01', '40001'])(
    'with other transactions (%s) is tried up to five times, then put off',
    async (code) => {
      await store.pool.query(
        'create schema if not exists trouble; create sequence if not exists trouble.tries',
      )
      const fail = (times: number) =>
        running(
          `do $$ begin if nextval('trouble.tries') <= ${times} then raise exception using errcode = '${code}'; end if; end $$`,
        )
      const tries = async () =>
        (await store.pool.query<{ n: number }>('select last_value::int as n from trouble.tries')).rows[0]!.n

      await store.pool.query('alter sequence trouble.tries restart')
      const passing = fail(4)
      expect((await post(webhook, passing)).status).toBe(200)
      expect(await tries()).toBe(5)
      expect(await inboxOf(passing.message_id)).toMatchObject({ state: 'applied', attempts: 1 })

      await store.pool.query('alter sequence trouble.tries restart')
      const before = await digestStore(store)
      const stubborn = fail(9)
      const { status, headers } = await post(webhook, stubborn)
      expect({ status, retryAfter: headers.get('retry-after') }).toEqual({ status: 503, retryAfter: '5' })
      expect(await tries()).toBe(5)
      expect(await inboxOf(stubborn.message_id)).toBeUndefined()
      expect(await digestStore(store)).toEqual(before)
    },
  )

  test.each([
    ['a number', 'select 2147483647 + 1', 'A number of this message, or what comes of it, is larger'],
    [
      'a text',
      `create temp table narrow (t varchar(3)); insert into narrow values ('long')`,
      'A text of this message is longer',
    ],
    ['a time', `select '2026-11-26'::date + interval '300000 years'`, 'A time of this message lies beyond'],
  ])('of %s that no column can hold is told in a sentence', async (_what, sql, says) => {
    const { status, text } = await post(webhook, running(sql))
    expect(status).toBe(500)
    const { notifications, id } = JSON.parse(text)
    expect([id, notifications]).toEqual([undefined, [expect.objectContaining({ level: 'error' })]])
    expect(notifications[0].description).toContain(says)
  })

  test('C142 with a lock is not waited for longer than a store can bear', async () => {
    const limits = `select current_setting('lock_timeout') as lock, current_setting('statement_timeout') as statement,
                           current_setting('idle_in_transaction_session_timeout') as idle`
    const { text } = await post(webhook, running(limits))
    expect(JSON.parse(text).rows).toEqual([{ lock: '10s', statement: '30s', idle: '5s' }])
    const put = await post(webhook, running(`do $$ begin raise exception using errcode = '55P03'; end $$`))
    expect(put).toMatchObject({ status: 503 })
  })

  test('C142 in all too many statements: the sender is put off, and a repeat is told what came of it', async () => {
    const { log, closeLog } = createLog({ level: 'error', format: 'json', stream: new PassThrough() })
    const inbox = createInbox({
      pool: store.pool,
      store: await openShop(store.pool),
      hub: '5281a1584a8169f7a0000001',
      log,
    })
    const sent = running(`select 'slept' as how from pg_sleep(1)`)
    const answer = await deliver(
      statement,
      { messageId: sent.message_id, payload: sent.payload },
      performance.now(),
      { inbox, metrics: createMetrics(), log, answerWithinMilliseconds: 100 },
    )
    expect(answer).toMatchObject({ status: 503, retryAfterSeconds: 5 })
    expect(answer.body).toContain('send the message again later')
    const repeated = await post(webhook, sent)
    expect(repeated.status).toBe(200)
    expect(JSON.parse(repeated.text).rows).toEqual([{ how: 'slept' }])
    expect(await inboxOf(sent.message_id)).toMatchObject({ state: 'applied', attempts: 1, repeats: 1 })
    await closeLog()
  })

  test('the id of the store at the hub becomes known meanwhile: what came before it is known by it', async () => {
    const unnamed = await openStore()
    const own = await open(unnamed, { hubStoreId: undefined })
    const name = async (hubStoreId: string) => {
      const { installed: _, id: __, ...identity } = (await readInstallation(unnamed.pool))!
      await inShortTries('The inbox', 50, () =>
        inTransaction(unnamed.pool, (db) => recordInstallation(db, { ...identity, hubStoreId }, false)),
      )
    }
    const to = (message: unknown) => post(`${own.url}/webhook`, message)
    const [alone, together] = [running(`select 'once' as how`), stock('OC-M', 3)]
    const [lost, found] = [stock('GONE-7', 3), stock('GONE-7', 3)]
    for (const message of [alone, together]) expect((await to(message)).status).toBe(200)
    for (const message of [lost, found]) expect((await to(message)).status).toBe(500)
    // Known under both already: applied without the id, then repeated under it and failed; and the other way round.
    await unnamed.pool.query(
      `insert into bridge.inbox (hub, dialect, message_id, type, payload, state, status, answer)
       select 'later', dialect, message_id, type, payload,
              case state when 'applied' then 'failed' else 'applied' end, 200, 'of the later'
         from bridge.inbox where message_id = any ($1)`,
      [[alone.message_id, found.message_id]],
    )
    const underWay = running(`select 'slept' as how from pg_sleep(1)`)
    const answer = to(underWay)
    await pause(300)
    await name('later')
    expect((await answer).status).toBe(200)

    await unnamed.pool.query(`update spree_variants set sku = 'GONE-7' where sku = 'BC-01'`)
    for (const message of [alone, together, found, underWay]) expect((await to(message)).status).toBe(200)
    const { rows } = await unnamed.pool.query(
      `select hub, state, repeats from bridge.inbox order by array_position($1, message_id), hub`,
      [[alone, together, found, underWay, lost].map(({ message_id }) => message_id)],
    )
    const of = (hub: string, state: string, repeats: number) => ({ hub, state, repeats })
    expect(rows).toEqual([
      ...[of('', 'applied', 1), of('later', 'failed', 0)],
      of('', 'applied', 1),
      ...[of('', 'failed', 0), of('later', 'applied', 1)],
      of('', 'applied', 1),
      of('', 'failed', 0),
    ])
    expect(await levelOf('OC-M', unnamed)).toBe(11)
    // One that failed before is tried again where it is.
    await unnamed.pool.query(`update spree_variants set sku = 'GONE-8' where sku = 'GONE-7'`)
    expect((await to(lost)).status).toBe(500)
    await unnamed.pool.query(`update spree_variants set sku = 'GONE-7' where sku = 'GONE-8'`)
    expect((await to(lost)).status).toBe(200)
    expect((await to({ ...lost, message_id: found.message_id })).status).toBe(200)
    const { rows: again } = await unnamed.pool.query(
      'select hub, state, attempts, failures from bridge.inbox where message_id = $1',
      [lost.message_id],
    )
    expect(again).toEqual([{ hub: '', state: 'applied', attempts: 3, failures: 2 }])

    // Of another hub that the store goes to, none of these is a message.
    await inTransaction(unnamed.pool, async (db) => {
      const { installed: _, id: __, ...identity } = (await readInstallation(db))!
      await recordInstallation(db, { ...identity, hubStoreId: 'another' }, true)
    })
    expect((await to(together)).status).toBe(200)
    expect(await levelOf('OC-M', unnamed)).toBe(14)
    const { rows: left } = await unnamed.pool.query(
      `select hub, count(*)::integer from bridge.inbox group by hub order by hub`,
    )
    expect(left).toEqual([
      { hub: 'another', count: 1 },
      { hub: 'later', count: 5 },
    ])
  })

  test('the id of the store at the hub becomes known behind a slow message, of a long inbox: no other waits', async () => {
    const unnamed = await openStore()
    const own = await open(unnamed, { hubStoreId: undefined })
    const first = stock('OC-M', 3)
    const level = await levelOf('OC-M', unnamed)
    const deliverInTime = async (message: unknown) => {
      const sentAt = performance.now()
      expect((await post(`${own.url}/webhook`, message)).status).toBe(200)
      expect(performance.now() - sentAt).toBeLessThan(5_000)
    }
    expect((await post(`${own.url}/webhook`, first)).status).toBe(200)
    await unnamed.pool.query(
      `insert into bridge.inbox (hub, dialect, message_id, type, payload, state, status, answer)
       select '', 'seed', 'old' || n, 'stock:change', '{}', 'applied', 200, '{}' from generate_series(1, 3000) n;
       create function bridge.slowly() returns trigger language plpgsql as $$begin perform pg_sleep(0.005); return new; end$$;
       create trigger slowly before update on bridge.inbox for each row execute function bridge.slowly()`,
    )
    const slow = await unnamed.pool.connect()
    await slow.query('begin; lock table bridge.inbox in row exclusive mode')
    const { log } = createLog({ level: 'error', format: 'json' })
    const starting = openOwnStore(settingsOf(unnamed, { hubStoreId: 'later' }), log, {
      applicationName: 'test worker',
      connections: 2,
      answerWithinMilliseconds: 5_000,
    })
    starting.catch(() => undefined)
    let sent = 0
    try {
      for (const end = performance.now() + 3_000; performance.now() < end; sent++)
        await deliverInTime(stock('OC-M', 1))
    } finally {
      await slow.query('commit')
      slow.release()
    }
    const { pool, installation } = await starting
    await pool.end()
    expect(installation.hubStoreId).toBe('later')
    await deliverInTime(first)
    expect(await levelOf('OC-M', unnamed)).toBe(level + 3 + sent)
  })

  test('C140 a database that is away: 503 with Retry-After until it is back, then applied', async () => {
    const away = await openStore()
    const detour = await openDetour(away.url)
    const cut = await open(away, { databaseUrl: detour.url })
    const sent = stock('OC-M', 3)
    detour.close()
    for (const _time of [1, 2]) {
      const { status, text, headers } = await post(`${cut.url}/webhook`, sent)
      expect({ status, retryAfter: headers.get('retry-after') }).toEqual({ status: 503, retryAfter: '5' })
      expect(JSON.parse(text).error).toMatch(/database does not answer at the moment/)
    }
    expect((await fetch(`${cut.url}/readyz`)).status).toBe(503)
    expect((await fetch(`${cut.url}/healthz`)).status).toBe(200)
    await detour.open()
    expect(await post(`${cut.url}/webhook`, sent)).toMatchObject({ status: 200 })
    expect(await levelOf('OC-M', away)).toBe(11)
    detours.push(detour)
  })

  test('a store that is ours no more: 503 until it is again, said once; missing triggers make it not ready', async () => {
    const { refused, readyzWhileRefused, again, readyz, said, level } = await stories!.uninstalled
    expect(refused).toMatchObject({ status: 503 })
    expect(JSON.parse(refused.text).error).toMatch(/Nothing is applied at present/)
    expect(readyzWhileRefused).toContain('webhook: Nothing is applied at present')
    expect(again).toMatchObject({ status: 200 })
    expect(readyz).toMatch(/triggers are missing or not up to date on spree_stock_items/)
    expect(said).toHaveLength(1)
    expect(level).toBe(9)
  })
})

describe('processes', () => {
  test.each(KILLED_AT)('killed %s, while the hub repeats: applied exactly once', async (step) => {
    expect((await stories!.killed)[step]).toEqual({
      signal: 'SIGKILL',
      status: 200,
      repeatedAnswer: 'the same',
      level: 'once',
      state: 'applied',
      origins: 1,
    })
  })

  test('two hundred deliveries at two webs, of which one is killed: the store adds up to what was answered', async () => {
    const { unanswered, findings } = await stories!.counted
    expect(unanswered).toBeGreaterThan(0)
    expect(findings).toEqual([])
  })

  test('SIGTERM: what runs is finished, nothing more is taken, exit 0', async () => {
    const { answer, statusOfTheSlow, refused, ended } = await stories!.ended
    expect(answer).toMatchObject({ status: 200 })
    expect(statusOfTheSlow).toBe(200)
    expect(refused).toMatch(/fetch failed/)
    expect(ended).toEqual({ code: 0, signal: null })
  })

  test('SIGTERM while something is applied that does not end in time: it is given up, nothing of it stays, exit 0', async () => {
    const { answer, ended, seconds, row } = await stories!.cutOff
    expect(answer).toMatch(/fetch failed/)
    expect(ended).toEqual({ code: 0, signal: null })
    expect(seconds).toBeLessThan(25)
    expect(row).toBe(undefined)
  })

  test('start is worker and web on one port: what came in is not sent out, what a person changes is', async () => {
    const { ready, metrics, told, ended } = await stories!.both
    expect(ready).toBe(200)
    expect(metrics).toContain('spree_bridge_applied_total{type="stock:change",outcome="applied"} 1')
    expect(metrics).toContain('spree_bridge_lanes_owned 64')
    expect(told).toEqual([{ sku: 'OC-M', quantity: -2 }])
    expect(ended).toEqual({ code: 0, signal: null })
  })

  test('web on a store that is not migrated says what to run and exits 2', async () => {
    const bare = processes.start(['web'], { env: { DATABASE_URL: (await openStore()).url, PORT: '0' } })
    expect(await bare.ended).toEqual({ code: 2, signal: null })
    expect(bare.lines.join()).toContain('run `spree-bridge migrate`')
  })
})

describe('commands', () => {
  const run = async (...args: string[]) => {
    const child = processes.start(args, {
      env: { DATABASE_URL: store.url, WEBHOOK_TOKEN, PORT: new URL(web.url).port, LOG_FORMAT: 'json' },
      testHandlers: true,
    })
    const { code } = await child.ended
    return { code, text: child.lines.join('\n') }
  }

  test('inbox lists, shows, retries and discards', async () => {
    const [applied, mended, lost] = [stock('OC-M', 1), stock('GONE-1', 5), stock('GONE-2', 5)]
    for (const sent of [applied, mended, lost]) await post(webhook, sent)
    await store.pool.query(`update spree_variants set sku = 'GONE-1' where id = 108`)
    const ids = [applied, mended, lost].map((sent) => sent.message_id)

    const listed = JSON.parse((await run('inbox', 'list', ...ids, '--json')).text)
    expect(listed.map(({ messageId, state }: Row) => [messageId, state])).toEqual([
      [ids[2], 'failed'],
      [ids[1], 'failed'],
      [ids[0], 'applied'],
    ])
    const [listing, shown, unknown] = await Promise.all([
      run('inbox', 'list', '--state', 'failed', '--type', 'stock:change', '--limit', '1'),
      run('inbox', 'show', listed[0].id),
      run('inbox', 'show', '999999'),
    ])
    expect(listing).toMatchObject({
      code: 0,
      text: expect.stringMatching(/failed .*There is no variant .* GONE-2\.$/),
    })
    expect(listing.text.split('\n')).toHaveLength(1)
    expect(shown.text).toContain('{"sku":"GONE-2","quantity":5}\n500 {"message_id"')
    expect(unknown).toMatchObject({ code: 1, text: 'There is no message 999999 in the inbox.' })

    const before = await levelOf('OC-M')
    expect(await run('inbox', 'retry', ...ids)).toMatchObject({
      code: 1,
      text: expect.stringMatching(/1 message is applied\.\n1 failed again/),
    })
    expect(await levelOf('GONE-1')).toBe(45)
    // Never an applied one; and what is retried by hand is known when the hub repeats it.
    expect(await levelOf('OC-M')).toBe(before)
    expect((await post(webhook, mended)).status).toBe(200)
    expect(await levelOf('GONE-1')).toBe(45)
    expect(await inboxOf(ids[1]!)).toMatchObject({ state: 'applied', attempts: 2, repeats: 1 })

    expect(await run('inbox', 'discard')).toMatchObject({ code: 2 })
    expect(await run('inbox', 'discard', ...ids)).toEqual({ code: 0, text: '1 message is discarded.' })
    await store.pool.query(`update spree_variants set sku = 'GONE-2' where id = 108`)
    const { status, text } = await post(webhook, lost)
    expect({ status, ...JSON.parse(text) }).toMatchObject({
      status: 200,
      notifications: [{ level: 'warn', description: expect.stringMatching(/^Not applied: an operator/) }],
    })
    expect(await levelOf('GONE-2')).toBe(45)
    expect(await inboxOf(ids[2]!)).toMatchObject({ state: 'discarded', repeats: 1 })
    await store.pool.query(`update spree_variants set sku = 'BC-01' where id = 108`)
  })

  test('deliver sends a message like the hub and prints the answer', async () => {
    const file = `data:,` // no file of this name
    const [before, missing] = [await levelOf('BC-01'), await run('deliver', 'stock:change', '--file', file)]
    expect(missing).toMatchObject({ code: 2, text: expect.stringContaining('cannot be read') })
    const payload = new URL('../fixtures/inbound/stock-change.json', import.meta.url).pathname
    const { code, text } = await run('deliver', 'stock:change', '--file', payload)
    expect(code).toBe(0)
    expect(JSON.parse(text)).toMatchObject({
      message_id: expect.stringMatching(/^[0-9a-f]{24}$/),
      sku: 'BC-01',
    })
    expect(await levelOf('BC-01')).toBe(before + 5)
    expect(await run('deliver', 'stock:lost', '--file', payload)).toMatchObject({
      code: 1,
      text: expect.stringContaining('The webhook answered 404.'),
    })
  })
})

function startStories() {
  return {
    uninstalled: loseTheStore(),
    killed: killEverywhere(),
    counted: deliverAndCount(),
    ended: endInOrder(),
    cutOff: endInTheMidst(),
    both: runBoth(),
  }
}

const environment = (of: TestDatabase) => ({
  DATABASE_URL: of.url,
  WEBHOOK_TOKEN,
  PORT: '0',
  HOST: '127.0.0.1',
  LOG_FORMAT: 'json',
})

async function urlOf(child: BridgeProcess): Promise<string> {
  const { url } = JSON.parse(await child.line((line) => line.includes('"listening"'))) as { url: string }
  return url
}

/** Polls what a process notices by itself within ten seconds, on a machine that is not slow. */
async function until<T>(look: () => Promise<T>, found: (seen: T) => boolean): Promise<T> {
  const deadline = Date.now() + 90_000
  for (;;) {
    const seen = await look()
    if (found(seen)) return seen
    if (Date.now() > deadline) throw new Error(`It did not come about: ${found} of ${JSON.stringify(seen)}`)
    await pause(100)
  }
}

async function loseTheStore() {
  const lost = await openStore()
  const own = await open(lost)
  await lost.pool.query(
    'drop trigger bridge_update on spree_stock_items; update bridge.installation set installed = false',
  )
  const url = `${own.url}/webhook`
  const refused = await until(
    () => post(url, { message: 'stock:change' }),
    ({ status }) => status === 503,
  )
  const readyzWhileRefused = await (await fetch(`${own.url}/readyz`)).text()
  await lost.pool.query('update bridge.installation set installed = true')
  const again = await until(
    () => post(url, stock('OC-M', 1, 'again')),
    ({ status }) => status === 200,
  )
  const readyz = await (await fetch(`${own.url}/readyz`)).text()
  const said = own.lines().filter((line) => line.includes('no inbound message is applied'))
  return { refused, readyzWhileRefused, again, readyz, said, level: await levelOf('OC-M', lost) }
}

/**
 * At every step a process dies in the midst of one message; the hub goes on repeating it, to a process beside, until it is
 * told 200. Each step has a SKU of its own, made anew in the store.
 */
async function killEverywhere() {
  const shop = await openStore()
  const survivor = await open(shop)
  const kill = async (step: string, index: number) => {
    const sku = `KILL-${index}`
    // The failure's steps are passed by what cannot be applied: not before the SKU is there.
    const isFailure = step.startsWith('apply.failure')
    const makeSku = () =>
      shop.pool.query(
        `with v as (insert into spree_variants (sku, product_id, created_at, updated_at) values ($1, 11, now(), now()) returning id)
         insert into spree_stock_items (variant_id, stock_location_id, count_on_hand, created_at, updated_at)
         select id, 1, 100, now(), now() from v`,
        [sku],
      )
    if (!isFailure) await makeSku()
    const victim = processes.start(['web'], {
      env: environment(shop),
      testHandlers: true,
      killAt: { step },
    })
    const sent = stock(sku, 7)
    const lost = await post(`${await urlOf(victim)}/webhook`, sent).catch(() => undefined)
    const notReached = setTimeout(() => victim.terminate(), 60_000)
    const { signal } = await victim.ended
    clearTimeout(notReached)
    if (isFailure) await makeSku()
    const answer = await until(
      () => post(`${survivor.url}/webhook`, sent),
      ({ status }) => status === 200,
    )
    const same = lost === undefined || lost.text === answer.text
    return {
      signal,
      status: answer.status,
      repeatedAnswer: same ? 'the same' : lost.text,
      level: (await levelOf(sku, shop)) === 107 ? 'once' : await levelOf(sku, shop),
      state: (await inboxOf(sent.message_id, shop))?.['state'],
      origins: (await originsOf(sent.message_id, shop)).length,
    }
  }
  const found: Record<string, unknown> = {}
  const steps = [...KILLED_AT]
  const next = async (): Promise<void> => {
    const index = steps.length
    const step = steps.shift()
    if (step === undefined) return
    found[step] = await kill(step, index).catch((error: unknown) => String(error))
    await next()
  }
  await Promise.all([next(), next()])
  return found
}

/** Of what `npm run test:faults` does with two thousand and with webs that die all the time. */
async function deliverAndCount() {
  const family = 'spree-4.10'
  const shop = await openStore()
  await putUpShelves(shop, family)
  const survivor = await startTestWeb(shop, HANDLERS)
  webs.push(survivor)
  const victim = processes.start(['web'], {
    env: environment(shop),
    killAt: { step: 'apply.commit:after', count: 4 },
  })
  const doors = [survivor.url, await urlOf(victim)]
  void victim.ended.then(() => doors.pop())
  const random = createRandom(7)
  const plan = planDeliveries(random, 200)
  const before = { shelves: await readShelves(shop, family), rows: await countRows(shop, family) }
  const met = { answered: 0, requests: 0, unanswered: 0, putOff: 0 }
  await deliverAll(plan.bouts, () => doors, random, 12, met)
  const after = {
    shelves: await readShelves(shop, family),
    rows: await countRows(shop, family),
    movements: await readMovements(shop, family),
    orders: await readOrders(shop, family),
  }
  return { ...met, findings: findMiscounts({ family, plan, clerk: [], before, after }) }
}

async function untilRuns(of: TestDatabase, sql: string): Promise<void> {
  await until(
    () =>
      of.pool.query(
        `select from pg_stat_activity
          where datname = current_database() and query like $1 and state = 'active' and pid <> pg_backend_pid()`,
        [`%${sql}%`],
      ),
    ({ rowCount }) => rowCount !== 0,
  )
}

async function endInOrder() {
  const shop = await openStore()
  await migrate(shop)
  const child = processes.start(['web'], { env: environment(shop), testHandlers: true })
  const url = `${await urlOf(child)}/webhook`
  const answering = post(url, running('select pg_sleep(1.5)'))
  await untilRuns(shop, 'pg_sleep(1.5)')
  const arriving = startPosting(url, stock('OC-M', 1))
  await arriving.begun
  const ending = child.terminate()
  const refused = await until(
    () => post(url, stock('OC-M', 1)).then(String, String),
    (text) => text.includes('fetch failed'),
  )
  return {
    answer: await answering,
    statusOfTheSlow: await arriving.finish(),
    refused,
    ended: await ending,
  }
}

async function endInTheMidst() {
  const shop = await openStore()
  await migrate(shop)
  const child = processes.start(['web'], { env: environment(shop), testHandlers: true })
  const sent = running('select pg_sleep(29.5)')
  const answering = post(`${await urlOf(child)}/webhook`, sent).then(String, String)
  await untilRuns(shop, 'pg_sleep(29.5)')
  const from = performance.now()
  const ended = await child.terminate()
  const seconds = (performance.now() - from) / 1_000
  return { answer: await answering, ended, seconds, row: await inboxOf(sent.message_id, shop) }
}

/** A request whose body is still on its way. */
function startPosting(url: string, body: unknown) {
  const text = JSON.stringify(body)
  const request = httpRequest(url, {
    method: 'POST',
    headers: {
      'Content-Type': 'application/json',
      'Content-Length': text.length,
      'X-Augury-Token': WEBHOOK_TOKEN,
      // So that it is known when the web has begun with it.
      Expect: '100-continue',
    },
  })
  const answered = once(request, 'response') as Promise<[IncomingMessage]>
  const begun = once(request, 'continue')
  request.write(text.slice(0, 9))
  return {
    begun,
    async finish() {
      request.end(text.slice(9))
      const [response] = await answered
      response.resume()
      return response.statusCode
    },
  }
}

async function runBoth() {
  const shop = await openStore()
  const hub = await startRecordingHub()
  await migrate(shop)
  const child = processes.start(['start'], {
    env: { ...environment(shop), HUB_URL: hub.url, HUB_STORE_ID: hub.storeId, HUB_TOKEN: hub.token },
    testHandlers: true,
  })
  const url = await urlOf(child)
  await until(
    async () => (await shop.pool.query('select from bridge.seeding where finished_at is null')).rows,
    (rows) => rows.length === 0,
  )
  await post(`${url}/webhook`, stock('OC-M', 5))
  await shop.pool.query('update spree_stock_items set count_on_hand = count_on_hand - 2 where id = 304')
  const told = () => hub.requests.filter(({ method }) => method === 'POST')
  await hub.until(() => told().length > 0, 20_000)
  const metrics = await until(
    async () => (await fetch(`${url}/metrics`)).text(),
    (text) => text.includes('lanes_owned 64'),
  )
  const ready = await until(
    async () => (await fetch(`${url}/readyz`)).status,
    (status) => status === 200,
  )
  const ended = await child.terminate()
  const payloads = told().map(({ payload: { sku, quantity } }) => ({ sku, quantity }))
  await hub.close()
  return { ready, metrics, told: payloads, ended }
}
