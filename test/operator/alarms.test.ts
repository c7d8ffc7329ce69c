import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { PassThrough } from 'node:stream'
import { setTimeout as pause } from 'node:timers/promises'

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { readHubOverview } from '../../src/hub/page/page-overview.ts'
import { countWaiting, type Waiting } from '../../src/hub/waiting.ts'
import { createLog } from '../../src/observe/log.ts'
import { bridgeTroubles } from '../../src/operator/alarms/bridge-troubles.ts'
import { hubTroubles } from '../../src/operator/alarms/hub-troubles.ts'
import type { Notice } from '../../src/operator/alarms/notice.ts'
import { formatStatus, readStatus, type Status } from '../../src/operator/show-status.ts'
import { bridgeAlarms, hubAlarms } from '../../src/processes/alarms.ts'
import { countLanes, insertMessages } from '../../src/queue/enqueue.ts'
import { BRIDGE_QUEUE } from '../../src/queue/message.ts'
import { type MailServer, startMailServer } from '../support/mail-server.ts'
import { createDatabase, type TestDatabase } from '../support/postgres.ts'
import { createProcesses } from '../support/processes.ts'
import { type RecordingHub, startRecordingHub } from '../support/recording-hub.ts'
import { createStore } from '../support/stores.ts'
import { runBridge } from './run-bridge.ts'

const processes = createProcesses()
let store: TestDatabase
let hub: RecordingHub
let mail: MailServer
let receiver: Awaited<ReturnType<typeof startReceiver>>
let env: Readonly<Record<string, string>>

beforeAll(async () => {
  store = await createStore('spree-4.10', 'fixture')
  hub = await startRecordingHub()
  mail = await startMailServer()
  receiver = await startReceiver()
  env = {
    DATABASE_URL: store.url,
    HUB_URL: hub.url,
    HUB_STORE_ID: hub.storeId,
    HUB_TOKEN: hub.token,
    ALARM_WEBHOOK_URL: `${receiver.url}/services/secret-of-the-chat`,
    ALARM_MAIL_TO: 'shop@example.com, night@example.com',
    SMTP_URL: mail.url,
  }
  expect(await runBridge(['migrate'], env)).toMatchObject({ status: 0 })
})

afterAll(async () => {
  await processes.killAll()
  await Promise.all([hub.close(), mail.close(), receiver.close()])
  await store.drop()
})

