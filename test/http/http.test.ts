import { once } from 'node:events'
import { Agent, createServer, request as httpRequest, type RequestOptions } from 'node:http'
import { connect, type Socket } from 'node:net'
import { Writable } from 'node:stream'
import { afterEach, describe, expect, jest, test } from '@jest/globals'
import express, { Router } from 'express'
import { type AppOptions, createApp } from '../../src/http/app.ts'
import { ListenError, type Listening, type ListenOptions, listen } from '../../src/http/listen.ts'
import { createLog } from '../../src/observe/log.ts'
import { createMetrics } from '../../src/observe/metrics.ts'

const HOST = '127.0.0.1'

class Lines extends Writable {
  text = ''
  override _write(chunk: Buffer, _encoding: string, done: () => void) {
    this.text += chunk
    done()
  }
}

const opened: Listening[] = []
afterEach(async () => {
  await Promise.all(opened.splice(0).map((server) => server.close()))
})

async function serve(options: Partial<AppOptions> = {}, listening: Partial<ListenOptions> = {}) {
  const lines = new Lines()
  const { log, closeLog } = createLog({ level: 'info', format: 'json', stream: lines })
  const app = createApp({
    log,
    readyChecks: {},
    metrics: createMetrics(),
    operator: { host: HOST },
    ...options,
  })
  const server = await listen(app, { port: 0, host: HOST, ...listening })
  opened.push(server)
  const logged = async () => {
    await closeLog()
    return lines.text
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line))
  }
  return { ...server, port: Number(new URL(server.url).port), logged }
}

/** fetch does not let a test choose its Host header. */
async function get(url: string, options: RequestOptions = {}) {
  const request = httpRequest(url, { agent: new Agent(), ...options }).end()
  const [response] = await once(request, 'response')
  let body = ''
  for await (const chunk of response) body += chunk
  return { status: response.statusCode, headers: response.headers, body }
}

test('an idle connection is kept longer than a proxy keeps it', async () => {
  const { url } = await serve()
  expect((await fetch(`${url}/healthz`)).headers.get('keep-alive')).toBe('timeout=65')
})

test('a request comes as the app wants it: nothing gives it another prototype, which garbage is slow to lose', async () => {
  const { url } = await serve()
  const changed: unknown[] = []
  const set = Object.setPrototypeOf
  const given = jest.spyOn(Object, 'setPrototypeOf').mockImplementation((object, prototype) => {
    if (Object.getPrototypeOf(object) !== prototype) changed.push(object)
    return set(object, prototype)
  })
  try {
    const response = await fetch(`${url}/healthz`)
    expect(await response.json()).toEqual({ alive: true })
    expect(given).toHaveBeenCalledTimes(2)
  } finally {
    given.mockRestore()
  }
  expect(changed).toEqual([])
})

describe('alive and ready', () => {
  test('a process that answers is alive, whatever it lacks', async () => {
    const { url } = await serve({ readyChecks: { database: async () => 'is down' } })
    const answer = await fetch(`${url}/healthz`)

    expect(answer.status).toBe(200)
    expect(await answer.json()).toEqual({ alive: true })
    expect(answer.headers.get('cache-control')).toBe('no-store')
    expect(answer.headers.get('x-powered-by')).toBeNull()
    expect(answer.headers.get('x-content-type-options')).toBe('nosniff')
  })

  test('it is ready when every check passes', async () => {
    const { url } = await serve({
      readyChecks: { database: async () => undefined, triggers: async () => undefined },
    })
    const answer = await fetch(`${url}/readyz`)

    expect(answer.status).toBe(200)
    expect(await answer.json()).toEqual({ ready: true, reasons: [] })
  })

  test('it is not ready for every reason at once; the reason of a check that breaks stays in the log', async () => {
    const { url, logged } = await serve({
      readyChecks: {
        database: async () => 'cannot be reached (ECONNREFUSED)',
        triggers: () => Promise.reject(new Error('relation "secret_table" does not exist')),
        hub: async () => undefined,
      },
    })
    const answer = await fetch(`${url}/readyz`)

    expect(answer.status).toBe(503)
    expect(await answer.json()).toEqual({
      ready: false,
      reasons: [
        'database: cannot be reached (ECONNREFUSED)',
        'triggers: could not be checked, the log says why',
      ],
    })
    expect(await logged()).toEqual([
      expect.objectContaining({
        level: 'warn',
        check: 'triggers',
        error: expect.objectContaining({ message: expect.stringContaining('secret_table') }),
      }),
    ])
  })

  test('a check that never answers makes it not ready after its time, not never', async () => {
    const { url } = await serve({ readyChecks: { database: () => new Promise(() => {}) } })

    expect(await (await fetch(`${url}/readyz`)).json()).toEqual({
      ready: false,
      reasons: ['database: no answer within 2000 ms'],
    })
  })
})

