import { connect } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { dialectOf } from '../../src/apply/dialects.ts'
import { HANDLERS } from '../../src/apply/handlers.ts'
import { newObjectId } from '../../src/hub/object-id.ts'
import { forgetOld } from '../../src/hub/retention.ts'
import { ifSamples, readReferenceSample } from '../messages/reference-samples.ts'
import { SEED } from '../support/seed-pages.ts'
import { ADMIN_TOKEN, createStore, type HubServer, type HubStore, startHub } from './hub-server.ts'

/** A hub knows the store's webhook only by the protocol; a type that the webhook learns has to be added there. */
const TAKEN_BY_A_STORE = HANDLERS.filter((handler) => dialectOf(handler).name === 'seed').map(
  ({ message }) => message,
)

let hub: HubServer
let store: HubStore
let other: HubStore

beforeAll(async () => {
  hub = await startHub()
  store = await createStore(hub)
  other = await createStore(hub, { name: 'Another store' })
})
afterAll(async () => {
  const faults = hub.faults()
  await hub.close()
  expect(faults).toEqual([])
})

type Sent = Readonly<{ body?: string | Buffer; headers?: Record<string, string>; of?: HubStore }>

const call = (method: string, path: string, { body, headers, of = store }: Sent = {}) =>
  hub.call(
    method,
    `/api/stores/${of.id}/${path}`,
    { 'Content-Type': 'application/json', 'X-Augury-Token': of.token, ...headers },
    body,
  )
const send = (method: string, path: string, value: unknown, sent: Sent = {}) =>
  call(method, path, { ...sent, body: JSON.stringify(value) })
const push = (body: string, sent: Sent = {}) => call('POST', 'messages', { ...sent, body })
const HEX24 = expect.stringMatching(/^[0-9a-f]{24}$/)

const idOf = ({ json }: Readonly<{ json: unknown }>, key = 'message_id') => {
  const id = (json as Record<string, unknown>)[key]
  expect(id).toEqual(HEX24)
  return String(id)
}

async function countIncoming(of = store): Promise<number> {
  const { rows } = await hub.pool.query<{ count: number }>(
    'select count(*)::integer as count from hub.incoming where store_id = $1',
    [of.id],
  )
  return rows[0]?.count ?? 0
}

async function incoming(key: string) {
  type Row = { key: string; aggregate: string; lane: number }
  const { rows } = await hub.pool.query<Row>('select * from hub.incoming where key = $1', [key])
  return rows[0]
}

