import { forgetRows } from '../postgres/forget-rows.ts'
import type { Db } from '../postgres/pool.ts'
import { KEY_DAYS } from './api/idempotency.ts'

/** Removes what nobody asks for any more; the archive itself goes by partitions. */
export async function forgetOld(db: Db, historyDays: number): Promise<void> {
  await forgetRows(db, 'hub.idempotency', 'created_at', KEY_DAYS)
  await forgetRows(
    db,
    'hub.result',
    'at',
    historyDays,
    'exists (select from hub.accepted a where a.key = r.message_id)',
  )
  await forgetRows(db, 'hub.notification', 'last_update', historyDays)
}
