import {
  endedMeanwhile,
  formatSnapshot,
  mayHaveCrashed,
  openWindow,
  type Seen,
  type Snapshot,
} from '../postgres/new-rows.ts'
import type { Db, Pool } from '../postgres/pool.ts'
import { queryPrepared } from '../postgres/prepared.ts'
import type { Reload, WithMore } from './chains.ts'
import type { MessageState, QueuedMessage, QueueTables } from './message.ts'
import { BEGINNING, type Position } from './position.ts'

type Row = {
  id: string
  xid: string
  lane: number
  aggregate: string
  key: string
  type: string
  payload: string
  subject: string | null
  state: MessageState
  attempts: number
  has_failed: boolean
  /** Seconds; null where it is due. */
  due_in: number | null
  /** Seconds since 1970. */
  changed_at: number
  created_at: number
  carried?: Readonly<Record<string, string | null>>
  held_back?: boolean
}

function columnsOf({ carried }: QueueTables, { payload }: Holding): string {
  return [
    'm.id, m.xid, m.lane, m.aggregate, m.key, m.type, m.subject, m.state, m.attempts',
    'm.last_error is not null as has_failed',
    payload,
    'case when m.due > clock_timestamp() then extract(epoch from m.due - clock_timestamp())::float8 end as due_in',
    // As numbers: pg takes a microsecond to parse a timestamp.
    `date_part('epoch', m.changed_at) as changed_at, date_part('epoch', m.created_at) as created_at`,
    ...(carried.length === 0
      ? []
      : [`json_build_object(${carried.map((name) => `'${name}', m.${name}`).join(', ')}) as carried`]),
  ].join(', ')
}

type Holding = Readonly<{ payload: string; join: string; values: readonly unknown[] }>

/** What is not sent for now. `underWay`: ids of what had left before, or may have, and holds nothing back that follows. */
export type Pause = Readonly<{ types: readonly string[]; underWay: readonly string[] }>

const NO_PAUSE: Pause = { types: [], underWay: [] }

/**
 * Of what is paused, and of what lies behind it in its aggregate, only its place in the table is read, and nothing is kept
 * in memory. While nothing is paused the statements know nothing of it. `parameter`: the number of the next one.
 */
function holdBack({ message }: QueueTables, { types, underWay }: Pause, parameter: number): Holding {
  if (types.length === 0) return { payload: 'm.payload', join: '', values: [] }
  return {
    payload: `case when h.held_back then '' else m.payload end as payload, h.held_back`,
    join: `cross join lateral (select exists (select from ${message} p
                                    where p.aggregate = m.aggregate
                                      and (p.xid, p.id) <= (m.xid, m.id)
                                      and p.type = any($${parameter}::text[])
                                      and p.id <> all ($${parameter + 1}::bigint[])) as held_back) h`,
    values: [types, underWay],
  }
}

function toMessages(rows: readonly Row[]): QueuedMessage[] {
  return rows.filter((row) => !row.held_back).map(toMessage)
}

const TIMEOUT_MILLISECONDS = 6_000

/**
 * A stretch of the queue being read page by page: all that `until` sees and `previous` did not (all, without previous),
 * per lane from its last key on. A lane that is read through is no longer in `positions`.
 */
export type Window = Readonly<{
  previous: Snapshot | undefined
  until: Seen
  positions: Map<number, Position>
}>

/** A window over everything that lies in these lanes now: at start, and when lanes came. */
export async function openFullWindow(pool: Pool, lanes: readonly number[]): Promise<Window> {
  const connection = await pool.connect()
  try {
    const [until] = await Promise.all([
      openWindow(connection, TIMEOUT_MILLISECONDS),
      connection.query('commit'),
    ])
    connection.release()
    return windowOver(lanes, undefined, { snapshot: until, at: performance.now() })
  } catch (error) {
    connection.release(asError(error))
    throw error
  }
}

function windowOver(lanes: readonly number[], previous: Snapshot | undefined, until: Seen): Window {
  return { previous, until, positions: new Map(lanes.map((lane) => [lane, BEGINNING])) }
}

