import type { IncomingMessage } from 'node:http'

/** One request as it came in, and what became of it. Filled in as it proceeds; nobody else writes it. */
export type RecordedRequest = {
  /** Order of arrival. */
  sequence: number
  arrivedAt: number
  /** The sender's, which tells one connection from another. */
  port: number
  method: string
  path: string
  headers: Readonly<Record<string, string | string[] | undefined>>
  /** The `Idempotency-Key`, or '' without one. */
  key: string
  /** The bytes of the body, as text. */
  body: string
  /** `message` and `payload` of the body, where it has them. */
  type: string
  payload: Readonly<Record<string, unknown>>
  origin: unknown
  /** True once the hub has the message, whatever the sender heard. */
  accepted: boolean
  /** The status that was answered; null where nothing was. */
  status: number | null
  /** The `message_id` that was answered. */
  messageId: string | null
  /** True once the whole answer was handed to a connection that was still open. */
  delivered: boolean
  /** When the answer was out or the connection gone. */
  endedAt: number | null
}

/** The start of a request: its body is still to come. */
export function record(incoming: IncomingMessage, sequence: number): RecordedRequest {
  const key = incoming.headers['idempotency-key']
  return {
    sequence,
    arrivedAt: Date.now(),
    port: incoming.socket.remotePort ?? 0,
    method: incoming.method ?? '',
    path: incoming.url ?? '',
    headers: incoming.headers,
    key: typeof key === 'string' ? key : '',
    body: '',
    type: '',
    payload: {},
    origin: undefined,
    accepted: false,
    status: null,
    messageId: null,
    delivered: false,
    endedAt: null,
  }
}

export async function bodyOf(incoming: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of incoming) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString('utf8')
}

export function readBody(request: RecordedRequest, body: string): void {
  request.body = body
  const parsed: unknown = tryParse(body)
  if (!isObject(parsed)) return
  if (typeof parsed['message'] === 'string') request.type = parsed['message']
  if (isObject(parsed['payload'])) request.payload = parsed['payload']
  request.origin = parsed['origin']
}

/** Undefined for what is not JSON. */
export function tryParse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
