import { randomUUID } from 'node:crypto'
import { createPushClient, type PushClient } from '../../src/push/client.ts'
import type { SenderRequest } from '../start-sender.ts'
import { keepInFlight } from './in-flight.ts'

/** The bridge's own client, as a worker has it. */
export function createBenchClient(hubUrl: string, inFlight: number): PushClient {
  return createPushClient({
    hubUrl,
    storeId: 'bench',
    token: 'bench-token',
    installation: 'bench',
    version: '0',
    connections: inFlight,
    timeoutMilliseconds: 10_000,
  })
}

/** The bridge's own client with nothing around it: no queue, no database, no order. */
export async function loadClientLoop({ hubUrl, payloads, count, inFlight }: SenderRequest) {
  const client = createBenchClient(hubUrl, inFlight)
  const { signal } = new AbortController()
  const keys = Array.from({ length: count }, () => randomUUID())
  return async () => {
    await keepInFlight(count, inFlight, (index) =>
      pushOne(
        client,
        {
          type: 'order:persist',
          payload: payloads[index % payloads.length] ?? '',
          key: keys[index] ?? '',
          aggregate: 'order:1',
        },
        signal,
      ),
    )
    return () => client.close()
  }
}

/** Pushes what the sink must take. */
export async function pushOne(
  client: PushClient,
  message: Parameters<PushClient['push']>[0],
  signal: AbortSignal,
): Promise<void> {
  const outcome = await client.push(message, signal)
  if (outcome.kind !== 'accepted') throw new Error(`A push ended as ${outcome.kind}.`)
}
