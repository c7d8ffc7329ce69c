import { z } from 'zod'
import { aggregateOf } from '../../messages/aggregate-of.ts'
import type { Db } from '../../postgres/pool.ts'
import { insertIncoming } from '../incoming.ts'
import { newObjectId } from '../object-id.ts'
import type { Parameter } from './consumer-answer.ts'
import { withEntriesOf } from './cursor-list.ts'
import type { Effects } from './delivery-decision.ts'

/** The delivered copy from which something follows. */
export type Cause = Readonly<{
  messageId: string
  storeId: string
  mappingId: string
  mappingName: string
  type: string
  /** JSON text. */
  payload: string
  /** With what it was delivered: JSON text of `[{name, value}]`. */
  parameters: string
}>

/** Writes what follows from a delivery, in the transaction that settles it. */
export async function writeEffects(
  db: Db,
  incomingLanes: number,
  cause: Cause,
  effects: Effects,
): Promise<void> {
  for (const { message, payload, envelope } of effects.messages) {
    // New, whoever caused it: what a consumer says goes to the store as well.
    await insertIncoming(db, incomingLanes, {
      storeId: cause.storeId,
      type: message,
      payload: JSON.stringify(payload),
      content: payload,
      origin: null,
      parentId: cause.messageId,
      envelope: JSON.stringify(envelope),
    })
  }
  for (const parameter of effects.parameters) await writeParameter(db, cause, parameter)
  for (const notification of effects.notifications) await notify(db, incomingLanes, cause, notification)
  if (effects.result) {
    await db.query(
      `insert into hub.result as r (message_id, code, response) values ($1, $2, $3)
           on conflict (message_id) do update
          set code = excluded.code, response = excluded.response, at = clock_timestamp()`,
      [cause.messageId, effects.result.code, effects.result.response.replaceAll('\0', '')],
    )
  }
  if (effects.pollUrl !== undefined) {
    await db.query('update hub.accepted set poll_url = $2 where key = $1', [cause.messageId, effects.pollUrl])
  }
}

/**
 * It goes with what is delivered from now on to the service that has returned it, by whichever of its mappings: where it
 * has read up to, say. What others have put into a list meanwhile stays there (`withEntriesOf`).
 */
async function writeParameter(
  db: Db,
  { storeId, mappingId, parameters }: Cause,
  { name, value: answer }: Parameter,
): Promise<void> {
  const sent = parametersSent.parse(JSON.parse(parameters)).find((parameter) => parameter.name === name)
  const known = await db.query<{ value: unknown }>(
    'select value from hub.parameter where store_id = $1 and name = $2 for update',
    [storeId, name],
  )
  const value = withEntriesOf(answer, sent?.value, known.rows[0]?.value)
  const { rows } = await db.query<{ id: string }>(
    `insert into hub.parameter as p (id, store_id, name, value, data_type)
     values ($1, $2, $3, $4::jsonb, $5)
         on conflict (store_id, name) do update
        set value = excluded.value, data_type = excluded.data_type, updated_at = clock_timestamp()
     returning id`,
    [newObjectId(), storeId, name, JSON.stringify(value ?? null), dataTypeOf(value)],
  )
  await db.query(
    `update hub.mapping m
        set parameters = m.parameters || $2, updated_at = clock_timestamp()
       from hub.mapping teller
      where teller.id = $1
        and m.store_id = teller.store_id
        and m.url = teller.url
        and not m.parameters @> $2`,
    [mappingId, rows.map(({ id }) => id)],
  )
}

const parametersSent = z.array(z.object({ name: z.string(), value: z.unknown() }))

function dataTypeOf(value: unknown): string {
  if (Array.isArray(value)) return 'list'
  if (typeof value === 'boolean') return 'boolean'
  if (typeof value === 'number') return Number.isInteger(value) ? 'integer' : 'float'
  return 'string'
}

/** Stored with its message, and announced once: the same again only counts (protocol §3.5). */
async function notify(
  db: Db,
  incomingLanes: number,
  cause: Cause,
  { level, subject, description }: Effects['notifications'][number],
): Promise<void> {
  const order = orderNumberOf(cause)
  const { rows } = await db.query<{ occurrences: number }>(
    `insert into hub.notification as n
            (id, store_id, message_id, level, subject, description, origin, reference_type, reference_token)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
         on conflict (message_id, level, md5(subject), md5(description)) do update
        set occurrences = n.occurrences + 1, last_update = clock_timestamp()
     returning occurrences`,
    [
      newObjectId(),
      cause.storeId,
      cause.messageId,
      level,
      subject,
      description,
      cause.mappingName,
      order === undefined ? null : 'order',
      order ?? null,
    ],
  )
  // A notification about the delivery of a notification would go round for ever.
  if (rows[0]?.occurrences !== 1 || cause.type.startsWith('notification:')) return
  await insertIncoming(db, incomingLanes, {
    storeId: cause.storeId,
    type: `notification:${level}`,
    payload: JSON.stringify({ subject, description }),
    origin: null,
    parentId: cause.messageId,
    envelope: JSON.stringify({ source: cause.mappingName }),
  })
}

function orderNumberOf({ type, payload }: Cause): string | undefined {
  const aggregate = aggregateOf(type, JSON.parse(payload))
  return aggregate?.startsWith('order:') ? aggregate.slice('order:'.length) : undefined
}
