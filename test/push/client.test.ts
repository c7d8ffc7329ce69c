import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { once } from 'node:events'
import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
} from 'node:http'
import { type AddressInfo, connect, createServer as createTcpServer } from 'node:net'
import { gzipSync } from 'node:zlib'
import { afterEach, describe, expect, test } from '@jest/globals'
import { Pool } from 'undici'

import { createPushClient, type PushClient, type PushClientOptions } from '../../src/push/client.ts'
import { createExchange } from '../../src/push/exchange.ts'

// Real servers throughout: nock works on node:http, which this client does not use.

const STORE = '52811a8584a8169f7a000001'
const TOKEN = 'a-secret-token'
const KEY = '6f1c1c5e-6b0f-4d5c-9b0a-0d6b5c0a1b2c'
const ACCEPTED = { kind: 'accepted', messageId: '52811a8584a8169f7a000002' }
const message = {
  type: 'stock:change',
  payload: '{"sku":"APC-00001","quantity":-2}',
  key: KEY,
  aggregate: 'product:7',
}
const never = new AbortController().signal

type Received = Readonly<{
  method: string | undefined
  url: string | undefined
  headers: IncomingMessage['headers']
  body: string
  port: number | undefined
}>

const cleanUps: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp()
})

function createClient(hubUrl: string, options: Partial<PushClientOptions> = {}): PushClient {
  const client = createPushClient({
    hubUrl,
    storeId: STORE,
    token: TOKEN,
    installation: 'i-1',
    version: '1.2.3',
    connections: 4,
    timeoutMilliseconds: 5_000,
    ...options,
  })
  cleanUps.push(() => client.close())
  return client
}

/** An HTTP server that keeps what it received and answers as told. */
async function startServer(
  answer: (response: ServerResponse, received: Received) => void = accept,
): Promise<{ url: string; port: number; received: Received[]; server: Server }> {
  const received: Received[] = []
  const listener: RequestListener = async (request, response) => {
    const { method, url, headers, socket } = request
    let body = ''
    for await (const chunk of request.setEncoding('utf8')) body += chunk
    const entry = { method, url, headers, body, port: socket.remotePort }
    received.push(entry)
    answer(response, entry)
  }
  const server = createServer(listener)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  cleanUps.push(() => {
    server.close()
    server.closeAllConnections()
  })
  const { port } = server.address() as AddressInfo
  return { url: `http://127.0.0.1:${port}`, port, received, server }
}

function accept(response: ServerResponse, { body }: Received): void {
  respond(response, 201, JSON.stringify({ ...JSON.parse(body), message_id: ACCEPTED.messageId }))
}

function respond(response: ServerResponse, status: number, body: string | Buffer, headers = {}): void {
  response.writeHead(status, { 'content-type': 'application/json; charset=utf-8', ...headers })
  response.end(body)
}

/** Counts attempts to connect that failed, as undici itself reports them. */
function countFailedConnects(): () => number {
  let failed = 0
  const count = () => {
    failed++
  }
  subscribe('undici:client:connectError', count)
  cleanUps.push(() => unsubscribe('undici:client:connectError', count))
  return () => failed
}

/** A port on which nothing listens. */
async function findClosedPort(): Promise<number> {
  const { server, port } = await startServer()
  server.close()
  await once(server, 'close')
  return port
}

