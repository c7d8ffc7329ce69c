import type { Db } from '../postgres/pool.ts'
import type { QueuedMessage, QueueTables } from './message.ts'

/** An outcome to be written, under the epoch at which the message was sent. */
export type Settlement = Readonly<{ message: QueuedMessage; epoch: string }> &
  (
    | Readonly<{ as: 'done'; answer: string }>
    | Readonly<{ as: 'superseded' }>
    | Readonly<{ as: 'failing'; seconds: number; reason: string }>
    | Readonly<{ as: 'parked'; reason: string }>
  )

/**
 * Writes a batch of outcomes, each only as long as its lane is still owned under the same epoch: what a worker learnt
 * too late changes nothing. Messages that are done leave for the history in the same statement that deletes them.
 */
export async function settle(
  db: Db,
  tables: QueueTables,
  workerId: string,
  settlements: readonly Settlement[],
  remembered: readonly string[],
): Promise<void> {
  const finished = settlements.filter(
    (settlement) => settlement.as === 'done' || settlement.as === 'superseded',
  )
  const failed = settlements.filter((settlement) => settlement.as === 'failing' || settlement.as === 'parked')
  if (finished.length > 0) {
    await db.query(
      // The fence first: joined by epoch alone, each message would be looked for once per lane.
      `with finished as materialized (
         select f.id, f.state, f.answer
           from unnest($2::bigint[], $3::integer[], $4::bigint[], $5::text[], $6::text[]) f (id, lane, epoch, state, answer)
           join ${tables.lane} l on l.lane = f.lane and l.epoch = f.epoch and l.owner = $1
       ), gone as (
         delete from ${tables.message} m
          using finished f
          where m.id = f.id
          returning m.id, m.aggregate, m.key, m.type, m.payload, m.attempts, m.last_error,
                    m.changed_at, m.created_at, f.state, f.answer
       ), told as (
         insert into ${tables.acknowledged} as a (aggregate, type, at)
         select distinct aggregate, type, statement_timestamp()
           from gone
          where state = 'done' and type = any($7::text[])
             on conflict (aggregate, type) do update set at = excluded.at
       )
       insert into ${tables.history}
              (id, aggregate, key, type, payload, state, attempts, last_error, answer, changed_at, created_at)
       select id, aggregate, key, type, payload, state, attempts + (state = 'done')::integer, last_error, answer,
              changed_at, created_at
         from gone`,
      [
        workerId,
        finished.map(({ message }) => message.id),
        finished.map(({ message }) => message.lane),
        finished.map(({ epoch }) => epoch),
        finished.map(({ as }) => as),
        finished.map((settlement) => (settlement.as === 'done' ? storable(settlement.answer) : null)),
        remembered,
      ],
    )
  }
  if (failed.length > 0) {
    await db.query(
      `with failed as materialized (
         select f.*
           from unnest($2::bigint[], $3::integer[], $4::bigint[], $5::text[], $6::float8[], $7::text[])
                f (id, lane, epoch, state, seconds, reason)
           join ${tables.lane} l on l.lane = f.lane and l.epoch = f.epoch and l.owner = $1
       )
       update ${tables.message} m
          set state = f.state,
              attempts = m.attempts + 1,
              due = clock_timestamp() + make_interval(secs => f.seconds),
              last_error = f.reason
         from failed f
        where m.id = f.id
          and m.state <> 'parked'`,
      [
        workerId,
        failed.map(({ message }) => message.id),
        failed.map(({ message }) => message.lane),
        failed.map(({ epoch }) => epoch),
        failed.map(({ as }) => as),
        failed.map((settlement) => (settlement.as === 'failing' ? settlement.seconds : 0)),
        failed.map((settlement) => storable(settlement.reason)),
      ],
    )
  }
}

/** Texts of the receiver's making: PostgreSQL stores no NUL, and one of them would fail the whole batch for ever. */
function storable(text: string): string {
  return text.replaceAll('\0', '')
}
