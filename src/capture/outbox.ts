import type { AggregateKind, Kind } from '../messages/aggregate.ts'
import { endedMeanwhile, type Snapshot } from '../postgres/new-rows.ts'
import type { Db } from '../postgres/pool.ts'
import { queryPrepared } from '../postgres/prepared.ts'
import type { OutboxRow } from './outbox-row.ts'
import type { Tally } from './tally.ts'

type Row = {
  id: string
  xid: string
  at: Date
  kind: Kind
  table_name: string
  row_id: string | null
  op: string
  parent: string | null
  parent_old: string | null
  delta: string | null
  origin: string | null
}

// An empty origin is none: the setting is an empty string, not null, in a session after a transaction that set it.
const COLUMNS = `id, xid, at, kind, table_name, row_id, op, parent, parent_old, delta, nullif(origin, '') as origin`

/**
 * Rows that the previous read could not see, at most `limit` (then there are more); all rows without a previous read.
 * Those of `held` kinds stay. Runs inside the window's transaction, so that rows and snapshot are one.
 */
export async function readNewRows(
  db: Db,
  previous: Snapshot | undefined,
  limit: number,
  held: ReadonlySet<Kind> = new Set(),
): Promise<OutboxRow[]> {
  const { rows } = await queryNewRows(db, previous, limit, notHeld(held))
  return rows.map((row) => ({
    id: row.id,
    xid: row.xid,
    at: row.at,
    kind: row.kind,
    tableName: row.table_name,
    rowId: row.row_id,
    op: row.op,
    parent: row.parent,
    parentOld: row.parent_old,
    delta: row.delta,
    origin: row.origin,
  }))
}

/** While products are held, the stock of new variants is too: it must not overtake the news of them. */
function notHeld(held: ReadonlySet<Kind>): string {
  if (held.size === 0) return 'true'
  const others = `kind not in (${[...held].map((kind) => `'${kind}'`).join(', ')})`
  if (!held.has('product')) return others
  return `${others} and (kind <> 'stock' or coalesce(parent, parent_old, '') <> all (array(
    select made.row_id from bridge.outbox made
     where made.table_name = 'spree_variants' and made.op = 'insert' and made.row_id is not null)))`
}

function queryNewRows(db: Db, previous: Snapshot | undefined, limit: number, free: string) {
  if (!previous) {
    return queryPrepared<Row>(
      db,
      `select ${COLUMNS} from bridge.outbox where ${free} order by xid, id limit $1`,
      [limit],
    )
  }
  if (previous.inProgress.size === 0) {
    return queryPrepared<Row>(
      db,
      `select ${COLUMNS} from bridge.outbox where xid >= $1::xid8 and ${free} order by xid, id limit $2`,
      [previous.xmax, limit],
    )
  }
  return queryPrepared<Row>(
    db,
    `(select ${COLUMNS} from bridge.outbox
       where xid = any(${endedMeanwhile('$3')}) and ${free}
       order by xid, id limit $2)
     union all
     (select ${COLUMNS} from bridge.outbox where xid >= $1::xid8 and ${free} order by xid, id limit $2)
     limit $2`,
    [previous.xmax, limit, [...previous.inProgress]],
  )
}

/** Takes rows out, and writes down with what: the count of the rows is the database's own, the rest the collector's. */
export async function takeRows(db: Db, rows: readonly OutboxRow[], tally: Tally): Promise<void> {
  if (rows.length === 0 && tally.messages === 0) return
  await queryPrepared(
    db,
    `with taken as (
       delete from bridge.outbox o
        using unnest($1::xid8[], $2::bigint[]) taken (xid, id)
        where o.xid = taken.xid and o.id = taken.id
       returning 1
     )
     insert into bridge.tally (changes, told, silent, unmapped, messages, last_message)
     select (select count(*) from taken), $3, $4, $5, $6, case when is_called then last_value else 0 end
       from bridge.message_id_seq`,
    [
      rows.map((row) => row.xid),
      rows.map((row) => row.id),
      tally.told,
      tally.silent,
      tally.unmapped,
      tally.messages,
    ],
  )
}

/**
 * What people and reconcile ask of the collector: to tell a state anew (`announce`), to forget what was told so that the
 * next change is told again (`forget`), to tell what differs from what was told (`compare`), which asked twice tells once;
 * to tell all of it to those who know nothing of it (`backfill`).
 */
export type Ask = 'announce' | 'forget' | 'compare' | 'backfill'

/** What is asked about: an aggregate, or of a product the stock of one variant. */
export type Asked = Readonly<
  { kind: AggregateKind; id: string } | { kind: 'stock'; id: string; variantId: string }
>

/** Only the collector writes baselines; requests travel like changes. */
export async function request(db: Db, op: Ask, about: readonly Asked[]): Promise<void> {
  if (about.length === 0) return
  await db.query(
    `insert into bridge.outbox (kind, table_name, row_id, op, parent)
     select asked.kind, 'request', asked.id, $4, asked.variant
       from unnest($1::text[], $2::text[], $3::text[]) asked (kind, id, variant)`,
    [
      about.map(({ kind }) => kind),
      about.map(({ id }) => id),
      about.map((asked) => (asked.kind === 'stock' ? asked.variantId : null)),
      op,
    ],
  )
}

/** By how many rows the triggers may be ahead of the collector before they stop recording. */
export async function setFuse(db: Db, rows: number): Promise<void> {
  await db.query(
    `select setval('bridge.pulse_fuse_rows', $1) from bridge.pulse_fuse_rows where last_value <> $1`,
    [rows],
  )
}

/**
 * Tells the triggers how far collecting has come (for the fuse) and whether to notify. At the end it has come to the last id
 * that was given out: ids that were rolled back are never read, and after a large import that failed a fuse that counted
 * them would stay blown.
 */
export async function writePulse(
  db: Db,
  { asleep, readTo }: Readonly<{ asleep: boolean; readTo: string | 'the end' }>,
): Promise<void> {
  await db.query(
    `select setval('bridge.pulse_asleep', $1)
       from bridge.pulse_asleep
      where last_value <> $1
      union all
     select setval('bridge.pulse_collected_id', coalesce($2::bigint, given.last_value))
       from bridge.pulse_collected_id told cross join bridge.outbox_id_seq given
      where coalesce($2::bigint, given.last_value) > told.last_value`,
    [asleep ? 1 : 0, readTo === 'the end' ? null : readTo],
  )
}
