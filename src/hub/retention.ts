import type { Db } from '../postgres/pool.ts'
import { forgetOldKeys } from './idempotency.ts'

/** Removes what nobody asks for any more; the archive itself goes by partitions. */
export async function forgetOld(db: Db, historyDays: number): Promise<void> {
  await forgetOldKeys(db)
  await db.query(
    `delete from hub.result r
      where r.at < now() - make_interval(days => $1)
        and not exists (select from hub.accepted a where a.key = r.message_id)`,
    [historyDays],
  )
  await db.query('delete from hub.notification where last_update < now() - make_interval(days => $1)', [
    historyDays,
  ])
}
