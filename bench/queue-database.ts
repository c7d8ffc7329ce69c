import { applyMigrations } from '../src/postgres/migrate.ts'
import type { Pool } from '../src/postgres/pool.ts'
import { inTransaction } from '../src/postgres/transaction.ts'
import { countLanes, insertMessages } from '../src/queue/enqueue.ts'
import { BRIDGE_QUEUE, type NewMessage } from '../src/queue/message.ts'
import { makePartitions } from '../src/queue/partitions.ts'
import { bridgeMigrations, type Database, type Ground } from './ground.ts'

/** An empty database with our schema and no store: a queue alone. */
export async function createQueueDatabase(ground: Ground): Promise<Database> {
  const database = await ground.createDatabase('queue')
  await applyMigrations(database.pool, 'bridge', await bridgeMigrations())
  await makePartitions(database.pool, 'bridge.history')
  return database
}

/** Puts `count` messages into the emptied queue, one aggregate after the other in turns. */
export async function fillQueue(pool: Pool, payloads: readonly string[], count: number): Promise<void> {
  await emptyQueue(pool)
  const lanes = await countLanes(pool, BRIDGE_QUEUE)
  const messages = Array.from({ length: count }, (_, index): NewMessage => {
    const aggregate = index % payloads.length
    return {
      aggregate: `order:${aggregate}`,
      type: 'order:persist',
      payload: payloads[aggregate] ?? '',
      subject: null,
      changedAt: new Date(),
    }
  })
  for (let start = 0; start < count; start += 200) {
    await inTransaction(pool, (db) =>
      insertMessages(db, BRIDGE_QUEUE, lanes, messages.slice(start, start + 200)),
    )
  }
  await pool.query('vacuum analyze bridge.message')
}

export async function emptyQueue(pool: Pool): Promise<void> {
  await pool.query('truncate bridge.message, bridge.history')
  // Before the rows are written, not after: their pages are as fresh to the WAL as those of messages just made.
  await pool.query('checkpoint')
}

export async function requireEmptyQueue(pool: Pool): Promise<void> {
  const { rows } = await pool.query<{ left: number }>('select count(*)::int as left from bridge.message')
  if (rows[0]?.left !== 0) throw new Error(`${rows[0]?.left} messages were sent and not settled.`)
}
