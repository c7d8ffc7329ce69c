import { z } from 'zod'

import type { Db } from '../../postgres/pool.ts'
import { discardMessages, retryMessages } from '../../queue/operate.ts'
import { isObjectId } from '../object-id.ts'
import { HUB_ACCEPTED, HUB_INCOMING } from '../queues.ts'
import { invalidObject, notFound } from './api-error.ts'
import { type MessageRow, QUEUES } from './message-row.ts'
import { canAttempt } from './show-message.ts'

const yes = z.union([z.boolean(), z.stringbool()], 'has to be true or false').default(false)

/** Body of `PUT messages/:id`: one of the two, as JSON or as a form. */
export const order = z
  .object({ attempt_now: yes, archive: yes }, 'has to be an object')
  .refine(({ attempt_now, archive }) => attempt_now !== archive, 'has to have either attempt_now or archive')
  .transform(({ archive }): 'attempt_now' | 'archive' => (archive ? 'archive' : 'attempt_now'))

/**
 * What a person decides about a message of the store: it is due at once, or it leaves its queue undelivered.
 * @throws ApiError 404, or 422 where it is archived already or about to be routed
 */
export async function decideByHand(
  db: Db,
  storeId: string,
  key: string,
  what: z.output<typeof order>,
): Promise<void> {
  const row = isObjectId(key) ? await locate(db, storeId, key) : undefined
  if (!row) throw notFound()
  if (!canAttempt(row)) {
    const where = row.queue === 'archived' ? 'is archived' : 'is about to be routed'
    throw invalidObject({ [what]: [`is not possible: the message ${where}`] })
  }
  const tables = row.queue === 'incoming' ? HUB_INCOMING : HUB_ACCEPTED
  const act = what === 'archive' ? discardMessages : retryMessages
  await act(db, tables, { ids: [row.id] })
}

type Located = Pick<MessageRow, 'queue' | 'id' | 'state'>

async function locate(db: Db, storeId: string, key: string): Promise<Located | undefined> {
  const { rows } = await db.query<Located>(
    QUEUES.map(
      (queue) => `select '${queue}' as queue, id, state from hub.${queue} where key = $2 and store_id = $1`,
    ).join(' union all '),
    [storeId, key],
  )
  return rows[0]
}
