import type { Db } from '../postgres/pool.ts'

/** A repeat under the same Idempotency-Key is known for so long. */
const KEY_DAYS = 14

/** Removes what nobody asks for any more; the archive itself goes by partitions. */
export async function forgetOld(db: Db, historyDays: number): Promise<void> {
  await db.query('delete from hub.idempotency where created_at < now() - make_interval(days => $1)', [
    KEY_DAYS,
  ])
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
