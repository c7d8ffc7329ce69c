import { setTimeout as pause } from 'node:timers/promises'

import cron from 'node-cron'
import { driftOf, isCaughtUp } from '../capture/compare-store.ts'
import { judgeGaps, SEEDING } from '../capture/gaps.ts'
import type { Log } from '../observe/log.ts'
import type { Metrics } from '../observe/metrics.ts'
import { type Reconciliation, reconcileStore } from '../operator/reconcile-store.ts'
import type { Pool } from '../postgres/pool.ts'
import type { Store } from '../store/store.ts'
import { cronLogger } from './cron-logger.ts'
import { every } from './every.ts'

export type ReconcileDutyOptions = Readonly<{
  pool: Pool
  store: Store
  stockMessages: 'change' | 'actual'
  stockBy?: 'variant' | 'location'
  /** `HH:MM` by UTC, or `off`. */
  at: string
  /** Only the worker that collects reconciles: so one does at a time. */
  isCollecting(): boolean
  metrics: Metrics
  log: Log
  onError(error: unknown): void
}>

const LOOK_MILLISECONDS = 1_000
/** A night's call that other workers give as well is one call. */
const SAME_CALL_MINUTES = 30
/** For transactions that may have to do with a gap: on a busy store some are always open, but none for long. */
const GAP_WAIT_MILLISECONDS = 1_000
/** Below what a worker waits for an answer. */
const PROOF_WITHIN_MILLISECONDS = 8_000
/** A pass that ended early is repeated after this. */
const AGAIN_MINUTES = 10

/**
 * Reconciles by itself: nightly, and soon after a gap was recorded. What is due stands in the database, so that it is
 * done by whichever worker collects, and visible until it is.
 */
export function startReconcileDuty(options: ReconcileDutyOptions): Readonly<{ stop(): Promise<void> }> {
  const { pool, log, onError } = options
  const stopping = new AbortController()
  const nightly =
    options.at === 'off'
      ? undefined
      : schedule(options, () => makeDue(pool, SAME_CALL_MINUTES).catch(onError))
  const end = every(LOOK_MILLISECONDS, reconcileIfDue, onError)

  async function reconcileIfDue(): Promise<void> {
    if (!options.isCollecting()) return
    const gapAt = await newestClosableGap(options)
    if (gapAt) await makeDueForGap(pool, gapAt)
    if (!(await isDue(pool)) || !(await isCaughtUp(pool))) return
    const losing = new AbortController()
    const signal = AbortSignal.any([stopping.signal, losing.signal])
    const reconciliation = await reconcileStore({
      ...options,
      fix: true,
      proofWithinMilliseconds: PROOF_WITHIN_MILLISECONDS,
      signal,
      // Half of the time at most: what happens now goes first.
      rest: (milliseconds) => pause(milliseconds, undefined, { signal }).catch(() => undefined),
      onProgress() {
        if (!options.isCollecting()) losing.abort()
      },
    })
    tell(reconciliation, log, options.metrics)
  }

  return {
    async stop() {
      stopping.abort()
      await nightly?.destroy()
      await end()
    },
  }
}

function schedule({ at, log, onError }: ReconcileDutyOptions, call: () => Promise<void>) {
  const [hour, minute] = at.split(':')
  return cron.schedule(`${Number(minute)} ${Number(hour)} * * *`, call, {
    timezone: 'UTC',
    noOverlap: true,
    logger: cronLogger(log, onError),
  })
}

/**
 * When the newest opened of those that a pass would close. One that still goes on is not worth a pass: it would stay open.
 * Those of kinds that are still being seeded are waited for: one pass closes them all.
 */
async function newestClosableGap({ pool, store }: ReconcileDutyOptions): Promise<Date | undefined> {
  const gaps = await judgeGaps(pool, store, GAP_WAIT_MILLISECONDS)
  if (gaps.some(({ keptOpen }) => keptOpen === SEEDING)) return undefined
  return gaps.findLast(({ keptOpen }) => keptOpen === null)?.openedAt
}

/** Due now; where a pass has ended early, once for each gap that has opened since that began. */
async function makeDueForGap(pool: Pool, openedAt: Date): Promise<void> {
  await pool.query(
    `update bridge.reconciliation
        set due_at = clock_timestamp()
      where due_at is null
         or (due_at <= started_at and started_at < $1)`,
    [openedAt],
  )
}

/** Due now, unless it was begun less than so many minutes ago. */
async function makeDue(pool: Pool, minutes: number): Promise<void> {
  await pool.query(
    `update bridge.reconciliation
        set due_at = clock_timestamp()
      where due_at is null
        and (started_at is null or started_at <= clock_timestamp() - make_interval(mins => $1))`,
    [minutes],
  )
}

/** One that ended early is tried again after a while. */
async function isDue(pool: Pool): Promise<boolean> {
  const { rows } = await pool.query(
    `select from bridge.reconciliation
      where due_at is not null
        and (started_at is null or started_at < due_at
             or started_at < clock_timestamp() - make_interval(mins => $1))`,
    [AGAIN_MINUTES],
  )
  return rows.length > 0
}

function tell({ kinds, gaps, proof, clean }: Reconciliation, log: Log, metrics: Metrics): void {
  const compared = Object.fromEntries(Object.entries(kinds).map(([kind, of]) => [kind, of.compared]))
  for (const [kind, { drift }] of Object.entries(kinds)) {
    for (const [outcome, count] of Object.entries(drift)) metrics.driftTotal.inc({ kind, outcome }, count)
  }
  const found = Object.values(kinds).reduce((sum, { drift }) => sum + driftOf(drift), 0)
  const closed = gaps.filter((gap) => gap.closed).length
  if (found > 0)
    log.warn('the store was not as it was announced: what differs is announced now', {
      ...compared,
      found,
      gaps: closed,
    })
  else log.info('the store is as it was announced', { ...compared, gaps: closed })
  if (proof === null)
    log.info('what became of all that came takes too long to be counted here: `reconcile` does')
  if (clean) return
  const left = gaps.flatMap(({ kind, keptOpen }) => (keptOpen ? [`${kind}: ${keptOpen}`] : []))
  const unfinished = Object.entries(kinds).flatMap(([kind, { unfinished: why }]) =>
    why ? [`${kind}: ${why}`] : [],
  )
  log.warn('reconciling left something to do', { gaps_left: left, unfinished, broken: proof?.broken })
}