describe('push', () => {
  test('C1 C2 C3 C4 C18 C102 C103 stock:change of the seed page comes back as printed, with a message_id', async () => {
    const answer = await push(SEED.stockChange)
    expect(answer.status).toBe(201)
    expect(answer.json).toEqual({
      message: 'stock:change',
      payload: { sku: 'apc-00001', quantity: 10 },
      message_id: HEX24,
    })
    expect(answer.headers.get('content-type')).toBe('application/json; charset=utf-8')
    expect(answer.headers.get('x-hub')).toBe('spree-bridge')
  })

  ifSamples.each([
    ['stock_change', SEED.stockChange],
    ['order_persist', SEED.orderPersist],
    ['product_new', SEED.productNew],
  ])(
    'C3 C183 C185 %s is sent and answered as the samples have it (needs the samples)',
    async (name, body) => {
      const sample = `aug.api.push_${name}`
      expect(JSON.parse(body)).toEqual(readReferenceSample(`${sample}.request`))
      const printed = readReferenceSample(`${sample}.response`)
      expect((await push(body)).json).toEqual({ ...printed, message_id: HEX24 })
    },
  )

  test('C2 what was submitted is kept and given back byte for byte, whatever JavaScript makes of it', async () => {
    const payload =
      '{ "price":15.990,"ean":12345678901234567890, "x":1E2,"text":"\\u00e9 \\" } ,","list":[ {"a":{}} ] }'
    const answer = await push(`{"b":[1.0, 2],"message":"a:b","payload":${payload},"origin":"test","n":-0.0}`)
    expect(answer.text).toBe(
      `{"b":[1.0, 2],"message":"a:b","payload":${payload},"origin":"test","n":-0.0,"message_id":"${idOf(answer)}"}`,
    )
    expect(await incoming(idOf(answer))).toMatchObject({
      payload,
      origin: 'test',
      envelope: '{"b":[1.0, 2],"n":-0.0}',
    })
  })

  test('C5 C55 C195 the message_id is that of a message in the incoming queue, pending, without parent', async () => {
    const id = idOf(await push(SEED.stockChange))
    const listed = await call('GET', `queues/incoming?message_id=${id}`)
    expect(listed.json).toMatchObject([{ id, state: 'pending', queue_name: 'incoming' }])
    const shown = await call('GET', `messages/${id}`)
    expect(shown.json).toMatchObject({ id, parent_id: '', payload: { sku: 'apc-00001', quantity: 10 } })
  })

  test('C6 C19 with trailing slash or .json it is the same, without a redirect', async () => {
    for (const path of ['messages/', 'messages.json', 'messages.json/']) {
      const answer = await call('POST', path, { body: SEED.stockChange })
      expect([path, answer.status]).toEqual([path, 201])
      expect(await incoming(idOf(answer))).toMatchObject({ type: 'stock:change' })
    }
  })

  test('C7 C183 order:persist with an empty payload comes back with an empty object', async () => {
    const answer = await push(SEED.orderPersist)
    expect(answer.status).toBe(201)
    expect(answer.json).toEqual({ message: 'order:persist', payload: {}, message_id: HEX24 })
  })

  test('C8 C9 a type that the hub and no mapping knows is taken', async () => {
    expect(await push('{"message":"pch:gan:update","payload":{}}')).toMatchObject({ status: 201 })
  })

  test('C184 the cURL form, a header without a blank after its colon', async () => {
    const body = `${SEED.stockChangeByCurl}}`
    const { hostname, port } = new URL(hub.url)
    const text = await new Promise<string>((resolve, reject) => {
      let got = ''
      connect(Number(port), hostname)
        .on('error', reject)
        .on('data', (chunk) => {
          got += chunk
        })
        .on('end', () => resolve(got))
        .write(
          `POST /api/stores/${store.id}/messages HTTP/1.1\r\nHost: ${hostname}\r\nContent-Type:application/json\r\n` +
            `X-Augury-Token:${store.token}\r\nConnection: close\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
        )
    })
    expect(text).toMatch(/^HTTP\/1.1 201 /)
    expect(text).toContain('"sku":"APC-00001","quantity":10')
  })

  test('C185 the eight fields of product:new keep their types', async () => {
    const answer = await push(SEED.productNew)
    expect(answer.status).toBe(201)
    expect(answer.json).toEqual({ ...JSON.parse(SEED.productNew), message_id: HEX24 })
  })

  test('C20 C22 C186 C187 whatever is said to be available can be pushed, and so can what the pages name', async () => {
    const available = (await call('GET', 'available_messages')).json as string[]
    const named = ['order:new', 'order:updated', 'user:new', 'shipment:ready', 'stock:change', 'product:new']
    expect(available).toEqual(expect.arrayContaining([...named, ...TWELVE]))
    for (const message of available) {
      expect([message, (await push(JSON.stringify({ message, payload: {} }))).status]).toEqual([message, 201])
    }
  })

  test('C189 each push has an id of its own, also of equal bodies and at once', async () => {
    const answers = await Promise.all(Array.from({ length: 40 }, () => push(SEED.stockChange)))
    expect(new Set(answers.map((answer) => idOf(answer))).size).toBe(40)
  })

  test('C52 a whole message as message, as the testing tool sent it, is unwrapped and gets its id twice', async () => {
    const answer = await push(
      '{"origin":"test","message":{"message":"stock:change","payload":{"sku":"APC-00001","quantity":10.0}}}',
    )
    const id = idOf(answer)
    expect(answer.status).toBe(201)
    expect(answer.text).toBe(
      `{"origin":"test","message":"stock:change","payload":{"sku":"APC-00001","quantity":10.0},"message_id":"${id}","id":"${id}"}`,
    )
    expect(await incoming(id)).toMatchObject({ type: 'stock:change', origin: 'test', envelope: '{}' })
  })

  test('C53 origin is kept and shown', async () => {
    const answer = await push('{"origin":"store","message":"user:password_reset","payload":{"id":1}}')
    expect(answer.json).toMatchObject({ origin: 'store' })
    expect((await call('GET', `messages/${idOf(answer)}`)).json).toMatchObject({
      attributes: { origin: 'store' },
    })
  })

  test.each([
    ['{"message":"order:persist","payload":{"number":"R1"}}', 'order:R1'],
    ['{"message":"stock:change","payload":{"sku":"A-1","quantity":1}}', 'product:17'],
    ['{"message":"custom:thing","payload":{}}', 'product:17'],
  ])('what our own bridge says it belongs to counts where %s names no order', async (body, aggregate) => {
    const id = idOf(await push(body, { headers: { 'X-Bridge-Aggregate': 'product:17' } }))
    expect(await incoming(id)).toMatchObject({ aggregate: `${store.id}/${aggregate}` })
  })

  test.each([{}, { 'Idempotency-Key': 'b5c7e1a0' }])(
    'is answered when it is durable, and no sooner: %j',
    async (headers) => {
      const holder = await hub.pool.connect()
      await holder.query('begin; lock table hub.incoming in exclusive mode')
      const answers: number[] = []
      const pushed = push(SEED.stockChange, { headers }).then(({ status }) => answers.push(status))
      try {
        const waits = `select count(*)::integer as waiting from pg_locks where relation = 'hub.incoming'::regclass and not granted`
        while ((await hub.pool.query<{ waiting: number }>(waits)).rows[0]?.waiting === 0) await pause(5)
        await pause(20)
        expect(answers).toEqual([])
      } finally {
        await holder.query('rollback')
        holder.release()
        await pushed
      }
      expect(answers).toEqual([201])
    },
  )

  test('messages of one aggregate share a lane; one of none has its own', async () => {
    const [a, b, none] = [
      await incoming(idOf(await push(SEED.stockChange))),
      await incoming(idOf(await push(SEED.stockChange))),
      await incoming(idOf(await push('{"message":"email:send","payload":{}}'))),
    ]
    expect(a).toMatchObject({ aggregate: `${store.id}/product:apc-00001`, lane: b?.lane })
    expect(none?.aggregate).toBe(`${store.id}/${none?.key}`)
  })

  test('a hub that listens is told', async () => {
    const listener = await hub.pool.connect()
    try {
      await listener.query('listen hub_incoming')
      const told = new Promise((resolve) => {
        // Only the driver's own connection has events.
        ;(listener as unknown as NodeJS.EventEmitter).once('notification', resolve)
      })
      await push(SEED.stockChange)
      expect(await told).toMatchObject({ channel: 'hub_incoming' })
    } finally {
      await listener.query('unlisten *')
      listener.release()
    }
  })
})

const TWELVE = [
  'endpoint:poll',
  'notification:error',
  'notification:info',
  'notification:warn',
  'order:canceled',
  'order:import',
  'order:new',
  'order:persist',
  'order:updated',
  'payment:capture',
  'payment:ready',
  'product:update',
]

describe('a push that is none', () => {
  const deep = (levels: number) =>
    `{"message":"a:b","payload":${'{"a":'.repeat(levels)}1${'}'.repeat(levels)}}`

  test.each<[title: string, status: number, body: string | Buffer | undefined, said: RegExp]>([
    ['C11 without the brace that the pages forgot', 400, SEED.stockChangeByCurl, /not valid JSON/],
    ['C11 without the brace, product:new', 400, SEED.productNew.slice(0, -1), /not valid JSON/],
    ['C11 of an empty body', 400, undefined, /empty/],
    ['C11 of a form', 400, 'message=stock:change', /not valid JSON/],
    ['C11 in no UTF-8', 400, Buffer.from([0x22, 0xff, 0x22]), /UTF-8/],
    ['C11 with a NUL byte', 400, '{"message":"a:b","payload":{"a":"\0"}}', /not valid JSON/],
    ['C10 without message', 422, '{"payload":{}}', /Invalid object/],
    ['C10 without payload', 422, '{"message":"stock:change"}', /Invalid object/],
    ['C10 with an empty message', 422, '{"message":"","payload":{}}', /Invalid object/],
    ['C10 C104 with a payload that is a list', 422, '{"message":"a:b","payload":[]}', /Invalid object/],
    ['C10 C104 with a payload that is null', 422, '{"message":"a:b","payload":null}', /Invalid object/],
    ['C104 with a message that is a number', 422, '{"message":1,"payload":{}}', /Invalid object/],
    ['with a message of two words', 422, '{"message":"a b","payload":{}}', /Invalid object/],
    [
      'with a message that is a wrapped wrapper',
      422,
      '{"message":{"message":{"message":"a:b"}}}',
      /Invalid object/,
    ],
    ['with an origin that is an object', 422, '{"message":"a:b","payload":{},"origin":{}}', /Invalid object/],
    ['that is a list', 422, '[{"message":"a:b","payload":{}}]', /Invalid object/],
    ['with a NUL in a text', 422, '{"message":"a:b","payload":{"a":["\\u0000"]}}', /NUL/],
    ['with a NUL in a name', 422, '{"message":"a:b","payload":{"\\u0000":1}}', /NUL/],
    ['nested 101 levels deep', 422, deep(100), /101 levels/],
    ['nested 1,001 levels deep', 422, deep(1_000), /1001 levels/],
    ['nested 200,000 levels deep', 422, deep(150_000), /150001 levels/],
    ['of 2 MB', 413, JSON.stringify({ message: 'a:b', payload: { a: 'x'.repeat(2_000_000) } }), /1 MB/],
  ])('%s gets %i and leaves no message', async (_title, status, body, said) => {
    const before = await countIncoming()
    const answer = await call('POST', 'messages', body === undefined ? {} : { body })
    expect([answer.status, answer.text.slice(0, 300)]).toEqual([status, expect.stringMatching(said)])
    expect(answer.json).toMatchObject({ error: expect.any(String) })
    expect(answer.headers.get('x-hub')).toBe('spree-bridge')
    expect(await countIncoming()).toBe(before)
  })

  test('C15 what is wrong stands under the name of its field', async () => {
    expect(await push('{"message":"","payload":7}')).toMatchObject({
      status: 422,
      json: {
        error: 'Invalid object.',
        errors: { message: [expect.stringMatching(/one word/)], payload: [expect.stringMatching(/object/)] },
      },
    })
  })

  test('at the limits it is one: 100 levels, a backslash before u0000, a compressed body', async () => {
    const text = '{"message":"a:b","payload":{"a":"\\\\u0000"}}'
    expect((await push(deep(99))).status).toBe(201)
    expect((await push(text)).text).toContain('\\\\u0000')
    const headers = { 'Content-Encoding': 'gzip' }
    expect((await call('POST', 'messages', { body: gzipSync(text), headers })).status).toBe(201)
    const unknown = await call('POST', 'messages', { body: text, headers: { 'Content-Encoding': 'zip' } })
    expect(unknown).toMatchObject({ status: 415, json: { error: expect.stringMatching(/gzip/) } })
  })
})

describe('who may', () => {
  const calls: readonly (readonly [method: string, path: string])[] = [
    ['POST', 'messages'],
    ['GET', 'messages/52811a8584a8169f7a000002'],
    ['PUT', 'messages/52811a8584a8169f7a000002'],
    ['GET', 'available_messages'],
    ['GET', 'queues'],
    ['GET', 'queues/accepted'],
    ['GET', 'mappings'],
    ['POST', 'mappings'],
    ['GET', 'parameters'],
    ['DELETE', 'parameters/52811a8584a8169f7a000002'],
  ]
  const bodyOf = (method: string) => (method === 'GET' || method === 'DELETE' ? undefined : SEED.stockChange)

  test.each(calls)('C12 C188 %s %s without a token that is one', async (method, path) => {
    const at = `/api/stores/${store.id}/${path}`
    for (const headers of [{}, { 'X-Augury-Token': '' }, { 'X-Augury-Token': `${store.token}x` }]) {
      const answer = await hub.call(method, at, headers as Record<string, string>, bodyOf(method))
      expect(answer).toMatchObject({ status: 401, text: '{"error":"Token is invalid."}' })
    }
  })

  test.each(calls)('C13 C14 C188 %s %s of a store that is not there, or another’s', async (method, path) => {
    const before = await countIncoming(other)
    for (const id of ['52811a8584a8169f7a0000ff', 'your_store_id', other.id, other.id.toUpperCase()]) {
      const headers = { 'X-Augury-Token': store.token }
      const answer = await hub.call(method, `/api/stores/${id}/${path}`, headers, bodyOf(method))
      expect(answer).toMatchObject({ status: 404, text: '{"error":"Store not found."}' })
    }
    expect(await countIncoming(other)).toBe(before)
  })

  test('the header’s later name will do', async () => {
    const headers = { 'X-Hub-Token': store.token }
    expect(await hub.call('GET', `/api/stores/${store.id}/queues`, headers)).toMatchObject({ status: 200 })
  })

  test('C54 a page of another origin may call with the token, and may ask before', async () => {
    const origin = 'https://shop.example'
    const path = `/api/stores/${store.id}/messages/52811a8584a8169f7a000002`
    const before = await hub.call('OPTIONS', path, {
      Origin: origin,
      'Access-Control-Request-Method': 'PUT',
      'Access-Control-Request-Headers': 'x-augury-token',
    })
    expect(before.status).toBe(204)
    expect(before.headers.get('access-control-allow-methods')).toBe('GET, POST, PUT, DELETE')
    expect(before.headers.get('access-control-allow-headers')).toContain('X-Augury-Token')
    for (const { headers } of [before, await call('GET', 'queues', { headers: { Origin: origin } })]) {
      expect(headers.get('access-control-allow-origin')).toBe(origin)
      expect(headers.get('access-control-allow-credentials')).toBe('true')
      expect(headers.get('vary')).toContain('Origin')
    }
  })
})

describe('Idempotency-Key', () => {
  const key = () => ({ 'Idempotency-Key': newObjectId() })

  test('repeats, many at once, are one message with one id, all answered 201', async () => {
    const headers = key()
    const before = await countIncoming()
    const answers = await Promise.all(Array.from({ length: 20 }, () => push(SEED.stockChange, { headers })))
    answers.push(await push(SEED.stockChange, { headers }))
    expect(new Set(answers.map(({ status, text }) => `${status} ${text}`)).size).toBe(1)
    expect(answers[0]).toMatchObject({
      status: 201,
      json: { ...JSON.parse(SEED.stockChange), message_id: HEX24 },
    })
    expect(await countIncoming()).toBe(before + 1)
  })

  test('another message under a used key is refused, and the first one stands', async () => {
    const headers = key()
    const first = idOf(await push(SEED.stockChange, { headers }))
    const before = await countIncoming()
    for (const body of [SEED.stockChange.replace('change', 'actual'), SEED.stockChange.replace('10', '11')]) {
      const answer = await push(body, { headers })
      expect(answer).toMatchObject({ status: 422, json: { error: expect.stringContaining(first) } })
    }
    expect(await countIncoming()).toBe(before)
    expect(idOf(await push(SEED.stockChange, { headers }))).toBe(first)
  })

  test('a repeat in which our bridge names itself, or no more, is a repeat', async () => {
    const headers = key()
    const named = '{"message":"a:b","payload":{"n":1.0,"source":"spree-bridge:1f"},"origin":"store"}'
    const first = idOf(await push(named, { headers }))
    expect(idOf(await push('{"message":"a:b","payload":{"n":1.0}}', { headers }))).toBe(first)
    const foreign = '{"message":"a:b","payload":{"n":1.0,"source":"erp"}}'
    expect((await push(foreign, { headers })).status).toBe(422)
  })

  test('the same key of another store is another; in quotes it is the same', async () => {
    const headers = key()
    const first = idOf(await push(SEED.stockChange, { headers }))
    expect(idOf(await push(SEED.stockChange, { headers, of: other }))).not.toBe(first)
    const quoted = { 'Idempotency-Key': `"${headers['Idempotency-Key']}"` }
    expect(idOf(await push(SEED.stockChange, { headers: quoted }))).toBe(first)
  })

  test('after 14 days it is forgotten', async () => {
    const headers = key()
    const first = idOf(await push(SEED.stockChange, { headers }))
    const age = (days: number) =>
      hub.pool.query(
        'update hub.idempotency set created_at = now() - make_interval(days => $1) where key = $2',
        [days, headers['Idempotency-Key']],
      )
    await age(13)
    expect(idOf(await push(SEED.stockChange, { headers }))).toBe(first)
    await age(15)
    const second = idOf(await push(SEED.orderPersist, { headers }))
    expect(second).not.toBe(first)
    expect(idOf(await push(SEED.orderPersist, { headers }))).toBe(second)
    const young = key()
    await push(SEED.stockChange, { headers: young })
    await age(15)
    await forgetOld(hub.pool, 30)
    const { rows } = await hub.pool.query('select key from hub.idempotency where key = any($1::text[])', [
      [headers['Idempotency-Key'], young['Idempotency-Key']],
    ])
    expect(rows).toEqual([{ key: young['Idempotency-Key'] }])
  })

  test('a key that is none is refused', async () => {
    for (const bad of ['a b', 'x'.repeat(256), '"', '']) {
      const answer = await push(SEED.stockChange, { headers: { 'Idempotency-Key': bad } })
      expect([bad, answer.status]).toEqual([bad, 400])
    }
  })

  test('a push that was refused leaves its key free', async () => {
    const headers = key()
    expect((await push('{"message":"a:b"}', { headers })).status).toBe(422)
    expect((await push(SEED.stockChange, { headers })).status).toBe(201)
  })
})

describe('stores', () => {
  const create = (body: unknown, headers: Record<string, string> = { 'X-Augury-Token': ADMIN_TOKEN }) =>
    hub.call('POST', '/api/stores', headers, JSON.stringify(body))

  test('C16 C17 a store is made with the admin token, its own token told once and kept as a digest', async () => {
    const { status, json } = await create({ name: 'Shop' })
    expect([status, json]).toEqual([
      201,
      { id: HEX24, name: 'Shop', token: expect.stringMatching(/^[0-9a-z]{32,}$/) },
    ])
    const made = json as HubStore
    const { rows } = await hub.pool.query(
      'select digest = sha256($1) as kept from hub.token where store_id = $2',
      [Buffer.from(made.token), made.id],
    )
    expect(rows).toEqual([{ kept: true }])
    expect((await call('GET', 'mappings', { of: made })).json).toEqual([])
  })

  test('C35 with its webhook it gets a mapping of its own, which it cannot lose', async () => {
    const webhook = { webhook_url: 'http://127.0.0.1:3000/webhook', webhook_token: 'w' }
    const made = (await create({ name: 'Shop', ...webhook })).json as HubStore
    const [mapping] = (await call('GET', 'mappings', { of: made })).json as Record<string, unknown>[]
    expect(mapping).toMatchObject({
      name: 'spree.webhook',
      url: webhook.webhook_url,
      token: 'w',
      required: true,
      enabled: true,
      messages: TAKEN_BY_A_STORE,
    })
    const { rows } = await hub.pool.query('select is_store from hub.mapping where store_id = $1', [made.id])
    expect(rows).toEqual([{ is_store: true }])
    expect(await call('DELETE', `mappings/${mapping?.['id']}`, { of: made })).toMatchObject({
      status: 422,
      json: { error: 'Invalid object.', errors: { required: [expect.stringContaining('spree.webhook')] } },
    })
    expect((await call('GET', 'mappings', { of: made })).json).toHaveLength(1)
  })

  test('its token may send the mapping to that webhook back as it is, but points it to no other private address', async () => {
    const webhook = { webhook_url: 'http://127.0.0.1:3000/webhook', webhook_token: 'w' }
    const made = (await create({ name: 'Shop', ...webhook })).json as HubStore
    const [own] = (await call('GET', 'mappings', { of: made })).json as Record<string, unknown>[]
    const put = (change: object) =>
      send('PUT', `mappings/${own?.['id']}`, { mapping: { ...own, ...change } }, { of: made })
    expect(await put({ enabled: false })).toMatchObject({
      status: 200,
      json: { url: webhook.webhook_url, enabled: false },
    })
    expect(await put({ url: 'http://127.0.0.1:6379/' })).toMatchObject({
      status: 422,
      json: { errors: { url: [expect.stringContaining('HUB_TARGETS')] } },
    })
  })

  test.each([
    [{}, 'name'],
    [{ name: ' ' }, 'name'],
    [{ name: 'a', webhook_url: 'http://a.example/' }, 'webhook_token'],
    [{ name: 'a', webhook_token: 'w' }, 'webhook_url'],
    [{ name: 'a', webhook_url: 'ftp://a.example/', webhook_token: 'w' }, 'webhook_url'],
    [{ name: 'a', webhook_url: 'http://u:p@a.example/', webhook_token: 'w' }, 'webhook_url'],
    [{ name: 'a', webhook_url: 'http://a.example/', webhook_token: 'w w' }, 'webhook_token'],
    ['a', 'base'],
  ])('C15 %j is no store', async (body, field) => {
    expect(await create(body)).toMatchObject({
      status: 422,
      json: { error: 'Invalid object.', errors: { [field]: [expect.any(String)] } },
    })
  })

  test('without the admin token nobody makes one', async () => {
    for (const headers of [
      {},
      { 'X-Augury-Token': store.token },
      { Authorization: `Bearer ${ADMIN_TOKEN}x` },
    ]) {
      const answer = await create({ name: 'a' }, headers as Record<string, string>)
      expect(answer).toMatchObject({
        status: 401,
        json: { error: expect.stringContaining('HUB_ADMIN_TOKEN') },
      })
    }
  })

  test('where no admin token is set, only this machine makes one, and no other site’s page through it', async () => {
    const local = await startHub({})
    try {
      const body = JSON.stringify({ name: 'a' })
      const make = (headers: Record<string, string>) => local.call('POST', '/api/stores', headers, body)
      expect((await make({})).status).toBe(201)
      for (const headers of [
        { 'X-Forwarded-For': '203.0.113.9' },
        { Origin: 'https://evil.example', 'Content-Type': 'text/plain' },
        { Origin: 'null' },
      ]) {
        const answer = await make(headers as Record<string, string>)
        expect(answer.status).toBe(403)
        expect(answer.headers.get('access-control-allow-origin')).toBeNull()
      }
    } finally {
      await local.close()
    }
  })
})

describe('available_messages', () => {
  test('C20 C21 C22 built-in types, those that mappings want, and those that came by, sorted and once each', async () => {
    const mine = await createStore(hub)
    await send('POST', 'mappings', mapping({ messages: ['zzz:wanted', 'order:new'] }), { of: mine })
    await hub.pool.query(
      `insert into hub.seen_type (store_id, type) values ($1, 'aaa:seen'), ($1, 'order:new'), ($1, 'no type'), ($2, 'bbb:other')`,
      [mine.id, other.id],
    )
    const answer = await call('GET', 'available_messages', { of: mine })
    const types = answer.json as string[]
    expect(answer.status).toBe(200)
    expect(types).toEqual([...new Set(types)].sort())
    expect(types).toEqual(expect.arrayContaining(['aaa:seen', 'zzz:wanted', 'order:new', ...TWELVE]))
    expect(types).not.toEqual(expect.arrayContaining(['bbb:other']))
    expect(types).not.toEqual(expect.arrayContaining(['no type']))
  })

  test('C19 a .json suffix gives the same', async () => {
    const [bare, suffixed] = [
      await call('GET', 'available_messages'),
      await call('GET', 'available_messages.json'),
    ]
    expect(suffixed).toMatchObject({ status: 200, text: bare.text })
  })
})

const mapping = (more: Record<string, unknown> = {}) => ({
  mapping: {
    name: 'erp.orders',
    url: 'https://erp.example/in',
    token: 't0ken',
    messages: ['order:new', 'order:updated'],
    ...more,
  },
})

describe('mappings', () => {
  test('C16 C17 C32 made, listed, shown, changed and deleted', async () => {
    const mine = await createStore(hub)
    const made = await send('POST', 'mappings', mapping(), { of: mine })
    const whole = {
      id: HEX24,
      ...mapping().mapping,
      integration_id: null,
      identifiers: {},
      filters: [],
      formatted_filters: [],
      parameters: [],
      options: { retries_allowed: true },
      enabled: true,
      required: false,
      consumer: 'Augury::Consumers::Remote',
      store_id: mine.id,
    }
    expect(made).toMatchObject({ status: 201, json: whole })
    expect(Object.keys(made.json as object).sort()).toEqual(Object.keys(whole).sort())
    const path = `mappings/${idOf(made, 'id')}`
    expect((await call('GET', 'mappings', { of: mine })).json).toEqual([made.json])
    expect(await call('GET', path, { of: mine })).toMatchObject({ status: 200, text: made.text })

    // An old client sends back all it was shown, changed.
    const back = { ...(made.json as object), enabled: false, filters: '[]', identifiers: '{}', usage: {} }
    const changed = await send('PUT', path, { mapping: back }, { of: mine })
    expect(changed).toMatchObject({ status: 200, json: { ...whole, enabled: false } })
    const some = await send('PUT', path, { mapping: { options: { retries_allowed: false } } }, { of: mine })
    expect(some.json).toMatchObject({ ...whole, enabled: false, options: { retries_allowed: false } })

    expect(await call('DELETE', path, { of: mine })).toMatchObject({ status: 200, text: '' })
    for (const method of ['GET', 'DELETE'])
      expect(await call(method, path, { of: mine })).toMatchObject(MISSING)
    expect(await send('PUT', path, mapping(), { of: mine })).toMatchObject(MISSING)
  })

  test('C33 filters and identifiers may be JSON text; a form is read as Rails reads it', async () => {
    expect(await send('POST', 'mappings', mapping({ filters: '[]', identifiers: '{}' }))).toMatchObject({
      status: 201,
      json: { filters: [], identifiers: {} },
    })
    const form = new URLSearchParams([
      ['mapping[name]', 'erp.stock'],
      ['mapping[url]', 'http://erp.example/stock'],
      ['mapping[token]', 't'],
      ['mapping[messages][]', 'stock:change'],
      ['mapping[messages][]', 'stock:actual'],
      ['mapping[enabled]', 'false'],
    ])
    const headers = { 'Content-Type': 'application/x-www-form-urlencoded' }
    expect(await call('POST', 'mappings', { body: form.toString(), headers })).toMatchObject({
      status: 201,
      json: { name: 'erp.stock', messages: ['stock:change', 'stock:actual'], enabled: false },
    })
  })

  test.each<[string, Record<string, unknown>]>([
    ['name', { name: undefined }],
    ['name', { name: '' }],
    ['url', { url: undefined }],
    ['url', { url: 'erp.example/in' }],
    ['url', { url: 'file:///etc/passwd' }],
    ['url', { url: 'http://127.0.0.1:5000/' }],
    ['url', { url: 'http://localhost:5000/' }],
    ['url', { url: 'http://[fd00::1]/in' }],
    ['url', { url: 'https://user:secret@erp.example/in' }],
    ['token', { token: undefined }],
    ['token', { token: 'with\nbreak' }],
    ['messages', { messages: undefined }],
    ['messages', { messages: [] }],
    ['messages', { messages: [''] }],
    ['messages', { messages: 'order:new' }],
    ['enabled', { enabled: 'perhaps' }],
    ['options', { options: { retries_allowed: 'perhaps' } }],
    ['parameters', { parameters: ['52811a8584a8169f7a0000ff'] }],
    ['filters', { filters: { path: 'order.amount', operator: 'eq', value: '123' } }],
    ['filters', { filters: '[{"path":"order.amount"}]' }],
    ['identifiers', { identifiers: { number: 'order.number' } }],
  ])('C15 C34 without a right %s it is refused: %j', async (field, wrong) => {
    const before = (await call('GET', 'mappings')).text
    const answer = await send('POST', 'mappings', mapping(wrong))
    expect(answer).toMatchObject({ status: 422, json: { error: 'Invalid object.' } })
    expect((answer.json as { errors: object }).errors).toEqual({ [field]: [expect.any(String)] })
    expect((await call('GET', 'mappings')).text).toBe(before)
  })

  test('C33 filters come back as they were given, without what was left empty; null takes them away', async () => {
    const given = [
      { path: 'payload.order.status', operator: 'eq', value: 'complete', match_rule: '' },
      { path: 'payload.order.totals.tax', operator: 'gt', value: 100 },
      { path: 'payload.order.note', operator: 'present', value: null },
      { path: 'payload.order.line_items.*.sku', operator: 'match', value: '^R[0-9]+$', match_rule: 'any' },
    ]
    const kept = [
      { path: 'payload.order.status', operator: 'eq', value: 'complete' },
      { path: 'payload.order.totals.tax', operator: 'gt', value: '100' },
      { path: 'payload.order.note', operator: 'present' },
      { path: 'payload.order.line_items.*.sku', operator: 'match', value: '^R[0-9]+$', match_rule: 'any' },
    ]
    const made = await send('POST', 'mappings', mapping({ filters: JSON.stringify(given) }))
    expect(made).toMatchObject({ status: 201, json: { filters: kept, formatted_filters: kept } })
    const path = `mappings/${idOf(made, 'id')}`
    expect((await send('PUT', path, { mapping: { enabled: false } })).json).toMatchObject({ filters: kept })
    expect((await send('PUT', path, { mapping: { filters: null } })).json).toMatchObject({ filters: [] })
  })

  test.each([
    [
      'an operator that is none',
      { path: 'payload.a', operator: 'is', value: '1' },
      /^1\.operator has to be one of eq, neq/,
    ],
    ['a value that is missing', { path: 'payload.a', operator: 'eq' }, /^1 needs a value for eq$/],
    [
      'a value that is a list',
      { path: 'payload.a', operator: 'eq', value: [] },
      /^1\.value has to be a text or a number$/,
    ],
    ['a path that is none', { path: 'payload..a', operator: 'empty' }, /^1\.path has to be steps with dots/],
    [
      'no regular expression',
      { path: 'payload.a', operator: 'match', value: '(' },
      /^1 has a value that is no regular/,
    ],
    [
      'one that could take for ever',
      { path: 'payload.a', operator: 'match', value: '(.)\\1' },
      /as RE2 knows them/,
    ],
    [
      'another rule',
      { path: 'payload.a', operator: 'empty', match_rule: 'some' },
      /^1\.match_rule has to be all or any$/,
    ],
  ])('C34 a filter with %s is refused, with the way to it', async (_, wrong, said) => {
    const right = { path: 'payload.a', operator: 'present' }
    const answer = await send('POST', 'mappings', mapping({ filters: [right, wrong] }))
    expect(answer).toMatchObject({
      status: 422,
      json: { errors: { filters: [expect.stringMatching(said)] } },
    })
  })

  test('what this release does not evaluate it says, and needs the root key', async () => {
    const answer = await send('POST', 'mappings', mapping({ identifiers: { number: 'order.number' } }))
    expect(answer.text).toContain('this release does not evaluate identifiers')
    expect(await send('POST', 'mappings', mapping().mapping)).toMatchObject({
      status: 422,
      json: { errors: { mapping: [expect.any(String)] } },
    })
  })

  test('another store’s is not seen, not changed, not deleted', async () => {
    const path = `mappings/${idOf(await send('POST', 'mappings', mapping()), 'id')}`
    for (const method of ['GET', 'DELETE'])
      expect(await call(method, path, { of: other })).toMatchObject(MISSING)
    expect(await send('PUT', path, mapping({ enabled: false }), { of: other })).toMatchObject(MISSING)
    expect((await call('GET', path)).json).toMatchObject({ enabled: true })
    const foreign = await send('POST', 'parameters', { name: 'p', value: '1' }, { of: other })
    const wanting = mapping({ parameters: [idOf(foreign, 'id')] })
    expect((await send('POST', 'mappings', wanting)).status).toBe(422)
  })
})

const MISSING = {
  status: 404,
  json: { error: 'The resource you were looking for could not be found.' },
}

describe('parameters', () => {
  test('C16 C17 C36 made, listed, shown, changed and deleted, from the mappings as well', async () => {
    const mine = await createStore(hub)
    const made = await send('POST', 'parameters', { name: 'mandrill.api_key', value: 'abc123' }, { of: mine })
    const whole = {
      id: HEX24,
      name: 'mandrill.api_key',
      value: 'abc123',
      store_id: mine.id,
      data_type: 'string',
    }
    expect([made.status, made.json]).toEqual([201, whole])
    const id = idOf(made, 'id')
    expect((await call('GET', 'parameters', { of: mine })).json).toEqual([whole])
    const user = await send('POST', 'mappings', mapping({ parameters: [id, id] }), { of: mine })
    expect(user.json).toMatchObject({ parameters: [id] })

    const rooted = { parameter: { data_type: 'integer', value: '12' } }
    const changed = await send('PUT', `parameters/${id}`, rooted, { of: mine })
    expect([changed.status, changed.json]).toEqual([200, { ...whole, data_type: 'integer', value: 12 }])
    expect((await send('PUT', `parameters/${id}`, { name: 'm.k' }, { of: mine })).json).toMatchObject({
      value: 12,
    })

    for (const [method, of] of [
      ['GET', other],
      ['DELETE', other],
    ] as const)
      expect(await call(method, `parameters/${id}`, { of })).toMatchObject(MISSING)
    expect(await call('DELETE', `parameters/${id}`, { of: mine })).toMatchObject({ status: 200, text: '' })
    expect(await call('GET', `parameters/${id}`, { of: mine })).toMatchObject(MISSING)
    const left = await call('GET', `mappings/${idOf(user, 'id')}`, { of: mine })
    expect(left.json).toMatchObject({ parameters: [] })
  })

  test.each([
    ['string', 12, '12'],
    ['string', '', ''],
    ['integer', 12, 12],
    ['integer', '-12', -12],
    ['float', '1.5', 1.5],
    ['boolean', 'true', true],
    ['boolean', false, false],
    ['list', '[{"from":"A","to":"B"}]', [{ from: 'A', to: 'B' }]],
    ['list', [], []],
  ])('C37 a %s may come as %j', async (data_type, value, read) => {
    const answer = await send('POST', 'parameters', { name: newObjectId(), data_type, value })
    expect(answer).toMatchObject({ status: 201, json: { data_type, value: read } })
  })

  test.each([
    [{ name: 'a.b' }, 'value'],
    [{ name: 'a.b', value: null }, 'value'],
    [{ value: 'x' }, 'name'],
    [{ name: 'a.b', value: '1.5', data_type: 'integer' }, 'value'],
    [{ name: 'a.b', value: 'x', data_type: 'float' }, 'value'],
    [{ name: 'a.b', value: 'perhaps', data_type: 'boolean' }, 'value'],
    [{ name: 'a.b', value: '[1]', data_type: 'list' }, 'value'],
    [{ name: 'a.b', value: '[{', data_type: 'list' }, 'value'],
    [{ name: 'a.b', value: '[{"a":"\\u0000"}]', data_type: 'list' }, 'value'],
    [{ name: 'a.b', value: 'x', data_type: 'text' }, 'data_type'],
  ])('C15 %j is none', async (body, field) => {
    const answer = await send('POST', 'parameters', body)
    expect(answer).toMatchObject({ status: 422, json: { error: 'Invalid object.' } })
    expect((answer.json as { errors: object }).errors).toEqual({ [field]: [expect.any(String)] })
  })

  test('a name is one parameter’s in a store, also when many ask at once', async () => {
    const mine = await createStore(hub)
    const made = await Promise.all(
      Array.from({ length: 5 }, (_, n) =>
        send('POST', 'parameters', { name: 'a', value: `${n}` }, { of: mine }),
      ),
    )
    expect(made.map(({ status }) => status).sort()).toEqual([201, 422, 422, 422, 422])
    const second = await send('POST', 'parameters', { name: 'b', value: '1' }, { of: mine })
    expect(await send('PUT', `parameters/${idOf(second, 'id')}`, { name: 'a' }, { of: mine })).toMatchObject({
      status: 422,
      json: { errors: { name: [expect.stringContaining('already')] } },
    })
  })
})

/** A message in one of the queues, as the hub's routing and delivery leave it. */
async function place(
  table: 'incoming' | 'accepted' | 'archived',
  of: HubStore,
  columns: Record<string, unknown> = {},
) {
  const key = newObjectId()
  const isAccepted = table === 'accepted'
  const row: Record<string, unknown> = {
    aggregate: `${of.id}/${key}`,
    key,
    type: 'order:new',
    payload: '{"order":{"number":"R1"}}',
    store_id: of.id,
    ...(table === 'archived'
      ? {
          id: Date.now() * 1_000 + Math.floor(Math.random() * 1_000),
          state: 'done',
          attempts: 1,
          changed_at: new Date(),
          created_at: new Date(),
          source: 'accepted',
          parent_id: '',
          envelope: '{}',
        }
      : { lane: 3 }),
    ...(isAccepted ? { mapping_id: newObjectId(), parent_id: newObjectId() } : {}),
    ...columns,
  }
  const names = Object.keys(row)
  await hub.pool.query(
    `insert into hub.${table} (${names.join(', ')}) values (${names.map((_, place) => `$${place + 1}`).join(', ')})`,
    Object.values(row),
  )
  return key
}

const MAPPED = async (of: HubStore) => idOf(await send('POST', 'mappings', mapping(), { of }), 'id')

describe('messages', () => {
  test('C49 C193 a failed copy is shown with parent, children, notifications, error, result, payload and attributes', async () => {
    const mine = await createStore(hub, { name: 'Mine' })
    const mappingId = await MAPPED(mine)
    const parent = await place('archived', mine, { source: 'incoming' })
    const payload = '{"order":{"number":"R1","total":10.50}}'
    const due = new Date('2030-01-01T00:00:00Z')
    const id = await place('accepted', mine, {
      aggregate: `${mappingId}/order:R1`,
      payload,
      parent_id: parent,
      mapping_id: mappingId,
      state: 'failing',
      attempts: 3,
      due,
      last_error: `Endpoint response code was '500', expected '200'`,
      origin: 'store',
      envelope: '{"inflate":true}',
    })
    await hub.pool.query(
      `insert into hub.result (message_id, code, response) values ($1, 500, '{"error":"x"}')`,
      [id],
    )
    await hub.pool.query(
      `insert into hub.notification (id, store_id, message_id, level, subject, description, origin)
       values ($1, $2, $3, 'error', 'No', 'Because', 'erp.orders')`,
      [newObjectId(), mine.id, id],
    )
    const child = await place('incoming', mine, { type: 'notification:error', parent_id: id })

    const { status, json, text } = await call('GET', `messages/${id}`, { of: mine })
    expect(status).toBe(200)
    expect(text).toContain(`"payload":${payload}`)
    expect(json).toEqual({
      id,
      message: 'order:new',
      state: 'failing',
      queue_name: 'accepted',
      source: null,
      consumer: 'erp.orders',
      is_consumer_remote: true,
      destination_name: '',
      integration_icon_url: null,
      created_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
      completed_at: null,
      attempt_at: '2030-01-01T00:00:00.000Z',
      locked_at: null,
      parent_id: parent,
      attempts: 3,
      next_attempt: '2030-01-01T00:00:00.000Z',
      can_attempt: true,
      last_error: `Endpoint response code was '500', expected '200'`,
      result: { code: '500', response: { error: 'x' } },
      payload: { order: { number: 'R1', total: 10.5 } },
      references: 'R1',
      reference_token: 'R1',
      children: [{ id: child, message: 'notification:error', state: 'pending', location: 'incoming' }],
      notifications: [
        expect.objectContaining({
          level: 'error',
          subject: 'No',
          description: 'Because',
          occurrences: 1,
          reference_type: null,
          reference_id: null,
          reference_token: null,
          attributes: expect.objectContaining({ origin: 'erp.orders', message_id: id }),
        }),
      ],
      attributes: expect.objectContaining({
        _id: id,
        inflate: true,
        origin: 'store',
        store_id: mine.id,
        store_name: 'Mine',
        message: 'order:new',
        consumer_class: 'Augury::Consumers::Remote',
        mapping_id: mappingId,
        attempts: 3,
      }),
    })
    expect((await call('GET', `messages/${parent}`, { of: mine })).json).toMatchObject({
      children: [{ id, message: 'order:new', state: 'failing', location: 'accepted' }],
      result: null,
    })
  })

  test('C59 what no mapping took has skipped as its result; what was delivered, the answer', async () => {
    const skipped = await place('archived', store, { source: 'incoming' })
    expect((await call('GET', `messages/${skipped}`)).json).toMatchObject({
      state: 'completed',
      result: { skipped: [] },
      completed_at: expect.any(String),
    })
    const delivered = await place('archived', store, { answer: '{"code":"200","response":{"ok":1}}' })
    expect((await call('GET', `messages/${delivered}`)).json).toMatchObject({
      result: { code: '200', response: { ok: 1 } },
    })
  })

  test.each(['failing', 'parked'])('C47 C194 attempt_now makes a %s message due at once', async (state) => {
    for (const [sent, type] of [
      ['{"attempt_now":true}', 'application/json'],
      ['attempt_now=true', 'application/x-www-form-urlencoded'],
    ] as const) {
      const due = new Date('2030-01-01T00:00:00Z')
      const id = await place('accepted', store, { state, attempts: 2, due, last_error: 'x' })
      const noted = await revisionOf('accepted')
      const answer = await call('PUT', `messages/${id}`, { body: sent, headers: { 'Content-Type': type } })
      expect(answer).toMatchObject({
        status: 200,
        json: { id, state: 'pending', attempts: 2, last_error: 'x' },
      })
      const { rows } = await hub.pool.query(
        'select due <= clock_timestamp() as is_due from hub.accepted where key = $1',
        [id],
      )
      expect(rows).toEqual([{ is_due: true }])
      expect(await revisionOf('accepted')).toBe(noted + 1)
    }
  })

  test('C48 C194 archive moves an accepted message to the archive, where nobody can do anything more', async () => {
    const id = await place('accepted', store, { state: 'parked', last_error: 'x' })
    const noted = await revisionOf('accepted')
    const archived = await call('PUT', `messages/${id}?archive=true`)
    expect(archived).toMatchObject({
      status: 200,
      json: { id, queue_name: 'archived', source: 'accepted', can_attempt: false, completed_at: null },
    })
    expect(await revisionOf('accepted')).toBe(noted + 1)
    for (const what of ['attempt_now', 'archive']) {
      expect(await send('PUT', `messages/${id}`, { [what]: true })).toMatchObject({
        status: 422,
        json: { error: 'Invalid object.', errors: { [what]: [expect.stringContaining('archived')] } },
      })
    }
    const done = await place('archived', store)
    expect((await call('GET', `messages/${done}`)).json).toMatchObject({ can_attempt: false })
    expect(await send('PUT', `messages/${done}`, { attempt_now: true })).toMatchObject({ status: 422 })
  })

  test('C194 what the router parked can be tried again; what it is about to route is left to it', async () => {
    const parked = await place('incoming', store, { state: 'parked', last_error: 'x' })
    expect((await call('GET', `messages/${parked}`)).json).toMatchObject({ can_attempt: true })
    expect(await send('PUT', `messages/${parked}`, { attempt_now: true })).toMatchObject({
      status: 200,
      json: { state: 'pending', can_attempt: false },
    })
    expect(await send('PUT', `messages/${parked}`, { archive: true })).toMatchObject({ status: 422 })
  })

  test('C15 neither or both is refused, and so is what is no answer', async () => {
    const id = await place('accepted', store, { state: 'parked' })
    for (const body of [
      {},
      { attempt_now: true, archive: true },
      { attempt_now: 'x' },
      { archive: false },
      [],
    ])
      expect([body, (await send('PUT', `messages/${id}`, body)).status]).toEqual([body, 422])
    expect((await call('PUT', `messages/${id}`, { body: '{' })).status).toBe(400)
    expect((await call('GET', `messages/${id}`)).json).toMatchObject({ state: 'parked' })
  })

  test('C16 another store’s message is not there, and neither is what is no id', async () => {
    const id = await place('accepted', other, { state: 'parked' })
    for (const path of [id, newObjectId(), 'x', '%00', "'"]) {
      expect(await call('GET', `messages/${path}`)).toMatchObject(MISSING)
      expect(await send('PUT', `messages/${path}`, { archive: true })).toMatchObject(MISSING)
    }
    expect((await call('GET', `messages/${id}`, { of: other })).json).toMatchObject({ state: 'parked' })
  })
})

async function revisionOf(queue: 'incoming' | 'accepted'): Promise<number> {
  const { rows } = await hub.pool.query<{ revision: number }>(
    `select revision::integer from hub.${queue}_lane where lane = 3`,
  )
  return rows[0]?.revision ?? -1
}

describe('queues', () => {
  let mine: HubStore
  let mappingId: string
  const keys: Record<string, string> = {}
  const list = async (path: string) => {
    const answer = await call('GET', `queues/${path}`, { of: mine })
    expect([path, answer.status]).toEqual([path, 200])
    return (answer.json as Record<string, unknown>[]).map(({ id }) => id)
  }

  beforeAll(async () => {
    mine = await createStore(hub)
    mappingId = await MAPPED(mine)
    const created = (day: number) => ({ created_at: new Date(Date.UTC(2013, 10, day)) })
    keys['in'] = await place('incoming', mine, { type: 'stock:change' })
    keys['pending'] = await place('accepted', mine, { ...created(10), mapping_id: mappingId })
    keys['failing'] = await place('accepted', mine, { ...created(11), state: 'failing', attempts: 1 })
    keys['delayed'] = await place('accepted', mine, {
      ...created(12),
      state: 'failing',
      attempts: 1,
      poll_url: 'http://a.example/poll',
    })
    keys['parked'] = await place('accepted', mine, {
      ...created(13),
      state: 'parked',
      attempts: 1,
      type: 'shipment:ready',
    })
    keys['done'] = await place('archived', mine, { id: 1, mapping_id: mappingId })
    keys['skipped'] = await place('archived', mine, { id: 2, source: 'incoming' })
    keys['discarded'] = await place('archived', mine, { id: 3, state: 'discarded' })
    await place('accepted', other)
  })

  test('C38 the counters are these six, of this store, whatever environment is asked for', async () => {
    for (const path of ['queues', 'queues?environment=production', 'queues.json', 'queues/']) {
      const answer = await call('GET', path, { of: mine })
      expect([answer.status, answer.json]).toEqual([
        200,
        { incoming: 1, archived: 3, pending: 1, failing: 1, scheduled: 1, parked: 1 },
      ])
    }
  })

  test('C40 each row has the 13 keys', async () => {
    const [row] = (await call('GET', 'queues/accepted?state=pending', { of: mine })).json as object[]
    expect(row).toEqual({
      id: keys['pending'],
      message: 'order:new',
      state: 'pending',
      consumer: 'erp.orders',
      created_at: '2013-11-10T00:00:00.000Z',
      completed_at: null,
      attempt_at: expect.any(String),
      is_consumer_remote: true,
      destination_name: '',
      integration_icon_url: null,
      locked_at: null,
      source: null,
      queue_name: 'accepted',
    })
    expect((await call('GET', 'queues/accepted?state=scheduled', { of: mine })).json).toMatchObject([
      { id: keys['delayed'], state: 'scheduled' },
    ])
    const [queued] = (await call('GET', 'queues/incoming', { of: mine })).json as object[]
    expect(queued).toMatchObject({
      consumer: '',
      is_consumer_remote: false,
      queue_name: 'incoming',
      source: null,
    })
    const [finished] = (await call('GET', 'queues/archived', { of: mine })).json as object[]
    expect(finished).toMatchObject({
      state: 'completed',
      source: 'accepted',
      queue_name: 'archived',
      completed_at: expect.any(String),
    })
  })

  test.each<[string, readonly string[]]>([
    ['', ['parked', 'delayed', 'failing', 'pending']],
    ['message=shipment:ready', ['parked']],
    ['state=failing', ['failing']],
    ['state=scheduled', ['delayed']],
    ['state=parked', ['parked']],
    ['state=never_processed', ['pending']],
    ['state=running', []],
    ['filter_state=parked', ['parked']],
    ['mapping_id=%M', ['pending']],
    ['message_id=%F', ['failing']],
    ['start_date=2013-11-11T12:00:00%2B00:00', ['parked', 'delayed']],
    ['start_date=2013-11-11T12:00:00+00:00', ['parked', 'delayed']],
    ['start_date=2013-11-11T14:00:00+02:00&end_date=2013-11-12T12:00:00Z', ['delayed']],
    ['message=order:new&state=failing&end_date=2013-11-12T00:00:00Z', ['failing']],
    ['message=order:new&state=parked', []],
    ['state=&message=&page=', ['parked', 'delayed', 'failing', 'pending']],
    ['consumer_class=x&environment=y&mapping_id=52811a8584a8169f7a0000ff', []],
  ])('C41 C42 C196 accepted messages by %s', async (query, expected) => {
    const asked = query.replace('%M', mappingId).replace('%F', keys['failing'] ?? '')
    expect(await list(`accepted?${asked}`)).toEqual(expected.map((name) => keys[name]))
  })

  test('C43 the archive shows what was delivered; by source also what was not, and what came in', async () => {
    expect(await list('archived')).toEqual([keys['done']])
    expect(await list('archived?source=accepted')).toEqual([keys['discarded'], keys['done']])
    expect(await list('archived?source=incoming')).toEqual([keys['skipped']])
    expect(await list('archived?source=accepted&state=completed')).toEqual([keys['done']])
    expect(await list(`archived?mapping_id=${mappingId}`)).toEqual([keys['done']])
  })

  test('C39 25 a page, the newest first, and a link to the next', async () => {
    const many = await createStore(hub)
    const placed: string[] = []
    for (let n = 0; n < 51; n++) placed.unshift(await place('incoming', many))
    const pages = []
    let path: string | undefined = 'queues/incoming?message=order:new'
    while (path) {
      const answer = await call('GET', path, { of: many })
      pages.push((answer.json as { id: string }[]).map(({ id }) => id))
      const next: string | undefined = /<([^>]*)>; rel="next"/.exec(answer.headers.get('link') ?? '')?.[1]
      path = next?.replace(`/api/stores/${many.id}/`, '')
    }
    expect(pages.map((page) => page.length)).toEqual([25, 25, 1])
    expect(pages.flat()).toEqual(placed)
    const answer = await call('GET', 'queues/incoming?page=2', { of: many })
    expect(answer.json).toMatchObject(placed.slice(25, 50).map((id) => ({ id })))
    expect((await call('GET', 'queues/incoming?page=9', { of: many })).json).toEqual([])
  })

  test.each([
    ['state=done', 'state'],
    ['page=0', 'page'],
    ['page=x', 'page'],
    ['start_date=yesterday', 'start_date'],
    ['message=%00', 'message'],
    ['message=a&message=b', 'message'],
    ['source=archived', 'source'],
  ])('C15 %s is refused', async (query, field) => {
    expect(await call('GET', `queues/archived?${query}`)).toMatchObject({
      status: 422,
      json: { error: 'Invalid object.', errors: { [field]: [expect.any(String)] } },
    })
  })

  test('C16 there is no fourth queue', async () => {
    expect(await call('GET', 'queues/pending')).toMatchObject(MISSING)
  })
})

describe('samples', () => {
  test('C50 C51 are listed by name, and each is a whole message, for anybody', async () => {
    const listed = await hub.call('GET', '/api/samples')
    expect(listed.json).toEqual(expect.arrayContaining(['order:persist', 'order:new', 'stock:change']))
    for (const name of listed.json as string[]) {
      expect((await hub.call('GET', `/api/samples/${name}`)).json).toEqual({
        message: expect.any(String),
        payload: expect.any(Object),
      })
    }
    for (const path of ['order:persist?version=2.0', 'order:persist.json?version=2.0']) {
      const answer = await hub.call('GET', `/api/samples/${path}`)
      expect(answer).toMatchObject({ status: 200, json: { message: 'order:persist' } })
      expect(answer.headers.get('x-hub')).toBe('spree-bridge')
    }
    expect(await hub.call('GET', '/api/samples/no:such')).toMatchObject(MISSING)
  })
})