describe('metrics are for operators', () => {
  const token = 'operator-token-1'

  test('with a token set, they need it, from anywhere', async () => {
    const metrics = createMetrics()
    metrics.outboxRows.set(7)
    const { url } = await serve({ metrics, operator: { token, host: '0.0.0.0' } })
    const ask = (headers: Record<string, string>) => fetch(`${url}/metrics`, { headers })

    const answer = await ask({ authorization: `bearer ${token}`, 'x-forwarded-for': '203.0.113.9' })
    expect(answer.status).toBe(200)
    expect(answer.headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/)
    expect(await answer.text()).toContain('spree_bridge_outbox_rows 7')

    for (const authorization of [
      '',
      `Bearer ${token}x`,
      `Bearer ${token.slice(1)}`,
      `Basic ${token}`,
      token,
      'Bearer',
    ]) {
      const refused = await ask(authorization ? { authorization } : {})
      expect(refused.status).toBe(401)
      expect(refused.headers.get('www-authenticate')).toBe('Bearer')
      expect(await refused.text()).not.toContain('spree_bridge')
    }
    expect((await fetch(`${url}/metrics?token=${token}`)).status).toBe(401)
  })

  test.each([
    { host: '127.0.0.1', headers: {}, status: 200 },
    { host: 'localhost', headers: { host: 'localhost:3000' }, status: 200 },
    { host: '127.0.0.1', headers: { host: '[::1]:3000' }, status: 200 },
    { host: '0.0.0.0', headers: {}, status: 403 },
    { host: '127.0.0.1.example.com', headers: {}, status: 403 },
    { host: '127.0.0.1', headers: { 'x-forwarded-for': '127.0.0.1' }, status: 403 },
    { host: '127.0.0.1', headers: { 'x-forwarded-for': '' }, status: 403 },
    { host: '127.0.0.1', headers: { forwarded: 'for=127.0.0.1' }, status: 403 },
    { host: '127.0.0.1', headers: { host: 'rebound.example.com:3000' }, status: 403 },
    { host: '127.0.0.1', headers: { authorization: 'Bearer anything', forwarded: 'for=x' }, status: 403 },
  ])('without a token, HOST $host and headers $headers get $status', async ({ host, headers, status }) => {
    const { url } = await serve({ operator: { host } })
    const answer = await get(`${url}/metrics`, { headers })

    expect(answer.status).toBe(status)
    if (status === 403) expect(JSON.parse(answer.body).error).toContain('Set OPERATOR_TOKEN')
  })
})

