import { setTimeout as pause } from 'node:timers/promises'
import { hasPgBouncer, type PgBouncer, startPgBouncer } from '../support/pgbouncer.ts'
import { createRandom } from '../support/random.ts'
import type { StoreFamily } from '../support/stores.ts'
import type { WorkloadOptions } from '../support/workload.ts'
import type { Result } from './result.ts'
import { inTrial, type Scenario, skipped, startWorkers } from './scenario.ts'

export const POOLER: readonly Scenario[] = [
  {
    name: 'PgBouncer in transaction mode, and a direct connection to LISTEN',
    families: ['spree-4.10'],
    run: (family, seed) => throughPooler(family, seed, true, BUSY),
  },
  {
    name: 'PgBouncer in transaction mode, without a connection to LISTEN',
    families: ['spree-4.10'],
    run: (family, seed) => throughPooler(family, seed, false, BUSY),
  },
]

const BUSY = { writers: 4, pauseMs: 100 }

/** Workers share the pooler's few sessions; one of them dies in the middle, and so does the pooler. */
export async function throughPooler(
  family: StoreFamily,
  seed: number,
  listens: boolean,
  load: Pick<WorkloadOptions, 'writers' | 'pauseMs'>,
): Promise<Result> {
  if (!hasPgBouncer) return skipped("there is no pgbouncer on this machine (Debian's package is enough)")
  let pooler: PgBouncer | undefined
  try {
    return await inTrial(
      family,
      async (trial) => {
        const random = createRandom(seed)
        const [first] = await startWorkers(trial, 2)
        const workload = await trial.startWorkload({ seed, ...load })
        await pause(random.between(6000, 9000))
        const killedAt = Date.now()
        await first?.kill()
        trial.disturbed('kill -9', killedAt)
        await startWorkers(trial, 1)
        await pause(random.between(2000, 4000))
        const restartedAt = Date.now()
        await pooler?.restart()
        trial.disturbed('the pooler died', restartedAt)
        await pause(8000)
        await workload.stop()
        return { 'kill -9 of a worker': 1, 'kill -9 of the pooler': 1 }
      },
      {
        toDatabase: async (url) => {
          pooler = await startPgBouncer(url)
          return pooler
        },
        env: (store) => (listens ? { DATABASE_LISTEN_URL: store.url } : {}),
      },
    )
  } finally {
    await pooler?.close()
  }
}
