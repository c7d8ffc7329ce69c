import { setTimeout as pause } from 'node:timers/promises'

import { atStep } from '../observe/steps.ts'
import { Doze } from '../postgres/doze.ts'
import { isTransient } from '../postgres/errors.ts'
import type { Db, Pool } from '../postgres/pool.ts'
import { inTransaction } from '../postgres/transaction.ts'
import type { QueueTables, SentMessage } from './message.ts'
import { type Settlement, settle } from './settle.ts'

export type SettlerOptions = Readonly<{
  pool: Pool
  tables: QueueTables
  workerId: string
  /** Aborts with the registration: what is not written by then stays unwritten. */
  signal: AbortSignal
  rememberedTypes: readonly string[]
  onSettled(messages: readonly SentMessage[]): void
  onError(error: unknown): void
}>

/** A statement costs a millisecond to plan, whatever it carries; nothing but the history waits for it. */
const GATHER_MILLISECONDS = 50
const MOST_PER_BATCH = 512
const ERROR_PAUSE_MILLISECONDS = 200

/** Gathers outcomes and writes them in batches, one at a time; a batch that fails is written again until it is through. */
export class Settler {
  readonly #options: SettlerOptions
  #waiting: { settlement: Settlement; then: (() => void) | undefined }[] = []
  #writing: Promise<void> | undefined
  #givenUp = false
  #isDraining = false
  readonly #gathering = new Doze()

  constructor(options: SettlerOptions) {
    this.#options = options
  }

  /** `then` runs once the outcome is written. */
  add(settlement: Settlement, then?: () => void): void {
    this.#waiting.push({ settlement, then })
    this.#writing ??= this.#write()
  }

  /**
   * Writes one outcome at once, and what follows from it in the same transaction. Resolves when that is done, with what
   * was written: parked instead, where PostgreSQL refuses it for good. Undefined where the lease is lost before.
   */
  async writeWith(settlement: Settlement, also: (db: Db) => Promise<void>): Promise<Settlement | undefined> {
    const { pool, tables, workerId, rememberedTypes } = this.#options
    let [attempt, follows] = [settlement, also]
    while (!this.#options.signal.aborted && !this.#givenUp) {
      try {
        await inTransaction(
          pool,
          async (db) => {
            const written = await atStep('conclude.settle', () =>
              settle(db, tables, workerId, [attempt], rememberedTypes),
            )
            if (written > 0) await follows(db)
          },
          'read committed',
          (db) => atStep('conclude.commit', () => db.query('commit')),
        )
        this.#options.onSettled([settlement.message])
        return attempt
      } catch (error) {
        this.#options.onError(error)
        if (!isTransient(error)) [attempt, follows] = [parkedFor(settlement, error), async () => {}]
        await pause(ERROR_PAUSE_MILLISECONDS)
      }
    }
    return undefined
  }

  /**
   * Resolves when all that was added is written. What cannot be written within the limit stays unwritten: those messages
   * will be sent once more, under the same keys.
   */
  async drain(withinMilliseconds: number): Promise<void> {
    this.#isDraining = true
    this.#gathering.wake()
    const limit = setTimeout(() => {
      this.#givenUp = true
    }, withinMilliseconds)
    await this.#writing
    clearTimeout(limit)
  }

  /** Nothing more will come once it is drained, so nothing is waited for. */
  async #gather(): Promise<void> {
    if (!this.#isDraining) await this.#gathering.rest(GATHER_MILLISECONDS)
  }

  async #write(): Promise<void> {
    if (this.#waiting.length < MOST_PER_BATCH) await this.#gather()
    while (this.#waiting.length > 0 && !this.#options.signal.aborted && !this.#givenUp) {
      const batch = this.#waiting.slice(0, MOST_PER_BATCH)
      try {
        await this.#writeBatch(batch.map(({ settlement }) => settlement))
      } catch (error) {
        this.#options.onError(error)
        await pause(ERROR_PAUSE_MILLISECONDS)
        continue
      }
      this.#waiting = this.#waiting.slice(batch.length)
      if (this.#options.signal.aborted) break
      for (const { then } of batch) then?.()
      this.#options.onSettled(batch.map(({ settlement }) => settlement.message))
      if (this.#waiting.length > 0 && this.#waiting.length < MOST_PER_BATCH) await this.#gather()
    }
    this.#writing = undefined
  }

  /** One outcome that PostgreSQL refuses for good must not keep the others of its batch from being written. */
  async #writeBatch(settlements: readonly Settlement[]): Promise<void> {
    const { pool, tables, workerId, rememberedTypes } = this.#options
    try {
      await atStep('send.settle', () => settle(pool, tables, workerId, settlements, rememberedTypes))
    } catch (error) {
      const [first, ...others] = settlements
      if (isTransient(error) || !first || first.as === 'parked') throw error
      if (others.length === 0) return this.#writeBatch([parkedFor(first, error)])
      for (const settlement of settlements) await this.#writeBatch([settlement])
    }
  }
}

function parkedFor({ message, epoch }: Settlement, error: unknown): Settlement {
  const reason = `Its outcome could not be written: ${error instanceof Error ? error.message : String(error)}`
  return { message, epoch, as: 'parked', reason, attempts: message.attempts + 1 }
}
