import { setTimeout as pause } from 'node:timers/promises'

import { type AggregateKind, aggregateKindOf, type Kind } from '../messages/aggregate.ts'
import { parseSnapshot, type Snapshot } from '../postgres/new-rows.ts'
import type { Db, Pool } from '../postgres/pool.ts'
import type { Store } from '../store/store.ts'
import { FUSE_FACTOR } from './capture-function.ts'
import type { OutboxRow } from './outbox-row.ts'
import { readSeeded } from './seeding.ts'
import { findRepairs } from './triggers.ts'

/** A time in which changes of a kind were not recorded. */
export type Gap = Readonly<{ id: string; kind: Kind; reason: string; table: string | null; openedAt: Date }>

/** A gap as a pass finds it: what keeps it open whatever the pass finds, or null where a whole pass closes it. */
export type JudgedGap = Gap & Readonly<{ keptOpen: string | null }>

const POLL_MILLISECONDS = 100

/** Until then nothing is known to be told, and a gap of the kind stays open. */
export const SEEDING = 'its baselines are still being seeded'

/** Gaps that nobody has reconciled to the end yet, the oldest first; with `since`, those too that were still open then. */
export async function readOpenGaps(db: Db, since?: Date): Promise<Gap[]> {
  const { rows } = await db.query<{
    id: string
    kind: Kind
    reason: string
    table_name: string | null
    opened_at: Date
  }>(
    `select id, kind, reason, table_name, opened_at
       from bridge.gap
      where coalesce(closed_at, 'infinity') >= coalesce($1::timestamptz, 'infinity')
      order by opened_at, id`,
    [since ?? null],
  )
  return rows.map(({ table_name, opened_at, ...gap }) => ({ ...gap, table: table_name, openedAt: opened_at }))
}

/** Of these it is not certain that who wrote meanwhile has ended: nothing was locked. */
const LEAVES_WRITERS = ['fuse', 'unreadable']

/**
 * Notes that of these kinds something may go unseen from now on. Their tables are not as they were: what is written into a
 * column that has another name now the triggers take for no change.
 */
export async function openUnreadable(db: Db, kinds: readonly Kind[]): Promise<void> {
  await db.query(
    `insert into bridge.gap (kind, reason)
     select k, 'unreadable'
       from unnest($1::text[]) k
      where not exists (select from bridge.gap g where g.kind = k and g.reason = 'unreadable' and g.closed_at is null)`,
    [kinds],
  )
}

/**
 * Notes that changes were recorded under the names of tables that are not watched any more: of what they changed nothing
 * is known. So it is where an upgrade of the shop renames a table while changes of it wait.
 */
export async function openUnknown(
  db: Db,
  changes: readonly Pick<OutboxRow, 'kind' | 'tableName'>[],
): Promise<void> {
  await db.query(
    `insert into bridge.gap (kind, reason, table_name)
     select distinct c.kind, 'unknown_table', c.table_name
       from unnest($1::text[], $2::text[]) c (kind, table_name)
      where not exists (
        select from bridge.gap g
         where g.kind = c.kind and g.reason = 'unknown_table' and g.table_name = c.table_name and g.closed_at is null)`,
    [changes.map(({ kind }) => kind), changes.map(({ tableName }) => tableName)],
  )
}

/**
 * A pass is looking after all gaps that are open: what goes unseen from now on is a gap of its own, which that pass does not
 * close. Whoever opens one looks for one that nobody looks after. To be called before they are judged.
 */
export async function takeUpGaps(db: Db): Promise<void> {
  await db.query(`update bridge.gap set closed_at = 'infinity' where closed_at is null`)
}

/**
 * The open gaps before a pass begins. A gap that still goes on cannot be closed: triggers that are missing, a fuse that
 * is blown, tables that cannot be read or whose triggers do not know yet how they are now, and what is still being
 * seeded. Nor one that left writers alone as long as a transaction runs that may have written meanwhile, unseen, and
 * not committed yet; for such transactions this waits a while. (Triggers come and go under a lock that waits for
 * writers.)
 */
