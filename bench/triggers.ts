import type { Db } from '../src/postgres/pool.ts'
import type { Experiment } from './experiment.ts'
import { type Figure, type Measurement, median } from './frame.ts'
import type { Database } from './ground.ts'
import { cpuSecondsOfTree } from './machine.ts'
import { readStep, replayStep } from './recorded-checkout.ts'
import { FIRST_ID } from './scale-store.ts'
import { prepareStorePair } from './store-pair.ts'

const CHECKOUTS = 60
const STOCK_ITEMS = 10_000
const BULK_UPDATES = 2

const WALL = 'ms'
const CPU = 'ms of PostgreSQL'
const ROWS = 'outbox rows'

/** What the store pays: the same work on two copies of one store, with and without our triggers. */
export const triggers: Experiment = {
  name: 'triggers',
  rounds: { full: 15, quick: 5 },
  warmsUp: true,
  figures: [
    { ...versusNone('checkout', WALL), must: 1.3, aim: 1.15 },
    { ...versusNone('checkout', CPU), must: 1.6, aim: 1.3 },
    { ...versusNone('checkout', ROWS), unit: 'rows', compare: 'alone', must: 20, aim: 12 },
    { ...versusNone('bulk stock update', WALL), must: 1.4, aim: 1.2 },
  ],
  prepare: async (ground) => {
    const { storeSource, scale } = ground
    const checkout = readStep(storeSource.step('04-checkout'))
    const checkouts = CHECKOUTS * scale
    const items = STOCK_ITEMS * scale
    let run = 0

    const sellAll = async (db: Db) => {
      const times: number[] = []
      for (let index = 0; index < checkouts; index++) {
        times.push(await timeOf(() => replayStep(db, checkout, run++)))
      }
      return times
    }
    const countAll = async (db: Db) => {
      const times: number[] = []
      for (let index = 0; index < BULK_UPDATES; index++) {
        await db.query('vacuum spree_stock_items')
        times.push(await timeOf(() => raiseStock(db, items)))
      }
      return times
    }

    const { without, having, close } = await prepareStorePair(ground)
    const variant = (name: string, database: Database, work: (db: Db) => Promise<number[]>) => ({
      name,
      run: () => measure(database, work, database === having),
    })
    return {
      variants: [
        variant('checkout without triggers', without, sellAll),
        variant('checkout with triggers', having, sellAll),
        variant('bulk stock update without triggers', without, countAll),
        variant('bulk stock update with triggers', having, countAll),
      ],
      close,
    }
  },
}

function versusNone(work: string, metric: string): Omit<Figure, 'must' | 'aim'> {
  return {
    name: `${work}, ${metric}`,
    unit: '×',
    measured: { variant: `${work} with triggers`, metric },
    reference: { variant: `${work} without triggers`, metric },
    compare: 'ratio',
    better: 'lower',
  }
}

/** Does the work on one connection; the CPU is that of its backend, in which the triggers run. */
async function measure(
  { pool }: Database,
  work: (db: Db) => Promise<number[]>,
  hasOutbox: boolean,
): Promise<Measurement> {
  const connection = await pool.connect()
  try {
    const { rows } = await connection.query<{ pid: number }>('select pg_backend_pid() as pid')
    const pid = rows[0]?.pid ?? 0
    if (hasOutbox) await connection.query('truncate bridge.outbox') // in place of the collector
    await connection.query('checkpoint')
    const before = cpuSecondsOfTree(pid)
    const times = await work(connection)
    const cpuMs = (cpuSecondsOfTree(pid) - before) * 1000
    const recorded = hasOutbox
      ? await connection.query<{ count: number }>('select count(*)::int as count from bridge.outbox')
      : undefined
    return {
      // The median, because one slow flush of the disk takes as long as several checkouts.
      [WALL]: median(times),
      [CPU]: cpuMs / times.length,
      [ROWS]: (recorded?.rows[0]?.count ?? 0) / times.length,
    }
  } finally {
    connection.release()
  }
}

async function raiseStock(db: Db, items: number): Promise<void> {
  const { rowCount } = await db.query(
    `update spree_stock_items
        set count_on_hand = count_on_hand + 1, updated_at = now()
      where id in (select id from spree_stock_items where id > $1 order by id limit $2)`,
    [FIRST_ID, items],
  )
  if (rowCount !== items) throw new Error(`Not ${items} but ${rowCount} stock items were there to update.`)
}

async function timeOf(work: () => Promise<unknown>): Promise<number> {
  const begun = performance.now()
  await work()
  return performance.now() - begun
}
