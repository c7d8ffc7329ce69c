import type { Db } from '../postgres/pool.ts'
import { finishedColumns, type QueueTables, type SentMessage } from './message.ts'

/** An outcome to be written, under the epoch at which the message was sent. */
export type Settlement = Readonly<{ message: SentMessage; epoch: string }> &
  (
    | Readonly<{ as: 'done'; answer: string }>
    | Readonly<{ as: 'superseded' }>
    | Readonly<{ as: 'failing'; seconds: number; reason: string; attempts: number }>
    | Readonly<{ as: 'parked'; reason: string; attempts: number }>
  )

/**
 * Writes a batch of outcomes, each only as long as its lane is still owned under the same epoch: what a worker learnt
 * too late changes nothing. Messages that are done leave for the history in the same statement that deletes them. Returns
 * how many were written.
 */
export async function settle(
  db: Db,
  tables: QueueTables,
  workerId: string,
  settlements: readonly Settlement[],
  remembered: readonly string[],
): Promise<number> {
  const finished = settlements.filter(
    (settlement) => settlement.as === 'done' || settlement.as === 'superseded',
  )
  const failed = settlements.filter((settlement) => settlement.as === 'failing' || settlement.as === 'parked')
  const gone = finished.length > 0 ? await finish(db, tables, workerId, finished, remembered) : 0
  const kept = failed.length > 0 ? await keep(db, tables, workerId, failed) : 0
  return gone + kept
}

async function finish(
  db: Db,
  tables: QueueTables,
  workerId: string,
  finished: readonly Settlement[],
  remembered: readonly string[],
): Promise<number> {
  const columns = finishedColumns(tables)
  const isRemembered = finished.some(({ message }) => remembered.includes(message.type))
  const told = tables.acknowledged === undefined || !isRemembered ? '' : rememberTold(tables.acknowledged)
  const { rowCount } = await db.query(
    // The fence first: joined by epoch alone, each message would be looked for once per lane.
    `with finished as materialized (
       select f.id, case when f.answer is null then 'superseded' else 'done' end as outcome, f.answer
         from unnest($2::bigint[], $3::integer[], $4::bigint[], $5::text[]) f (id, lane, epoch, answer)
         join ${tables.lane} l on l.lane = f.lane and l.epoch = f.epoch and l.owner = $1
     ), gone as (
       delete from ${tables.message} m
        using finished f
        where m.id = f.id
       returning m.*, f.outcome, f.answer
     )${told}
     insert into ${tables.history} (${columns}, state, answer)
     select ${columns.replace('attempts', `attempts + (outcome = 'done')::integer`)}, outcome, answer
       from gone`,
    [
      workerId,
      numbers(finished.map(({ message }) => message.id)),
      numbers(finished.map(({ message }) => message.lane)),
      numbers(finished.map(({ epoch }) => epoch)),
      finished.map((settlement) => (settlement.as === 'done' ? storable(settlement.answer) : null)),
      ...(told === '' ? [] : [remembered]),
    ],
  )
  return rowCount ?? 0
}

function rememberTold(acknowledged: string): string {
  return `, told as (
       insert into ${acknowledged} as a (aggregate, type, at)
       select distinct aggregate, type, statement_timestamp()
         from gone
        where outcome = 'done' and type = any($6::text[])
           on conflict (aggregate, type) do update set at = excluded.at
     )`
}

/** The attempts are told, not counted: a write whose answer was lost is repeated. */
async function keep(
  db: Db,
  tables: QueueTables,
  workerId: string,
  failed: readonly Settlement[],
): Promise<number> {
  const { rowCount } = await db.query(
    `with failed as materialized (
       select f.*
         from unnest($2::bigint[], $3::integer[], $4::bigint[], $5::text[], $6::float8[], $7::text[], $8::integer[])
              f (id, lane, epoch, state, seconds, reason, attempts)
         join ${tables.lane} l on l.lane = f.lane and l.epoch = f.epoch and l.owner = $1
     )
     update ${tables.message} m
        set state = f.state,
            attempts = f.attempts,
            due = clock_timestamp() + make_interval(secs => f.seconds),
            last_error = f.reason
       from failed f
      where m.id = f.id
        and m.state <> 'parked'`,
    [
      workerId,
      numbers(failed.map(({ message }) => message.id)),
      numbers(failed.map(({ message }) => message.lane)),
      numbers(failed.map(({ epoch }) => epoch)),
      failed.map(({ as }) => as),
      failed.map((settlement) => (settlement.as === 'failing' ? settlement.seconds : 0)),
      failed.map((settlement) => ('reason' in settlement ? storable(settlement.reason) : null)),
      failed.map((settlement) => ('attempts' in settlement ? settlement.attempts : null)),
    ],
  )
  return rowCount ?? 0
}

/** An array of integers, in PostgreSQL's words: pg would look into each of them for what needs quotes. */
function numbers(integers: readonly (number | string)[]): string {
  return `{${integers.join(',')}}`
}

/** Texts of the receiver's making: PostgreSQL stores no NUL, and one of them would fail the whole batch for ever. */
function storable(text: string): string {
  return text.replaceAll('\0', '')
}
