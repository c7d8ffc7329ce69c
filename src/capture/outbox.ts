import type { Kind } from '../messages/aggregate.ts'
import type { Unseen } from '../postgres/new-rows.ts'
import type { Db } from '../postgres/pool.ts'
import type { OutboxRow } from './outbox-row.ts'

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

const COLUMNS = 'id, xid, at, kind, table_name, row_id, op, parent, parent_old, delta, origin'

/**
 * Rows that the previous read could not see, at most `limit` (then there are more); all rows without a previous read.
 * Runs inside the window's transaction, so that rows and snapshot are one.
 */
export async function readNewRows(db: Db, unseen: Unseen | undefined, limit: number): Promise<OutboxRow[]> {
  const { rows } = await queryNewRows(db, unseen, limit)
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

function queryNewRows(db: Db, unseen: Unseen | undefined, limit: number) {
  if (!unseen) {
    return db.query<Row>(`select ${COLUMNS} from bridge.outbox order by xid, id limit $1`, [limit])
  }
  if (unseen.lateXids.length === 0) {
    return db.query<Row>(
      `select ${COLUMNS} from bridge.outbox where xid >= $1::xid8 order by xid, id limit $2`,
      [unseen.fromXid, limit],
    )
  }
  return db.query<Row>(
    `(select ${COLUMNS} from bridge.outbox where xid = any($3::xid8[]) order by xid, id limit $2)
     union all
     (select ${COLUMNS} from bridge.outbox where xid >= $1::xid8 order by xid, id limit $2)
     limit $2`,
    [unseen.fromXid, limit, unseen.lateXids],
  )
}

export async function deleteRows(db: Db, rows: readonly OutboxRow[]): Promise<void> {
  if (rows.length === 0) return
  await db.query(
    `delete from bridge.outbox o
      using unnest($1::xid8[], $2::bigint[]) taken (xid, id)
      where o.xid = taken.xid and o.id = taken.id`,
    [rows.map((row) => row.xid), rows.map((row) => row.id)],
  )
}

/**
 * Asks the collector to tell an aggregate's state anew (`announce`), or to forget what was told so that its next change
 * is told again (`forget`). Only the collector writes baselines; requests travel like changes.
 */
export async function request(
  db: Db,
  op: 'announce' | 'forget',
  aggregates: readonly Readonly<{ kind: Kind; id: string }>[],
): Promise<void> {
  if (aggregates.length === 0) return
  await db.query(
    `insert into bridge.outbox (kind, table_name, row_id, op)
     select asked.kind, 'request', asked.id, $3
       from unnest($1::text[], $2::text[]) asked (kind, id)`,
    [aggregates.map(({ kind }) => kind), aggregates.map(({ id }) => id), op],
  )
}

/** Tells the triggers how far collecting has come (for the fuse) and whether to notify. */
export async function writePulse(
  db: Db,
  pulse: Readonly<{ asleep: boolean; collectedId: string }>,
): Promise<void> {
  await db.query(
    `update bridge.pulse set asleep = $1, collected_id = greatest(collected_id, $2::bigint)
      where asleep is distinct from $1 or collected_id < $2::bigint`,
    [pulse.asleep, pulse.collectedId],
  )
}
