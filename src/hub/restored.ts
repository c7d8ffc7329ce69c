import type { Pool } from '../postgres/pool.ts'
import { inTransactionByIndex } from '../postgres/transaction.ts'
import type { QueueTables } from '../queue/message.ts'

/**
 * After a restore into another server, transaction ids of rows lie beyond those that this one has given out: they would be
 * taken for new at each look, and be in no snapshot. They become this transaction's; the order within is that of the ids.
 */
export async function takeOverRestored(pool: Pool, queues: readonly QueueTables[]): Promise<void> {
  await inTransactionByIndex(pool, async (db) => {
    for (const { message, lane } of queues)
      await db.query(
        `update ${message} m
            set xid = pg_current_xact_id()
           from ${lane} l
          where m.lane = l.lane
            and m.xid >= pg_snapshot_xmax(pg_current_snapshot())`,
      )
  })
}