test('each change of state is told once by webhook and by mail, whoever sees it and whoever restarts', async () => {
  // Nobody has seen a worker for a minute.
  await store.pool.query(
    `insert into bridge.alarm (cause, subject, text, first_seen_at)
     values ('worker', '', '', clock_timestamp() - interval '1 minute')`,
  )
  receiver.answer(503)
  const port = { PORT: '0', HOST: '127.0.0.1' }
  const webs = [0, 1].map(() => processes.start(['web'], { env: { ...env, ...port } }))
  await until(async () => mail.mails.length === 1 && receiver.notices.length >= 1)
  expect(mail.mails[0]).toMatch(/^Subject: spree-bridge \S+: no worker is running$/m)
  expect(mail.mails[0]).toMatch(/^To: shop@example\.com, night@example\.com$/m)
  const { stdout } = await runBridge(['status'], env)
  expect(stdout).toMatch(/^alarm {3}no worker is running since .* Not told: webhook: .* answered 503\.$/m)
  const told = receiver.notices.length
  receiver.answer(200)
  await store.pool.query('update bridge.alarm set next_try_at = clock_timestamp()')

  // A hub that refuses every other message: a flood of parked ones, in the queue, hardly in the log.
  hub.misbehave(({ body }) =>
    /"number":"R\d*[13579]"/.test(body)
      ? { kind: 'answer', status: 422, body: '{"error":"jane@example.com is no address"}' }
      : { kind: 'accept' },
  )
  await enqueue(80)
  const from = performance.now()
  const first = processes.start(['worker'], { env })
  await until(async () => (await count(`bridge.message where state = 'parked'`)) === 40)
  const seconds = (performance.now() - from) / 1_000
  const parkedLines = first.lines.filter((line) => line.includes('a message is parked'))
  expect(parkedLines.length).toBeGreaterThan(0)
  expect(parkedLines.length).toBeLessThan(seconds + 2)
  await store.pool.query(`update bridge.alarm set last_seen_at = last_seen_at - interval '1 minute'`)
  await until(async () => receiver.notices.some(({ cause }) => cause === 'parked'))
  await until(async () => receiver.notices.some(({ state }) => state === 'recovered'))
  await first.terminate()
  const second = processes.start(['worker'], { env })
  await second.line((line) => line.includes('worker started'))
  await until(
    async () => (await rows(`cause = 'parked' and last_seen_at > clock_timestamp() - interval '2 s'`)) === 1,
  )
  const since = receiver.notices.slice(told)
  expect(since.map(({ cause, subject, state }) => `${cause} ${subject} ${state}`)).toEqual([
    'worker  raised',
    'parked order:persist raised',
    'worker  recovered',
  ])
  expect(since[0]).toMatchObject({
    bridge: hub.storeId,
    text: expect.stringContaining('Start one: `spree-bridge worker`'),
  })

  const discard = ['messages', 'discard', '--state', 'parked', '--error', 'is no address', '--yes']
  expect((await runBridge(discard, env)).stdout).toBe('40 messages are discarded.\n')
  await store.pool.query(`update bridge.alarm set last_seen_at = last_seen_at - interval '1 minute'`)
  await until(async () => (await rows('true')) === 0)
  expect(receiver.notices.at(-1)).toMatchObject({ cause: 'parked', state: 'recovered' })
  expect(mail.mails).toHaveLength(4)

  const everything = JSON.stringify([receiver.notices, mail.mails])
  expect(everything).not.toContain('jane')
  // A database that breaks every connection for a while: each complaint at most once a second.
  const linesBefore = second.lines.length
  const began = performance.now()
  while (performance.now() - began < 2_500) {
    await store.pool.query(
      `select pg_terminate_backend(pid)
         from pg_stat_activity
        where datname = current_database() and application_name like 'spree-bridge%'`,
    )
    await pause(100)
  }
  const most = (performance.now() - began) / 1_000 + 2
  const complaints = second.lines.slice(linesBefore).map((line) => JSON.parse(line).message as string)
  expect(complaints.length).toBeGreaterThan(2)
  for (const message of new Set(complaints))
    expect([message, complaints.filter((each) => each === message).length < most]).toEqual([message, true])

  const logs = [...webs, first, second].flatMap(({ lines }) => lines).join('\n')
  expect(logs).toContain('an alarm could not be sent and will be tried again')
  expect(logs).not.toContain('secret-of-the-chat')
  expect((await runBridge(['config'], env)).stdout).not.toContain('secret-of-the-chat')
  await Promise.all([...webs, second].map((each) => each.terminate()))
})

describe('an alarm to a webhook with user and password in its address', () => {
  const raise = async (alarmWebhookUrl: string) => {
    await store.pool.query(
      `insert into bridge.alarm (cause, subject, text, first_seen_at)
       values ('lag', '', '', clock_timestamp() - interval '1 hour')`,
    )
    const lines = new PassThrough()
    const { log, closeLog } = createLog({ level: 'info', format: 'json', stream: lines })
    const alarms = bridgeAlarms(
      { alarmWebhookUrl, alarmMailTo: undefined, alarmMailFrom: undefined, smtpUrl: undefined },
      store.pool,
      log,
    )
    await alarms.look([{ cause: 'lag', subject: '', text: 'late' }])
    await alarms.stop()
    await closeLog()
    const { rows } = await store.pool.query<{ webhook_told: string | null; last_error: string | null }>(
      `delete from bridge.alarm where cause = 'lag' returning webhook_told, last_error`,
    )
    return { ...rows[0], log: String(lines.read()) }
  }

  test('is sent with them as its authorization', async () => {
    const address = receiver.url.replace('://', '://us%40er:pa%20ss%25%zz@')

    expect(await raise(address)).toMatchObject({ webhook_told: 'raised', last_error: null })
    const basic = Buffer.from('us@er:pa ss%%zz').toString('base64')
    expect(receiver.authorizations.at(-1)).toBe(`Basic ${basic}`)
    await raise(receiver.url)
    expect(receiver.authorizations.at(-1)).toBeUndefined()
  })

  test('that cannot be sent says why, and nothing of the address', async () => {
    // Port 1 is one that fetch does not even try.
    for (const [port, why] of [
      [1, ''],
      [2, ' (ECONNREFUSED)'],
    ] as const) {
      const { log, ...alarm } = await raise(`http://user:s3cret-pw@localhost:${port}/services/secret`)
      expect(alarm).toEqual({
        webhook_told: null,
        last_error: `webhook: ALARM_WEBHOOK_URL gave no answer${why}.`,
      })
      expect(log).toContain('an alarm could not be sent')
      expect(log).not.toMatch(/secret|s3cret/)
    }
  })
})