/** The lanes take turns: a search of the index costs as much as two rows, and each lane is one. */
const LANES_PER_PAGE = 16

/**
 * The next rows of a window, of some of its lanes, in the order of the table within each; moves its positions on.
 * Aggregates in `skip` are passed over: they will be read on their own. But of what is new a row may lie before what was
 * read of its aggregate already, where its transaction took long: so none is that is not behind the reach of all of them.
 */
export async function readPage(
  db: Db,
  tables: QueueTables,
  window: Window,
  skip: WithMore,
  limit: number,
  pause: Pause = NO_PAUSE,
): Promise<QueuedMessage[]> {
  const turn = [...window.positions].slice(0, LANES_PER_PAGE)
  for (const [lane, position] of turn) {
    window.positions.delete(lane)
    window.positions.set(lane, position)
  }
  const lanes = turn.map(([lane]) => lane)
  const holding = holdBack(tables, pause, 9)
  const reach = window.previous === undefined ? BEGINNING : skip.reach
  const perLane = Math.max(4, Math.ceil(limit / lanes.length))
  const { rows } = await db.query<Row>(
    `select ${columnsOf(tables, holding)}
       from unnest($1::integer[], $2::xid8[], $3::bigint[]) at (lane, xid, id)
      cross join lateral (select *
                            from ${tables.message} r
                           where r.lane = at.lane
                             and (r.xid, r.id) > (at.xid, at.id)
                             and pg_visible_in_snapshot(r.xid, $4::pg_snapshot)
                             and ($5::pg_snapshot is null or not pg_visible_in_snapshot(r.xid, $5::pg_snapshot))
                             and (r.aggregate <> all ($6::text[]) or r.xid <= $7::xid8)
                           order by r.xid, r.id
                           limit $8) m
      ${holding.join}
      order by m.xid, m.id`,
    [
      lanes,
      lanes.map((lane) => window.positions.get(lane)?.xid ?? '0'),
      lanes.map((lane) => window.positions.get(lane)?.id ?? '0'),
      formatSnapshot(window.until.snapshot),
      window.previous === undefined ? null : formatSnapshot(window.previous),
      skip.aggregates,
      reach.xid,
      perLane,
      ...holding.values,
    ],
  )
  const counts = new Map<number, number>()
  for (const row of rows) {
    counts.set(row.lane, (counts.get(row.lane) ?? 0) + 1)
    window.positions.set(row.lane, { xid: row.xid, id: row.id })
  }
  for (const lane of lanes) if ((counts.get(lane) ?? 0) < perLane) window.positions.delete(lane)
  return toMessages(rows)
}

/**
 * What is new in the lanes since `seen`: the rows, or, where they are more than `limit`, a window over them. Undefined where
 * it cannot be told, because the server may have crashed: then all has to be read anew.
 */
export async function readNew(
  pool: Pool,
  tables: QueueTables,
  lanes: readonly number[],
  seen: Seen,
  limit: number,
  pause: Pause = NO_PAUSE,
): Promise<Readonly<{ seen: Seen; messages: QueuedMessage[]; window: Window | undefined }> | undefined> {
  const connection = await pool.connect()
  try {
    const { inProgress, xmax } = seen.snapshot
    const late = inProgress.size === 0 ? [] : [[...inProgress]]
    const holding = holdBack(tables, pause, 4 + late.length)
    const rowsWhere = (condition: string) => `
      (select ${columnsOf(tables, holding)}
         from ${tables.message} m
         ${holding.join}
        where m.lane = any($1::integer[])
          and ${condition}
        order by m.xid, m.id
        limit $3)`
    const news = rowsWhere('m.xid >= $2::xid8')
    // Each lane from the first of the late ones on: by the list alone PostgreSQL before 17 would walk along all that waits.
    const ofLate = `m.xid = any((select xids from ended)::xid8[])
          and m.xid >= (select xids[1] from ended)
          and m.xid < $2::xid8`
    const [snapshot, { rows }] = await Promise.all([
      openWindow(connection, TIMEOUT_MILLISECONDS),
      queryPrepared<Row>(
        connection,
        late.length === 0
          ? news
          : `with ended (xids) as materialized (select ${endedMeanwhile('$4')})
             ${rowsWhere(ofLate)}
             union all
             ${news}
             order by xid, id
             limit $3`,
        [lanes, xmax, limit + 1, ...late, ...holding.values],
      ),
      connection.query('commit'),
    ])
    connection.release()
    if (mayHaveCrashed(seen, connection, snapshot)) return undefined
    const now = { snapshot, at: performance.now() }
    if (rows.length <= limit) return { seen: now, messages: toMessages(rows), window: undefined }
    return { seen: now, messages: [], window: windowOver(lanes, seen.snapshot, now) }
  } catch (error) {
    connection.release(asError(error))
    throw error
  }
}

