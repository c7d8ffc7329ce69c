import { setTimeout as pause } from 'node:timers/promises'

import { atStep } from '../observe/steps.ts'
import type { Pool } from '../postgres/pool.ts'
import type { QueuedMessage, QueueTables } from './message.ts'
import { type Settlement, settle } from './settle.ts'

export type SettlerOptions = Readonly<{
  pool: Pool
  tables: QueueTables
  workerId: string
  /** Aborts with the registration: what is not written by then stays unwritten. */
  signal: AbortSignal
  rememberedTypes: readonly string[]
  onSettled(messages: readonly QueuedMessage[]): void
  onError(error: unknown): void
}>

/** A statement costs a millisecond to plan, whatever it carries; nothing but the history waits for it. */
const GATHER_MILLISECONDS = 20
const MOST_PER_BATCH = 256
const ERROR_PAUSE_MILLISECONDS = 200

/** Gathers outcomes and writes them in batches, one at a time; a batch that fails is written again until it is through. */
export class Settler {
  readonly #options: SettlerOptions
  #waiting: { settlement: Settlement; then: (() => void) | undefined }[] = []
  #writing: Promise<void> | undefined
  #givenUp = false

  constructor(options: SettlerOptions) {
    this.#options = options
  }

  /** `then` runs once the outcome is written. */
  add(settlement: Settlement, then?: () => void): void {
    this.#waiting.push({ settlement, then })
    this.#writing ??= this.#write()
  }

  /**
   * Resolves when all that was added is written. What cannot be written within the limit stays unwritten: those messages
   * will be sent once more, under the same keys.
   */
  async drain(withinMilliseconds: number): Promise<void> {
    const limit = setTimeout(() => {
      this.#givenUp = true
    }, withinMilliseconds)
    await this.#writing
    clearTimeout(limit)
  }

  async #write(): Promise<void> {
    if (this.#waiting.length < MOST_PER_BATCH) await pause(GATHER_MILLISECONDS)
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
      if (this.#waiting.length > 0 && this.#waiting.length < MOST_PER_BATCH) await pause(GATHER_MILLISECONDS)
    }
    this.#writing = undefined
  }

  #writeBatch(settlements: readonly Settlement[]): Promise<void> {
    const { pool, tables, workerId, rememberedTypes } = this.#options
    return atStep('send.settle', () => settle(pool, tables, workerId, settlements, rememberedTypes))
  }
}
