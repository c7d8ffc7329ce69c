import type { Db } from '../postgres/pool.ts'
import type { QueueTables } from './message.ts'
import { AGE_LIMIT_SECONDS, LEAST_ATTEMPTS } from './policy.ts'

/** A lane and the epoch under which it is owned. `clean`: its former owner gave it back, nothing was in flight. */
export type OwnedLane = Holding & Readonly<{ lane: number; clean: boolean }>

/** A lane as its owner holds it. `revision` rises when a person retries, parks or discards messages in it. */
export type Holding = Readonly<{ epoch: string; revision: string }>

/**
 * The lanes that a worker owns by the database, and how many it should: its equal share among the
 * living. The remainder goes to the first of them, so that with many workers none is left without.
 */
export async function readShare(
  db: Db,
  tables: QueueTables,
  workerId: string,
): Promise<Readonly<{ owned: ReadonlyMap<number, Holding>; target: number }>> {
  const { rows } = await db.query<{
    lanes: number[]
    epochs: string[]
    revisions: string[]
    all: number
    workers: number
    before: number
  }>(
    `select coalesce(array_agg(lane order by lane) filter (where owner = $1), '{}') as lanes,
            coalesce(array_agg(epoch::text order by lane) filter (where owner = $1), '{}') as epochs,
            coalesce(array_agg(revision::text order by lane) filter (where owner = $1), '{}') as revisions,
            count(*)::integer as all,
            (select count(*)::integer from ${tables.worker}) as workers,
            (select count(*)::integer from ${tables.worker} where id < $1) as before
       from ${tables.lane}`,
    [workerId],
  )
  const share = rows[0]
  if (!share) return { owned: new Map(), target: 0 }
  const workers = Math.max(1, share.workers)
  const remainder = share.before < share.all % workers ? 1 : 0
  return {
    owned: new Map(
      share.lanes.map((lane, place) => [
        lane,
        { epoch: share.epochs[place] ?? '', revision: share.revisions[place] ?? '' },
      ]),
    ),
    target: Math.floor(share.all / workers) + remainder,
  }
}

/** Takes up to `limit` lanes that nobody owns, each under a new epoch. */
export async function takeLanes(
  db: Db,
  tables: QueueTables,
  workerId: string,
  limit: number,
): Promise<OwnedLane[]> {
  const { rows } = await db.query<{ lane: number; epoch: string; revision: string; was_clean: boolean }>(
    `with free as (
       select lane, clean
         from ${tables.lane}
        where owner is null
        order by lane
        limit $2
          for update skip locked
     )
     update ${tables.lane} l
        set owner = $1, epoch = l.epoch + 1, clean = false
       from free
      where l.lane = free.lane
        and exists (select from ${tables.worker} where id = $1)
      returning l.lane, l.epoch, l.revision, free.clean as was_clean`,
    [workerId, limit],
  )
  return rows.map(({ was_clean: clean, ...row }) => ({ ...row, clean }))
}

/** Gives lanes back of which nothing is in flight any more. */
export async function giveBackLanes(
  db: Db,
  tables: QueueTables,
  workerId: string,
  lanes: readonly number[],
): Promise<void> {
  if (lanes.length === 0) return
  await db.query(
    `update ${tables.lane} set owner = null, clean = true where owner = $1 and lane = any($2::integer[])`,
    [workerId, lanes],
  )
}

/** Of a lane, what was in flight when its owner died is looked for among so many first rows. */
const ROWS_IN_DOUBT_PER_LANE = 256

/**
 * After an owner died: the heads that it may have been sending get one attempt more, before anyone sends them, and
 * those tried before a back-off, so that a message that kills its worker does not kill the next one at once. It is
 * parked when it has done so for as long as any other that fails.
 */
export async function countLostAttempts(
  db: Db,
  tables: QueueTables,
  lanes: readonly number[],
): Promise<void> {
  if (lanes.length === 0) return
  // What is paused was not being sent, however long it waits.
  const notPaused = tables.paused === undefined ? '' : ` and type not in (select type from ${tables.paused})`
  await db.query(
    `update ${tables.message} m
        set attempts = m.attempts + 1,
            state = case when m.attempts = 0 then m.state
                         when m.state = 'failing' and m.attempts >= $3
                          and m.created_at < clock_timestamp() - make_interval(secs => $2) then 'parked'
                         else 'failing' end,
            due = case when m.attempts > 0
                       then clock_timestamp() + random() * make_interval(secs => least(600, power(2, least(m.attempts, 10))))
                       else m.due end,
            last_error = case when m.attempts > 0 then 'The worker that was sending it died.' else m.last_error end
       from (select distinct on (first.aggregate) first.id, first.state, first.due
               from unnest($1::integer[]) dead (lane)
              cross join lateral (select id, xid, aggregate, state, due
                                    from ${tables.message}
                                   where lane = dead.lane and not (state = 'parked' and subject is not null)${notPaused}
                                   order by xid, id
                                   limit ${ROWS_IN_DOUBT_PER_LANE}) first
              order by first.aggregate, first.xid, first.id) head
      where m.id = head.id and head.state <> 'parked' and head.due <= clock_timestamp()`,
    [lanes, AGE_LIMIT_SECONDS, LEAST_ATTEMPTS],
  )
}
