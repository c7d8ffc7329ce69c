import { setTimeout as pause } from 'node:timers/promises'
import { backlogStore } from './backlog-store.ts'
import { prepareSeededStore, startWorker } from './bridge.ts'
import type { Experiment } from './experiment.ts'
import type { Measurement } from './frame.ts'
import type { Database } from './ground.ts'
import { ownMegabytes } from './machine.ts'
import { until } from './until.ts'

const WATCHED_MILLISECONDS = 10_000
const EVERY_MILLISECONDS = 50

const IDLE = 'idle'
const HELD = 'a million waiting, hub down'
const DRAINING = 'a million waiting, being sent'
const PEAK = 'MB'

/** What a worker's memory grows to in its first ten seconds, afresh each time: with nothing to do, and with a backlog. */
export const memory: Experiment = {
  name: 'memory',
  rounds: { full: 5, quick: 1 },
  warmsUp: false,
  figures: [above(HELD), above(DRAINING)],
  prepare: async (ground) => {
    const { sink } = ground
    const full = await backlogStore(ground)
    const empty = await prepareSeededStore(ground, 'store_with_empty_queue')
    return {
      variants: [
        { name: IDLE, run: () => watchWorker(empty, sink.hubUrl) },
        {
          name: HELD,
          run: async () => {
            await sink.hangUp()
            return watchWorker(full, sink.hubUrl)
          },
        },
        {
          name: DRAINING,
          run: async () => {
            await sink.reset()
            return watchWorker(full, sink.hubUrl)
          },
        },
      ],
      close: () => empty.drop(),
    }
  },
}

function above(variant: string) {
  return {
    name: `memory above idle, ${variant}`,
    unit: 'MB',
    measured: { variant, metric: PEAK },
    reference: { variant: IDLE, metric: PEAK },
    compare: 'difference',
    must: 40,
    aim: 20,
    better: 'lower',
  } as const
}

async function watchWorker(database: Database, hubUrl: string): Promise<Measurement> {
  const worker = startWorker(database, hubUrl)
  const registered = `exists (select from bridge.worker where pid = ${worker.pid})`
  await Promise.race([until(database.pool, registered), worker.died])
  const samples: number[] = []
  const end = performance.now() + WATCHED_MILLISECONDS
  while (performance.now() < end) {
    samples.push(ownMegabytes(worker.pid))
    await pause(EVERY_MILLISECONDS)
  }
  await worker.stop()
  return { [PEAK]: Math.max(...samples) }
}