/**
 * The next messages of some aggregates, by aggregate, at most `limit` of each; without parked old news. Read from where
 * each has come to: the index still holds what is done, for as long as somebody keeps a transaction open.
 */
export async function readChains(
  db: Db,
  tables: QueueTables,
  reloads: readonly Reload[],
  limit: number,
  pause: Pause = NO_PAUSE,
): Promise<ReadonlyMap<string, QueuedMessage[]>> {
  const holding = holdBack(tables, pause, 5)
  const { rows } = await db.query<Row>(
    `select ${columnsOf(tables, holding)}
       from unnest($1::text[], $2::xid8[], $3::bigint[]) at (aggregate, xid, id)
      cross join lateral (select *
                            from ${tables.message} r
                           where r.aggregate = at.aggregate
                             and (r.xid, r.id) > (at.xid, at.id)
                             and not (r.state = 'parked' and r.subject is not null)
                           order by r.xid, r.id
                           limit $4) m
      ${holding.join}
      order by m.xid, m.id`,
    [
      reloads.map(({ aggregate }) => aggregate),
      reloads.map(({ after }) => (after ?? BEGINNING).xid),
      reloads.map(({ after }) => (after ?? BEGINNING).id),
      limit,
      ...holding.values,
    ],
  )
  const chains = new Map<string, QueuedMessage[]>(reloads.map(({ aggregate }) => [aggregate, []]))
  for (const message of toMessages(rows)) chains.get(message.aggregate)?.push(message)
  return chains
}

/** Whether a newer message of its aggregate, type and subject tells the state, waiting or accepted. */
export async function isOldNews(
  db: Db,
  tables: QueueTables,
  { id, aggregate, type, subject }: QueuedMessage,
): Promise<boolean> {
  const { rows } = await db.query<{ is_old: boolean }>(
    `select exists (select
                      from ${tables.message} n
                     where n.aggregate = $2 and n.type = $3 and n.subject = $4 and n.id > $1)
         or exists (select
                      from ${tables.history} n
                     where n.aggregate = $2 and n.type = $3 and n.subject = $4 and n.id > $1
                       and n.state = 'done') as is_old`,
    [id, aggregate, type, subject],
  )
  return rows[0]?.is_old === true
}

/** Rounded: what PostgreSQL has to the microsecond may lie a hair before its millisecond in a double. */
function toDate(seconds: number): Date {
  return new Date(Math.round(seconds * 1_000))
}

const NOTHING_CARRIED = {}

function toMessage(row: Row): QueuedMessage {
  return {
    id: row.id,
    xid: row.xid,
    lane: row.lane,
    aggregate: row.aggregate,
    key: row.key,
    type: row.type,
    payload: row.payload,
    subject: row.subject,
    state: row.state,
    attempts: row.attempts,
    hasFailed: row.has_failed,
    // By the database's clock, so that a worker's that is wrong delays nothing.
    dueAt: row.due_in === null ? 0 : performance.now() + row.due_in * 1_000,
    changedAt: toDate(row.changed_at),
    createdAt: toDate(row.created_at),
    carried: row.carried ?? NOTHING_CARRIED,
  }
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error))
}
