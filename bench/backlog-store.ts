import { countLanes, insertMessages } from '../src/queue/enqueue.ts'
import { BRIDGE_QUEUE } from '../src/queue/message.ts'
import { prepareSeededStore } from './bridge.ts'
import type { Database, Ground } from './ground.ts'
import { readOrderPayloads } from './order-payloads.ts'
import { FIRST_ID } from './scale-store.ts'
import { AGGREGATES } from './sending.ts'

const WAITING = 1_000_000
const IN_HISTORY = 1_000_000

/** A store whose hub has not been there for long: a million messages of 4.7 KB wait, and as many were sent before. */
export function backlogStore(ground: Ground): Promise<Database> {
  return ground.shared('backlog', async () => {
    const payloads = await readOrderPayloads(ground, AGGREGATES)
    const database = await prepareSeededStore(ground, 'store_with_backlog')
    const { pool } = database
    await insertMessages(
      pool,
      BRIDGE_QUEUE,
      await countLanes(pool, BRIDGE_QUEUE),
      payloads.map((payload, index) => ({
        aggregate: `order:${FIRST_ID + 1 + index}`,
        type: 'order:persist',
        payload,
        subject: null,
        changedAt: new Date(),
      })),
    )
    // Copied where they are, and so compressed only once; each thousand in a transaction of its own.
    const { rows } = await pool.query<{ last: string }>('select max(id)::text as last from bridge.message')
    const last = rows[0]?.last
    for (let count = 0; count < IN_HISTORY * ground.largeScale; count += AGGREGATES) {
      await pool.query(
        `insert into bridge.history (id, aggregate, key, type, payload, state, attempts, answer, changed_at, created_at)
         select nextval(pg_get_serial_sequence('bridge.message', 'id')), aggregate, gen_random_uuid(), type, payload,
                'done', 1, 'bench', changed_at, created_at
           from bridge.message
          where id <= $1`,
        [last],
      )
    }
    for (let count = AGGREGATES; count < WAITING * ground.largeScale; count += AGGREGATES) {
      await pool.query(
        `insert into bridge.message (lane, aggregate, type, payload, changed_at)
         select lane, aggregate, type, payload, changed_at
           from bridge.message
          where id <= $1
          order by id`,
        [last],
      )
    }
    await pool.query('vacuum analyze bridge.message')
    await pool.query('vacuum analyze bridge.history')
    await pool.query('checkpoint')
    return database
  })
}
