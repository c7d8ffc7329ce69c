import { prepareSeededStore, startWorker, untilSettled } from './bridge.ts'
import { changeOrders } from './change-orders.ts'
import type { Experiment } from './experiment.ts'
import type { Figure, Measurement } from './frame.ts'
import type { Ground } from './ground.ts'
import { cpuSecondsOfTree } from './machine.ts'
import { CLIENT, CPU, DRAIN, drainWork, prepareSending, rateAgainst, rateAndCpu, UNDICI } from './sending.ts'

const WHOLE = 'whole path'
const ORDERS = 5_000

/** From 5,000 committed changes of 5,000 orders to as many messages at the hub, through the worker as it is built. */
export const wholePath: Experiment = {
  name: 'whole-path',
  rounds: { full: 5, quick: 3 },
  warmsUp: true,
  figures: [
    { ...versus(DRAIN), must: 0.3, aim: 0.45 },
    // What the bounds of the drain leave of its own references.
    { ...versus(CLIENT), must: 0.24, aim: 0.43 },
    { ...versus(UNDICI), must: 0.105, aim: 0.225 },
    {
      ...versus(DRAIN),
      name: 'whole path, CPU per order',
      unit: 'µs',
      measured: { variant: WHOLE, metric: CPU },
      reference: { variant: DRAIN, metric: CPU },
      compare: 'alone',
      must: 600,
      aim: 450,
      better: 'lower',
    },
  ],
  prepare: async (ground) => {
    const sending = await prepareSending(ground, drainWork(ground), [UNDICI, CLIENT, DRAIN])
    const worker = await prepareWorker(ground)
    return {
      variants: [...sending.variants, { name: WHOLE, run: worker.run }],
      close: async () => {
        await worker.close()
        await sending.close()
      },
    }
  },
}

function versus(variant: string): Omit<Figure, 'must' | 'aim'> {
  return {
    name: `whole path against ${variant === DRAIN ? 'the drain' : variant}`,
    ...rateAgainst(WHOLE, variant),
  }
}

async function prepareWorker(ground: Ground) {
  const { sink } = ground
  const count = ORDERS * ground.scale
  const database = await prepareSeededStore(ground, 'store_with_worker')
  const worker = startWorker(database, sink.hubUrl)

  return {
    run: async (): Promise<Measurement> => {
      await sink.reset()
      await database.pool.query('truncate bridge.history')
      await database.pool.query('checkpoint')
      // Stopped for less than its lease, the worker finds all changes at once, as after a burst.
      worker.freeze()
      await changeOrders(database.pool, count)
      const cpuSeconds = () => cpuSecondsOfTree(worker.pid)
      const before = { at: performance.now(), worker: cpuSeconds(), postgres: ground.postgresCpuSeconds() }
      worker.thaw()
      await Promise.race([sink.arrived(count), worker.died])
      const seconds = (performance.now() - before.at) / 1000
      await Promise.race([untilSettled(database), worker.died])
      const postgres = ground.postgresCpuSeconds() - before.postgres
      return rateAndCpu(count, seconds, cpuSeconds() - before.worker, postgres)
    },
    close: async () => {
      await worker.stop()
      await database.drop()
    },
  }
}
