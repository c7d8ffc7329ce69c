import { createServer } from 'node:http'
import express from 'express'
import { z } from 'zod'

export type Arrival = Readonly<{ message: string; messageId: string; payload: unknown; at: number }>

/** A consumer behind the hub, as an ERP would be one: it takes every message and says so. */
export type Consumer = Readonly<{
  url: string
  /**
   * The first message, past or to come since `from` (on the clock of `performance.now()`), that `wanted` accepts;
   * undefined if there is none within that time, or the consumer is closed.
   */
  arrival(
    from: number,
    wanted: (arrival: Arrival) => boolean,
    withinMilliseconds: number,
  ): Promise<Arrival | undefined>
  close(): Promise<void>
}>

const delivery = z.looseObject({ message: z.string(), message_id: z.string(), payload: z.unknown() })

/** Arrivals that are kept to be asked for. */
const MOST_KEPT = 1_000

export async function startConsumer(): Promise<Consumer> {
  const arrivals: Arrival[] = []
  const listeners = new Set<() => void>()
  let closed = false
  const app = express()
  app.use(express.json({ limit: '10mb' }))
  app.post('/', (request, response) => {
    const { message, message_id: messageId, payload } = delivery.parse(request.body)
    arrivals.push({ message, messageId, payload, at: performance.now() })
    if (arrivals.length > MOST_KEPT) arrivals.shift()
    response.json({ message_id: messageId })
    for (const listener of listeners) listener()
  })
  const server = createServer(app)
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen({ port: 0, host: '127.0.0.1' }, resolve)
  })
  const address = server.address()
  const port = typeof address === 'object' && address ? address.port : 0

  return {
    url: `http://127.0.0.1:${port}/`,
    arrival: (from, wanted, withinMilliseconds) =>
      new Promise((resolve) => {
        const look = () => {
          const found = arrivals.find((arrival) => arrival.at >= from && wanted(arrival))
          if (found || closed) end(found)
        }
        const end = (found?: Arrival) => {
          clearTimeout(timer)
          listeners.delete(look)
          resolve(found)
        }
        const timer = setTimeout(end, withinMilliseconds)
        listeners.add(look)
        look()
      }),
    async close() {
      closed = true
      for (const listener of listeners) listener()
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
