import type { Db } from '../postgres/pool.ts'
import { finishedColumns, type QueueTables } from './message.ts'

export const QUEUED_STATES = ['waiting', 'failing', 'parked'] as const
export const FINISHED_STATES = ['done', 'discarded', 'superseded'] as const

/** A message as people see it, still in the queue or in its history. */
export type ListedMessage = Readonly<{
  id: string
  aggregate: string
  type: string
  key: string
  state: string
  attempts: number
  lastError: string | null
  /** What the receiver called it. */
  answer: string | null
  /** When it is tried next; null where it is not. */
  due: Date | null
  changedAt: Date
  createdAt: Date
  finishedAt: Date | null
}>

export type MessageFilter = Readonly<{
  ids?: readonly string[] | undefined
  states?: readonly string[] | undefined
  types?: readonly string[] | undefined
  aggregate?: string | undefined
  limit: number
}>

export type MessagePage = MessageFilter &
  Readonly<{
    /** Only ids below this one: what follows on a page that ended with it. */
    before?: string | undefined
  }>

export type MessageCount = Readonly<{ state: string; type: string; count: number }>

/** How many messages lie in the queue, by state and type. */
export async function countMessages(db: Db, tables: QueueTables): Promise<MessageCount[]> {
  const { rows } = await db.query<{ state: string; type: string; count: number }>(
    `select state, type, count(*)::integer as count from ${tables.message} group by state, type order by state, type`,
  )
  return rows
}

type ListedRow = {
  id: string
  aggregate: string
  type: string
  key: string
  state: string
  attempts: number
  last_error: string | null
  answer: string | null
  due: Date | null
  changed_at: Date
  created_at: Date
  finished_at: Date | null
  payload?: string
}

const FILTER = `($1::bigint[] is null or id = any($1::bigint[]))
            and ($2::text[] is null or state = any($2::text[]))
            and ($3::text[] is null or type = any($3::text[]))
            and ($4::text is null or aggregate = $4)`

/** Messages that match, the latest first: those in the queue, then those in the history. */
export async function listMessages(db: Db, tables: QueueTables, page: MessagePage): Promise<ListedMessage[]> {
  const { rows } = await db.query<ListedRow>(
    `select * from (
       (select id, aggregate, type, key, state, attempts, last_error, null::text as answer,
               case when state = 'parked' then null else due end as due, changed_at, created_at, null::timestamptz as finished_at
          from ${tables.message}
         where ${FILTER} and ($6::bigint is null or id < $6)
         order by id desc
         limit $5)
       union all
       (select id, aggregate, type, key, state, attempts, last_error, answer, null, changed_at, created_at, finished_at
          from ${tables.history}
         where ${FILTER} and ($6::bigint is null or id < $6)
         order by id desc
         limit $5)) found
     order by id desc
     limit $5`,
    [...filterValues(page), page.before ?? null],
  )
  return rows.map(toListed)
}

/** One message with its payload; undefined where no such message is known (any more). */
export async function showMessage(
  db: Db,
  tables: QueueTables,
  id: string,
): Promise<(ListedMessage & Readonly<{ payload: string }>) | undefined> {
  const { rows } = await db.query<ListedRow & { payload: string }>(
    `select id, aggregate, type, key, state, attempts, last_error, null::text as answer,
            case when state = 'parked' then null else due end as due, changed_at, created_at,
            null::timestamptz as finished_at, payload
       from ${tables.message}
      where id = $1
      union all
     select id, aggregate, type, key, state, attempts, last_error, answer, null, changed_at, created_at, finished_at, payload
       from ${tables.history}
      where id = $1`,
    [id],
  )
  const row = rows[0]
  return row && { ...toListed(row), payload: row.payload }
}

/**
 * Parked and failing messages that match are due at once; returns their number. What is old news by now, because a newer
 * message of its type and aggregate tells the state, waiting or accepted, is closed unsent instead. The owner of the lane
 * notices within a second.
 */
export async function retryMessages(db: Db, tables: QueueTables, filter: MessageFilter): Promise<number> {
  const { rows } = await db.query<{ count: number }>(
    `with chosen as (
       select id, aggregate, type, subject
         from ${tables.message}
        where state <> 'waiting' and ${FILTER}
        order by id
        limit $5
          for update
     ), outdated as (
       select id
         from chosen c
        where exists (select from ${tables.message} n
                        where n.aggregate = c.aggregate and n.type = c.type and n.subject = c.subject and n.id > c.id)
           or exists (select from ${tables.history} n
                        where n.aggregate = c.aggregate and n.type = c.type and n.subject = c.subject and n.id > c.id
                          and n.state = 'done')
     ), closed as (
       delete from ${tables.message} m
        using outdated
        where m.id = outdated.id
       returning m.*
     ), kept as (
       insert into ${tables.history} (${finishedColumns(tables)}, state)
       select ${finishedColumns(tables)}, 'superseded'
         from closed
     ), retried as (
       update ${tables.message} m
          set state = 'waiting', due = clock_timestamp()
         from chosen
        where m.id = chosen.id and chosen.id not in (select id from outdated)
       returning m.lane
     ), changed as (
       select lane from retried union all select lane from closed
     ), ${noteRevision(tables)}
     select count(*)::integer as count from retried`,
    filterValues(filter),
  )
  return rows[0]?.count ?? 0
}

/** Messages that match wait for a person from now on; one that is being sent at this moment may still arrive. */
export async function parkMessages(db: Db, tables: QueueTables, filter: MessageFilter): Promise<number> {
  const { rows } = await db.query<{ count: number }>(
    `with changed as (
       update ${tables.message}
          set state = 'parked', last_error = coalesce(last_error, 'Parked by hand.')
        where id in (select id from ${tables.message} where state <> 'parked' and ${FILTER} order by id limit $5)
       returning lane
     ), ${noteRevision(tables)}
     select count(*)::integer as count from changed`,
    filterValues(filter),
  )
  return rows[0]?.count ?? 0
}

/** Closes matching messages unsent. Returns their aggregates: what was announced of them has to be forgotten. */
export async function discardMessages(db: Db, tables: QueueTables, filter: MessageFilter): Promise<string[]> {
  const { rows } = await db.query<{ aggregate: string }>(
    `with changed as (
       delete from ${tables.message}
        where id in (select id from ${tables.message} where ${FILTER} order by id limit $5)
       returning *
     ), ${noteRevision(tables)}
     insert into ${tables.history} (${finishedColumns(tables)}, state)
     select ${finishedColumns(tables)}, 'discarded'
       from changed
     returning aggregate`,
    filterValues(filter),
  )
  return rows.map((row) => row.aggregate)
}

/** Tells the owners of the lanes, in the same transaction, that messages are not as they have read them. */
function noteRevision(tables: QueueTables): string {
  return `noted as (
       update ${tables.lane} set revision = revision + 1 where lane in (select lane from changed)
     )`
}

function filterValues({ ids, states, types, aggregate, limit }: MessageFilter): unknown[] {
  return [ids ?? null, states ?? null, types ?? null, aggregate ?? null, limit]
}

function toListed(row: ListedRow): ListedMessage {
  return {
    id: row.id,
    aggregate: row.aggregate,
    type: row.type,
    key: row.key,
    state: row.state,
    attempts: row.attempts,
    lastError: row.last_error,
    answer: row.answer,
    due: row.due,
    changedAt: row.changed_at,
    createdAt: row.created_at,
    finishedAt: row.finished_at,
  }
}
