import pg from 'pg'
import type { Experiment } from './experiment.ts'
import type { Measurement } from './frame.ts'
import type { Database, Ground } from './ground.ts'
import { keepInFlight } from './loops/in-flight.ts'
import { stockItemOf } from './scale-store.ts'
import { prepareStorePair } from './store-pair.ts'

const WRITERS = 16
const COMMITS = 16_000

const WITHOUT = 'without triggers'
const WITH = 'with triggers'
const RATE = 'commits/s'

/** Whether our triggers make those wait for each other who would not: 16 connections, each commit one row of its own. */
export const writers: Experiment = {
  name: 'writers',
  // Short runs on a disk whose flushes vary.
  rounds: { full: 15, quick: 5 },
  warmsUp: true,
  figures: [
    {
      name: '16 concurrent writers',
      unit: '×',
      measured: { variant: WITH, metric: RATE },
      reference: { variant: WITHOUT, metric: RATE },
      compare: 'ratio',
      must: 0.8,
      aim: 0.95,
      better: 'higher',
    },
  ],
  prepare: async (ground) => {
    const { without, having, close } = await prepareStorePair(ground)
    const quietOnes = await connectWriters(without)
    const recordedOnes = await connectWriters(having)
    return {
      variants: [
        { name: WITHOUT, run: () => write(ground, without, quietOnes) },
        {
          name: WITH,
          run: async () => {
            await having.pool.query('truncate bridge.outbox') // in place of the collector
            return write(ground, having, recordedOnes)
          },
        },
      ],
      close: async () => {
        for (const client of [...quietOnes, ...recordedOnes]) await client.end()
        await close()
      },
    }
  },
}

/** They stay, as those of a shop do: what a new connection has to read at first is not what is measured. */
async function connectWriters({ url }: Database): Promise<readonly pg.Client[]> {
  const clients = Array.from({ length: WRITERS }, () => new pg.Client(url))
  await Promise.all(clients.map((client) => client.connect()))
  return clients
}

async function write(
  ground: Ground,
  { pool }: Database,
  clients: readonly pg.Client[],
): Promise<Measurement> {
  const count = COMMITS * ground.scale
  await pool.query('vacuum spree_stock_items')
  await pool.query('checkpoint')
  const before = { at: performance.now(), postgres: ground.postgresCpuSeconds() }
  await keepInFlight(count, WRITERS, async (_, writer) => {
    await clients[writer]?.query({
      name: 'raise',
      text: 'update spree_stock_items set count_on_hand = count_on_hand + 1 where id = $1',
      values: [stockItemOf(writer + 1).id],
    })
  })
  const seconds = (performance.now() - before.at) / 1000
  const postgres = ground.postgresCpuSeconds() - before.postgres
  return { [RATE]: count / seconds, 'ms of PostgreSQL/1000': (postgres * 1e6) / count }
}