describe('what is the matter', () => {
  const worker = {
    id: 'w',
    process: 'worker',
    host: 'h',
    pid: 1,
    version: '1',
    startedAt: new Date(),
    heartbeatAt: new Date(),
    heartbeatAgeSeconds: 1,
    alive: true,
    lanes: 64,
    collects: true,
    report: { circuit: 'closed', lastError: null },
  }

  test('is told for each cause, without the words of the hub', async () => {
    const calm: Status = { ...(await readStatus(store.pool, 12)), workers: [worker], messages: [] }
    const of = (over: Partial<Status>) =>
      bridgeTroubles({ ...calm, ...over }, 300).map(
        ({ cause, subject, text }) => `${cause} ${subject}: ${text}`,
      )
    const open = { circuit: 'open', lastError: 'The hub answered 401: jane@example.com is unknown' }
    const since = new Date('2026-11-26T08:00:00Z')

    expect(of({})).toEqual([])
    expect(of({ workers: [{ ...worker, alive: false }] })).toEqual([
      expect.stringMatching(/^worker : No worker has/),
    ])
    expect(of({ workers: [worker, { ...worker, report: open }] })).toEqual([
      expect.stringMatching(/^circuit : 1 of 2 workers do not push: The hub answered 401\. Messages wait/),
    ])
    expect(
      of({ gaps: [{ kind: 'stock', reason: 'truncate', table: 'spree_stock_items', openedAt: since }] }),
    ).toEqual([
      expect.stringMatching(
        /^gap stock: .* since 2026-11-26T08:00:00\.000Z \(truncate on spree_stock_items\)/,
      ),
    ])
    expect(of({ oldestMessageSeconds: 300 })).toEqual([])
    expect(of({ oldestChangeSeconds: 301, paused: [{ type: 'order:persist', since }] })).toEqual([
      expect.stringMatching(
        /^lag : The oldest change that is not collected is 301 s old; .*Paused is order:persist/,
      ),
    ])
    expect(of({ unmapped: [{ aggregate: 'order:1', reason: 'jane', at: since }] })).toEqual([
      expect.stringMatching(/^parked no message of order: (?!.*jane)/),
    ])
  })

  test('is read from the tables: a worker whose lease has run out, what is parked, the age of what waits', async () => {
    await store.pool.query('delete from bridge.message; delete from bridge.outbox; delete from bridge.worker')
    await enqueue(3)
    await store.pool.query(
      `update bridge.message set state = 'parked', created_at = created_at - interval '2 hours' where aggregate = 'order:0';
       update bridge.message set created_at = created_at - interval '1 hour' where aggregate = 'order:1';
       insert into bridge.outbox (kind, table_name, op, at) values ('order', 'spree_orders', 'update', clock_timestamp() - interval '30 minutes');
       insert into bridge.worker (id, process, host, pid, version, expires_at)
       values (gen_random_uuid(), 'worker', 'h', 1, '1', clock_timestamp() - interval '1 second')`,
    )
    const status = await readStatus(store.pool, 12)
    expect(status).toMatchObject({
      workers: [{ alive: false }],
      messages: [
        { state: 'parked', type: 'order:persist', count: 1 },
        { state: 'waiting', type: 'order:persist', count: 2 },
      ],
      outboxRows: 1,
    })
    const minutes = (seconds: number | null) => Math.floor((seconds ?? 0) / 60)
    expect([minutes(status.oldestMessageSeconds), minutes(status.oldestChangeSeconds)]).toEqual([60, 30])
    expect(bridgeTroubles(status, 300).map(({ cause }) => cause)).toEqual(['parked', 'worker', 'lag'])
    await store.pool.query('delete from bridge.message; delete from bridge.outbox; delete from bridge.worker')
  })
})

