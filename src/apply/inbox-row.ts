import type { Db } from '../postgres/pool.ts'
import { queryPrepared } from '../postgres/prepared.ts'
import type { Answer } from './answer.ts'
import type { DialectName } from './handler.ts'

/** What a hub's message or request is known by: `hub` is the store's id there; '' stands for the installation's own. */
export type InboxKey = Readonly<{ hub: string; dialect: DialectName; messageId: string }>

/**
 * Under which id it is entered. Read where it is used: the store's own id at the hub may become known at any moment. What
 * was entered without it keeps '', and is looked for there too; of a message that is there under both counts the one that
 * is not to be tried again. Nothing is entered without the id once it is known: `recordInstallation` sees to that.
 */
const hubOf = (given: string, dialect: string, messageId: string) =>
  `coalesce(
     (select unnamed.hub
        from bridge.installation own
        join bridge.inbox unnamed
          on unnamed.hub = '' and unnamed.dialect = ${dialect} and unnamed.message_id = ${messageId}
       where own.singleton
         and own.hub_store_id = coalesce(nullif(${given}, ''), own.hub_store_id)
         and not exists (
               select
                 from bridge.inbox named
                where named.hub = own.hub_store_id
                  and named.dialect = unnamed.dialect
                  and named.message_id = unnamed.message_id
                  and (named.state <> 'failed' or unnamed.state = 'failed'))),
     nullif(${given}, ''),
     (select hub_store_id from bridge.installation where singleton),
     '')`

export const INBOX_STATES = ['applied', 'failed', 'discarded'] as const
export type InboxState = (typeof INBOX_STATES)[number]

export type InboxRow = Readonly<{ id: string; state: InboxState; answer: Answer; receivedAt: Date }>

/**
 * Enters the message, or finds it entered, and locks its row until the transaction ends: another delivery of the same
 * message waits here. One that is not `failed` has its answer, and counts a repeat; a failed one, or a new one, is to be
 * applied now and then settled.
 */
export async function enterInbox(
  db: Db,
  { hub, dialect, messageId }: InboxKey,
  type: string,
  payload: string,
): Promise<InboxRow> {
  const { rows } = await queryPrepared<{
    id: string
    state: InboxState
    status: number
    answer: string
    received_at: Date
  }>(
    db,
    `insert into bridge.inbox as known
            (hub, dialect, message_id, type, payload, state, attempts, status, answer)
     values (${hubOf('$1', '$2', '$3')}, $2, $3, $4, $5, 'failed', 0, 0, '')
     on conflict (hub, dialect, message_id) do update
        set type = case when known.state = 'failed' then excluded.type else known.type end,
            payload = case when known.state = 'failed' then excluded.payload else known.payload end,
            repeats = known.repeats + (known.state <> 'failed')::integer
     returning id, state, status, answer, received_at`,
    [hub, dialect, messageId, type, payload],
  )
  const row = rows[0]
  if (!row) throw new Error('the inbox returned no row')
  return {
    id: row.id,
    state: row.state,
    answer: { status: row.status, body: row.answer },
    receivedAt: row.received_at,
  }
}

/** The last write of the transaction that applies the message. */
export async function settleApplied(db: Db, id: string, { status, body }: Answer): Promise<void> {
  await queryPrepared(
    db,
    `update bridge.inbox
        set state = 'applied', attempts = attempts + 1, status = $2, answer = $3, last_error = null,
            changed_at = clock_timestamp()
      where id = $1`,
    [id, status, body],
  )
}

/**
 * Keeps a failed attempt with its reason, after all that it wrote is rolled back. One that another delivery has applied
 * meanwhile stays applied.
 */
export async function recordFailure(
  db: Db,
  { hub, dialect, messageId }: InboxKey,
  type: string,
  payload: string,
  { status, body }: Answer,
  reason: string,
): Promise<void> {
  await queryPrepared(
    db,
    `insert into bridge.inbox as known
            (hub, dialect, message_id, type, payload, state, failures, status, answer, last_error)
     values (${hubOf('$1', '$2', '$3')}, $2, $3, $4, $5, 'failed', 1, $6, $7, $8)
     on conflict (hub, dialect, message_id) do update
        set type = excluded.type, payload = excluded.payload, attempts = known.attempts + 1,
            failures = known.failures + 1, status = excluded.status, answer = excluded.answer, last_error = excluded.last_error,
            changed_at = excluded.changed_at
      where known.state = 'failed'`,
    [hub, dialect, messageId, type, payload, status, body, reason],
  )
}

export type Arrival = InboxKey & Readonly<{ type: string; payload: string }>

/** Of each of these messages, in their order: is it known? And what time it is at the database. Waits for nobody. */
export async function readArrivals(
  db: Db,
  keys: readonly InboxKey[],
): Promise<readonly Readonly<{ isKnown: boolean; now: Date }>[]> {
  const { rows } = await queryPrepared<{ isKnown: boolean; now: Date }>(
    db,
    `select known.found is not null as "isKnown", clock_timestamp() as now
       from unnest($1::text[], $2::text[], $3::text[]) with ordinality arrived (hub, dialect, message_id, place)
       left join lateral (
              select true as found
                from bridge.inbox i
               where i.hub = ${hubOf('arrived.hub', 'arrived.dialect', 'arrived.message_id')}
                 and i.dialect = arrived.dialect
                 and i.message_id = arrived.message_id
               limit 1) known on true
      order by arrived.place`,
    [keys.map(({ hub }) => hub), keys.map(({ dialect }) => dialect), keys.map(({ messageId }) => messageId)],
  )
  return rows
}

/**
 * Enters messages with their answers: the last write of the transaction that applies them.
 * @throws where one of them has been entered meanwhile.
 */
export async function enterApplied(db: Db, answers: ReadonlyMap<Arrival, Answer>): Promise<void> {
  const rows = [...answers].map(([{ hub, dialect, messageId, type, payload }, { status, body }]) => {
    return { hub, dialect, message_id: messageId, type, payload, status, answer: body }
  })
  await queryPrepared(
    db,
    `insert into bridge.inbox (hub, dialect, message_id, type, payload, state, status, answer)
     select ${hubOf('applied.hub', 'applied.dialect', 'applied.message_id')}, dialect, message_id, type, payload, 'applied', status, answer
       from json_to_recordset($1::json)
            as applied (hub text, dialect text, message_id text, type text, payload text, status integer, answer text)
      order by message_id`,
    [JSON.stringify(rows)],
  )
}