export async function judgeGaps(pool: Pool, store: Store, waitMilliseconds: number): Promise<JudgedGap[]> {
  const gaps = await readOpenGaps(pool)
  if (gaps.length === 0) return []
  const repairs = await findRepairs(pool, store)
  const kindsOf = (tables: ReadonlySet<string>) =>
    new Set(store.watched.flatMap(({ table, kind }) => (tables.has(table) ? [kind] : [])))
  const unwatched = kindsOf(new Set(repairs.flatMap(({ table, unseen }) => (unseen ? [table] : []))))
  const outdated = kindsOf(new Set(repairs.map(({ table }) => table)))
  const unreadable = gaps.some(({ reason }) => reason === 'unreadable')
    ? await store.unreadable(pool)
    : undefined
  const seeded = await readSeeded(pool)
  const isSeeding = (kind: AggregateKind) => store.kinds.includes(kind) && !seeded.has(kind)
  const { waiting, fuseRows, snapshot } = await readFuse(pool)
  const isBlown = (kind: Kind) => waiting > fuseRows * FUSE_FACTOR[kind]
  const leavesWriters = ({ reason }: Gap) => LEAVES_WRITERS.includes(reason)
  const settled = !gaps.some(leavesWriters) || (await haveEnded(pool, snapshot, waitMilliseconds))
  return gaps.map((gap) => {
    const keptOpen = unwatched.has(gap.kind)
      ? 'triggers are missing at present'
      : isBlown(gap.kind)
        ? 'the fuse is blown: changes go unrecorded until the collector has caught up'
        : gap.reason === 'unreadable' && (unreadable?.has(gap.kind) || outdated.has(gap.kind))
          ? 'its tables are not as the triggers know them'
          : isSeeding(aggregateKindOf(gap.kind))
            ? SEEDING
            : leavesWriters(gap) && !settled
              ? 'a transaction is open that may have written meanwhile'
              : null
    return { ...gap, keptOpen }
  })
}

/** Closes gaps that were taken up, and leaves the others open to whoever comes next. */
export async function closeGaps(db: Db, gaps: readonly Gap[]): Promise<void> {
  await db.query(
    `update bridge.gap
        set closed_at = case when id = any($1::bigint[]) then clock_timestamp() end
      where closed_at = 'infinity'`,
    [gaps.map(({ id }) => id)],
  )
}

async function readFuse(db: Db) {
  const { rows } = await db.query<{ waiting: number; fuse_rows: number }>(
    `select (s.last_value - p.last_value)::float8 as waiting, f.last_value::float8 as fuse_rows
       from bridge.outbox_id_seq s cross join bridge.pulse_collected_id p cross join bridge.pulse_fuse_rows f`,
  )
  const [fuse] = rows
  if (!fuse) throw new Error('a sequence of bridge has no value')
  // Sequences know no snapshots: whoever read them before us and found the fuse blown is in the one taken now, if not over.
  return { waiting: fuse.waiting, fuseRows: fuse.fuse_rows, snapshot: await readSnapshot(db) }
}

async function readSnapshot(db: Db): Promise<Snapshot> {
  const { rows } = await db.query<{ snapshot: string }>('select pg_current_snapshot()::text as snapshot')
  return parseSnapshot(rows[0]?.snapshot ?? '')
}

/** Has every transaction ended that was in progress then? */
async function haveEnded(db: Db, then: Snapshot, waitMilliseconds: number): Promise<boolean> {
  const deadline = performance.now() + waitMilliseconds
  for (;;) {
    const { inProgress } = await readSnapshot(db)
    if (![...then.inProgress].some((xid) => inProgress.has(xid))) return true
    if (performance.now() > deadline) return false
    await pause(POLL_MILLISECONDS)
  }
}
