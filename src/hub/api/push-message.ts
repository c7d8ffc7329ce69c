import { atStep } from '../../observe/steps.ts'
import type { Pool } from '../../postgres/pool.ts'
import { inTransaction } from '../../postgres/transaction.ts'
import { insertIncoming } from '../incoming.ts'
import { newObjectId } from '../object-id.ts'
import { claimKey } from './idempotency.ts'
import { fingerprintOf, type Pushed } from './pushed.ts'

export type Pushing = Readonly<{
  storeId: string
  pushed: Pushed
  idempotencyKey: string | undefined
  /** What our own bridge says the message belongs to: `product:17`. */
  aggregateHint: string | undefined
}>

/** Durable when it returns: the `message_id`, of the first push where this one repeats it by its key. @throws ApiError */
export async function pushMessage(
  pool: Pool,
  laneCount: number,
  { storeId, pushed, idempotencyKey, aggregateHint }: Pushing,
): Promise<string> {
  const { type, payload, content, origin, envelope } = pushed
  const key = newObjectId()
  const message = { storeId, key, type, payload, content, aggregateHint, origin, parentId: '', envelope }
  if (idempotencyKey === undefined)
    return atStep('push.insert', () => insertIncoming(pool, laneCount, message))

  const claim = { storeId, key: idempotencyKey, messageId: key, fingerprint: fingerprintOf(pushed) }
  return inTransaction(
    pool,
    async (db) =>
      (await atStep('push.key', () => claimKey(db, claim))) ??
      atStep('push.insert', () => insertIncoming(db, laneCount, message)),
    'read committed',
    (db) => atStep('push.commit', () => db.query('commit')),
  )
}
