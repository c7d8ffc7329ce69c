import { stockPayload } from '../src/messages/stock.ts'
import { inTransaction } from '../src/postgres/transaction.ts'
import { countLanes, insertMessages } from '../src/queue/enqueue.ts'
import { BRIDGE_QUEUE } from '../src/queue/message.ts'
import { prepareSeededStore, startWorker, untilSettled } from './bridge.ts'
import type { Prepared } from './experiment.ts'
import { createGraphileDatabase, GRAPHILE_TASK, requireNoJobs } from './graphile-database.ts'
import type { Ground } from './ground.ts'
import { bodyOf } from './loops/undici.ts'
import { measureLatency, messagesPerRun } from './measure-latency.ts'
import { createQueueDatabase, emptyQueue, requireEmptyQueue } from './queue-database.ts'
import { stockItemOf } from './scale-store.ts'
import { IN_FLIGHT } from './sending.ts'
import { startSender } from './start-sender.ts'

export const QUEUE = 'queue alone'
export const LISTEN = 'LISTEN and POST'
export const STOCK = 'whole path for stock'
export const GRAPHILE_JOBS = 'graphile-worker'

/** Our queue, and the least that could do the same, take messages from one table, written by the same transactions. */
export async function prepareQueueAlone(ground: Ground): Promise<Prepared> {
  const { pool, url, drop } = await createQueueDatabase(ground)
  const lanes = await countLanes(pool, BRIDGE_QUEUE)
  const senders = { [QUEUE]: startSender('queue'), [LISTEN]: startSender('listen') }
  const write = (sku: string) =>
    inTransaction(pool, (db) =>
      insertMessages(db, BRIDGE_QUEUE, lanes, [
        {
          aggregate: `product:${sku}`,
          type: 'stock:change',
          payload: payloadOf(sku),
          subject: null,
          changedAt: new Date(),
        },
      ]),
    )
  const variant = (name: typeof QUEUE | typeof LISTEN) => ({
    name,
    run: async () => {
      await emptyQueue(pool)
      const sending = senders[name].send(requestOf(ground, url))
      const measurement = await measureLatency(ground, (product) => write(stockItemOf(product).sku), sending)
      await requireEmptyQueue(pool)
      return measurement
    },
  })
  return {
    variants: [variant(QUEUE), variant(LISTEN)],
    close: async () => {
      for (const sender of Object.values(senders)) await sender.stop()
      await drop()
    },
  }
}

/** A job added in a transaction of its own, as an application does it. */
export async function prepareGraphileJobs(ground: Ground): Promise<Prepared> {
  const database = await createGraphileDatabase(ground)
  const sender = startSender('graphile')
  const write = (sku: string) =>
    database.pool.query(
      `select graphile_worker.add_job($1, json_build_object('body', $2::text), queue_name := $3)`,
      [GRAPHILE_TASK, bodyOf('stock:change', payloadOf(sku)), `product:${sku}`],
    )
  const run = async () => {
    const sending = sender.send(requestOf(ground, database.url))
    const measurement = await measureLatency(ground, (product) => write(stockItemOf(product).sku), sending)
    await requireNoJobs(database)
    return measurement
  }
  return {
    variants: [{ name: GRAPHILE_JOBS, run }],
    close: async () => {
      await sender.stop()
      await database.drop()
    },
  }
}

/** A shop's own update of a stock item, told by the worker as it is built. */
export async function prepareStock(ground: Ground): Promise<Prepared> {
  const database = await prepareSeededStore(ground, 'store_for_latency')
  const worker = startWorker(database, ground.sink.hubUrl)
  const write = (id: number) =>
    database.pool.query('update spree_stock_items set count_on_hand = count_on_hand + 1 where id = $1', [id])
  const run = async () => {
    const measurement = await Promise.race([
      measureLatency(ground, (product) => write(stockItemOf(product).id), Promise.resolve()),
      worker.died,
    ])
    await untilSettled(database)
    return measurement
  }
  return {
    variants: [{ name: STOCK, run }],
    close: async () => {
      await worker.stop()
      await database.drop()
    },
  }
}

function requestOf(ground: Ground, databaseUrl: string) {
  return {
    hubUrl: ground.sink.hubUrl,
    databaseUrl,
    payloads: [],
    count: messagesPerRun(ground),
    inFlight: IN_FLIGHT,
  }
}

/** What the bridge tells of a stock item that was raised by one. */
function payloadOf(sku: string): string {
  return JSON.stringify(stockPayload(sku, 1))
}