describe('errors', () => {
  const failing = Router()
    .get('/broken', () => {
      throw new Error('select * from secret_table')
    })
    .get('/rejected', async () =>
      Promise.reject(Object.assign(new Error('gone'), { status: 404, code: 'E_INNER' })),
    )
    .get('/half', (_request, response) => {
      response.write('half')
      throw new Error('broke in the middle')
    })
    .get('/named/:name', (_request, response) => {
      response.end()
    })
    .post('/json', express.json({ limit: 100 }), (request, response) => {
      response.json(request.body)
    })

  test('what is not there is 404, as JSON', async () => {
    const { url } = await serve()
    const answer = await fetch(`${url}/nothing?token=x`, { method: 'POST' })

    expect(answer.status).toBe(404)
    expect(await answer.json()).toEqual({ error: 'There is nothing at POST /nothing.' })
  })

  test('a fault of ours is 500 with an id that the log has, and tells no internals', async () => {
    const { url, logged } = await serve({ routers: [failing] })
    const answers = [await fetch(`${url}/broken?token=t0p`), await fetch(`${url}/rejected`)]
    const bodies = await Promise.all(answers.map((answer) => answer.text()))
    const lines = await logged()

    expect(answers.map(({ status }) => status)).toEqual([500, 500])
    expect(bodies.join()).not.toMatch(/secret_table|gone|at /)
    expect(lines.map((line) => line.error_id)).toEqual(bodies.map((body) => JSON.parse(body).id))
    expect(lines[0]).toMatchObject({
      level: 'error',
      method: 'GET',
      path: '/broken',
      error: { message: 'select * from secret_table', stack: expect.stringContaining('http.test.ts') },
    })
  })

  test("a fault of the caller's keeps its status and is no error in the log", async () => {
    const { url, logged } = await serve({ routers: [failing] })
    const post = (body: string) =>
      fetch(`${url}/json`, { method: 'POST', body, headers: { 'content-type': 'application/json' } })

    expect((await post('{')).status).toBe(400)
    const tooLarge = await post(JSON.stringify('x'.repeat(200)))
    expect(tooLarge.status).toBe(413)
    expect(await tooLarge.json()).toEqual({ error: 'request entity too large' })
    const undecodable = await fetch(`${url}/named/%ff`)
    expect(undecodable.status).toBe(400)
    expect(await undecodable.json()).toEqual({ error: 'The address of the request is not well encoded.' })
    expect(await logged()).toEqual([])
  })

  test('half an answer is cut off rather than ended as if it were whole', async () => {
    const { url, logged } = await serve({ routers: [failing] })

    await expect(fetch(`${url}/half`).then((answer) => answer.text())).rejects.toThrow()
    expect(await logged()).toHaveLength(1)
  })

  test('metrics that cannot be rendered are a fault of ours', async () => {
    const { url } = await serve({
      metrics: { contentType: 'text/plain', render: () => Promise.reject(new Error('x')) },
    })

    expect((await fetch(`${url}/metrics`)).status).toBe(500)
  })
})

describe('listening', () => {
  test('the URL is one that can be called, also where every address is listened on', async () => {
    expect((await serve({}, { host: '0.0.0.0' })).url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/)
  })

  test('a port in use, or an address that is not ours, is told with what to change', async () => {
    const { port } = await serve()
    const refused = (options: ListenOptions) => listen(createServer(), options).catch((error) => error)

    const inUse = await refused({ port, host: HOST })
    expect(inUse).toBeInstanceOf(ListenError)
    expect(inUse.code).toBe('cannot_listen')
    expect(inUse.message).toBe(
      `Port ${port} on 127.0.0.1 cannot be opened: another process uses it. Stop that process, or set PORT to a free one.`,
    )
    expect((await refused({ port: 0, host: '192.0.2.1' })).message).toContain('Set HOST to one it has')
  })
})

describe('closing', () => {
  /** A route that answers when the test says so. */
  function held() {
    let release = () => {}
    let arrived = () => {}
    const waiting = new Promise<void>((resolve) => {
      release = resolve
    })
    const inFlight = new Promise<void>((resolve) => {
      arrived = resolve
    })
    const router = Router().get('/held', async (_request, response) => {
      arrived()
      await waiting
      response.json({ done: true })
    })
    return { router, inFlight, release }
  }

  async function connected(port: number): Promise<Socket> {
    const socket = connect(port, HOST)
    socket.on('error', () => {})
    await once(socket, 'connect')
    return socket
  }

  test('waits for the request in flight and no longer, though its connection is kept alive and others are silent', async () => {
    const { router, inFlight, release } = held()
    const { url, port, close } = await serve({ routers: [router] })
    const agent = new Agent({ keepAlive: true })
    const silent = await connected(port)
    await get(`${url}/healthz`, { agent })
    const answer = get(`${url}/held`, { agent })
    await inFlight

    let isClosed = false
    const closing = close().then(() => {
      isClosed = true
    })
    await once(silent, 'close')
    await expect(fetch(`${url}/healthz`)).rejects.toThrow()
    expect(isClosed).toBe(false)

    release()
    const answeredAt = Date.now()
    expect((await answer).body).toBe('{"done":true}')
    await closing
    expect(Date.now() - answeredAt).toBeLessThan(4000) // Node would keep the connection for 5 s
    agent.destroy()
  })

  test('cuts off what is still in flight at the limit, and closing twice is closing once', async () => {
    const { router, inFlight } = held()
    const { url, close } = await serve({ routers: [router] }, { closeWithinMs: 200 })
    const answer = expect(get(`${url}/held`)).rejects.toThrow(/hang up|reset/)
    await inFlight

    await Promise.all([close(), close()])
    await answer
  })
})
