import type { Pool } from '../postgres/pool.ts'
import { inTransactionByIndex } from '../postgres/transaction.ts'
import type { QueueTables } from '../queue/message.ts'

/** Of each lane in one transaction: all that a restore has brought would take longer than an answer is waited for. */
const ROWS_OF_LANE = 50

/**
 * After a restore into another server, transaction ids of rows lie beyond those that this one has given out: they would be
 * taken for new at each look, and be in no snapshot. From the front of each lane on they become those of transactions of ours.
 */
export async function takeOverRestored(pool: Pool, queues: readonly QueueTables[]): Promise<void> {
  for (const queue of queues) {
    while ((await takeOverSome(pool, queue)) > 0);
  }
}

async function takeOverSome(pool: Pool, { message, lane }: QueueTables): Promise<number> {
  // By index: of a long queue nothing else is read.
  const { rowCount } = await inTransactionByIndex(pool, (db) =>
    db.query(
      `update ${message} m
          set xid = pg_current_xact_id()
         from ${lane} l
        cross join lateral (select id
                              from ${message}
                             where lane = l.lane
                               and xid >= pg_snapshot_xmax(pg_current_snapshot())
                             order by xid, id
                             limit $1) restored
        where m.id = restored.id`,
      [ROWS_OF_LANE],
    ),
  )
  return rowCount ?? 0
}
