import { z } from 'zod'

import { deriveOrderMessages } from '../messages/derive-order-messages.ts'
import { atStep } from '../observe/steps.ts'
import type { Db } from '../postgres/pool.ts'
import { laneOf } from '../queue/enqueue.ts'
import type { QueuedMessage } from '../queue/message.ts'
import type { SenderOptions } from '../queue/session.ts'
import { deliveredAs, spellingsOf } from './aliases.ts'
import { insertIncoming } from './incoming.ts'
import { passesOf } from './mapping-filters.ts'
import { newObjectId } from './object-id.ts'
import { HUB_ACCEPTED } from './queues.ts'
import { type Copy, copiesOf, type Subscription } from './route.ts'

const rawPayload = z.record(z.string(), z.unknown())
const orderNumber = z.looseObject({ number: z.string().min(1).max(255) })
const carried = z.object({ store_id: z.string(), origin: z.string().nullable(), envelope: z.string() })

export type RoutingOptions = Readonly<{
  /** Lanes of the incoming and of the accepted queue. */
  incomingLanes: number
  acceptedLanes: number
  onRouted(type: string, copies: number): void
}>

/**
 * From the incoming queue to the accepted one: what the sender of the incoming queue does with a message. Its copies, what
 * is derived from it and the end of its own row are one transaction.
 */
export function createRouting(
  options: RoutingOptions,
): Pick<SenderOptions<true>, 'permit' | 'giveBack' | 'send'> {
  return {
    permit: async (signal) => (signal.aborted ? undefined : true),
    giveBack: () => {},
    send: async (message) => ({
      do: 'acknowledge',
      answer: '',
      also: (db) => route(db, message, options),
    }),
  }
}

async function route(db: Db, message: QueuedMessage, options: RoutingOptions): Promise<void> {
  const { store_id: storeId, origin, envelope } = carried.parse(message.carried)
  const aggregate = message.aggregate.slice(storeId.length + 1)
  const subscriptions = await atStep('route.subscriptions', () =>
    readSubscriptions(db, storeId, message, { origin, envelope }),
  )
  const copies = copiesOf({ origin, aggregate }, subscriptions)
  await atStep('route.copies', () =>
    insertCopies(db, options.acceptedLanes, { storeId, origin, envelope, message }, copies),
  )
  if (message.type === 'order:persist') await deriveOrder(db, message, storeId, origin, options)
  await db.query('insert into hub.seen_type (store_id, type) values ($1, $2) on conflict do nothing', [
    storeId,
    message.type,
  ])
  options.onRouted(message.type, copies.length)
}

async function readSubscriptions(
  db: Db,
  storeId: string,
  { type, key, payload }: QueuedMessage,
  { origin, envelope }: Pick<Original, 'origin' | 'envelope'>,
): Promise<Subscription[]> {
  const { rows } = await db.query<{
    id: string
    is_store: boolean
    retries_allowed: boolean
    filters: string | null
  }>(
    `select id, is_store, coalesce((options ->> 'retries_allowed')::boolean, true) as retries_allowed,
            nullif(filters, '[]')::text as filters
       from hub.mapping
      where store_id = $1
        and enabled
        and messages && $2::text[]
      order by id`,
    [storeId, spellingsOf(type)],
  )
  const isFiltered = rows.some(({ filters }) => filters !== null)
  // As it was pushed, from its root.
  const message = isFiltered && {
    ...JSON.parse(envelope),
    origin,
    message: type,
    message_id: key,
    payload: JSON.parse(payload),
  }
  return rows.map((row) => ({
    mappingId: row.id,
    isStore: row.is_store,
    retriesAllowed: row.retries_allowed,
    passes: row.filters === null || passesOf(row.filters)(message),
  }))
}

type Original = Readonly<{ storeId: string; origin: string | null; envelope: string; message: QueuedMessage }>

async function insertCopies(
  db: Db,
  laneCount: number,
  { storeId, origin, envelope, message }: Original,
  copies: readonly Copy[],
): Promise<void> {
  if (copies.length === 0) return
  // As old as the message: a store takes the id's time for that of the making (echo rule), however long routing took.
  const keys = copies.map(() => newObjectId(message.createdAt))
  await db.query(
    `insert into hub.accepted
            (lane, aggregate, key, subject, mapping_id, type, payload, store_id, parent_id, origin, envelope, changed_at)
     select c.lane, c.aggregate, c.key, c.subject, c.mapping_id, $6, $7, $8, $9, $10, $11, $12
       from unnest($1::integer[], $2::text[], $3::text[], $4::text[], $5::text[])
            with ordinality c (lane, aggregate, key, subject, mapping_id, place)
      order by c.place`,
    [
      copies.map((copy) => laneOf(copy.aggregate, laneCount)),
      copies.map((copy) => copy.aggregate),
      keys,
      // A subject that no other message has: it is never superseded, and parked it holds nothing back.
      copies.map((copy, place) => (copy.standsAlone ? keys[place] : null)),
      copies.map((copy) => copy.mappingId),
      deliveredAs(message.type),
      message.payload,
      storeId,
      message.key,
      origin,
      envelope,
      message.changedAt,
    ],
  )
  await db.query('select pg_notify($1, $2)', [HUB_ACCEPTED.channel, ''])
}

/** The raw order is the hub's own to consume: what it tells is put into the incoming queue behind it, as its child. */
async function deriveOrder(
  db: Db,
  message: QueuedMessage,
  storeId: string,
  origin: string | null,
  { incomingLanes }: RoutingOptions,
): Promise<void> {
  const raw = rawPayload.parse(JSON.parse(message.payload))
  const number = orderNumber.safeParse(raw)
  if (!number.success) return
  const known = [storeId, number.data.number]
  await db.query(
    `insert into hub.raw_order (store_id, number, payload) values ($1, $2, '') on conflict do nothing`,
    known,
  )
  const { rows } = await db.query<{ payload: string }>(
    'select payload from hub.raw_order where store_id = $1 and number = $2 for update',
    known,
  )
  const before = rows[0]?.payload
  const derivation = deriveOrderMessages(raw, before ? rawPayload.parse(JSON.parse(before)) : undefined)
  if (derivation.outcome === 'nothing') return
  for (const { type, payload } of derivation.messages) {
    await atStep('route.derived', () =>
      insertIncoming(db, incomingLanes, {
        storeId,
        type,
        payload: JSON.stringify(payload),
        content: payload,
        origin,
        parentId: message.key,
        envelope: '{}',
      }),
    )
  }
  await atStep('route.order', () =>
    db.query(
      'update hub.raw_order set payload = $3, updated_at = clock_timestamp() where store_id = $1 and number = $2',
      [...known, message.payload],
    ),
  )
}
