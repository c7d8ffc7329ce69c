import cron from 'node-cron'

import { applyRepairs, findRepairs } from '../capture/triggers.ts'
import type { Log } from '../observe/log.ts'
import type { Metrics } from '../observe/metrics.ts'
import { refuseCopy } from '../operator/migrate-store.ts'
import { readStatus } from '../operator/show-status.ts'
import { DatabaseError } from '../postgres/errors.ts'
import { type Identity, readInstallation } from '../postgres/installation.ts'
import type { Pool } from '../postgres/pool.ts'
import { dropPartitions, makePartitions } from '../queue/partitions.ts'
import type { Store } from '../store/store.ts'
import { requireSchema } from './store-database.ts'

export type HousekeepingOptions = Readonly<{
  pool: Pool
  store: Store
  metrics: Metrics
  log: Log
  leaseSeconds: number
  historyDays: number
  ledgerDays: number
  identity(): Promise<Identity>
  onError(error: unknown): void
  /** The worker must not go on: the database is a copy, uninstalled, or of a newer release. */
  onFatal(error: DatabaseError): void
}>

const TRIGGERS_MILLISECONDS = 10_000
const INSTALLATION_MILLISECONDS = 60_000
const METRICS_MILLISECONDS = 5_000

/** What a worker looks after besides capturing and delivering. Returns how to end it. */
export function startHousekeeping(options: HousekeepingOptions): () => Promise<void> {
  const { pool, store, metrics, log, onError } = options
  let seenGaps = new Set<string>()

  const duties = [
    every(TRIGGERS_MILLISECONDS, checkTriggers),
    every(INSTALLATION_MILLISECONDS, checkInstallation),
    every(METRICS_MILLISECONDS, measure),
  ]
  const partitions = cron.schedule('17 * * * *', keepPartitions, {
    timezone: 'UTC',
    noOverlap: true,
    logger: {
      info: () => undefined,
      debug: () => undefined,
      warn: (message) => log.warn(message),
      error: (error) => onError(error),
    },
  })
  void keepPartitions()

  async function checkTriggers(): Promise<void> {
    const installation = await readInstallation(pool)
    if (installation && !installation.installed) {
      throw new DatabaseError(
        'not_migrated',
        'spree-bridge was uninstalled from this store: run `spree-bridge migrate` to install it again.',
      )
    }
    const repairs = await findRepairs(pool, store)
    if (repairs.length === 0) return
    for (const { watched, gap } of repairs) {
      log.warn(
        gap
          ? 'triggers were missing: changes went unseen; they are put back'
          : 'triggers are brought up to date',
        {
          table: watched.table,
        },
      )
    }
    await applyRepairs(pool, repairs)
  }

  async function checkInstallation(): Promise<void> {
    await requireSchema(pool)
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
    const gaps = new Set(
      status.gaps.map(({ kind, reason, openedAt }) => `${kind} ${reason} ${openedAt.toISOString()}`),
    )
    for (const gap of gaps) {
      if (seenGaps.has(gap)) continue
      const kind = gap.split(' ')[0] ?? ''
      metrics.gapsTotal.inc({ kind })
      log.error('changes of a kind went unseen: reconcile is due', { kind, gap })
    }
    seenGaps = gaps
  }

  async function keepPartitions(): Promise<void> {
    try {
      await makePartitions(pool, 'bridge.history')
      await makePartitions(pool, 'bridge.stock_ledger')
      await dropPartitions(pool, 'bridge.history', 'finished_at', options.historyDays)
      await dropPartitions(pool, 'bridge.stock_ledger', 'at', options.ledgerDays)
    } catch (error) {
      onError(error)
    }
  }

  function every(milliseconds: number, work: () => Promise<void>): () => Promise<void> {
    let running: Promise<void> = Promise.resolve()
    let busy = false
    const timer = setInterval(() => {
      if (busy) return
      busy = true
      running = work()
        .catch((error: unknown) => (error instanceof DatabaseError ? options.onFatal(error) : onError(error)))
        .finally(() => {
          busy = false
        })
    }, milliseconds)
    return async () => {
      clearInterval(timer)
      await running
    }
  }

  return async () => {
    await partitions.destroy()
    await Promise.all(duties.map((end) => end()))
  }
}
