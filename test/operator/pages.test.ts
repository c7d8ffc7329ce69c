import { existsSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import { Router } from 'express'
import { type Browser, chromium, type Page } from 'playwright-core'
import { createApp } from '../../src/http/app.ts'
import { createEventStream } from '../../src/http/event-stream.ts'
import { listen } from '../../src/http/listen.ts'
import { readHubOverview } from '../../src/hub/page/page-overview.ts'
import { createLog } from '../../src/observe/log.ts'
import { createMetrics } from '../../src/observe/metrics.ts'
import { readOverview } from '../../src/operator/overview.ts'
import type { Pool } from '../../src/postgres/pool.ts'
import { BRIDGE_QUEUE } from '../../src/queue/message.ts'
import { pauseTypes, resumeTypes } from '../../src/queue/pause.ts'
import { createDatabase, type TestDatabase } from '../support/postgres.ts'
import { createStore } from '../support/stores.ts'
import {
  acknowledge,
  addWorker,
  enqueue,
  type Face,
  type FaceOptions,
  fail,
  HUB_STORE,
  migrateBoth,
  openDashboard,
  openHub,
  receive,
  seedHub,
} from './pages-ground.ts'

const TOKEN = 'operator-token-1'
const REASON = `hub.example.com answered 500: {"error":"We're sorry"}`
const ORDER = {
  aggregate: 'order:17',
  type: 'order:persist',
  payload: { orders: [{ number: 'R612345678' }] },
}
const PRODUCT = { aggregate: 'product:4', type: 'product:update', payload: { id: 4, sku: 'MUG-BLK' } }

let template: TestDatabase
let database: TestDatabase
let pool: Pool
const faces: Face[] = []

beforeAll(async () => {
  template = await createStore('spree-4.10', 'fixture')
  await migrateBoth(template.pool)
  await template.pool.end()
})
beforeEach(async () => {
  database = await createDatabase(new URL(template.url).pathname.slice(1))
  pool = database.pool
})
afterEach(async () => {
  await Promise.all(faces.splice(0).map((face) => face.close()))
  await database.drop()
})

async function dashboard(access: FaceOptions['access'] = {}): Promise<string> {
  const face = await openDashboard(pool, { access })
  faces.push(face)
  return face.url
}

async function hub(access: FaceOptions['access'] = {}): Promise<string> {
  const face = await openHub(pool, { access })
  faces.push(face)
  return face.url
}

/** What an answer may hold; what it does hold is for the test to say. */
type Body = Readonly<{ error: string; messages: readonly Readonly<{ id: string }>[]; message: object }>
type Event = Readonly<{ seen: unknown; trouble: string }>

async function get(url: string, headers: Record<string, string> = {}) {
  const response = await fetch(url, { headers })
  return { status: response.status, body: (await response.json()) as Body }
}

async function post(url: string, headers: Record<string, string> = {}) {
  const response = await fetch(url, { method: 'POST', headers })
  return { status: response.status, body: (await response.json()) as Body }
}

async function one<Row extends Record<string, unknown>>(query: string): Promise<Row> {
  return (await pool.query<Row>(query)).rows[0]!
}

describe('who is let in', () => {
  const doors = [
    'GET /api/v1/status',
    'GET /api/v1/messages',
    'GET /api/v1/messages/1',
    'GET /api/v1/inbox',
    'GET /api/v1/inbox/1',
    'GET /api/v1/events',
    'POST /api/v1/messages/retry',
    'POST /api/v1/messages/1/retry',
    'POST /api/v1/messages/1/park',
    'POST /api/v1/messages/1/discard',
    'POST /api/v1/inbox/1/retry',
    'POST /api/v1/inbox/1/discard',
  ]
  const hubDoors = [
    'GET /api/hub/overview',
    'GET /api/hub/messages',
    `GET /api/hub/messages/x`,
    'GET /api/hub/events',
    'POST /api/hub/messages/x/retry',
    'POST /api/hub/messages/x/archive',
  ]

  test('with a token set, nothing is read or changed without it; the pages themselves hold nothing', async () => {
    const [id] = await enqueue(pool, [ORDER])
    await fail(pool, id!, 'parked', REASON)
    await seedHub(pool)
    const access = { token: TOKEN }
    for (const [url, paths] of [
      [await dashboard(access), doors],
      [await hub(access), hubDoors],
    ] as const) {
      for (const door of paths) {
        const [method, path] = door.split(' ')
        for (const headers of [{}, { authorization: 'Bearer wrong' }]) {
          const response = await fetch(`${url}${path}`, { method: method!, headers })
          expect(`${door} ${response.status}`).toBe(`${door} 401`)
          expect(await response.text()).not.toContain('R612345678')
        }
      }
    }
    expect(await one('select state from bridge.message')).toEqual({ state: 'parked' })
    expect(await one('select state from hub.accepted')).toEqual({ state: 'parked' })

    const page = await fetch(`${await dashboard(access)}/dashboard`)
    expect(page.status).toBe(200)
    expect(page.headers.get('content-security-policy')).toMatch(/^default-src 'none'; script-src 'self'; /)
    expect(page.headers.get('cache-control')).toBe('no-cache')
    expect(await page.text()).not.toContain('R612345678')
    expect(
      (await get(`${await hub(access)}/api/hub/overview`, { authorization: `Bearer ${TOKEN}` })).status,
    ).toBe(200)
  })

  test('without a token, only this machine is, through no proxy and from no other site’s page', async () => {
    const [id] = await enqueue(pool, [ORDER])
    await fail(pool, id!, 'parked', REASON)
    const url = await dashboard()
    const discard = `${url}/api/v1/messages/${id}/discard`

    for (const path of ['/dashboard', '/api/v1/messages'])
      expect((await get(`${url}${path}`, { 'x-forwarded-for': '203.0.113.9' })).status).toBe(403)
    for (const origin of ['https://evil.example.com', 'null', 'http://127.0.0.1:1'])
      expect((await post(discard, { origin })).status).toBe(403)
    expect(await one('select state from bridge.message')).toEqual({ state: 'parked' })

    expect((await post(discard, { origin: url })).status).toBe(200)
    expect(await one('select state from bridge.history')).toEqual({ state: 'discarded' })
  })
})

describe('messages to the hub', () => {
  test('are listed by state, type and aggregate, page by page, with what people call them', async () => {
    const ids = await enqueue(pool, [
      { ...ORDER, about: 'R612345678' },
      { ...PRODUCT, about: 'MUG-BLK' },
      ORDER,
    ])
    await acknowledge(pool, ids[0]!, '52811a8584a8169f7a0000aa')
    await fail(pool, ids[1]!, 'failing', REASON)
    const list = `${await dashboard()}/api/v1/messages`
    const found = async (query: string) =>
      (await get(`${list}?${query}`)).body.messages.map((message) => message.id)

    expect((await get(list)).body.messages).toMatchObject([
      { id: ids[2], state: 'waiting', about: 'R612345678' },
      { id: ids[1], state: 'failing', about: 'MUG-BLK', lastError: REASON, attempts: 1 },
      { id: ids[0], state: 'done', answer: '52811a8584a8169f7a0000aa' },
    ])
    expect(await found('state=failing,done')).toEqual([ids[1], ids[0]])
    expect(await found('type=order:persist')).toEqual([ids[2], ids[0]])
    expect(await found('aggregate=product:4')).toEqual([ids[1]])
    expect(await found('limit=1')).toEqual([ids[2]])
    expect(await found(`limit=1&before=${ids[2]}`)).toEqual([ids[1]])

    const { status, body } = await get(`${list}?state=lost`)
    expect(status).toBe(400)
    expect(body.error).toContain('state')
    expect((await get(`${list}?aggregat=order:17`)).status).toBe(400)
    expect((await get(`${list}?before=1%20or%201`)).status).toBe(400)
  })

  test('are shown with payload, attempts and answer', async () => {
    const [id] = await enqueue(pool, [ORDER])
    await acknowledge(pool, id!, '52811a8584a8169f7a0000aa')
    const url = `${await dashboard()}/api/v1/messages`

    expect((await get(`${url}/${id}`)).body).toMatchObject({
      state: 'done',
      attempts: 1,
      answer: '52811a8584a8169f7a0000aa',
      payload: ORDER.payload,
    })
    for (const unknown of ['99', 'x', '1e3', '99999999999999999999']) {
      const { status, body } = await get(`${url}/${unknown}`)
      expect(status).toBe(404)
      expect(body.error).toBe(`There is no message ${unknown} in the queue or in its history.`)
    }
  })

  test('retry, park and discard change the row, and tell the owner of its lane and the collector', async () => {
    const [id] = await enqueue(pool, [ORDER])
    await fail(pool, id!, 'failing', REASON)
    const url = `${await dashboard()}/api/v1/messages/${id}`
    const row = 'select state, due <= clock_timestamp() as due, attempts from bridge.message'

    expect((await post(`${url}/park`)).body.message).toMatchObject({ id, state: 'parked', due: null })
    expect((await post(`${url}/retry`)).body.message).toMatchObject({
      id,
      state: 'waiting',
      lastError: REASON,
    })
    expect(await one(row)).toEqual({ state: 'waiting', due: true, attempts: 1 })
    expect(await one('select sum(revision)::integer as revisions from bridge.lane')).toEqual({ revisions: 2 })

    expect((await post(`${url}/discard`)).body.message).toMatchObject({ id, state: 'discarded' })
    expect(await one('select kind, row_id, op from bridge.outbox')).toEqual({
      kind: 'order',
      row_id: '17',
      op: 'forget',
    })
    expect(await post(`${url}/retry`)).toEqual({
      status: 409,
      body: { error: `Message ${id} is discarded: there is nothing to retry.` },
    })
    expect((await post(`${url}/explode`)).status).toBe(404)
  })

  test('of a message that a person pushed by hand nothing is to be forgotten: discarding it asks nothing', async () => {
    const [id] = await enqueue(pool, [{ ...ORDER, aggregate: 'push:3f2c7f0e-1111-4222-8333-444455556666' }])
    const { body } = await post(`${await dashboard()}/api/v1/messages/${id}/discard`)
    expect(body.message).toMatchObject({ id, state: 'discarded' })
    expect(await one('select count(*)::integer as asked from bridge.outbox')).toEqual({ asked: 0 })
  })

  test('are retried all at once, with what could not be made into a message', async () => {
    const [order, product] = await enqueue(pool, [ORDER, PRODUCT])
    await fail(pool, order!, 'parked', REASON)
    await fail(pool, product!, 'failing', REASON)
    await pool.query(
      `insert into bridge.unmapped (aggregate, reason) values ('order:18', 'currency is null')`,
    )
    const url = await dashboard()

    const ids = `{"ids":["${order}"]}`
    // A stream has no length that could be told before: it comes in chunks.
    for (const body of [{ body: ids }, { body: new Blob([ids]).stream(), duplex: 'half' as const }]) {
      const named = await fetch(`${url}/api/v1/messages/retry`, { method: 'POST', ...body })
      expect([named.status, await named.json()]).toEqual([400, { error: expect.stringContaining('no body') }])
    }
    expect(await get(`${url}/api/v1/messages?type=%00`)).toMatchObject({
      status: 400,
      body: { error: expect.stringContaining('NUL') },
    })

    expect((await post(`${url}/api/v1/messages/retry?state=parked`)).body).toEqual({ count: 2 })
    expect(await one(`select state from bridge.message where id = ${product}`)).toEqual({ state: 'failing' })
    expect(await one('select row_id, op from bridge.outbox')).toEqual({ row_id: '18', op: 'announce' })
    expect((await get(`${url}/api/v1/status`)).body).toMatchObject({
      messages: [
        { state: 'failing', type: 'product:update', count: 1 },
        { state: 'waiting', type: 'order:persist', count: 1 },
      ],
      unmapped: [{ aggregate: 'order:18', reason: 'currency is null' }],
    })
  })
})

test('inbound messages are listed, shown, retried and discarded, the failed ones only', async () => {
  const [other, applied, failed] = await receive(pool, [
    { messageId: 'a0', type: 'stock:change', reason: 'No variant has the SKU CAP.' },
    { messageId: 'a1', type: 'stock:change' },
    { messageId: 'a2', type: 'product:update', reason: 'No variant has the SKU MUG-BLK.' },
  ])
  const url = `${await dashboard()}/api/v1/inbox`

  expect((await get(url)).body.messages).toMatchObject([
    { id: failed, state: 'failed' },
    { id: applied },
    { id: other },
  ])
  expect((await get(`${url}?limit=1&before=${failed}`)).body.messages).toMatchObject([{ id: applied }])
  expect((await get(`${url}?state=failed&type=product:update`)).body.messages).toHaveLength(1)
  expect((await get(`${url}/${failed}`)).body).toMatchObject({
    lastError: 'No variant has the SKU MUG-BLK.',
    payload: { sku: 'MUG-BLK', name: 'Mug, black' },
    answer: { message_id: 'a2' },
  })
  expect((await post(`${url}/${applied}/retry`)).status).toBe(409)
  expect((await post(`${url}/${failed}/retry`)).body.message).toMatchObject({ state: 'failed', attempts: 2 })
  expect((await post(`${url}/${other}/discard`)).body.message).toMatchObject({ state: 'discarded' })
  expect((await post(`${url}/${other}/retry`)).status).toBe(409)
  await pool.query(
    `update spree_variants set sku = 'MUG-BLK' where id = (select min(id) from spree_variants)`,
  )
  expect((await post(`${url}/${failed}/retry`)).body.message).toMatchObject({
    state: 'applied',
    lastError: null,
  })
  expect(
    await one(`select count(*)::integer as renamed from spree_products where name = 'Mug, black'`),
  ).toEqual({
    renamed: 1,
  })
  expect((await get(`${url}/99`)).status).toBe(404)
})

test('an inbound message is known by its number, also where a hub has called another one so', async () => {
  const [first] = await receive(pool, [{ messageId: 'a0', type: 'stock:change', reason: 'No such SKU.' }])
  await receive(pool, [{ messageId: first!, type: 'stock:change', reason: 'No such SKU either.' }])
  const url = `${await dashboard()}/api/v1/inbox/${first}`
  expect((await get(url)).body).toMatchObject({ id: first, messageId: 'a0' })
  expect((await post(`${url}/discard`)).body.message).toMatchObject({ id: first, state: 'discarded' })
  expect(await one(`select id::text from bridge.inbox where state = 'failed'`)).not.toEqual({ id: first })
})

/** The events of a stream, one by one; empty when it has ended. */
async function openStream(url: string) {
  const abort = new AbortController()
  const response = await fetch(url, { signal: abort.signal })
  expect(response.headers.get('content-type')).toMatch(/^text\/event-stream/)
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader()
  let text = ''
  return {
    async next(): Promise<Partial<Event>> {
      while (!text.includes('\n\n')) {
        const { done, value } = await reader.read()
        if (done) return {}
        text += value
      }
      const [event = '', ...rest] = text.split('\n\n')
      text = rest.join('\n\n')
      return JSON.parse(event.replace(/^data: /, ''))
    },
    leave: () => abort.abort(),
  }
}

describe('the stream', () => {
  test('tells what there is, then each change, and ends with the process', async () => {
    const [id] = await enqueue(pool, [ORDER])
    const face = await openDashboard(pool)
    faces.push(face)
    const stream = await openStream(`${face.url}/api/v1/events`)
    expect((await stream.next()).seen).toMatchObject({
      troubled: [],
      outbound: [{ id, state: 'waiting' }],
      inbound: [],
    })

    await fail(pool, id!, 'failing', REASON)
    expect((await stream.next()).seen).toMatchObject({
      troubled: [{ id, state: 'failing', lastError: REASON }],
    })

    await receive(pool, [{ messageId: 'a1', type: 'stock:change', reason: 'No such SKU.' }])
    expect((await stream.next()).seen).toMatchObject({
      failedInboundCount: 1,
      failedInbound: [{ messageId: 'a1' }],
    })

    await face.close()
    expect(await stream.next()).toEqual({})
  })

  test('is read once for all listeners, for nobody not at all, and says when it cannot be read', async () => {
    let reads = 0
    let value: unknown = 'first'
    const stream = createEventStream({
      async read() {
        reads++
        if (value instanceof Error) throw value
        return value
      },
      onError: () => {},
    })
    const { log } = createLog({ level: 'error', format: 'json' })
    const app = createApp({
      log,
      readyChecks: {},
      metrics: createMetrics(),
      operator: { host: '127.0.0.1' },
      routers: [Router().get('/events', stream.handler)],
    })
    const server = await listen(app, { port: 0, host: '127.0.0.1' })
    faces.push({
      ...server,
      close() {
        stream.close()
        return server.close()
      },
    })
    const from = performance.now()
    const listeners = await Promise.all([1, 2, 3].map(() => openStream(`${server.url}/events`)))
    for (const listener of listeners) expect((await listener.next()).seen).toBe('first')

    value = new Error('the database is away')
    for (const listener of listeners) expect((await listener.next()).trouble).toContain('does not answer')
    value = 'second'
    for (const listener of listeners) expect((await listener.next()).seen).toBe('second')
    // Once at first and once a second, not for each of them.
    expect(reads).toBeLessThanOrEqual(2 + (performance.now() - from) / 1_000)

    for (const listener of listeners) listener.leave()
    const hasStopped = async () => {
      const before = reads
      await pause(1_300)
      return reads === before
    }
    let looks = 0
    while (!(await hasStopped())) expect(++looks).toBeLessThan(20)
  })
})

describe('the hub', () => {
  test('tells its stores, mappings and queues, and what came in with its copies and results', async () => {
    const keys = await seedHub(pool)
    const url = `${await hub()}/api/hub`

    expect((await get(`${url}/overview`)).body).toMatchObject({
      stores: [
        {
          id: HUB_STORE,
          name: 'Totes & Mugs',
          incoming: 0,
          archived: 2,
          accepted: { waiting: 0, failing: 0, parked: 1 },
        },
      ],
      mappings: [
        { name: 'erp.books', counts: { parked: 0 }, filters: [] },
        { name: 'warehouse.orders', counts: { parked: 1 }, filters: [{ operator: 'eq', value: 'complete' }] },
      ],
      troubled: [{ key: keys.parked, code: 422 }],
    })
    const arrivals = [
      {
        key: keys.arrival,
        queue: 'archived',
        copies: [
          { key: keys.delivered, mappingId: 'm-books', state: 'done', code: 200 },
          { key: keys.parked, mappingId: 'm-warehouse', state: 'parked', code: 422 },
        ],
      },
    ]
    expect((await get(`${url}/messages`)).body.messages).toMatchObject(arrivals)
    expect((await get(`${url}/messages?store=${HUB_STORE}`)).body.messages).toMatchObject(arrivals)
    await pool.query(
      `insert into hub.incoming (lane, aggregate, key, type, payload, store_id)
       values (0, '${HUB_STORE}/product:13', '52811a8584a8169f7a0000e1', 'stock:change', '{"sku": "BC-01"}', '${HUB_STORE}')`,
    )
    expect((await get(`${url}/messages`)).body.messages).toMatchObject([
      { about: 'product:BC-01', queue: 'incoming', copies: [] },
      { about: 'order:R612345678' },
    ])
    expect((await get(`${url}/messages?store=another`)).body.messages).toEqual([])
    expect((await get(`${url}/messages/${keys.parked}`)).body).toMatchObject({
      payload: { orders: [{ number: 'R612345678' }] },
      response: { error: 'no such SKU' },
      parentKey: keys.arrival,
    })
    expect((await get(`${url}/messages/${keys.delivered}`)).body).toMatchObject({
      code: 200,
      response: { ok: true },
    })
    expect((await get(`${url}/messages/${keys.arrival}`)).body).toMatchObject({ code: null, response: null })
    expect((await get(`${url}/messages/none`)).status).toBe(404)
  })

  test('a copy is tried again, or archived; what is archived stays so', async () => {
    const keys = await seedHub(pool)
    const url = `${await hub()}/api/hub/messages`

    expect((await post(`${url}/${keys.parked}/retry`)).body.message).toMatchObject({
      state: 'waiting',
      queue: 'accepted',
    })
    expect(await one('select revision from hub.accepted_lane where lane = 3')).toEqual({ revision: '1' })
    expect((await post(`${url}/${keys.parked}/archive`)).body.message).toMatchObject({
      state: 'discarded',
      queue: 'archived',
      lastError: expect.stringContaining('422'),
    })
    expect(await post(`${url}/${keys.delivered}/retry`)).toEqual({
      status: 409,
      body: { error: `Message ${keys.delivered} is archived (done): there is nothing to retry.` },
    })
    expect((await post(`${url}/none/archive`)).status).toBe(404)
  })
})

const CHROMIUM = '/usr/bin/chromium'
const inBrowser = existsSync(CHROMIUM) ? describe : describe.skip
if (inBrowser === describe.skip)
  console.warn(`The pages are not tested in a browser: there is no ${CHROMIUM} (apt-get install chromium).`)

inBrowser('in a browser', () => {
  let browser: Browser
  let page: Page
  let complaints: string[]

  beforeAll(async () => {
    browser = await chromium.launch({
      executablePath: CHROMIUM,
      args: ['--no-sandbox', '--disable-dev-shm-usage'],
    })
  })
  beforeEach(async () => {
    page = await browser.newPage({ viewport: { width: 1280, height: 900 } })
    page.setDefaultTimeout(60_000)
    complaints = []
    page.on('pageerror', (error) => complaints.push(error.message))
    page.on('console', (message) => {
      if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text())
    })
  })
  afterEach(() => page.close())
  afterAll(() => browser?.close())

  const overflow = () =>
    page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth')

  test('a failing message is seen with its reason, retried, and seen to arrive', async () => {
    await addWorker(pool, { circuit: 'closed', lastError: null })
    const [id] = await enqueue(pool, [{ ...ORDER, about: 'R612345678' }])
    await fail(pool, id!, 'failing', REASON)
    await page.goto(`${await dashboard({ token: TOKEN })}/dashboard#token=${TOKEN}`)

    const verdict = page.locator('#verdict')
    await verdict.getByText('1 message fails and is tried again').waitFor()
    expect(page.url()).not.toContain(TOKEN)
    const trouble = page.locator('#troubled > li')
    expect(await trouble.innerText()).toMatch(/failing\s+order:persist\s+R612345678/)
    expect(await trouble.innerText()).toContain(REASON)

    await trouble.getByText('order:persist').focus()
    await trouble.locator('summary').first().press('Enter')
    await trouble.locator('pre', { hasText: '"number": "R612345678"' }).waitFor()

    await trouble.getByRole('button', { name: 'Retry' }).click()
    await page.getByText(`Message ${id} is put back to be sent.`).waitFor()
    await page.locator('#outbound > li[data-state=waiting]').waitFor()
    await page.locator('#trouble').waitFor({ state: 'hidden' })
    expect(await one('select state from bridge.message')).toEqual({ state: 'waiting' })

    await acknowledge(pool, id!, '52811a8584a8169f7a0000aa')
    await page.locator('#outbound > li[data-state=done]').waitFor()
    await verdict.getByText('All is well.').waitFor()
    expect(complaints).toEqual([])
  })

  test('what waits is not said to be nothing where it is too many to be counted', async () => {
    await addWorker(pool, { circuit: 'closed', lastError: null })
    await pauseTypes(pool, BRIDGE_QUEUE, ['order:persist'])
    const overview = { ...(await readOverview(pool, 12)), waitingCounted: false, seeding: [] }
    await resumeTypes(pool, BRIDGE_QUEUE, ['order:persist'])
    await page.goto(`${await dashboard()}/dashboard`)
    const saidOf = (seen: unknown) =>
      page.evaluate(`(async () => {
        const { bridgeFigures, bridgeVerdict } = await import('/pages/bridge-verdict.js')
        const seen = ${JSON.stringify(seen)}
        return [bridgeFigures(seen)[0], ...bridgeVerdict(seen).map(({ words, hint }) => words + ' ' + hint)]
      })()`)
    expect(await saidOf(overview)).toEqual([
      ['waiting', 'too many to count'],
      expect.stringMatching(
        /^order:persist is paused: too many messages to count may wait, and what follows/,
      ),
    ])
    expect(await saidOf({ ...overview, paused: [] })).toEqual([
      ['waiting', 'too many to count'],
      'All is well. Messages are on the way, too many to count.',
    ])
  })

  test('discarding asks first; a filter is kept in the address; the stream comes back by itself', async () => {
    await addWorker(pool, { circuit: 'open', lastError: 'The hub refuses us with 401.' })
    const [order] = await enqueue(pool, [ORDER, PRODUCT])
    await fail(pool, order!, 'parked', REASON)
    const face = await openDashboard(pool)
    faces.push(face)
    await page.goto(`${face.url}/dashboard`)

    await page.getByText('Nothing is pushed for now. The hub refuses us with 401.').waitFor()
    expect(await page.title()).toBe('(2) spree-bridge')
    const discard = page.locator('#troubled').getByRole('button', { name: 'Discard' })
    await discard.click()
    await page.getByRole('button', { name: 'Leave it' }).click()
    expect(await one('select state from bridge.message where id = 1')).toEqual({ state: 'parked' })
    await discard.click()
    await page.getByRole('button', { name: 'Discard 1 message' }).click()
    await page.locator('#outbound > li[data-state=discarded]').waitFor()

    await page.locator('#outbound-filter select').selectOption('waiting')
    await page.locator('#outbound > li[data-state=discarded]').waitFor({ state: 'detached' })
    await page.reload()
    await page.locator('#outbound > li[data-state=waiting]').waitFor()
    expect(await page.locator('#outbound > li').count()).toBe(1)
    expect(complaints).toEqual([])

    await face.close()
    await page.getByText(/The server (cannot be reached|has ended the connection)\./).waitFor()
    faces.push(await openDashboard(pool, { port: Number(new URL(face.url).port) }))
    await page.locator('#live.on').waitFor()
    await page.getByText('What is shown below is as it was.').waitFor({ state: 'detached' })
  })

  test('what the configuration keeps back, and what one on trial would change, is seen', async () => {
    await page.goto(`${await dashboard({ token: TOKEN })}/dashboard#token=${TOKEN}`)
    await page.locator('#live.on').waitFor()
    expect(await page.locator('#shaping').isVisible()).toBe(false)
    await pool.query(`
      insert into bridge.withheld (type, withheld_by, count, last_aggregate) values ('stock:change', 'filters', 1200, 'product:13');
      insert into bridge.shadow (type, trial, compared, differing) values ('order:persist', 'one', 10, 3);
      insert into bridge.shadow_difference (type, path, count, live, shadow, last_aggregate)
      values ('order:persist', 'payload.total', 3, 'number', 'text', 'order:41')`)
    const items = page.locator('#shaped > li')
    await items.nth(1).waitFor()
    expect(await items.allInnerTexts()).toEqual([
      expect.stringMatching(/^stock:change 1,200 kept back by filters in .*, the last of product:13 /),
      expect.stringMatching(
        /^order:persist on trial for .*: 3 of 10 would differ\s+payload.total number → text, 3 times, the last of order:41$/,
      ),
    ])
    expect(complaints).toEqual([])
  })

  test('the token is asked for, and asked for again when it is wrong', async () => {
    await enqueue(pool, [ORDER])
    await page.goto(`${await dashboard({ token: TOKEN })}/dashboard`)
    const field = page.getByLabel('OPERATOR_TOKEN of this bridge')
    await field.fill('wrong')
    await field.press('Enter')
    await page.getByText('This token is not the right one.').waitFor()
    expect(await page.locator('main').isVisible()).toBe(false)
    await field.fill(TOKEN)
    await field.press('Enter')
    await page.locator('#outbound > li').waitFor()
    await page.getByRole('button', { name: 'Sign out' }).click()
    await field.waitFor()
  })

  test('the hub shows which consumer does not take what, and tries it again', async () => {
    const keys = await seedHub(pool)
    await page.goto(await hub())

    await page.getByText('1 message for warehouse.orders of Totes & Mugs is parked.').waitFor()
    await page.getByText('only where payload.order.status eq complete').waitFor()
    expect(await page.locator('#arrivals > li').innerText()).toMatch(
      /done\s+order:persist\s+R612345678[\s\S]*done\s+→ erp.books[\s\S]*parked\s+→ warehouse.orders/,
    )
    await page.locator('#troubled summary').first().click()
    await page.locator('#troubled').getByText('Result 422').click()
    await page.locator('pre', { hasText: 'no such SKU' }).waitFor()
    await page.locator('#troubled').getByRole('button', { name: 'Retry' }).click()
    await page.getByText(`Message ${keys.parked} is put back to be tried.`).waitFor()
    await page.locator('#arrivals [data-state=waiting]').waitFor()
    expect(await one('select state from hub.accepted')).toEqual({ state: 'waiting' })
    expect(complaints).toEqual([])
  })

  test('where more waits than could be counted in time, it says so', async () => {
    await seedHub(pool)
    const seen = await readHubOverview(pool, 12)
    const uncounted = <T extends { waiting: number | null }>(counts: T) => ({ ...counts, waiting: null })
    const show = (path: string, seen: object) =>
      page.route(`**${path}`, (route) =>
        route.fulfill({
          contentType: 'text/event-stream',
          body: `data: ${JSON.stringify({ at: new Date(), seen })}\n\n`,
        }),
      )
    await show('/api/hub/events', {
      ...seen,
      stores: seen.stores.map((each) => ({ ...each, incoming: null, accepted: uncounted(each.accepted) })),
      mappings: seen.mappings.map((each) => ({ ...each, counts: uncounted(each.counts) })),
    })
    await page.goto(await hub())
    await page.getByText('incoming: too many to count · to deliver: too many to count · 0 failing').waitFor()
    await page.getByText('waiting: too many to count, 1 parked').waitFor()
    expect(await page.locator('#figures').innerText()).toMatch(
      /^incoming\s+too many to count\s+to deliver\s+too many to count\s+failing\s+0/,
    )

    await show('/api/v1/events', { ...(await readOverview(pool, 12)), waitingCounted: false })
    await page.goto(`${await dashboard()}/dashboard`)
    await page.locator('#figures', { hasText: 'too many to count' }).waitFor()
  })

  test('nothing runs over the edge of a telephone, empty or full', async () => {
    await page.setViewportSize({ width: 390, height: 844 })
    const sku = 'HOODIE-NAVY-WITH-A-SKU-MADE-OF-EVERYTHING-THAT-ANYBODY-EVER-KNEW-ABOUT-IT'
    const pages = [`${await dashboard()}/dashboard`, await hub()]
    const look = async () => {
      for (const address of pages) {
        await page.goto(address)
        await page.locator('#live.on').waitFor()
        for (const row of await page.locator('.row > .line > details > summary').all()) await row.click()
        if (await page.locator('.row').count()) await page.locator('pre').first().waitFor()
        expect(await overflow()).toBe(0)
      }
    }
    await look()
    const [id] = await enqueue(pool, [
      { ...PRODUCT, payload: { sku }, about: sku },
      { ...ORDER, about: sku },
    ])
    await fail(pool, id!, 'parked', `hub.example.com refused it with 422: ${sku}${sku}`)
    await receive(pool, [{ messageId: '52811a8584a8169f7a0000aa', type: 'stock:change', reason: sku + sku }])
    await pool.query(`insert into bridge.unmapped (aggregate, reason) values ('product:9', $1)`, [sku])
    await seedHub(pool)
    await pool.query(`update hub.mapping set name = 'warehouse.' || lower($1)`, [sku])
    await look()
    expect(complaints).toEqual([])
  })
})
