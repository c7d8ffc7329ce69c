import { tookTooLong } from '../postgres/errors.ts'
import type { Db, Pool } from '../postgres/pool.ts'
import { inTransaction, inTransactionByIndex } from '../postgres/transaction.ts'
import type { QueueTables } from './message.ts'

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
  /** Made at this time or later. */
  since?: Date | undefined
  /** Made before this time. */
  until?: Date | undefined
  /** Found in the last error, whatever its case. */
  error?: string | undefined
}>

export type MessagePage = MessageFilter &
  Readonly<{
    limit: number
    /** Only ids below this one: what follows on a page that ended with it. */
    before?: string | undefined
  }>

export type FailingMessage = Readonly<{
  id: string
  type: string
  aggregate: string
  attempts: number
  lastError: string | null
}>

export type MessageCount = Readonly<{ state: string; type: string; count: number }>

export type Counted<Group> = Readonly<{
  counts: readonly (Group & Readonly<{ count: number }>)[]
  /** False where counting those that wait took too long, and was given up. */
  waitingCounted: boolean
}>

/** Below what any process waits for an answer: nobody else would end the statement. */
const COUNT_WITHIN_MILLISECONDS = 5_000

/**
 * How many messages lie in the queue, by `columns` of it (SQL of ours). Those that failed or are parked are found by an index; to
 * count what waits all of it is read, gigabytes of it where millions wait.
 */
export async function countMessages<Group extends object>(
  pool: Pool,
  tables: QueueTables,
  columns: readonly string[],
  withinMilliseconds = COUNT_WITHIN_MILLISECONDS,
): Promise<Counted<Group>> {
  const places = columns.map((_, index) => index + 1).join(', ')
  const count = (db: Db, isWaiting: boolean) =>
    db.query<Group & { count: number }>(
      `select ${columns.join(', ')}, count(*)::integer as count
         from ${tables.message}
        where state ${isWaiting ? '=' : '<>'} 'waiting'
        group by ${places}
        order by ${places}`,
    )
  const { rows: others } = await inTransactionByIndex(pool, (db) => count(db, false))
  try {
    const { rows: waiting } = await inTransaction(pool, async (db) => {
      await db.query(`set local statement_timeout = ${withinMilliseconds}`)
      return count(db, true)
    })
    return { counts: [...others, ...waiting], waitingCounted: true }
  } catch (error) {
    if (!tookTooLong(error)) throw error
    return { counts: others, waitingCounted: false }
  }
}

/** The message that has been failing longest; null where none is. */
export async function findFailing(pool: Pool, tables: QueueTables): Promise<FailingMessage | null> {
  const { rows } = await inTransactionByIndex(pool, (db) =>
    db.query<FailingMessage>(
      `select id, type, aggregate, attempts, last_error as "lastError"
         from ${tables.message}
        where state <> 'waiting' and state = 'failing'
        order by id
        limit 1`,
    ),
  )
  return rows[0] ?? null
}

/** Messages that nothing keeps from being sent: not behind one that fails or is parked. Counted up to `limit`. */
export async function countMoving(db: Db, tables: QueueTables, limit: number): Promise<number> {
  const { rows } = await db.query<{ count: number }>(
    `select count(*)::integer as count
       from (select
               from ${tables.message}
              where state = 'waiting'
                and aggregate not in (select aggregate from ${tables.message} where state <> 'waiting')
              limit $1) moving`,
    [limit],
  )
  return rows[0]?.count ?? 0
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

/** The conditions of a filter in SQL, over parameters 1 to 7: the values of `filterValues`. */
export const FILTER = `($1::bigint[] is null or id = any($1::bigint[]))
            and ($2::text[] is null or state = any($2::text[]))
            and ($3::text[] is null or type = any($3::text[]))
            and ($4::text is null or aggregate = $4)
            and ($5::timestamptz is null or created_at >= $5)
            and ($6::timestamptz is null or created_at < $6)
            and ($7::text is null or strpos(lower(last_error), lower($7)) > 0)`

/** Messages that match, the latest first: those in the queue, then those in the history. */
export async function listMessages(db: Db, tables: QueueTables, page: MessagePage): Promise<ListedMessage[]> {
  const { rows } = await db.query<ListedRow>(
    `select * from (
       (select id, aggregate, type, key, state, attempts, last_error, null::text as answer,
               case when state = 'parked' then null else due end as due, changed_at, created_at, null::timestamptz as finished_at
          from ${tables.message}
         where ${FILTER} and ($8::bigint is null or id < $8)
         order by id desc
         limit $9)
       union all
       (select id, aggregate, type, key, state, attempts, last_error, answer, null, changed_at, created_at, finished_at
          from ${tables.history}
         where ${FILTER} and ($8::bigint is null or id < $8)
         order by id desc
         limit $9)) found
     order by id desc
     limit $9`,
    [...filterValues(page), page.before ?? null, page.limit],
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

export function filterValues({
  ids,
  states,
  types,
  aggregate,
  since,
  until,
  error,
}: MessageFilter): unknown[] {
  return [
    ids ?? null,
    states ?? null,
    types ?? null,
    aggregate ?? null,
    since ?? null,
    until ?? null,
    error ?? null,
  ]
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