describe('the request', () => {
  test("C102 C103: a POST to the store's messages with content type, token and key", async () => {
    const hub = await startServer()
    expect(await createClient(hub.url).push(message, never)).toEqual(ACCEPTED)
    expect(hub.received).toEqual([
      expect.objectContaining({
        method: 'POST',
        url: `/api/stores/${STORE}/messages`,
        headers: expect.objectContaining({
          'content-type': 'application/json',
          'x-augury-token': TOKEN,
          'idempotency-key': KEY,
          accept: 'application/json',
          'user-agent': 'spree-bridge/1.2.3',
          'content-length': String(hub.received[0]!.body.length),
        }),
      }),
    ])
  })

  test('C104: message, payload and origin; the payload as the very text it is', async () => {
    const hub = await startServer((response) =>
      respond(response, 201, '{"message_id":"1"}', { 'x-hub': 'spree-bridge' }),
    )
    const client = createClient(hub.url)
    await client.probe(never)
    const payload =
      '{ "total": 10.00, "id": 12345678901234567890, "name": "Zoë \\u00e9 🚲" , "total":"twice" }'
    await client.push({ type: 'order:persist', payload, key: KEY, aggregate: 'order:7' }, never)
    expect(hub.received[1]?.body).toBe(`{"message":"order:persist","payload":${payload},"origin":"store"}`)
  })

  test.each([
    ['', ''],
    ['/', ''],
    ['/hub', '/hub'],
    ['/hub/', '/hub'],
    ['/a/b//', '/a/b'],
  ])('to a hub URL ending in %p', async (path, prefix) => {
    const hub = await startServer()
    await createClient(`${hub.url}${path}`).push(message, never)
    expect(hub.received[0]?.url).toBe(`${prefix}/api/stores/${STORE}/messages`)
  })

  test('goes straight to the hub, whatever proxy the environment names', async () => {
    const hub = await startServer()
    const before = process.env['http_proxy']
    process.env['http_proxy'] = `http://127.0.0.1:${await findClosedPort()}`
    try {
      expect(await createClient(hub.url).push(message, never)).toEqual(ACCEPTED)
    } finally {
      if (before === undefined) delete process.env['http_proxy']
      else process.env['http_proxy'] = before
    }
  })

  test('reuses its connections, and opens no more than it may', async () => {
    const hub = await startServer()
    const client = createClient(hub.url, { connections: 2 })
    await Promise.all(Array.from({ length: 20 }, () => client.push(message, never)))
    for (let i = 0; i < 5; i++) await client.push(message, never)
    expect(hub.received).toHaveLength(25)
    expect(new Set(hub.received.map(({ port }) => port)).size).toBeLessThanOrEqual(2)
  })

  test('takes a new connection when the hub closed the idle one', async () => {
    const hub = await startServer()
    const client = createClient(hub.url, { connections: 1 })
    await client.push(message, never)
    hub.server.closeIdleConnections()
    // The end of that connection is noticed no later than an answer over another one.
    await createClient(hub.url).push(message, never)
    expect(await client.push(message, never)).toEqual(ACCEPTED)
  })
})

describe('payload.source', () => {
  const ours = { 'x-hub': 'spree-bridge' }
  const payloads = (received: readonly Received[]) =>
    received.map(({ body }) => /"payload":(.*),"origin"/.exec(body)?.[1])

  test.each([
    ['{"sku":"a"}', '{"sku":"a","source":"spree-bridge:i-1"}'],
    ['{}', '{"source":"spree-bridge:i-1"}'],
    [' { } ', ' { "source":"spree-bridge:i-1"}'],
    ['{"a":{}}', '{"a":{},"source":"spree-bridge:i-1"}'],
    ['{"source":"mine"}', '{"source":"mine","source":"spree-bridge:i-1"}'],
  ])('is the last word in %s to a hub that is not known to be ours', async (payload, sent) => {
    const hub = await startServer()
    await createClient(hub.url).push({ ...message, payload }, never)
    expect(payloads(hub.received)).toEqual([sent])
    expect(JSON.parse(hub.received[0]!.body).payload.source).toBe('spree-bridge:i-1')
  })

  test('is left out as soon as any answer shows that the hub is ours', async () => {
    const hub = await startServer((response) => respond(response, 503, '{}', ours))
    const client = createClient(hub.url)
    await client.push({ ...message, payload: '{}' }, never)
    await client.push({ ...message, payload: '{}' }, never)
    expect(payloads(hub.received)).toEqual(['{"source":"spree-bridge:i-1"}', '{}'])
  })

  test('comes back when another hub accepts, but not for an error of a proxy before ours', async () => {
    const answers: ((response: ServerResponse) => void)[] = [
      (response) => respond(response, 201, '{"message_id":"1"}', ours),
      (response) => respond(response, 502, '<html>'),
      (response) => respond(response, 201, '{"message_id":"1"}'),
      (response) => respond(response, 201, '{"message_id":"1"}'),
    ]
    const hub = await startServer((response) => answers.shift()?.(response))
    const client = createClient(hub.url)
    for (let i = 0; i < 4; i++) await client.push({ ...message, payload: '{}' }, never)
    const source = '{"source":"spree-bridge:i-1"}'
    expect(payloads(hub.received)).toEqual([source, '{}', '{}', source])
  })
})

