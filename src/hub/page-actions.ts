import type { Db } from '../postgres/pool.ts'

const QUEUES = ['incoming', 'accepted'] as const

/** A failing or parked message is due at once; false where none of this id lies in a queue. */
export async function retryHubMessage(db: Db, key: string): Promise<boolean> {
  for (const queue of QUEUES) {
    const { rowCount } = await db.query(
      `with changed as (
         update hub.${queue} set state = 'waiting', due = clock_timestamp() where key = $1 returning lane
       )
       update hub.${queue}_lane set revision = revision + 1 where lane in (select lane from changed)`,
      [key],
    )
    if (rowCount !== 0) return true
  }
  return false
}

/** A message leaves its queue undelivered; false where none of this id lies in one. */
export async function archiveHubMessage(db: Db, key: string): Promise<boolean> {
  for (const queue of QUEUES) {
    const { rowCount } = await db.query(
      `with gone as (
         delete from hub.${queue} where key = $1 returning *
       ), noted as (
         update hub.${queue}_lane set revision = revision + 1 where lane in (select lane from gone)
       )
       insert into hub.archived
              (id, aggregate, key, type, payload, state, attempts, last_error, changed_at, created_at, source,
               store_id, mapping_id, parent_id, origin, envelope)
       select id, aggregate, key, type, payload, 'discarded', attempts, last_error, changed_at, created_at, source,
              store_id, mapping_id, parent_id, origin, envelope
         from gone`,
      [key],
    )
    if (rowCount !== 0) return true
  }
  return false
}
