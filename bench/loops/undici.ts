import { randomUUID } from 'node:crypto'
import { Pool } from 'undici'
import type { SenderRequest } from '../start-sender.ts'
import { keepInFlight } from './in-flight.ts'

/** The ceiling of HTTP itself: undici's own request, the body made beforehand, the answer read and not looked into. */
export async function loadUndiciLoop({ hubUrl, payloads, count, inFlight }: SenderRequest) {
  const pool = new Pool(hubUrl, { connections: inFlight })
  const bodies = payloads.map((payload) => bodyOf('order:persist', payload))
  const keys = Array.from({ length: count }, () => randomUUID())
  return async () => {
    await keepInFlight(count, inFlight, (index) =>
      postRaw(pool, bodies[index % bodies.length] ?? '', keys[index] ?? ''),
    )
    return () => pool.close()
  }
}

/** What the bridge pushes for a message. */
export function bodyOf(type: string, payload: string): string {
  return `{"message":"${type}","payload":${payload},"origin":"store"}`
}

export async function postRaw(pool: Pool, body: string, key: string): Promise<void> {
  const answer = await pool.request({
    path: '/api/stores/bench/messages',
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      'x-augury-token': 'bench-token',
      'idempotency-key': key,
    },
    body,
  })
  await answer.body.text()
  if (answer.statusCode !== 201) throw new Error(`The sink answered ${answer.statusCode}.`)
}
