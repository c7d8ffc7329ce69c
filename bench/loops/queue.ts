import { createDelivery } from '../../src/delivery/delivery.ts'
import { createMetrics } from '../../src/observe/metrics.ts'
import { listen } from '../../src/postgres/listen.ts'
import { createCircuit } from '../../src/push/circuit.ts'
import { BRIDGE_QUEUE } from '../../src/queue/message.ts'
import { startSender } from '../../src/queue/sender.ts'
import type { SenderRequest } from '../start-sender.ts'
import { createBenchClient } from './push-client.ts'
import { openWorkerParts } from './worker-parts.ts'

/**
 * The sending half of a worker, put together as a worker does it, from joining the others to the last outcome written
 * and the lanes given back. The messages lie in the database, or come into it.
 */
export async function loadQueueLoop({ hubUrl, databaseUrl, count, inFlight }: SenderRequest) {
  const { log, pool, join, close } = await openWorkerParts(databaseUrl)
  const client = createBenchClient(hubUrl, inFlight)
  const circuit = createCircuit((view) => log.error('the circuit moved', view))
  const delivery = createDelivery({
    client,
    circuit,
    metrics: createMetrics(),
    log,
    onAccepted: () => undefined,
  })
  return async () => {
    const membership = join()
    let left = count
    let wake = () => {}
    const listener = listen(databaseUrl, [BRIDGE_QUEUE.channel], {
      applicationName: 'bench listen',
      variable: 'DATABASE_LISTEN_URL',
      onNotify: () => wake(),
      onError: (error) => log.error('listen', { error }),
    })
    await new Promise<void>((resolve, reject) => {
      const sender = startSender({
        pool,
        tables: BRIDGE_QUEUE,
        membership,
        concurrency: inFlight,
        rememberedTypes: ['product:new', 'product:update', 'stock:actual'],
        ...delivery,
        send: async (message, permit, signal) => {
          const decision = await delivery.send(message, permit, signal)
          if (decision.do === 'acknowledge' && --left === 0) sender.stop(10_000).then(resolve, reject)
          return decision
        },
        onSuperseded: () => reject(new Error('An order was superseded.')),
        onError: reject,
      })
      wake = sender.wake
    })
    return async () => {
      await listener.stop()
      await membership.leave()
      await client.close()
      await close()
    }
  }
}
