import type { Db } from '../../postgres/pool.ts'
import { ApiError } from './api-error.ts'

/** A repeat under the same Idempotency-Key is known for so long. */
export const KEY_DAYS = 14
const KEPT = `interval '${KEY_DAYS} days'`

export type Claim = Readonly<{
  storeId: string
  key: string
  messageId: string
  /** A digest of what is pushed. */
  fingerprint: Buffer
}>

/**
 * Takes an Idempotency-Key for a message that is entered in the same transaction; a concurrent repeat waits for its end.
 * Returns undefined where the key is new (or older than 14 days), else the `message_id` of the first push.
 * @throws ApiError 422 where it was another message, as draft-ietf-httpapi-idempotency-key-header §2.7 has it
 */
export async function claimKey(db: Db, claim: Claim): Promise<string | undefined> {
  const values = [claim.storeId, claim.key]
  const { rowCount } = await db.query(
    `insert into hub.idempotency as i (store_id, key, message_id, fingerprint)
     values ($1, $2, $3, $4)
     on conflict (store_id, key) do update
        set message_id = excluded.message_id, fingerprint = excluded.fingerprint, created_at = excluded.created_at
      where i.created_at < clock_timestamp() - ${KEPT}`,
    [...values, claim.messageId, claim.fingerprint],
  )
  if (rowCount === 1) return undefined

  const { rows } = await db.query<{ message_id: string; fingerprint: Buffer }>(
    'select message_id, fingerprint from hub.idempotency where store_id = $1 and key = $2',
    values,
  )
  const [first] = rows
  if (!first) throw new Error(`Idempotency-Key ${claim.key} ended between two statements`)
  if (first.fingerprint.equals(claim.fingerprint)) return first.message_id
  const message = `This Idempotency-Key was used for another message (${first.message_id}): send a new one with a new message.`
  throw new ApiError(422, message, { 'Idempotency-Key': [message] })
}
