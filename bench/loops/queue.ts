import { createDelivery } from '../../src/delivery/delivery.ts'
import { createLog } from '../../src/observe/log.ts'
import { createMetrics } from '../../src/observe/metrics.ts'
import { joinWorkers } from '../../src/postgres/membership.ts'
import { createPool } from '../../src/postgres/pool.ts'
import { createCircuit } from '../../src/push/circuit.ts'
import { BRIDGE_QUEUE } from '../../src/queue/message.ts'
import { startSender } from '../../src/queue/sender.ts'
import type { SenderRequest } from '../start-sender.ts'
import { createBenchClient } from './push-client.ts'

/**
 * The sending half of a worker, put together as a worker does it, from joining the others to the last outcome written
 * and the lanes given back. The messages lie in the database.
 */
export async function loadQueueLoop({ hubUrl, databaseUrl, count, inFlight }: SenderRequest) {
  const { log, closeLog } = createLog({ level: 'info', format: 'json' })
  const client = createBenchClient(hubUrl, inFlight)
  const circuit = createCircuit((view) => log.error('the circuit moved', view))
  const delivery = createDelivery({ client, circuit, metrics: createMetrics(), log })
  const pool = createPool(databaseUrl, {
    applicationName: 'bench sender',
    max: 10,
    onConnectionError: (error) => log.error('a connection broke', { error }),
  })
  await pool.query('select 1')
  return async () => {
    const membership = joinWorkers({
      pool,
      table: 'bridge.worker',
      process: 'worker',
      version: '0',
      leaseMilliseconds: 12_000,
      heartbeatMilliseconds: 3_000,
      status: () => '{}',
      watch: (work) => work(),
      onError: (error) => log.error('membership', { error }),
    })
    let left = count
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
    })
    return async () => {
      await membership.leave()
      await client.close()
      await pool.end()
      await closeLog()
    }
  }
}
