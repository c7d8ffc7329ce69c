import { createHash } from 'node:crypto'
import type { ServerResponse } from 'node:http'
import { type RecordedRequest, tryParse } from './recorded-request.ts'

/** What a hub does with one request. `accepted`: it keeps the message, whatever the sender gets to hear of it. */
export type Behaviour =
  | Readonly<{ kind: 'accept'; afterMs?: number }>
  | Readonly<{
      kind: 'answer'
      status: number
      body?: string
      headers?: Readonly<Record<string, string>>
      accepted?: boolean
      afterMs?: number
    }>
  /** Resets the connection; with `accepted` this is the answer that got lost. */
  | Readonly<{ kind: 'reset'; accepted: boolean }>
  /** A good answer, but a byte at a time. */
  | Readonly<{ kind: 'drip'; everyMs: number }>
  /** Half-open: keeps the message and the connection, and never says a word. */
  | Readonly<{ kind: 'hang' }>

/** Does with a request what was decided, and notes in it what came of it. */
export async function behave(
  behaviour: Behaviour,
  request: RecordedRequest,
  response: ServerResponse,
  headers: Readonly<Record<string, string>>,
): Promise<void> {
  switch (behaviour.kind) {
    case 'accept': {
      accept(request)
      if (behaviour.afterMs) await pause(behaviour.afterMs, response)
      respond(request, response, goodStatus(request), goodAnswer(request), headers)
      return
    }
    case 'answer': {
      if (behaviour.accepted) accept(request)
      if (behaviour.afterMs) await pause(behaviour.afterMs, response)
      respond(request, response, behaviour.status, behaviour.body ?? '{}', {
        ...headers,
        ...behaviour.headers,
      })
      return
    }
    case 'reset': {
      if (behaviour.accepted) accept(request)
      response.socket?.resetAndDestroy()
      return
    }
    case 'drip': {
      accept(request)
      request.status = goodStatus(request)
      response.writeHead(request.status, { 'content-type': 'application/json', ...headers })
      for (const byte of goodAnswer(request)) {
        if (response.destroyed) return
        response.write(byte)
        await pause(behaviour.everyMs, response)
      }
      response.end()
      return
    }
    case 'hang':
      accept(request)
  }
}

function accept(request: RecordedRequest): void {
  request.accepted = request.method === 'POST'
}

function goodStatus({ method }: RecordedRequest): number {
  return method === 'POST' ? 201 : 200
}

/** To a push everything submitted and an id, the same for a repeat; to a sender that asks how we are, the known types. */
function goodAnswer(request: RecordedRequest): string {
  if (request.method !== 'POST') return '["order:persist","product:new","product:update","stock:change"]'
  request.messageId = createHash('sha256')
    .update(request.key || String(request.sequence))
    .digest('hex')
    .slice(0, 24)
  return JSON.stringify({ ...(tryParse(request.body) as object), message_id: request.messageId })
}

function respond(
  request: RecordedRequest,
  response: ServerResponse,
  status: number,
  body: string,
  headers: Readonly<Record<string, string>>,
): void {
  if (response.destroyed) return
  request.status = status
  response.writeHead(status, { 'content-type': 'application/json; charset=utf-8', ...headers })
  response.end(body)
}

/** Ends early when the sender is gone. */
function pause(ms: number, response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer)
      response.off('close', done)
      resolve()
    }
    const timer = setTimeout(done, ms)
    response.once('close', done)
  })
}
