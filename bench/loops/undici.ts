import { randomUUID } from 'node:crypto'
import { Pool } from 'undici'
import type { SenderRequest } from '../start-sender.ts'
import { keepInFlight } from './in-flight.ts'

/** The ceiling of HTTP itself: undici's own request, the body made beforehand, the answer read and not looked into. */
export async function loadUndiciLoop({ hubUrl, payloads, count, inFlight }: SenderRequest) {
  const pool = new Pool(hubUrl, { connections: inFlight })
  const bodies = payloads.map(
    (payload) => `{"message":"order:persist","payload":${payload},"origin":"store"}`,
  )
  const keys = Array.from({ length: count }, () => randomUUID())
  return async () => {
    await keepInFlight(count, inFlight, async (index) => {
      const { statusCode, body } = await pool.request({
        path: '/api/stores/bench/messages',
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          'x-augury-token': 'bench-token',
          'idempotency-key': keys[index] ?? '',
        },
        body: bodies[index % bodies.length] ?? '',
      })
      await body.text()
      if (statusCode !== 201) throw new Error(`The sink answered ${statusCode}.`)
    })
    return () => pool.close()
  }
}