describe('answers', () => {
  test('C105: 201 with its message_id is an acceptance, behind an early hint too', async () => {
    const hub = await startServer((response, received) => {
      response.writeEarlyHints({ link: '</x>; rel=preload' })
      accept(response, received)
    })
    expect(await createClient(hub.url).push(message, never)).toEqual(ACCEPTED)
  })

  test('C105: 200, 202 and 204 are none, even with a message_id', async () => {
    const statuses = [200, 202, 204]
    const hub = await startServer((response) => respond(response, statuses.shift()!, '{"message_id":"1"}'))
    const client = createClient(hub.url)
    for (const status of [200, 202, 204]) {
      expect(await client.push(message, never)).toMatchObject({ kind: 'unconfirmed', status })
    }
  })

  test('HTML with status 200 is none', async () => {
    const hub = await startServer((response) =>
      respond(response, 200, '<html>', { 'content-type': 'text/html' }),
    )
    expect(await createClient(hub.url).push(message, never)).toEqual({
      kind: 'unconfirmed',
      status: 200,
      text: 'The hub answered 200: not JSON but text/html',
    })
  })

  test('C108: an error answer is repeated by nobody here, and keeps its Retry-After', async () => {
    const statuses = [429, 500, 503]
    const hub = await startServer((response) =>
      respond(response, statuses.shift()!, '{}', { 'retry-after': '1' }),
    )
    const client = createClient(hub.url)
    for (const [status, kind] of [
      [429, 'refused'],
      [500, 'failed'],
      [503, 'failed'],
    ]) {
      expect(await client.push(message, never)).toMatchObject({ kind, status, retryAfterSeconds: 1 })
    }
    expect(hub.received).toHaveLength(3)
  })

  test('the reason of a refusal is kept, without our token', async () => {
    const hub = await startServer((response) =>
      respond(response, 401, `{"error":"Token ${TOKEN} is invalid."}`),
    )
    expect(await createClient(hub.url).push(message, never)).toEqual({
      kind: 'refused',
      status: 401,
      text: 'The hub answered 401: Token [token] is invalid.',
    })
  })

  test.each([301, 302, 303, 307, 308])('a %i is not followed, and the token goes nowhere', async (status) => {
    const elsewhere = await startServer()
    const location = `${elsewhere.url}/api/stores/${STORE}/messages`
    const hub = await startServer((response) => respond(response, status, '', { location }))
    expect(await createClient(hub.url).push(message, never)).toEqual({
      kind: 'misdirected',
      status,
      text: `The hub answered ${status}, a redirect to ${location}.`,
    })
    expect(elsewhere.received).toEqual([])
  })

  test('a compressed answer, not asked for, is no acceptance', async () => {
    const hub = await startServer((response) =>
      respond(response, 201, gzipSync('{"message_id":"1"}'), { 'content-encoding': 'gzip' }),
    )
    expect(await createClient(hub.url).push(message, never)).toMatchObject({
      kind: 'unconfirmed',
      status: 201,
    })
    expect(hub.received[0]?.headers['accept-encoding']).toBe('identity')
  })

  test('an endless answer is broken off', async () => {
    const hub = await startServer((response) => {
      response.writeHead(201, { 'content-type': 'application/json' })
      const pour = () => {
        while (!response.destroyed && response.write(' '.repeat(64_000)));
      }
      response.on('drain', pour)
      pour()
    })
    expect(await createClient(hub.url).push(message, never)).toMatchObject({ kind: 'tooLarge' })
  })

  test('a large message may come back whole, with every character escaped', async () => {
    const hub = await startServer((response, { body }) => {
      const payload = `"${'\\u00e9'.repeat(JSON.parse(body).payload.text.length)}"`
      respond(response, 201, `{"payload":{"text":${payload}},"message_id":"1"}`)
    })
    const payload = JSON.stringify({ text: 'é'.repeat(1_000_000) })
    expect(await createClient(hub.url).push({ ...message, payload }, never)).toEqual({
      kind: 'accepted',
      messageId: '1',
    })
  })
})

