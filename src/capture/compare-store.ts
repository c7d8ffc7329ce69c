import { setTimeout as pause } from 'node:timers/promises'

import { type AggregateKind, KINDS, type Kind } from '../messages/aggregate.ts'
import { STATE_KINDS } from '../messages/state-kinds.ts'
import { isUnreadable } from '../postgres/errors.ts'
import type { Db, Pool } from '../postgres/pool.ts'
import type { Store } from '../store/store.ts'
import type { Drift, Outcome } from './compare.ts'
import {
  compareGone,
  compareOrders,
  compareProducts,
  compareStates,
  OUTBOX_LIMIT,
  partOf,
  type WindowOptions,
  type WindowReport,
} from './compare-window.ts'
import { readSeeded } from './seeding.ts'

export type CompareOptions = WindowOptions &
  Readonly<{
    /** Ends the pass after the windows under way. */
    signal: AbortSignal
    /** Is given the milliseconds that a window took, before the next begins. */
    rest(milliseconds: number): Promise<unknown>
    onProgress(comparison: Comparison): void
  }>

export type KindComparison = {
  compared: number
  drift: Record<Outcome, number>
  underWay: number
  unmapped: number
  /** Why not all of the kind was compared and judged; null where all of it was. */
  unfinished: string | null
  /** That is so because its tables are not as they were: the gap that stands open for that makes reconcile due again. */
  unreadable: boolean
}

export type Comparison = Readonly<{
  kinds: Readonly<Record<Kind, KindComparison>>
  /** The first differences of each kind, with which outcome. */
  listed: Drift[]
}>

const WINDOW = 500
const BASELINES_PER_PAGE = 1_000
/** While one window is compared here, the next is read there. */
const AT_ONCE = 2
const LISTED = 100
/** So many changes may wait before reconcile adds its own: they count for the fuse, and delay what happens now. */
const MOST_WAITING = 10_000
const DRAIN_POLL_MILLISECONDS = 500

const UNJUDGED = `more than ${OUTBOX_LIMIT} changes wait to be collected: what differs cannot be told from what is under way`
const NO_WORKER = `more than ${MOST_WAITING} changes wait, and no worker runs that would collect them`

/**
 * Compares the store with what was announced, kind by kind, in windows of a few hundred roots that are each a short
 * transaction of their own. With `fix` the collector is asked to tell what differs.
 */
export async function compareStore(pool: Pool, store: Store, options: CompareOptions): Promise<Comparison> {
  const comparison: Comparison = {
    kinds: {
      product: emptyComparison(),
      stock: emptyComparison(),
      order: emptyComparison(),
      customer: emptyComparison(),
      stock_transfer: emptyComparison(),
      cart: emptyComparison(),
    },
    listed: [],
  }
  const seeded = await readSeeded(pool)
  for (const kind of store.kinds) {
    if (seeded.has(kind)) {
      await compareKind(pool, store, kind, options, comparison).catch((error: unknown) => {
        if (!isUnreadable(error)) throw error
        finishKind(
          comparison,
          kind,
          `it cannot be read: ${error instanceof Error ? error.message : error}`,
          true,
        )
      })
    } else finishKind(comparison, kind, 'its baselines are still being seeded: nothing was announced yet')
  }
  return comparison
}

async function compareKind(
  pool: Pool,
  store: Store,
  kind: AggregateKind,
  options: CompareOptions,
  comparison: Comparison,
): Promise<void> {
  const state = STATE_KINDS.find((about) => about.kind === kind)
  const compareRoots = (ids: readonly string[]) => {
    if (state) return compareStates(pool, store, state, ids, options)
    return (kind === 'order' ? compareOrders : compareProducts)(pool, store, ids, options)
  }
  const ended =
    (await walk(
      (after) => store.roots(pool, kind, after ?? '0', WINDOW),
      async (ids) => note(comparison, await compareRoots(ids)),
      pool,
      options,
      comparison,
    )) ??
    (await walk(
      (after) => readAnnounced(pool, kind, after ?? ''),
      async (aggregates) => note(comparison, await compareGone(pool, store, kind, aggregates, options)),
      pool,
      options,
      comparison,
    ))
  if (ended !== null) finishKind(comparison, kind, ended)
}

