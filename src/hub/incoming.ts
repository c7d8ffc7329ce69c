import { aggregateOf } from '../messages/aggregate-of.ts'
import type { Db } from '../postgres/pool.ts'
import { laneOf } from '../queue/enqueue.ts'
import { newObjectId } from './object-id.ts'
import { HUB_INCOMING } from './queues.ts'

/** A message on its way into the incoming queue: pushed, derived, or produced by a consumer's answer. */
export type NewIncoming = Readonly<{
  storeId: string
  /** Its `message_id`; a new one where none is given. */
  key?: string
  type: string
  /** The text of a JSON object, kept as it is. */
  payload: string
  /** The same, read; where the caller has it. */
  content?: unknown
  /** What it belongs to where the payload names no order: our own bridge knows products by ids that no payload has. */
  aggregateHint?: string | undefined
  origin: string | null
  /** The message from which it came, or `''`. */
  parentId: string
  /** What came beside message, payload and origin: the text of a JSON object. */
  envelope: string
}>

/** Puts a message into the incoming queue and notifies the routers with the commit. Returns its `message_id`. */
export async function insertIncoming(db: Db, laneCount: number, message: NewIncoming): Promise<string> {
  const { storeId, key = newObjectId(), type, payload, origin, parentId, envelope } = message
  const aggregate = `${storeId}/${aggregateFor(message) ?? key}`
  await db.query(
    `with entered as (
       insert into hub.incoming (lane, aggregate, key, type, payload, store_id, parent_id, origin, envelope)
       values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
       returning key
     )
     select pg_notify($10, '') from entered`,
    [
      laneOf(aggregate, laneCount),
      aggregate,
      key,
      type,
      payload,
      storeId,
      parentId,
      origin,
      envelope,
      HUB_INCOMING.channel,
    ],
  )
  return key
}

function aggregateFor(message: NewIncoming): string | undefined {
  const named = aggregateOf(message.type, message.content ?? JSON.parse(message.payload))
  return named?.startsWith('product:') ? (message.aggregateHint ?? named) : (named ?? message.aggregateHint)
}
