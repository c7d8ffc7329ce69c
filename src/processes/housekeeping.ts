import cron from 'node-cron'

import { forgetInbox } from '../apply/inbox-messages.ts'
import { openUnreadable, readOpenGaps } from '../capture/gaps.ts'
import { setFuse } from '../capture/outbox.ts'
import { sumUpTally } from '../capture/tally.ts'
import { type Repair, repairTriggers } from '../capture/triggers.ts'
import type { Log } from '../observe/log.ts'
import type { Metrics } from '../observe/metrics.ts'
import { readStatus, type Status } from '../operator/show-status.ts'
import { DatabaseError } from '../postgres/errors.ts'
import { forgetRows } from '../postgres/forget-rows.ts'
import { type Identity, refuseCopy, refuseUninstalled } from '../postgres/installation.ts'
import type { Pool } from '../postgres/pool.ts'
import { dropPartitions, makePartitions } from '../queue/partitions.ts'
import type { LiveStore } from '../store/live-store.ts'
import { cronLogger } from './cron-logger.ts'
import { every, sparingly } from './every.ts'
import { requireSchema } from './store-database.ts'

export type HousekeepingOptions = Readonly<{
  pool: Pool
  store: LiveStore
  metrics: Metrics
  log: Log
  leaseSeconds: number
  historyDays: number
  ledgerDays: number
  fuseRows: number
  /** Of this code, as schema `bridge` counts it. */
  codeVersion: number
  identity(): Promise<Identity>
  /** Told of what the bridge says of itself, every few seconds. */
  onStatus(status: Status): Promise<void>
  onError(error: unknown): void
  /** The worker must not go on: the database is a copy, uninstalled, or of a newer release. */
  onFatal(error: DatabaseError): void
}>

const TRIGGERS_MILLISECONDS = 10_000
const INSTALLATION_MILLISECONDS = 60_000
const METRICS_MILLISECONDS = 5_000
/** A hub repeats for a week at most; this leaves time for a person. */
const INBOX_DAYS = 90
/** Few: the next look comes in 10 s anyway. */
const REPAIR_ATTEMPTS = 5
/** What no repetition mends: somebody has taken the database away from this process. */
const FATAL: ReadonlySet<DatabaseError['code']> = new Set([
  'not_migrated',
  'incomplete',
  'outdated',
  'copied',
])

export type Housekeeping = Readonly<{
  /** Why changes may go unseen at present; undefined while every trigger is in place. */
  unwatched(): string | undefined
  stop(): Promise<void>
}>

/** What a worker looks after besides capturing and delivering: at once, and then in intervals. */
export async function startHousekeeping(options: HousekeepingOptions): Promise<Housekeeping> {
  const { pool, store, metrics, log, onError } = options
  // One that is reconciled at once is a gap all the same.
  const began = new Date()
  const seenGaps = new Set<string>()
  let unwatched: string | undefined = 'the triggers were not looked at yet'
  let readable = false

  // Before anything is settled: rows of a day without a partition go to the default one and keep it from being made.
  await keepTables()
  const duties = [
    every(TRIGGERS_MILLISECONDS, checkTriggers, onDutyError),
    every(INSTALLATION_MILLISECONDS, checkInstallation, onDutyError),
    every(METRICS_MILLISECONDS, tellGaps, onDutyError),
    every(METRICS_MILLISECONDS, sparingly(measure), onDutyError),
  ]
  const partitions = cron.schedule('17 * * * *', keepTables, {
    timezone: 'UTC',
    noOverlap: true,
    logger: cronLogger(log, onError),
  })

  async function checkTriggers(): Promise<void> {
    await requireSchema(pool, options.codeVersion)
    await refuseUninstalled(pool)
    const repairs = await repair()
    // The collector finds out as soon as it reads; but it reads nothing while nothing is recorded.
    if (!readable || repairs.length > 0) {
      const unreadable = await store.unreadable(pool)
      await openUnreadable(pool, [...unreadable.keys()])
      readable = unreadable.size === 0
    }
    for (const { table, gap } of repairs) {
      if (gap) log.error('triggers were missing and are put back: changes in between went unseen', { table })
      else log.info('triggers were brought up to date', { table })
    }
    unwatched = undefined
  }

  async function repair(): Promise<readonly Repair[]> {
    try {
      await store.reopen(pool)
      return await repairTriggers(pool, store, REPAIR_ATTEMPTS)
    } catch (error) {
      unwatched = 'the triggers could not be brought into place, the log says why'
      throw error
    }
  }

  async function checkInstallation(): Promise<void> {
    await requireSchema(pool, options.codeVersion)
    await refuseCopy(pool, await options.identity())
  }

  async function measure(): Promise<void> {
    const status = await readStatus(pool, options.leaseSeconds)
    metrics.outboxRows.set(status.outboxRows)
    metrics.oldestWaitingSeconds.set(
      Math.max(status.oldestMessageSeconds ?? 0, status.oldestChangeSeconds ?? 0),
    )
    metrics.messages.reset()
    for (const { state, type, count } of status.messages) metrics.messages.set({ state, type }, count)
    metrics.paused.reset()
    for (const { type } of status.paused) metrics.paused.set({ type }, 1)
    await options.onStatus(status)
  }

  /** By itself: the rest may take long where much waits, or the database is slow. */
  async function tellGaps(): Promise<void> {
    for (const { id, kind, reason, table } of await readOpenGaps(pool, began)) {
      if (seenGaps.has(id)) continue
      seenGaps.add(id)
      metrics.gapsTotal.inc({ kind })
      log.error('changes of a kind went unseen: reconcile is due', { kind, reason, table })
    }
  }

  async function keepTables(): Promise<void> {
    // Each by itself: a table that somebody holds locked must not keep the others from being looked after.
    for (const keep of [
      () => setFuse(pool, options.fuseRows),
      () => makePartitions(pool, 'bridge.history'),
      () => makePartitions(pool, 'bridge.stock_ledger'),
      () => dropPartitions(pool, 'bridge.history', 'finished_at', options.historyDays),
      () => dropPartitions(pool, 'bridge.stock_ledger', 'at', options.ledgerDays),
      () => forgetInbox(pool, INBOX_DAYS),
      () => forgetRows(pool, 'bridge.gap', 'closed_at', options.historyDays),
      () => sumUpTally(pool, options.historyDays),
    ])
      await keep().catch(onError)
  }

  function onDutyError(error: unknown): void {
    if (error instanceof DatabaseError && FATAL.has(error.code)) options.onFatal(error)
    else onError(error)
  }

  return {
    unwatched: () => unwatched,
    async stop() {
      await partitions.destroy()
      await Promise.all(duties.map((end) => end()))
    },
  }
}