test('status says how much is done in a minute, and with what error the oldest message fails that does', async () => {
  await enqueue(3)
  await store.pool.query(
    `update bridge.message set state = 'parked', last_error = 'The hub answered 422.' where aggregate = 'order:0';
     update bridge.message set state = 'failing', attempts = 7, last_error = 'The hub answered 500: ' || aggregate where aggregate <> 'order:0';
     insert into bridge.worker (id, process, host, pid, version, status, expires_at)
     select gen_random_uuid(), 'worker', 'h', n, '1', report, clock_timestamp() + make_interval(secs => expires)
       from (values (1, '{"acceptedPerMinute": 1}', 9), (2, '{"acceptedPerMinute": 1}', 9),
                    (3, '{"acceptedPerMinute": 7}', -9), (4, '{}', 9)) made (n, report, expires);
     update bridge.tally set at = at - interval '1 hour';
     insert into bridge.tally (changes) values (4), (5);
     insert into bridge.tally (changes, at) values (100, now() - interval '2 minutes')`,
  )
  try {
    const status = await readStatus(store.pool, 12)
    expect(status).toMatchObject({
      failing: { aggregate: 'order:1', attempts: 7, lastError: 'The hub answered 500: order:1' },
      perMinute: { collected: 9, accepted: 2, applied: 0 },
    })
    const said = formatStatus(status)
    expect(said).toMatch(
      /^failing order:persist \d+ of order:1, .* after 7 attempts: The hub answered 500: order:1$/m,
    )
    expect(said).toMatch(/^rates {3}in the last minute 9 changes collected, 2 messages accepted/m)
  } finally {
    await store.pool.query(
      'truncate bridge.message; delete from bridge.worker; delete from bridge.tally where changes > 0',
    )
  }
})

test('where more waits than can be counted in time, all else is told nevertheless', async () => {
  await enqueue(2)
  await store.pool.query(
    `update bridge.message set state = 'parked' where aggregate = 'order:0';
     insert into bridge.message (lane, aggregate, type, payload, changed_at)
     select 0, 'order:' || n, 'order:persist', repeat('x', 1000), now() from generate_series(10, 60000) n`,
  )
  try {
    const status = await readStatus(store.pool, 12, 1)
    expect(status).toMatchObject({
      messages: [{ state: 'parked', type: 'order:persist', count: 1 }],
      waitingCounted: false,
    })
    expect(formatStatus(status)).toContain('too many to be counted')
    expect(bridgeTroubles(status, 300)).toContainEqual(expect.objectContaining({ cause: 'parked' }))
    expect(await readStatus(store.pool, 12)).toMatchObject({ waitingCounted: true })
  } finally {
    await store.pool.query('truncate bridge.message')
  }
})

describe("the hub's own", () => {
  test('are told from its own tables: what it cannot route, what consumers refuse, what nobody takes', async () => {
    const database = await createDatabase()
    expect(await runBridge(['migrate', '--hub'], { HUB_DATABASE_URL: database.url })).toMatchObject({
      status: 0,
    })
    const { log, closeLog } = createLog({ level: 'error', format: 'json', stream: new PassThrough() })
    const alarms = hubAlarms(
      { alarmWebhookUrl: receiver.url, alarmMailTo: undefined, alarmMailFrom: undefined, smtpUrl: undefined },
      database.pool,
      log,
    )
    const from = receiver.notices.length
    const told = () =>
      receiver.notices
        .slice(from)
        .map(({ bridge, cause, subject, state }) => [bridge, cause, subject, state].join(' '))
    const look = (waiting: Waiting) => alarms.look(hubTroubles(waiting, 300))
    const aMinuteLater = () =>
      database.pool.query(
        `update hub.alarm
            set first_seen_at = first_seen_at - interval '1 minute', last_seen_at = last_seen_at - interval '1 minute'`,
      )

    await look({ counts: [{ queue: 'accepted', state: 'waiting', count: 9 }], oldestSeconds: 300 })
    expect((await database.pool.query('select from hub.alarm')).rows).toEqual([])
    const troubled: Waiting = {
      counts: [
        { queue: 'incoming', state: 'parked', count: 1 },
        { queue: 'accepted', state: 'parked', count: 2 },
        { queue: 'accepted', state: 'waiting', count: 3 },
      ],
      oldestSeconds: 301,
    }
    await look(troubled)
    await until(async () => told().length === 3)
    expect(told().sort()).toEqual([
      'hub lag  raised',
      'hub parked accepted raised',
      'hub parked incoming raised',
    ])
    await aMinuteLater()
    await look({ ...troubled, counts: troubled.counts.slice(1) })
    await until(async () => told().length === 4)
    expect(told().at(-1)).toBe('hub parked incoming recovered')
    await alarms.stop()
    await closeLog()
    await database.drop()
  })
})

