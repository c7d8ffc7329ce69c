import pg from 'pg'
import { backlogStore } from './backlog-store.ts'
import { prepareSeededStore } from './bridge.ts'
import { changeOrders } from './change-orders.ts'
import type { Experiment } from './experiment.ts'
import type { Figure, Measurement } from './frame.ts'
import type { Database, Ground } from './ground.ts'
import { readOrderPayloads } from './order-payloads.ts'
import { emptyQueue, fillQueue } from './queue-database.ts'
import { stockItemOf } from './scale-store.ts'
import { AGGREGATES, IN_FLIGHT, rateAndCpu } from './sending.ts'
import { type Sender, startSender } from './start-sender.ts'

const DRAINED = 10_000
const COLLECTED = 5_000

const EMPTY = 'empty queue'
const BACKLOG = 'a million waiting'
const TIME = 'ms/1000'

/**
 * Each half of a worker, with a million messages waiting, a million in history and a transaction of the store open all the
 * while, against the same with nothing else there.
 */
export const backlog: Experiment = {
  name: 'backlog',
  rounds: { full: 5, quick: 2 },
  warmsUp: true,
  figures: [againstEmpty('drain'), againstEmpty('collect')],
  prepare: async (ground) => {
    const payloads = await readOrderPayloads(ground, AGGREGATES)
    const full = await backlogStore(ground)
    const empty = await prepareSeededStore(ground, 'store_with_empty_queue')
    const open = await holdTransaction(full)
    const drained = DRAINED * ground.scale
    const collected = COLLECTED * ground.scale
    const drainer = startSender('queue')
    const collector = startSender('collect')
    return {
      variants: [
        {
          name: `drain, ${EMPTY}`,
          run: async () => {
            await fillQueue(empty.pool, payloads, drained)
            return work(ground, drainer, empty, drained)
          },
        },
        { name: `drain, ${BACKLOG}`, run: () => work(ground, drainer, full, drained) },
        {
          name: `collect, ${EMPTY}`,
          run: async () => {
            await emptyQueue(empty.pool)
            await changeOrders(empty.pool, collected)
            return work(ground, collector, empty, collected)
          },
        },
        {
          name: `collect, ${BACKLOG}`,
          run: async () => {
            await full.pool.query('checkpoint')
            await changeOrders(full.pool, collected)
            return work(ground, collector, full, collected)
          },
        },
      ],
      close: async () => {
        await drainer.stop()
        await collector.stop()
        await open.end()
        await empty.drop()
      },
    }
  },
}

function againstEmpty(half: 'drain' | 'collect'): Figure {
  return {
    name: `${half} with ${BACKLOG}`,
    unit: '×',
    measured: { variant: `${half}, ${BACKLOG}`, metric: TIME },
    reference: { variant: `${half}, ${EMPTY}`, metric: TIME },
    compare: 'ratio',
    must: 1.5,
    aim: 1.1,
    better: 'lower',
  }
}

async function work(ground: Ground, sender: Sender, { url }: Database, count: number): Promise<Measurement> {
  const { sink } = ground
  await sink.reset()
  const before = ground.postgresCpuSeconds()
  const { seconds, cpuSeconds } = await sender.send({
    hubUrl: sink.hubUrl,
    databaseUrl: url,
    payloads: [],
    count,
    inFlight: IN_FLIGHT,
  })
  const postgres = ground.postgresCpuSeconds() - before
  return { [TIME]: (seconds * 1e6) / count, ...rateAndCpu(count, seconds, cpuSeconds, postgres) }
}

/** As an import or a forgotten console does: with a change that our trigger has recorded and nobody sees yet. */
async function holdTransaction({ url }: Database): Promise<pg.Client> {
  const client = new pg.Client(url)
  await client.connect()
  await client.query('begin isolation level repeatable read')
  await client.query('update spree_stock_items set count_on_hand = count_on_hand + 1 where id = $1', [
    stockItemOf(1).id,
  ])
  return client
}
