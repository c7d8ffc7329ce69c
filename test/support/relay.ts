import { Agent, createServer, type IncomingMessage, request as open, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Behaviour } from './hub-behaviour.ts'
import { bodyOf, type RecordedRequest, readBody, record, tryParse } from './recorded-request.ts'

/** A request and the text that it was answered with, '' where nothing was. A delivery's key is its `message_id`. */
export type Relayed = RecordedRequest & { answer: string }

type Answered = Readonly<{ status: number; body: string; headers: Readonly<Record<string, string>> }>

/** Who answers; undefined where nobody does, and the connection breaks. */
export type Answerer = (request: Relayed) => Promise<Answered | undefined>

export type Relay = Readonly<{
  url: string
  /** All requests in order of arrival. */
  requests: readonly Relayed[]
  /** From now on every request meets what `decide` says; without it all is well again. */
  misbehave(decide?: (request: Relayed) => Behaviour): void
  close(): Promise<void>
}>

/** A consumer that has done what it was sent to do. */
export const acknowledge: Answerer = async ({ key }) => ({
  status: 200,
  body: JSON.stringify({ message_id: key }),
  headers: { 'content-type': 'application/json' },
})

/** A new connection each time: one kept from a process that is gone would tell of its death, not of its successor's life. */
const agent = new Agent({ keepAlive: false })
const PASSED_ON = ['content-type', 'x-hub', 'retry-after']

/** The process that listens at `url`. */
export function processAt(url: string): Answerer {
  const { hostname, port } = new URL(url)
  return ({ method, path, headers, body }) =>
    new Promise((resolve) => {
      const gone = () => resolve(undefined)
      const { host: _, connection: __, 'content-length': ___, ...rest } = headers
      const sent = open({ hostname, port, method, path, headers: rest, agent }, (answer) => {
        bodyOf(answer).then(
          (text) => resolve({ status: answer.statusCode ?? 0, body: text, headers: passedOn(answer) }),
          gone,
        )
      })
      sent.once('error', gone)
      sent.end(body)
    })
}

function passedOn({ headers }: IncomingMessage): Record<string, string> {
  return Object.fromEntries(
    PASSED_ON.flatMap((name) => (headers[name] === undefined ? [] : [[name, String(headers[name])]])),
  )
}

/**
 * Stands between two processes and records what they say to each other. Where the one behind it dies, whoever asked finds
 * the connection broken, as if they had spoken without it.
 */
export async function startRelay(target: Answerer): Promise<Relay> {
  const requests: Relayed[] = []
  let decide: ((request: Relayed) => Behaviour) | undefined

  const handle = async (incoming: IncomingMessage, response: ServerResponse) => {
    const request: Relayed = { ...record(incoming, requests.length), answer: '' }
    requests.push(request)
    response.on('finish', () => {
      request.delivered = true
      request.endedAt = Date.now()
    })
    response.on('close', () => {
      request.endedAt ??= Date.now()
    })
    try {
      readBody(request, await bodyOf(incoming))
    } catch {
      return // the sender broke off: endedAt is set by 'close'
    }
    request.key ||= memberOf(request.body, 'message_id') ?? ''
    await relay(request, response, decide?.(request) ?? { kind: 'accept' }, target)
  }
  const server = createServer((incoming, response) => void handle(incoming, response))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    misbehave: (next) => {
      decide = next
    },
    close: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

async function relay(
  request: Relayed,
  response: ServerResponse,
  behaviour: Behaviour,
  target: Answerer,
): Promise<void> {
  if (behaviour.kind === 'answer' && !behaviour.accepted) {
    send(request, response, {
      status: behaviour.status,
      body: behaviour.body ?? '{}',
      headers: { ...behaviour.headers },
    })
    return
  }
  if (behaviour.kind === 'reset' && !behaviour.accepted) {
    response.socket?.resetAndDestroy()
    return
  }
  const answered = await target(request)
  request.accepted = answered !== undefined && answered.status < 300 && request.method === 'POST'
  if (behaviour.kind === 'hang') return
  if (behaviour.kind === 'reset' || answered === undefined) response.socket?.resetAndDestroy()
  else send(request, response, answered)
}

function send(request: Relayed, response: ServerResponse, { status, body, headers }: Answered): void {
  if (response.destroyed) return
  request.status = status
  request.answer = body
  request.messageId = memberOf(body, 'message_id')
  response.writeHead(status, headers)
  response.end(body)
}

function memberOf(text: string, name: string): string | null {
  const value: unknown = tryParse(text)
  if (typeof value !== 'object' || value === null) return null
  const member: unknown = Reflect.get(value, name)
  return typeof member === 'string' ? member : null
}