/** Page after page, of which two are in hand at a time. Returns why it ended early, null where it came to the end. */
async function walk(
  readPage: (after: string | undefined) => Promise<string[]>,
  look: (page: readonly string[]) => Promise<void>,
  pool: Pool,
  options: CompareOptions,
  comparison: Comparison,
): Promise<string | null> {
  let last: Promise<string[] | undefined> = Promise.resolve(undefined)
  let failed = false
  const readNext = async (before: Promise<string[] | undefined>) => {
    const page = await before
    return page?.length === 0 ? page : readPage(page?.at(-1))
  }
  const walkOn = async (): Promise<string | null> => {
    for (;;) {
      if (options.fix && !(await hasRoom(pool, options.signal))) return NO_WORKER
      if (options.signal.aborted || failed) return 'it was stopped'
      const began = performance.now()
      last = readNext(last)
      const page = await last
      if (!page || page.length === 0) return null
      await look(page)
      options.onProgress(comparison)
      await options.rest(performance.now() - began)
    }
  }
  const ends = await Promise.allSettled(
    Array.from({ length: AT_ONCE }, () =>
      walkOn().catch((error: unknown) => {
        failed = true
        throw error
      }),
    ),
  )
  for (const end of ends) if (end.status === 'rejected') throw end.reason
  return (
    ends.map((end) => (end.status === 'fulfilled' ? end.value : null)).find((why) => why !== null) ?? null
  )
}

async function readAnnounced(db: Db, kind: AggregateKind, after: string): Promise<string[]> {
  const { rows } = await db.query<{ aggregate: string }>(
    `select aggregate from bridge.baseline where part = $1 and aggregate > $2 order by aggregate limit $3`,
    [partOf(kind), after, BASELINES_PER_PAGE],
  )
  return rows.map(({ aggregate }) => aggregate)
}

/** Waits until the collector has room for more; false where no worker lives that would make any. */
async function hasRoom(db: Db, signal: AbortSignal): Promise<boolean> {
  while (!signal.aborted && !(await isCaughtUp(db))) {
    const { rows } = await db.query('select from bridge.worker where expires_at > clock_timestamp() limit 1')
    if (rows.length === 0) return false
    await pause(DRAIN_POLL_MILLISECONDS)
  }
  return true
}

/** True where no more waits to be collected than reconcile may add to. */
export async function isCaughtUp(db: Db): Promise<boolean> {
  const { rows } = await db.query<{ count: number }>(
    'select count(*)::integer as count from (select from bridge.outbox limit $1) waiting',
    [MOST_WAITING + 1],
  )
  return (rows[0]?.count ?? 0) <= MOST_WAITING
}

function note({ kinds, listed }: Comparison, report: WindowReport): void {
  for (const kind of KINDS) kinds[kind].compared += report.compared[kind] ?? 0
  for (const { kind } of report.unmapped) kinds[kind].unmapped++
  for (const { kind } of report.underWay) {
    kinds[kind].underWay++
    if (!report.judged) kinds[kind].unfinished = UNJUDGED
  }
  for (const drift of report.drift) {
    const counts = kinds[drift.about.kind].drift
    if (driftOf(counts) < LISTED) listed.push(drift)
    counts[drift.outcome]++
  }
}

export function driftOf(counts: Readonly<Record<Outcome, number>>): number {
  return Object.values(counts).reduce((sum, count) => sum + count, 0)
}

function finishKind({ kinds }: Comparison, kind: AggregateKind, reason: string, unreadable = false): void {
  for (const each of kind === 'product' ? [kind, 'stock' as const] : [kind]) {
    kinds[each].unfinished = reason
    kinds[each].unreadable = unreadable
  }
}

function emptyComparison(): KindComparison {
  return {
    compared: 0,
    drift: { changed: 0, untold: 0, gone: 0, unmappable: 0 },
    underWay: 0,
    unmapped: 0,
    unfinished: null,
    unreadable: false,
  }
}
