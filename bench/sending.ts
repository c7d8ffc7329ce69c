import { applyMigrations } from '../src/postgres/migrate.ts'
import type { Pool } from '../src/postgres/pool.ts'
import { inTransaction } from '../src/postgres/transaction.ts'
import { countLanes, insertMessages } from '../src/queue/enqueue.ts'
import { BRIDGE_QUEUE } from '../src/queue/message.ts'
import { makePartitions } from '../src/queue/partitions.ts'
import type { Prepared } from './experiment.ts'
import type { Measurement } from './frame.ts'
import { bridgeMigrations, type Ground } from './ground.ts'
import { readOrderPayloads } from './order-payloads.ts'
import { type Sender, startSender } from './start-sender.ts'

export const RATE = 'messages/s'
export const CPU = 'ms CPU/1000'

export const DRAIN = 'drain'
export const CLIENT = 'bare client'
export const UNDICI = 'raw undici'

const MESSAGES = 20_000
const AGGREGATES = 1_000
export const IN_FLIGHT = 32

/** Three ways to send the same messages: what waits in the queue, and from memory by our client and by undici alone. */
export async function prepareSending(ground: Ground): Promise<Prepared> {
  const { sink } = ground
  const count = MESSAGES * ground.scale
  const payloads = await readOrderPayloads(ground, AGGREGATES)
  const database = await ground.createDatabase('queue')
  await applyMigrations(database.pool, 'bridge', await bridgeMigrations())
  await makePartitions(database.pool, 'bridge.history')
  const request = { hubUrl: sink.hubUrl, databaseUrl: database.url, payloads, count, inFlight: IN_FLIGHT }
  const senders = {
    [UNDICI]: startSender('undici'),
    [CLIENT]: startSender('client'),
    [DRAIN]: startSender('queue'),
  }
  const send = async (sender: Sender): Promise<Measurement> => {
    await sink.reset()
    const before = ground.postgresCpuSeconds()
    const { seconds, cpuSeconds } = await sender.send(request)
    const postgres = ground.postgresCpuSeconds() - before
    await sink.arrived(count)
    return {
      [RATE]: count / seconds,
      [CPU]: ((cpuSeconds + postgres) * 1e6) / count,
      'of it PostgreSQL': (postgres * 1e6) / count,
    }
  }
  return {
    variants: [
      { name: UNDICI, run: () => send(senders[UNDICI]) },
      { name: CLIENT, run: () => send(senders[CLIENT]) },
      {
        name: DRAIN,
        run: async () => {
          await fillQueue(database.pool, payloads, count)
          const measurement = await send(senders[DRAIN])
          await requireEmpty(database.pool)
          return measurement
        },
      },
    ],
    close: async () => {
      for (const sender of Object.values(senders)) await sender.stop()
      await database.drop()
    },
  }
}

async function fillQueue(pool: Pool, payloads: readonly string[], count: number): Promise<void> {
  await pool.query('truncate bridge.message, bridge.history')
  // Before the rows are written, not after: their pages are as fresh to the WAL as those of messages just made.
  await pool.query('checkpoint')
  const lanes = await countLanes(pool, BRIDGE_QUEUE)
  const messages = Array.from({ length: count }, (_, index) => ({
    aggregate: `order:${index % payloads.length}`,
    type: 'order:persist',
    payload: payloads[index % payloads.length] ?? '',
    subject: null,
    changedAt: new Date(),
  }))
  for (let start = 0; start < count; start += 200) {
    await inTransaction(pool, (db) =>
      insertMessages(db, BRIDGE_QUEUE, lanes, messages.slice(start, start + 200)),
    )
  }
  await pool.query('vacuum analyze bridge.message')
}

async function requireEmpty(pool: Pool): Promise<void> {
  const { rows } = await pool.query<{ left: number }>('select count(*)::int as left from bridge.message')
  if (rows[0]?.left !== 0) throw new Error(`${rows[0]?.left} messages were sent and not settled.`)
}
