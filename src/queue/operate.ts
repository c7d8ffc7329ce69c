import type { Db } from '../postgres/pool.ts'
import { FILTER, filterValues, type MessageFilter } from './look.ts'
import { finishedColumns, type QueueTables } from './message.ts'

/** What of the queue a person can do something with: `retry` is for what failed, `park` for what is not parked yet. */
const CONCERNED = { retry: `state <> 'waiting'`, park: `state <> 'parked'`, discard: 'true' } as const

export type Act = keyof typeof CONCERNED

/** A stretch of the queue that a person decides about in one transaction, by ascending id. */
export type Batch = Readonly<{
  /** Only ids above this one: those below are done with. */
  after: string
  /** No id above this one: what came since the person asked is not meant. */
  upTo: string
  limit: number
}>

/** What became of a batch: the ids that it looked at end with `last`; null where it found none, and all is done. */
export type Acted = Readonly<{ count: number; last: string | null }>

/** How many messages a person would decide about, and the highest id among them. */
export async function countConcerned(
  db: Db,
  tables: QueueTables,
  act: Act,
  filter: MessageFilter,
): Promise<Readonly<{ count: number; upTo: string }>> {
  const { rows } = await db.query<{ count: number; up_to: string }>(
    `select count(*)::integer as count, coalesce(max(id), 0)::text as up_to
       from ${tables.message}
      where ${CONCERNED[act]} and ${FILTER}`,
    filterValues(filter),
  )
  return { count: rows[0]?.count ?? 0, upTo: rows[0]?.up_to ?? '0' }
}

const BATCH = `id > $8 and id <= $9 and ${FILTER}
        order by id
        limit $10`

/**
 * Parked and failing messages that match are due at once; their number. The owner of the lane notices within a second,
 * and closes unsent what is old news by then.
 */
export function retryMessages(
  db: Db,
  tables: QueueTables,
  filter: MessageFilter,
  batch: Batch = WHOLE,
): Promise<Acted> {
  return act(
    db,
    `with changed as (
       update ${tables.message}
          set state = 'waiting', due = clock_timestamp()
        where id in (select id from ${tables.message} where ${CONCERNED.retry} and ${BATCH} for update)
       returning id, lane
     ), ${noteRevision(tables)}
     select count(*)::integer as count, max(id)::text as last from changed`,
    filter,
    batch,
  )
}

/** Messages that match wait for a person from now on; one that is being sent at this moment may still arrive. */
export function parkMessages(
  db: Db,
  tables: QueueTables,
  filter: MessageFilter,
  batch: Batch = WHOLE,
): Promise<Acted> {
  return act(
    db,
    `with changed as (
       update ${tables.message}
          set state = 'parked', last_error = coalesce(last_error, 'Parked by hand.')
        where id in (select id from ${tables.message} where ${CONCERNED.park} and ${BATCH} for update)
       returning id, lane
     ), ${noteRevision(tables)}
     select count(*)::integer as count, max(id)::text as last from changed`,
    filter,
    batch,
  )
}

/** Of what discarded messages told: what was announced of it has to be forgotten. */
export type Unsent = Readonly<{ aggregate: string; type: string; subject: string | null }>

/** Closes matching messages unsent; also tells what they were about. */
export async function discardMessages(
  db: Db,
  tables: QueueTables,
  filter: MessageFilter,
  batch: Batch = WHOLE,
): Promise<Acted & Readonly<{ about: readonly Unsent[] }>> {
  const { rows } = await db.query<{ count: number; last: string | null; about: Unsent[] }>(
    `with changed as (
       delete from ${tables.message}
        where id in (select id from ${tables.message} where ${CONCERNED.discard} and ${BATCH} for update)
       returning *
     ), ${noteRevision(tables)}, kept as (
       insert into ${tables.history} (${finishedColumns(tables)}, state)
       select ${finishedColumns(tables)}, 'discarded'
         from changed
     )
     select count(*)::integer as count, max(id)::text as last,
            coalesce(
              jsonb_agg(distinct jsonb_build_object('aggregate', aggregate, 'type', type, 'subject', subject)),
              '[]') as about
       from changed`,
    batchValues(filter, batch),
  )
  return rows[0] ?? { count: 0, last: null, about: [] }
}

async function act(db: Db, statement: string, filter: MessageFilter, batch: Batch): Promise<Acted> {
  const { rows } = await db.query<{ count: number; last: string | null }>(
    statement,
    batchValues(filter, batch),
  )
  return rows[0] ?? { count: 0, last: null }
}

/** For named messages: all of them in one go. */
const WHOLE: Batch = { after: '0', upTo: '9223372036854775807', limit: 1_000_000 }

/** Tells the owners of the lanes, in the same transaction, that messages are not as they have read them. */
function noteRevision(tables: QueueTables): string {
  return `noted as (
       update ${tables.lane} set revision = revision + 1 where lane in (select lane from changed)
     )`
}

function batchValues(filter: MessageFilter, { after, upTo, limit }: Batch): unknown[] {
  return [...filterValues(filter), after, upTo, limit]
}
