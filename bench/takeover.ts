import { LEASE_MILLISECONDS } from '../src/processes/lease.ts'
import { prepareSeededStore, startWorker, untilSettled, type Worker } from './bridge.ts'
import type { Experiment } from './experiment.ts'
import type { Figure } from './frame.ts'
import type { Database } from './ground.ts'
import { stockItemOf } from './scale-store.ts'
import { until } from './until.ts'

/** Enough that each lane has some. */
const PRODUCTS = 500

const KILLED = 'kill -9'
const STOPPED = 'SIGSTOP'
const ASKED = 'SIGTERM'
const SECONDS = 's'

/**
 * Of two workers the one that collects dies or stands still, in the worst moment: right after it has renewed its lease.
 * How long until all is told that was committed at that moment: the other has the lease to collect then, and all lanes.
 */
export const takeover: Experiment = {
  name: 'takeover',
  rounds: { full: 5, quick: 1 },
  warmsUp: false,
  figures: [takeoverAfter(KILLED), takeoverAfter(STOPPED)],
  prepare: async (ground) => {
    const { sink } = ground
    const database = await prepareSeededStore(ground, 'store_of_two')
    const start = () => startWorker(database, sink.hubUrl)
    const workers = new Set([start(), start()])

    const measure = async (
      end: (worker: Worker) => Promise<void>,
      goOn: (worker: Worker) => Promise<void>,
    ) => {
      await untilShared(database)
      await sink.reset()
      const victim = await collectorOf(database, workers)
      await untilRenewed(database, victim)
      const begun = performance.now()
      await end(victim)
      await sell(database)
      await sink.arrived(PRODUCTS)
      const seconds = (performance.now() - begun) / 1000
      await goOn(victim)
      await untilSettled(database)
      return { [SECONDS]: seconds }
    }
    const replace = async (worker: Worker) => {
      workers.delete(worker)
      workers.add(start())
    }
    return {
      variants: [
        { name: KILLED, run: () => measure((worker) => worker.kill(), replace) },
        {
          name: STOPPED,
          run: () =>
            measure(
              async (worker) => worker.freeze(),
              async (worker) => worker.thaw(),
            ),
        },
        { name: ASKED, run: () => measure((worker) => worker.stop(), replace) },
      ],
      close: async () => {
        for (const worker of workers) await worker.stop()
        await database.drop()
      },
    }
  },
}

function takeoverAfter(variant: string): Figure {
  const lease = LEASE_MILLISECONDS / 1000
  return {
    name: `takeover after ${variant}, lease ${lease} s`,
    unit: SECONDS,
    measured: { variant, metric: SECONDS },
    reference: { variant: ASKED, metric: SECONDS },
    compare: 'alone',
    must: lease + 1,
    aim: lease + 0.3,
    better: 'lower',
  }
}

/** Both are there, each has half of the lanes, and one collects. */
function untilShared({ pool }: Database): Promise<void> {
  return until(
    pool,
    `(select count(*) = 2 and min(lanes) = max(lanes)
        from (select count(l.lane) as lanes
                from bridge.worker w
                left join bridge.lane l on l.owner = w.id
               group by w.id) shares)
     and (select owner is not null from bridge.lease where name = 'collector')`,
  )
}

async function collectorOf({ pool }: Database, workers: ReadonlySet<Worker>): Promise<Worker> {
  const { rows } = await pool.query<{ pid: number }>(
    `select w.pid
       from bridge.lease l
       join bridge.worker w on w.id = l.owner
      where l.name = 'collector'`,
  )
  const collector = [...workers].find(({ pid }) => pid === rows[0]?.pid)
  if (!collector) throw new Error(`No worker of ours collects, but process ${rows[0]?.pid}.`)
  return collector
}

async function untilRenewed({ pool }: Database, { pid }: Worker): Promise<void> {
  // The lease is shorter by the time since the last heartbeat: wait until hardly any has passed.
  await until(
    pool,
    `(select expires_at > clock_timestamp() + interval '${LEASE_MILLISECONDS - 100} milliseconds'
        from bridge.worker
       where pid = ${pid})`,
  )
}

/** One unit of each product, in one commit. */
async function sell({ pool }: Database): Promise<void> {
  const ids = Array.from({ length: PRODUCTS }, (_, index) => stockItemOf(index + 1).id)
  await pool.query(
    'update spree_stock_items set count_on_hand = count_on_hand - 1 where id = any($1::bigint[])',
    [ids],
  )
}
