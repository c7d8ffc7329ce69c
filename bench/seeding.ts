import type { Db, Pool } from '../src/postgres/pool.ts'
import { inTransaction } from '../src/postgres/transaction.ts'
import { openStore, type Store } from '../src/store/store.ts'
import { migrate, reconcile, startWorker, untilSeeded } from './bridge.ts'
import type { Experiment } from './experiment.ts'
import type { Figure, Measurement, Variant } from './frame.ts'
import type { Database, Ground } from './ground.ts'
import { cpuSecondsOfTree } from './machine.ts'
import { makeStore } from './store-source.ts'

const ORDERS = 500_000
const PRODUCTS = 1_000
/** As many ids as a page of the seeding has. */
const PAGE = 500

const PASS = 'one pass of the query'
const SEEDING = 'seeding'
const RECONCILE = 'reconcile'
const SECONDS = 's'

/** What goes once through all orders, against PostgreSQL making the same pictures of them for nobody. */
export const seeding: Experiment = {
  name: 'seeding',
  // Minutes each: what varies from second to second evens out within a round.
  rounds: { full: 2, quick: 1 },
  warmsUp: false,
  figures: [againstPass(SEEDING), againstPass(RECONCILE)],
  prepare: async (ground) => {
    const orders = ORDERS * ground.largeScale
    const database = await ground.createDatabase('store_with_many_orders')
    await makeStore(database, ground.storeSource, { products: PRODUCTS, orders })
    await migrate(database, ground.sink.hubUrl)
    const store = await openStore(database.pool)
    const timed = (name: string, work: () => Promise<unknown>): Variant => ({
      name,
      run: () => time(ground, work),
    })
    return {
      variants: [
        timed(PASS, () => passOver(database.pool, store, orders)),
        {
          name: SEEDING,
          run: async () => {
            await forgetAll(database)
            return time(ground, () => seed(ground, database))
          },
        },
        // Of what the seeding has just noted: nothing differs.
        timed(RECONCILE, () => reconcile(database, ground.sink.hubUrl)),
      ],
      close: () => database.drop(),
    }
  },
}

function againstPass(variant: string): Figure {
  return {
    name: `${variant} of ${ORDERS.toLocaleString('en')} orders against ${PASS}`,
    unit: '×',
    measured: { variant, metric: SECONDS },
    reference: { variant: PASS, metric: SECONDS },
    compare: 'ratio',
    must: 1.3,
    aim: 1.1,
    better: 'lower',
  }
}

async function time(ground: Ground, work: () => Promise<unknown>): Promise<Measurement> {
  const allOfOurs = () => cpuSecondsOfTree(process.pid)
  const before = { at: performance.now(), all: allOfOurs(), postgres: ground.postgresCpuSeconds() }
  await work()
  return {
    [SECONDS]: (performance.now() - before.at) / 1000,
    's CPU': allOfOurs() - before.all,
    'of it PostgreSQL': ground.postgresCpuSeconds() - before.postgres,
  }
}

/**
 * Pictures of all orders, a page at a time, counted where they are made: nothing but two numbers is sent. Planned as the
 * bridge has them planned.
 */
async function passOver(pool: Pool, store: Store, orders: number): Promise<void> {
  let seen = 0
  await inTransaction(pool, async (db) => {
    await db.query('set local enable_seqscan = off; set local jit = off')
    const counting: Db = {
      query: async (text, values) => {
        const { rows } = await db.query<{ count: number }>(
          `select count(*)::int as count, sum(length(snapshot)) from (${text}) picture`,
          values,
        )
        seen += rows[0]?.count ?? 0
        return db.query('select where false')
      },
    }
    let ids: readonly string[] = await store.roots(db, 'order', '0', PAGE)
    while (ids.length > 0) {
      await store.orders(counting, ids)
      ids = await store.roots(db, 'order', ids.at(-1) ?? '', PAGE)
    }
  })
  if (seen < orders) throw new Error(`Only ${seen} of ${orders} orders were seen.`)
}

/** Nothing is known, as on day one. The few products take no time that would tell. */
async function forgetAll({ pool }: Database): Promise<void> {
  await pool.query('truncate bridge.baseline')
  await pool.query(`update bridge.seeding set last_id = '0', finished_at = null`)
  await pool.query('checkpoint')
}

/** As it goes on day one, from the start of the worker until all is known. */
async function seed(ground: Ground, database: Database): Promise<void> {
  const worker = startWorker(database, ground.sink.hubUrl)
  await Promise.race([untilSeeded(database), worker.died])
  await worker.stop()
}
