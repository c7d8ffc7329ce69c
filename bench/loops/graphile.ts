import { Logger, run } from 'graphile-worker'
import { Pool } from 'undici'
import { GRAPHILE_TASK, graphileJob } from '../graphile-database.ts'
import type { SenderRequest } from '../start-sender.ts'
import { postRaw } from './undici.ts'

/** Jobs that it takes and locks at once, in its local queue; without one it is three times slower. */
const LOCAL_QUEUE = 500

/** graphile-worker in its best shape for this work: jobs taken and completed in batches, and undici to send them. */
export async function loadGraphileLoop({ hubUrl, databaseUrl, count, inFlight }: SenderRequest) {
  const http = new Pool(hubUrl, { connections: inFlight })
  return async () => {
    let left = count
    const { promise: done, resolve } = promiseOfEnd()
    const runner = await run({
      connectionString: databaseUrl,
      taskList: {
        [GRAPHILE_TASK]: async (payload, { job }) => {
          await postRaw(http, graphileJob.parse(payload).body, `graphile-${job.id}`)
          if (--left === 0) resolve()
        },
      },
      noHandleSignals: true,
      logger: new Logger(() => () => {}),
      preset: {
        worker: {
          concurrentJobs: inFlight,
          maxPoolSize: 10,
          pollInterval: 500,
          localQueue: { size: LOCAL_QUEUE },
          completeJobBatchDelay: 0,
          failJobBatchDelay: 0,
        },
      },
    })
    await done
    await runner.stop()
    return () => http.close()
  }
}

function promiseOfEnd() {
  let resolve = () => {}
  const promise = new Promise<void>((settle) => {
    resolve = settle
  })
  return { promise, resolve }
}
