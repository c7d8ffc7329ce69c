import type { Db } from '../postgres/pool.ts'
import { laneOf } from '../queue/enqueue.ts'
import { createObjectId } from './object-id.ts'

/** A message on its way into the incoming queue: pushed, derived, or produced by a consumer's answer. */
export type NewIncoming = Readonly<{
  storeId: string
  type: string
  /** The text of a JSON object, kept as it is. */
  payload: string
  /** What it has to keep its order with, `order:R1`; undefined where it waits for nobody. */
  aggregate: string | undefined
  /** Its `message_id`; a new one where none is given. */
  key?: string
  origin?: string | undefined
  /** The message from whose delivery or contents it came, and the mapping that was delivered to. */
  parentId?: string
  mappingId?: string
  /** What came beside message, payload and origin: the text of a JSON object. */
  envelope?: string
}>

/** Puts a message into the incoming queue and notifies the routers with the commit. Returns its `message_id`. */
export async function insertIncoming(db: Db, laneCount: number, message: NewIncoming): Promise<string> {
  const { storeId, type, payload, key = createObjectId(), origin, parentId, mappingId, envelope } = message
  const aggregate = `${storeId}/${message.aggregate ?? key}`
  await db.query(
    `with entered as (
       insert into hub.incoming
              (lane, aggregate, key, type, payload, store_id, mapping_id, parent_id, origin, envelope)
       values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
       returning key
     )
     select pg_notify('hub_incoming', '') from entered`,
    [
      laneOf(aggregate, laneCount),
      aggregate,
      key,
      type,
      payload,
      storeId,
      mappingId ?? null,
      parentId ?? '',
      origin ?? null,
      envelope ?? '{}',
    ],
  )
  return key
}
