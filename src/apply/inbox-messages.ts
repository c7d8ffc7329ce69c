import { forgetRows } from '../postgres/forget-rows.ts'
import type { Db } from '../postgres/pool.ts'
import { DIALECTS } from './dialects.ts'
import type { DialectName } from './handler.ts'
import type { InboxState } from './inbox-row.ts'
import { type AppliedBefore, findSameReturn, RETURN_TYPE } from './same-return.ts'

/** An inbound message as people see it. */
export type InboxMessage = Readonly<{
  id: string
  /** The store's id at the hub whose message it is. */
  hub: string
  dialect: DialectName
  messageId: string
  type: string
  state: InboxState
  attempts: number
  /** How often it came again after it had its answer. */
  repeats: number
  /** HTTP status of the last answer. */
  status: number
  lastError: string | null
  receivedAt: Date
  changedAt: Date
}>

/** `ids` are numbers of the inbox, or the hub's message ids. */
export type InboxFilter = Readonly<{
  ids?: readonly string[] | undefined
  states?: readonly string[] | undefined
  types?: readonly string[] | undefined
  /** Received at this time or later. */
  since?: Date | undefined
  /** Received before this time. */
  until?: Date | undefined
  /** Found in the last error, whatever its case. */
  error?: string | undefined
}>

export type InboxPage = InboxFilter &
  Readonly<{
    limit: number
    /** Only numbers of the inbox below this one: what follows on a page that ended with it. */
    before?: string | undefined
  }>

type Row = {
  id: string
  hub: string
  dialect: DialectName
  message_id: string
  type: string
  state: InboxState
  attempts: number
  repeats: number
  status: number
  last_error: string | null
  received_at: Date
  changed_at: Date
}

const COLUMNS =
  'id, hub, dialect, message_id, type, state, attempts, repeats, status, last_error, received_at, changed_at'

const FILTER = `($1::text[] is null
              or id = any(array(select i::bigint from unnest($1::text[]) i where i ~ '^\\d{1,18}$'))
              or message_id = any($1::text[]))
            and ($2::text[] is null or state = any($2::text[]))
            and ($3::text[] is null or type = any($3::text[]))
            and ($4::timestamptz is null or received_at >= $4)
            and ($5::timestamptz is null or received_at < $5)
            and ($6::text is null or strpos(lower(last_error), lower($6)) > 0)`

/** Messages that match, the latest first. */
export async function listInbox(db: Db, page: InboxPage): Promise<InboxMessage[]> {
  const { rows } = await db.query<Row>(
    `select ${COLUMNS}
       from bridge.inbox
      where ${FILTER} and ($7::bigint is null or id < $7)
      order by id desc
      limit $8`,
    [...filterValues(page), page.before ?? null, page.limit],
  )
  return rows.map(toMessage)
}

export type WholeMessage = InboxMessage &
  Readonly<{
    payload: string
    answer: string
    /** Of a failed return, one that says the same and is applied: a person tells whether it is the same. */
    looksLike: AppliedBefore | null
  }>

/** One message with the texts of its payload and its last answer: the one of that number, else the one of that message id. */
export async function showInbox(db: Db, id: string): Promise<WholeMessage | undefined> {
  const { rows } = await db.query<Row & { payload: string; answer: string }>(
    `select ${COLUMNS}, payload, answer
       from bridge.inbox
      where ${FILTER}
      order by id::text = any($1::text[]) desc, id desc
      limit 1`,
    filterValues({ ids: [id] }),
  )
  const [row] = rows
  if (!row) return undefined
  const isOpenReturn = row.type === RETURN_TYPE && row.state === 'failed'
  const looksLike = isOpenReturn ? await findSameReturn(db, JSON.parse(row.payload)) : undefined
  return { ...toMessage(row), payload: row.payload, answer: row.answer, looksLike: looksLike ?? null }
}

/** How many messages that match are not applied, and the highest number among them. */
export async function countFailed(
  db: Db,
  filter: InboxFilter,
): Promise<Readonly<{ count: number; upTo: string }>> {
  const { rows } = await db.query<{ count: number; up_to: string }>(
    `select count(*)::integer as count, coalesce(max(id), 0)::text as up_to
       from bridge.inbox
      where state = 'failed' and ${FILTER}`,
    filterValues(filter),
  )
  return { count: rows[0]?.count ?? 0, upTo: rows[0]?.up_to ?? '0' }
}

/** A stretch of the inbox by ascending number: above `after`, and none above `upTo`. */
export type InboxBatch = Readonly<{ after: string; upTo: string; limit: number }>

/** Messages not applied that match, in the order in which they came. */
export async function listFailed(db: Db, filter: InboxFilter, batch: InboxBatch): Promise<InboxMessage[]> {
  const { rows } = await db.query<Row>(
    `select ${COLUMNS}
       from bridge.inbox
      where state = 'failed' and id > $7 and id <= $8 and ${FILTER}
      order by id
      limit $9`,
    [...filterValues(filter), batch.after, batch.upTo, batch.limit],
  )
  return rows.map(toMessage)
}

/** They are closed: a repeat is from now on answered 200 and applied no more. Returns how many were still to be closed. */
export async function discardInbox(db: Db, messages: readonly InboxMessage[]): Promise<number> {
  const answers = messages.map(({ dialect, messageId, type }) => DIALECTS[dialect].discarded(messageId, type))
  const { rowCount } = await db.query(
    `update bridge.inbox i
        set state = 'discarded', status = closed.status, answer = closed.answer, changed_at = clock_timestamp()
       from unnest($1::bigint[], $2::integer[], $3::text[]) closed (id, status, answer)
      where i.id = closed.id and i.state = 'failed'`,
    [messages.map(({ id }) => id), answers.map(({ status }) => status), answers.map(({ body }) => body)],
  )
  return rowCount ?? 0
}

/**
 * Forgets messages that nothing has happened to for `days`: a repeat that comes later still would be applied anew. The
 * inbox is not partitioned, because a message id has to be unique over all of these days; of a million messages a day's
 * eleven thousand go in 30 ms, and the table keeps its size.
 */
export function forgetInbox(db: Db, days: number): Promise<void> {
  return forgetRows(db, 'bridge.inbox', 'changed_at', days)
}

function filterValues({ ids, states, types, since, until, error }: InboxFilter): unknown[] {
  return [ids ?? null, states ?? null, types ?? null, since ?? null, until ?? null, error ?? null]
}

function toMessage(row: Row): InboxMessage {
  return {
    id: row.id,
    hub: row.hub,
    dialect: row.dialect,
    messageId: row.message_id,
    type: row.type,
    state: row.state,
    attempts: row.attempts,
    repeats: row.repeats,
    status: row.status,
    lastError: row.last_error,
    receivedAt: row.received_at,
    changedAt: row.changed_at,
  }
}
