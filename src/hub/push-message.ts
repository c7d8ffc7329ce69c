import type { Pool } from '../postgres/pool.ts'
import { inTransaction } from '../postgres/transaction.ts'
import { claimKey } from './idempotency.ts'
import { insertIncoming } from './incoming.ts'
import { createObjectId } from './object-id.ts'
import { fingerprintOf, type Pushed } from './pushed.ts'

/** `order:R1` of a payload that names its order, `product:<SKU>` and the like of others. */
export type AggregateOf = (type: string, payload: unknown) => string | undefined

export type PushOptions = Readonly<{ pool: Pool; laneCount: number; aggregateOf: AggregateOf }>

export type Pushing = Readonly<{
  storeId: string
  pushed: Pushed
  idempotencyKey: string | undefined
  /** What our own bridge says the message belongs to, by ids that the payload does not have: `product:17`. */
  aggregateHint: string | undefined
}>

/** Durable when it returns: the `message_id`, of the first push where this one repeats it by its key. @throws ApiError */
export async function pushMessage(
  { pool, laneCount, aggregateOf }: PushOptions,
  { storeId, pushed, idempotencyKey, aggregateHint }: Pushing,
): Promise<string> {
  const named = aggregateOf(pushed.type, pushed.content)
  const key = createObjectId()
  const message = {
    storeId,
    key,
    type: pushed.type,
    payload: pushed.payload,
    aggregate: named?.startsWith('order:') ? named : (aggregateHint ?? named),
    origin: pushed.origin,
    envelope: pushed.envelope,
  }
  if (idempotencyKey === undefined) return insertIncoming(pool, laneCount, message)

  const claim = { storeId, key: idempotencyKey, messageId: key, fingerprint: fingerprintOf(pushed) }
  return inTransaction(
    pool,
    async (db) => (await claimKey(db, claim)) ?? insertIncoming(db, laneCount, message),
  )
}
