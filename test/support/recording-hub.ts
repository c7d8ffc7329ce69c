import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { type Behaviour, behave } from './hub-behaviour.ts'
import { bodyOf, type RecordedRequest, readBody, record, tryParse } from './recorded-request.ts'

export type RecordingHub = Readonly<{
  /** For HUB_URL. */
  url: string
  storeId: string
  token: string
  /** All requests in order of arrival. */
  requests: readonly RecordedRequest[]
  /** From now on every request meets what `decide` says; without it all is well again. */
  misbehave(decide?: (request: RecordedRequest) => Behaviour): void
  /** Closes the port and breaks every connection. */
  down(): Promise<void>
  /** Opens the same port again. */
  up(): Promise<void>
  /** Resolves when `condition` holds; it is asked whenever a request ends. */
  until(condition: () => boolean, timeoutMs: number): Promise<void>
  close(): Promise<void>
}>

export type RecordingHubOptions = Readonly<{
  /** Answers like the project's own hub, with `X-Hub: spree-bridge`. */
  ours?: boolean
}>

/**
 * A hub that records what it is told and misbehaves on command. It honours the idempotency key as the protocol's own
 * hub does: a repeat gets the same `message_id`.
 */
export async function startRecordingHub(options: RecordingHubOptions = {}): Promise<RecordingHub> {
  const storeId = '5281a1584a8169f7a0000001'
  const token = 'recording-hub-token'
  const requests: RecordedRequest[] = []
  const waiting = new Set<() => void>()
  const sockets = new Set<Socket>()
  let decide: ((request: RecordedRequest) => Behaviour) | undefined
  let server: Server | undefined

  const handle = async (incoming: IncomingMessage, response: ServerResponse) => {
    const request = record(incoming, requests.length)
    requests.push(request)
    response.on('finish', () => {
      request.delivered = true
      request.endedAt = Date.now()
    })
    response.on('close', () => {
      request.endedAt ??= Date.now()
      for (const wake of waiting) wake()
    })
    try {
      readBody(request, await bodyOf(incoming))
    } catch {
      return // the sender broke off: endedAt is set by 'close'
    }
    const refusal = refuse(request, storeId, token)
    const behaviour = refusal ?? decide?.(request) ?? { kind: 'accept' }
    await behave(behaviour, request, response, options.ours ? { 'x-hub': 'spree-bridge' } : {})
  }

  const listen = (port: number) =>
    new Promise<Server>((resolve, reject) => {
      const opened = createServer((incoming, response) => void handle(incoming, response))
      opened.on('connection', (socket) => {
        sockets.add(socket)
        socket.on('close', () => sockets.delete(socket))
      })
      opened.once('error', reject)
      opened.listen(port, '127.0.0.1', () => resolve(opened))
    })

  const down = async () => {
    const closing = server
    server = undefined
    for (const socket of sockets) socket.destroy()
    if (closing) await new Promise((resolve) => closing.close(resolve))
  }

  server = await listen(0)
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    storeId,
    token,
    requests,
    misbehave: (next) => {
      decide = next
    },
    down,
    up: async () => {
      server ??= await listen(port)
    },
    until: (condition, timeoutMs) => waitUntil(condition, timeoutMs, waiting, requests),
    close: down,
  }
}

/** What any hub refuses, by the protocol's table of errors. */
function refuse(request: RecordedRequest, storeId: string, token: string): Behaviour | undefined {
  const answer = (status: number, error: string): Behaviour => ({
    kind: 'answer',
    status,
    body: JSON.stringify({ error }),
  })
  if (request.headers['x-augury-token'] !== token) return answer(401, 'Token is invalid.')
  const store = `/api/stores/${storeId}`
  if (request.method === 'GET' && request.path === `${store}/available_messages`) return undefined
  if (request.method !== 'POST' || request.path.replace(/\/$/, '') !== `${store}/messages`)
    return answer(404, 'Store not found.')
  if (tryParse(request.body) === undefined) return answer(400, 'Not JSON.')
  if (request.type === '') return answer(422, 'Invalid object.')
  return undefined
}

function waitUntil(
  condition: () => boolean,
  timeoutMs: number,
  waiting: Set<() => void>,
  requests: readonly RecordedRequest[],
): Promise<void> {
  if (condition()) return Promise.resolve()
  return new Promise((resolve, reject) => {
    const end = (settle: () => void) => {
      clearTimeout(timer)
      waiting.delete(wake)
      settle()
    }
    const wake = () => {
      if (condition()) end(resolve)
    }
    const timer = setTimeout(
      () => end(() => reject(new Error(`The hub did not get there in ${timeoutMs} ms: ${tail(requests)}`))),
      timeoutMs,
    )
    waiting.add(wake)
  })
}

function tail(requests: readonly RecordedRequest[]): string {
  const last = requests.slice(-5).map(({ type, status, key }) => `${type} ${key.slice(0, 8)} → ${status}`)
  return `${requests.length} requests, the last: ${last.join(', ')}`
}
