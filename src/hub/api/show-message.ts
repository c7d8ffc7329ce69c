import { z } from 'zod'

import { readJson } from '../../http/read-json.ts'
import type { Db } from '../../postgres/pool.ts'
import { isObjectId } from '../object-id.ts'
import { type MessageRow, QUEUES, selectFrom, toListed, wireState } from './message-row.ts'

type FullRow = MessageRow & {
  payload: string
  envelope: string
  answer: string | null
  store_name: string
  code: number | null
  response: string | null
}

type Child = Pick<MessageRow, 'key' | 'type' | 'state' | 'queue' | 'poll_url' | 'source'>

/**
 * One message of a store with all that protocol §2.3 names, as JSON text: its payload stands in it as it was pushed.
 * Undefined where the store has no such message (any more).
 */
export async function showMessage(db: Db, storeId: string, key: string): Promise<string | undefined> {
  const row = isObjectId(key) ? await readMessage(db, storeId, key) : undefined
  if (!row) return undefined
  const children = await readChildren(db, storeId, key)
  const order = /^[^/]*\/order:(.+)$/s.exec(row.aggregate)?.[1] ?? null
  const shown = {
    ...toListed(row),
    parent_id: row.parent_id,
    attempts: row.attempts,
    next_attempt: row.due,
    can_attempt: canAttempt(row),
    last_error: row.last_error,
    result: resultOf(row, children),
    references: order,
    reference_token: order,
    children: children.map((child) => ({
      id: child.key,
      message: child.type,
      state: wireState(child),
      location: child.queue,
    })),
    notifications: await readNotifications(db, storeId, key),
    attributes: attributesOf(row, storeId),
  }
  return `${JSON.stringify(shown).slice(0, -1)},"payload":${row.payload}}`
}

/** The protocol knows it of copies only. A message that the router parked needs a person as well. */
export function canAttempt({ queue, state }: Pick<MessageRow, 'queue' | 'state'>): boolean {
  return queue === 'accepted' || (queue === 'incoming' && state !== 'waiting')
}

async function readMessage(db: Db, storeId: string, key: string): Promise<FullRow | undefined> {
  const { rows } = await db.query<FullRow>(
    `select found.*, s.name as store_name, r.code, r.response
       from (${QUEUES.map((queue) => `${selectFrom(queue)} where m.key = $2`).join(' union all ')}) found
       join hub.store s on s.id = found.store_id
       left join hub.result r on r.message_id = found.key
      where found.store_id = $1`,
    [storeId, key],
  )
  return rows[0]
}

async function readChildren(db: Db, storeId: string, key: string): Promise<Child[]> {
  const { rows } = await db.query<Child>(
    `select key, type, state, queue, poll_url, source
       from (${QUEUES.map((queue) => `${selectFrom(queue)} where m.parent_id = $2 and m.parent_id <> ''`).join(' union all ')}) found
      where store_id = $1
      order by id`,
    [storeId, key],
  )
  return rows
}

/** What the endpoint answered last, failed deliveries included; of what no mapping took, that. */
function resultOf(row: FullRow, children: readonly Child[]): unknown {
  if (row.answer) return readJson(row.answer)
  if (row.code !== null) return { code: String(row.code), response: readJson(row.response ?? '') }
  const wasRouted = row.queue === 'archived' && row.source === 'incoming' && row.state === 'done'
  return wasRouted && !children.some(({ source }) => source === 'accepted') ? { skipped: [] } : null
}

function attributesOf(row: FullRow, storeId: string) {
  const isCopy = row.source === 'accepted'
  return {
    ...z.record(z.string(), z.unknown()).parse(JSON.parse(row.envelope)),
    _id: row.key,
    store_id: storeId,
    store_name: row.store_name,
    message: row.type,
    state: wireState(row),
    created_at: row.created_at,
    completed_at: row.state === 'done' ? row.finished_at : null,
    attempt_at: row.due,
    attempts: row.attempts,
    last_error: row.last_error,
    consumer_class: isCopy ? 'Augury::Consumers::Remote' : null,
    mapping_id: isCopy ? row.mapping_id : null,
    parent_id: row.parent_id,
    origin: row.origin,
    queue: row.source,
  }
}

async function readNotifications(db: Db, storeId: string, key: string) {
  const { rows } = await db.query<Readonly<Record<string, unknown>>>(
    `select id, store_id, message_id, level, subject, description, occurrences, logged_on, last_update, origin, reference_type,
            reference_id, reference_token
       from hub.notification
      where store_id = $1 and message_id = $2
      order by logged_on, id`,
    [storeId, key],
  )
  return rows.map(({ origin, ...record }) => {
    const { id, ...rest } = record
    return { ...record, attributes: { _id: id, ...rest, origin } }
  })
}
