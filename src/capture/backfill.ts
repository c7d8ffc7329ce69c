import { setTimeout as pause } from 'node:timers/promises'

import type { Db, Pool } from '../postgres/pool.ts'
import { inTransaction } from '../postgres/transaction.ts'
import { countMoving } from '../queue/look.ts'
import { BRIDGE_QUEUE } from '../queue/message.ts'
import {
  ConditionError,
  countRoots,
  type Entity,
  kindOf,
  type RootFilter,
  readRoots,
} from '../store/roots.ts'
import type { Store } from '../store/store.ts'
import { Pace } from './backfill-pace.ts'
import {
  askPage,
  type Backfill,
  type BackfillKey,
  beginBackfill,
  noteState,
  readBackfill,
} from './backfill-table.ts'
import { readSeeded } from './seeding.ts'

export type BackfillOptions = Readonly<{
  pool: Pool
  store: Store
  entities: readonly Entity[]
  /** As it was written, by which the same command is known again, and what it means now. */
  since: Readonly<{ text: string; at: Date }> | undefined
  condition: string | undefined
  restart: boolean
  /** Ends it after the page under way. */
  signal: AbortSignal
  onProgress(backfill: Backfill, waitsFor: string | undefined): void
}>

/** How one entity's part ended: `before` is when an earlier command had done it; `unfinished` says why it is not done. */
export type BackfillEnd = Readonly<{
  entity: Entity
  expected: number
  asked: number
  before: Date | null
  unfinished: string | null
}>

/** Looks whether there is room: as long as there is none, less and less often. */
const FIRST_LOOK_MILLISECONDS = 25
const LAST_LOOK_MILLISECONDS = 1_000
/** Of what is under way no more is counted. */
const COUNTED = 2_000

const STOPPED = 'it was stopped'
const NO_WORKER = 'no worker runs that would collect what was asked for'

/** How much a backfill would ask for. Writes nothing. @throws ConditionError */
export async function countBackfill(
  options: Pick<BackfillOptions, 'pool' | 'store' | 'entities' | 'since' | 'condition'>,
): Promise<{ entity: Entity; count: number }[]> {
  const counts: { entity: Entity; count: number }[] = []
  for (const entity of options.entities) {
    const { count } = await countRoots(options.pool, options.store, entity, filterOf(options))
    counts.push({ entity, count })
  }
  return counts
}

/**
 * Asks the collector, page by page, to tell what is there to those who know nothing of it. A page and the place it was at
 * are one transaction: after a crash the same command goes on with the next, and what was done is not done again. It asks
 * for no more than leaves in about half a second, so that what the shop does meanwhile waits no longer.
 * @throws ConditionError before anything is written.
 */
export async function backfillStore(options: BackfillOptions): Promise<BackfillEnd[]> {
  const { pool, store, restart } = options
  const keys = options.entities.map((entity) => keyOf(entity, options))
  const known = restart ? [] : await Promise.all(keys.map((key) => readBackfill(pool, key)))
  const counts = new Map<BackfillKey, Awaited<ReturnType<typeof countRoots>>>()
  for (const [index, key] of keys.entries())
    if (!known[index]) counts.set(key, await countRoots(pool, store, key.entity, filterOf(options)))
  for (const [key, { count, lastId }] of counts)
    await beginBackfill(pool, key, { sinceAt: options.since?.at ?? null, lastId, expected: count, restart })

  const ends: BackfillEnd[] = []
  for (const [index, key] of keys.entries()) {
    const before = known[index]?.finishedAt ?? null
    const unfinished = before === null ? await runBackfill(key, options) : null
    if (unfinished !== null) await noteState(pool, key, 'stopped')
    const { expected, asked } = await readBegun(pool, key)
    ends.push({ entity: key.entity, expected, asked, before, unfinished })
  }
  return ends
}

/** Null where it came to its end, else why it did not. */
async function runBackfill(key: BackfillKey, options: BackfillOptions): Promise<string | null> {
  const { pool, store, onProgress } = options
  const pace = new Pace()
  for (;;) {
    const backfill = await readBegun(pool, key)
    if (backfill.finishedAt !== null) return null
    const room = await waitForRoom(pace, backfill, options)
    if (typeof room === 'string') return room
    const page = await readRoots(pool, store, key.entity, filterOfBegun(backfill), {
      after: backfill.position,
      upTo: backfill.lastId,
      limit: room,
    }).catch(failureOf)
    if (typeof page === 'string') return page
    await askPage(pool, backfill, page, page.length < room)
    pace.asked(page.length)
    onProgress({ ...backfill, asked: backfill.asked + page.length }, undefined)
  }
}

/** What the condition meets in rows that were not there when it was looked at first. */
function failureOf(error: unknown): string {
  if (error instanceof ConditionError) return `the condition failed (${error.message})`
  throw error
}

async function waitForRoom(
  pace: Pace,
  backfill: Backfill,
  { pool, signal, onProgress }: BackfillOptions,
): Promise<number | string> {
  let seenAt = performance.now()
  for (let look = FIRST_LOOK_MILLISECONDS; ; look = Math.min(look * 2, LAST_LOOK_MILLISECONDS)) {
    if (signal.aborted) return STOPPED
    const seeded = await readSeeded(pool)
    const underWay = await countUnderWay(pool)
    const page = pace.room(underWay, performance.now())
    const isKnown = seeded.has(backfill.entity === 'stock' ? 'product' : kindOf(backfill.entity))
    if (isKnown && page > 0) return page
    if (!(await hasLiveWorker(pool))) return NO_WORKER
    onProgress(
      backfill,
      isKnown ? `${underWay} messages that wait` : 'the worker, which still takes in what there is',
    )
    if (performance.now() - seenAt > LAST_LOOK_MILLISECONDS) {
      seenAt = performance.now()
      await noteState(pool, backfill, 'waits')
    }
    await pause(look, undefined, { signal }).catch(() => undefined)
  }
}

/** What was asked for and not yet collected, and what waits to be sent: as of one moment, or what is collected counts twice. */
function countUnderWay(pool: Pool): Promise<number> {
  return inTransaction(
    pool,
    async (db) => {
      const [{ rows }, moving] = await Promise.all([
        db.query<{ count: number }>(
          `select count(*)::integer as count
             from (select from bridge.outbox where table_name = 'request' limit $1) asked`,
          [COUNTED],
        ),
        countMoving(db, BRIDGE_QUEUE, COUNTED),
      ])
      return (rows[0]?.count ?? 0) + moving
    },
    'repeatable read',
  )
}

async function hasLiveWorker(db: Db): Promise<boolean> {
  const { rows } = await db.query('select from bridge.worker where expires_at > clock_timestamp() limit 1')
  return rows.length > 0
}

async function readBegun(db: Db, key: BackfillKey): Promise<Backfill> {
  const backfill = await readBackfill(db, key)
  if (!backfill) throw new Error('The row of a backfill under way is gone from bridge.backfill.')
  return backfill
}

function keyOf(
  entity: Entity,
  { since, condition }: Pick<BackfillOptions, 'since' | 'condition'>,
): BackfillKey {
  return { entity, since: since?.text ?? '', condition: condition ?? '' }
}

function filterOf({ since, condition }: Pick<BackfillOptions, 'since' | 'condition'>): RootFilter {
  return { since: since?.at ?? null, condition: condition ?? null }
}

/** What `2h` meant when it began, not what it means today. */
function filterOfBegun({ sinceAt, condition }: Backfill): RootFilter {
  return { since: sinceAt, condition: condition === '' ? null : condition }
}
