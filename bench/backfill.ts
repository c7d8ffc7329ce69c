import { setTimeout as pause } from 'node:timers/promises'
import { runBackfill, startWorker, takeIn, untilSettled } from './bridge.ts'
import type { Experiment } from './experiment.ts'
import type { Measurement } from './frame.ts'
import type { Database, Ground } from './ground.ts'
import { ownMegabytes } from './machine.ts'
import { FIRST_ID } from './scale-store.ts'
import { DRAIN, drainWork, prepareSending, RATE, rateAgainst } from './sending.ts'
import { makeStore } from './store-source.ts'
import { until } from './until.ts'

const PRODUCTS = 100_000
const IDLE_MILLISECONDS = 10_000
const EVERY_MILLISECONDS = 50

const BACKFILL = 'backfill'
const IDLE = 'idle'
const PEAK = 'MB'

/** All products of a store, from the command to the hub, by a worker and a command as they are built. */
export const backfill: Experiment = {
  name: 'backfill',
  rounds: { full: 3, quick: 2 },
  warmsUp: false,
  figures: [
    {
      name: `backfill of ${PRODUCTS.toLocaleString('en')} products against the drain`,
      ...rateAgainst(BACKFILL, DRAIN),
      must: 0.3,
      aim: 0.45,
    },
    {
      name: 'memory above idle, backfill',
      unit: 'MB',
      measured: { variant: BACKFILL, metric: PEAK },
      reference: { variant: IDLE, metric: PEAK },
      compare: 'difference',
      must: 40,
      aim: 20,
      better: 'lower',
    },
  ],
  prepare: async (ground) => {
    const count = PRODUCTS * ground.largeScale
    const sending = await prepareSending(ground, drainWork(ground), [DRAIN])
    const database = await ground.createDatabase('store_with_many_products')
    await makeStore(database, ground.storeSource, { products: count, orders: 1 })
    await takeIn(ground, database)
    return {
      variants: [
        ...sending.variants,
        { name: IDLE, run: () => withWorker(ground, database, () => pause(IDLE_MILLISECONDS)) },
        { name: BACKFILL, run: () => withWorker(ground, database, () => tellAll(ground, database, count)) },
      ],
      close: async () => {
        await database.drop()
        await sending.close()
      },
    }
  },
}

/** What a worker, started afresh, grows to meanwhile. */
async function withWorker(
  { sink }: Ground,
  database: Database,
  work: () => Promise<Measurement | undefined>,
): Promise<Measurement> {
  await sink.reset()
  await database.pool.query('truncate bridge.history')
  await database.pool.query('checkpoint')
  const worker = startWorker(database, sink.hubUrl)
  const registered = `exists (select from bridge.worker where pid = ${worker.pid})`
  await Promise.race([until(database.pool, registered), worker.died])
  let peak = 0
  const watch = setInterval(() => {
    peak = Math.max(peak, ownMegabytes(worker.pid))
  }, EVERY_MILLISECONDS)
  try {
    const measured = await Promise.race([work(), worker.died])
    return { ...measured, [PEAK]: peak }
  } finally {
    clearInterval(watch)
    await worker.stop()
  }
}

async function tellAll({ sink }: Ground, database: Database, count: number): Promise<Measurement> {
  const begun = performance.now()
  const command = runBackfill(database, sink.hubUrl, ['products', '--where', `id > ${FIRST_ID}`])
  await Promise.all([sink.arrived(count), command])
  const seconds = (performance.now() - begun) / 1000
  await untilSettled(database)
  return { [RATE]: count / seconds }
}
