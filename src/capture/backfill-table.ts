import type { Db, Pool } from '../postgres/pool.ts'
import { inTransaction } from '../postgres/transaction.ts'
import { type Entity, kindOf, type Root } from '../store/roots.ts'
import { type Asked, request } from './outbox.ts'

/** What a command asks for, as it was written: by that the same command is known again. Empty where nothing was said. */
export type BackfillKey = Readonly<{ entity: Entity; since: string; condition: string }>

export type Backfill = BackfillKey &
  Readonly<{
    /** The time that `since` meant when it began. */
    sinceAt: Date | null
    /** The last id that was asked for, and the one with which it ends. */
    position: string
    lastId: string
    /** How many there were when it began, and how many were asked for. */
    expected: number
    asked: number
    startedAt: Date
    finishedAt: Date | null
    /** Does a process work at it? */
    running: boolean
  }>

/** A process notes at least so often that it lives. */
const RUNNING_SECONDS = 10

const COLUMNS = `entity, since, condition, since_at as "sinceAt", position, last_id as "lastId",
            expected::float8 as expected, asked::float8 as asked, started_at as "startedAt", finished_at as "finishedAt",
            finished_at is null and coalesce(seen_at, '-infinity') > clock_timestamp() - interval '${RUNNING_SECONDS} seconds' as running`
const BY_KEY = 'entity = $1 and since = $2 and condition = $3'

export async function readBackfill(
  db: Db,
  { entity, since, condition }: BackfillKey,
): Promise<Backfill | undefined> {
  const { rows } = await db.query<Backfill>(`select ${COLUMNS} from bridge.backfill where ${BY_KEY}`, [
    entity,
    since,
    condition,
  ])
  return rows[0]
}

/** Those that have not come to their end. */
export async function listBackfills(db: Db): Promise<Backfill[]> {
  const { rows } = await db.query<Backfill>(
    `select ${COLUMNS} from bridge.backfill where finished_at is null order by started_at`,
  )
  return rows
}

/** Begins, or begins anew; where another process has just begun the same, that is it. */
export async function beginBackfill(
  db: Db,
  { entity, since, condition }: BackfillKey,
  of: Readonly<{ sinceAt: Date | null; lastId: string; expected: number; restart: boolean }>,
): Promise<void> {
  const key = [entity, since, condition]
  if (of.restart) await db.query(`delete from bridge.backfill where ${BY_KEY}`, key)
  await db.query(
    `insert into bridge.backfill (entity, since, condition, since_at, last_id, expected)
     values ($1, $2, $3, $4, $5, $6)
         on conflict do nothing`,
    [...key, of.sinceAt, of.lastId, of.expected],
  )
}

/**
 * One page: its requests, and that they were written, in one transaction. Another process that does the same work may
 * have written this page already; then nothing happens.
 */
export async function askPage(
  pool: Pool,
  { entity, since, condition, position }: Backfill,
  page: readonly Root[],
  isLast: boolean,
): Promise<void> {
  await inTransaction(pool, async (db) => {
    const moved = await db.query(
      `update bridge.backfill
          set position = coalesce($5, position), asked = asked + $6, seen_at = clock_timestamp(),
              finished_at = case when $7 then clock_timestamp() end
        where ${BY_KEY} and position = $4 and finished_at is null
       returning 1`,
      [entity, since, condition, position, page.at(-1)?.id ?? null, page.length, isLast],
    )
    if (moved.rows.length === 0) return
    await request(
      db,
      'backfill',
      page.map((root) => askedOf(entity, root)),
    )
    // As the triggers do: a collector that sleeps need not be waited for.
    await db.query(`select pg_notify('bridge_outbox', '')`)
  })
}

/** That a process waits for room, or works at it no more. */
export async function noteState(
  db: Db,
  { entity, since, condition }: BackfillKey,
  state: 'waits' | 'stopped',
): Promise<void> {
  await db.query(
    `update bridge.backfill set seen_at = case when $4 then clock_timestamp() end where ${BY_KEY}`,
    [entity, since, condition, state === 'waits'],
  )
}

function askedOf(entity: Entity, { id, aggregateId }: Root): Asked {
  if (entity === 'stock') return { kind: 'stock', id: aggregateId, variantId: id }
  return { kind: kindOf(entity), id: aggregateId }
}
