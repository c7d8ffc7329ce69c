import { startCollector } from '../../src/capture/collector.ts'
import { LEASE_MILLISECONDS } from '../../src/processes/lease.ts'
import { countLanes } from '../../src/queue/enqueue.ts'
import { BRIDGE_QUEUE } from '../../src/queue/message.ts'
import { openStore } from '../../src/store/store.ts'
import type { SenderRequest } from '../start-sender.ts'
import { openWorkerParts } from './worker-parts.ts'

/**
 * The collecting half of a worker, put together as a worker does it, from joining the others until `count` messages are
 * made of what the triggers have written. Nobody sends them.
 */
export async function loadCollectLoop({ databaseUrl, count }: SenderRequest) {
  const { pool, join, close } = await openWorkerParts(databaseUrl)
  const store = await openStore(pool)
  const laneCount = await countLanes(pool, BRIDGE_QUEUE)
  return async () => {
    const membership = join()
    let left = count
    await new Promise<void>((resolve, reject) => {
      const collector = startCollector({
        pool,
        store,
        laneCount,
        settings: {
          settle: { quietMilliseconds: 0, atMostMilliseconds: 0 },
          stockMessages: 'change',
          orderMessages: 'persist',
          statementTimeoutMilliseconds: LEASE_MILLISECONDS / 2,
        },
        workerId: () => membership.registration()?.id,
        hears: () => false,
        onPass: ({ messages }) => {
          left -= messages.length
          if (left <= 0) collector.stop().then(resolve, reject)
        },
        reopen: async () => {},
        onHeld() {},
        onError: reject,
      })
      membership.onLook(() => collector.wake())
    })
    return async () => {
      await membership.leave()
      await close()
    }
  }
}