describe('no answer', () => {
  test('within the time limit: a hub that accepts the connection and never says a word', async () => {
    const hub = await startServer(() => {})
    const started = performance.now()
    const outcome = await createClient(hub.url, { timeoutMilliseconds: 1_500 }).push(message, never)
    expect(outcome).toEqual({
      kind: 'timedOut',
      text: `No whole answer from 127.0.0.1:${hub.port} within 1.5 s.`,
    })
    expect(performance.now() - started).toBeLessThan(10_000)
    expect(hub.received).toHaveLength(1)
  })

  test('within the time limit: one that drips, so that no byte is ever late', async () => {
    const hub = await startServer((response) => {
      response.writeHead(201, { 'content-type': 'application/json' })
      const drip = setInterval(() => response.write(' '), 20)
      response.on('close', () => clearInterval(drip))
    })
    const started = performance.now()
    const outcome = await createClient(hub.url, { timeoutMilliseconds: 1_500 }).push(message, never)
    expect(outcome.kind).toBe('timedOut')
    expect(performance.now() - started).toBeLessThan(10_000)
  })

  test('C108: a connection reset after the body arrived is one attempt, of unknown outcome', async () => {
    const hub = await startServer((response) => response.socket?.resetAndDestroy())
    const outcome = await createClient(hub.url).push(message, never)
    expect(outcome).toMatchObject({ kind: 'reset', code: expect.stringMatching(/ECONNRESET|UND_ERR_SOCKET/) })
    expect(hub.received).toHaveLength(1)
  })

  test('a connection closed in the middle of the answer is one attempt, of unknown outcome', async () => {
    const hub = await startServer((response) => {
      response.writeHead(201, { 'content-length': '100' })
      response.write('{"message_id":"1"}', () => response.socket?.end())
    })
    expect(await createClient(hub.url).push(message, never)).toMatchObject({ kind: 'reset' })
    expect(hub.received).toHaveLength(1)
  })

  test('something that does not speak HTTP', async () => {
    const server = createTcpServer((socket) => {
      socket.on('error', () => {})
      socket.end('220 mail.example ESMTP\r\n')
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    cleanUps.push(() => server.close())
    const { port } = server.address() as AddressInfo
    expect(await createClient(`http://127.0.0.1:${port}`).push(message, never)).toMatchObject({
      kind: 'reset',
    })
  })
})

describe('no connection', () => {
  test('refused: three attempts within a second, and no more', async () => {
    const port = await findClosedPort()
    const failed = countFailedConnects()
    const started = performance.now()
    expect(
      await createClient(`http://127.0.0.1:${port}`, { timeoutMilliseconds: 60_000 }).push(message, never),
    ).toEqual({
      kind: 'unreachable',
      code: 'ECONNREFUSED',
      text: `No connection to 127.0.0.1:${port}: ECONNREFUSED.`,
    })
    expect(performance.now() - started).toBeLessThan(6_000)
    expect(failed()).toBe(3)
  })

  test('a name that nobody knows: three attempts', async () => {
    const failed = countFailedConnects()
    const outcome = await createClient('http://hub.invalid').push(message, never)
    expect(outcome).toMatchObject({
      kind: 'unreachable',
      code: expect.stringMatching(/^(ENOTFOUND|EAI_AGAIN)$/),
    })
    expect(failed()).toBe(3)
  })

  test('no TLS where https was asked for: one attempt, for trying again cures nothing', async () => {
    const hub = await startServer()
    const failed = countFailedConnects()
    const outcome = await createClient(hub.url.replace('http:', 'https:')).push(message, never)
    expect(outcome.kind).toBe('unreachable')
    expect(failed()).toBe(1)
  })

  test('a hub that comes up in between gets the message once, complete', async () => {
    const port = await findClosedPort()
    const failed = countFailedConnects()
    const hub = await startServer()
    const relay = createTcpServer((socket) => {
      socket.pipe(connect(hub.port, '127.0.0.1')).pipe(socket)
    })
    cleanUps.push(() => relay.close())
    subscribe('undici:client:connectError', listen)
    cleanUps.push(() => unsubscribe('undici:client:connectError', listen))
    function listen(): void {
      if (!relay.listening) relay.listen(port, '127.0.0.1')
    }

    expect(await createClient(`http://127.0.0.1:${port}`).push(message, never)).toEqual(ACCEPTED)
    expect(failed()).toBe(1)
    expect(hub.received).toEqual([
      expect.objectContaining({
        method: 'POST',
        url: `/api/stores/${STORE}/messages`,
        body: '{"message":"stock:change","payload":{"sku":"APC-00001","quantity":-2,"source":"spree-bridge:i-1"},"origin":"store"}',
        headers: expect.objectContaining({
          'content-type': 'application/json',
          'x-augury-token': TOKEN,
          'idempotency-key': KEY,
          accept: 'application/json',
          'accept-encoding': 'identity',
          'user-agent': 'spree-bridge/1.2.3',
        }),
      }),
    ])
  })

  test('in time: a request whose turn did not come was certainly not sent', async () => {
    const stop = new AbortController()
    const hub = await startServer(() => {})
    const pool = new Pool(hub.url, { connections: 1 })
    cleanUps.push(() => pool.destroy())
    const patient = createExchange(pool, { headers: {}, timeoutMilliseconds: 60_000 })
    const hasty = createExchange(pool, { headers: {}, timeoutMilliseconds: 1_500 })
    const first = patient({ method: 'post', url: '/first' }, stop.signal)
    expect(await hasty({ method: 'post', url: '/second' }, never)).toMatchObject({
      fault: 'unreachable',
      code: 'ETIMEDOUT',
    })
    stop.abort()
    await first
    expect(hub.received.map(({ url }) => url)).toEqual(['/first'])
  })

  test('the retries keep within the time limit', async () => {
    const port = await findClosedPort()
    const failed = countFailedConnects()
    const client = createClient(`http://127.0.0.1:${port}`, { timeoutMilliseconds: 400 })
    expect(await client.push(message, never)).toMatchObject({ kind: 'unreachable' })
    // None, where the first took as long on a slow machine.
    expect(failed()).toBeLessThan(2)
  })
})

describe('an abort', () => {
  const aborted = { kind: 'aborted', text: 'The request was broken off by spree-bridge itself.' }

  test('before the push sends nothing', async () => {
    const hub = await startServer()
    expect(await createClient(hub.url).push(message, AbortSignal.abort())).toEqual(aborted)
    expect(hub.received).toEqual([])
  })

  test('while the answer is awaited ends the push and its connection', async () => {
    const stop = new AbortController()
    const responses: ServerResponse[] = []
    const hub = await startServer((response) => {
      responses.push(response)
      stop.abort()
    })
    expect(await createClient(hub.url).push(message, stop.signal)).toEqual(aborted)
    if (!responses[0]!.closed) await once(responses[0]!, 'close')
  })

  test('while waiting for a connection ends the push unsent', async () => {
    const stop = new AbortController()
    let answerFirst = () => {}
    const hub = await startServer((response, received) => {
      if (hub.received.length > 1) return accept(response, received)
      answerFirst = () => accept(response, received)
      stop.abort()
    })
    const client = createClient(hub.url, { connections: 1 })
    const first = client.push(message, never)
    expect(await client.push({ ...message, key: 'second' }, stop.signal)).toEqual(aborted)
    answerFirst()
    expect(await first).toEqual(ACCEPTED)
    expect(await client.push({ ...message, key: 'third' }, never)).toEqual(ACCEPTED)
    expect(hub.received.map(({ headers }) => headers['idempotency-key'])).toEqual([KEY, 'third'])
  })

  test('between attempts to connect ends the waiting', async () => {
    const stop = new AbortController()
    const abort = () => stop.abort()
    subscribe('undici:client:connectError', abort)
    cleanUps.push(() => unsubscribe('undici:client:connectError', abort))
    const failed = countFailedConnects()
    const client = createClient(`http://127.0.0.1:${await findClosedPort()}`)
    expect(await client.push(message, stop.signal)).toEqual(aborted)
    expect(failed()).toBe(1)
  })

  test('of one signal ends all of its pushes, however many', async () => {
    const stop = new AbortController()
    const hub = await startServer(() => {
      if (hub.received.length === 40) stop.abort()
    })
    const client = createClient(hub.url, { connections: 40 })
    const outcomes = await Promise.all(Array.from({ length: 40 }, () => client.push(message, stop.signal)))
    expect(outcomes).toEqual(Array(40).fill(aborted))
  })

  test('by closing the client', async () => {
    const hub = await startServer(() => void client.close())
    const client = createClient(hub.url)
    expect(await client.push(message, never)).toEqual(aborted)
    expect(await client.push(message, never)).toEqual(aborted)
  })
})

describe('a probe', () => {
  test('asks for the message types, with our token', async () => {
    const hub = await startServer((response) => respond(response, 200, '["order:new"]'))
    expect(await createClient(`${hub.url}/hub/`).probe(never)).toMatchObject({
      kind: 'reachable',
      date: expect.any(Date),
    })
    expect(hub.received).toEqual([
      expect.objectContaining({
        method: 'GET',
        url: `/hub/api/stores/${STORE}/available_messages`,
        headers: expect.objectContaining({ 'x-augury-token': TOKEN }),
      }),
    ])
  })

  test('says what a push would meet', async () => {
    const hub = await startServer((response) => respond(response, 404, '{"error":"Store not found."}'))
    expect(await createClient(hub.url).probe(never)).toEqual({
      kind: 'refused',
      status: 404,
      text: 'The hub answered 404: Store not found.',
    })
    const nowhere = createClient(`http://127.0.0.1:${await findClosedPort()}`)
    expect(await nowhere.probe(never)).toMatchObject({ kind: 'unreachable', code: 'ECONNREFUSED' })
  })
})