test('what is the matter with the hub is told where more waits in it than can be counted in time', async () => {
  const database = await createDatabase()
  const { pool } = database
  try {
    expect(await runBridge(['migrate', '--hub'], { HUB_DATABASE_URL: database.url })).toMatchObject({
      status: 0,
    })
    await pool.query(
      `insert into hub.store (id, name) values ('s', 'Shop');
       insert into hub.mapping (id, store_id, name, url, token, messages) values ('m', 's', 'erp', 'https://erp.example.com', 't', '{x}');
       insert into hub.accepted (lane, aggregate, key, type, payload, state, store_id, mapping_id, parent_id, created_at)
       select 0, 'm/' || n, n, 'x', repeat('x', 1000), case n when 1 then 'parked' else 'waiting' end, 's', 'm', '',
              now() - make_interval(secs => 70000 - n)
         from generate_series(1, 60000) n`,
    )
    const waiting = await countWaiting(pool, 1)
    expect(waiting.counts).toEqual([{ queue: 'accepted', state: 'parked', count: 1 }])
    expect(hubTroubles(waiting, 300).map(({ cause }) => cause)).toEqual(['parked', 'lag'])
    expect(await readHubOverview(pool, 12, 1)).toMatchObject({
      stores: [{ accepted: { waiting: null, parked: 1 } }],
      mappings: [{ counts: { waiting: null, failing: 0, parked: 1 } }],
    })
    expect((await countWaiting(pool)).counts).toContainEqual({
      queue: 'accepted',
      state: 'waiting',
      count: 59_999,
    })
  } finally {
    await database.drop()
  }
})

function count(what: string): Promise<number> {
  return store.pool
    .query<{ count: number }>(`select count(*)::integer as count from ${what}`)
    .then((result) => result.rows[0]?.count ?? 0)
}

function rows(where: string): Promise<number> {
  return count(`bridge.alarm where ${where}`)
}

async function enqueue(number: number): Promise<void> {
  await insertMessages(
    store.pool,
    BRIDGE_QUEUE,
    await countLanes(store.pool, BRIDGE_QUEUE),
    Array.from({ length: number }, (_, index) => ({
      aggregate: `order:${index}`,
      type: 'order:persist',
      payload: JSON.stringify({ orders: [{ number: `R${index}` }] }),
      subject: null,
      changedAt: new Date(),
    })),
  )
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 120_000
  while (!(await condition())) {
    if (Date.now() > deadline)
      throw new Error(`It did not come about: ${condition}. ${JSON.stringify(receiver.notices)}`)
    await pause(100)
  }
}

/** Where alarms are posted: keeps what it is told, and answers as it was told to. */
async function startReceiver() {
  const notices: Notice[] = []
  const authorizations: (string | undefined)[] = []
  let status = 200
  const server = createServer(async (request, response) => {
    let body = ''
    for await (const chunk of request) body += chunk
    notices.push(JSON.parse(body))
    authorizations.push(request.headers.authorization)
    response.writeHead(status).end()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    notices,
    authorizations,
    answer(with_: number) {
      status = with_
    },
    close: () =>
      new Promise<void>((resolve) => {
        server.closeAllConnections()
        server.close(() => resolve())
      }),
  }
}
