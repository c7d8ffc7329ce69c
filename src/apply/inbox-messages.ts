import type { Db } from '../postgres/pool.ts'
import { answerDiscarded } from './answer.ts'
import type { InboxState } from './inbox-row.ts'

/** An inbound message as people see it. */
export type InboxMessage = Readonly<{
  id: string
  /** The store's id at the hub whose message it is. */
  hub: string
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
  limit: number
}>

export type InboxPage = InboxFilter &
  Readonly<{
    /** Only numbers of the inbox below this one: what follows on a page that ended with it. */
    before?: string | undefined
  }>

type Row = {
  id: string
  hub: string
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
  'id, hub, message_id, type, state, attempts, repeats, status, last_error, received_at, changed_at'

const FILTER = `($1::text[] is null
              or id = any(array(select i::bigint from unnest($1::text[]) i where i ~ '^\\d{1,18}$'))
              or message_id = any($1::text[]))
            and ($2::text[] is null or state = any($2::text[]))
            and ($3::text[] is null or type = any($3::text[]))`

/** Messages that match, the latest first. */
export async function listInbox(db: Db, page: InboxPage): Promise<InboxMessage[]> {
  const { rows } = await db.query<Row>(
    `select ${COLUMNS}
       from bridge.inbox
      where ${FILTER} and ($5::bigint is null or id < $5)
      order by id desc
      limit $4`,
    [...filterValues(page), page.before ?? null],
  )
  return rows.map(toMessage)
}

/** One message with the texts of its payload and its last answer. */
export async function showInbox(
  db: Db,
  id: string,
): Promise<(InboxMessage & Readonly<{ payload: string; answer: string }>) | undefined> {
  const { rows } = await db.query<Row & { payload: string; answer: string }>(
    `select ${COLUMNS}, payload, answer from bridge.inbox where ${FILTER} order by id desc limit $4`,
    filterValues({ ids: [id], limit: 1 }),
  )
  const row = rows[0]
  return row && { ...toMessage(row), payload: row.payload, answer: row.answer }
}

/** Messages not applied that match are closed: a repeat is from now on answered 200 and applied no more. Returns their number. */
export async function discardInbox(db: Db, filter: InboxFilter): Promise<number> {
  const { rows } = await db.query<{ id: string; message_id: string; type: string }>(
    `select id, message_id, type
       from bridge.inbox
      where state = 'failed' and ${FILTER}
      order by id
      limit $4`,
    filterValues(filter),
  )
  let count = 0
  for (const { id, message_id: messageId, type } of rows) {
    const { status, body } = answerDiscarded(messageId, type)
    const { rowCount } = await db.query(
      `update bridge.inbox
          set state = 'discarded', status = $2, answer = $3, changed_at = clock_timestamp()
        where id = $1 and state = 'failed'`,
      [id, status, body],
    )
    count += rowCount ?? 0
  }
  return count
}

/** Forgets messages that nothing has happened to for `days`: a repeat that comes later still would be applied anew. */
export async function forgetInbox(db: Db, days: number): Promise<void> {
  await db.query(
    `delete from bridge.inbox where changed_at < clock_timestamp() - make_interval(days => $1)`,
    [days],
  )
}

function filterValues({ ids, states, types, limit }: InboxFilter): unknown[] {
  return [ids ?? null, states ?? null, types ?? null, limit]
}

function toMessage(row: Row): InboxMessage {
  return {
    id: row.id,
    hub: row.hub,
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
