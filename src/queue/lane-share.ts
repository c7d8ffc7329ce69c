import { atStep } from '../observe/steps.ts'
import type { Pool } from '../postgres/pool.ts'
import { inTransaction } from '../postgres/transaction.ts'
import type { Chains } from './chains.ts'
import { countLostAttempts, giveBackLanes, type Holding, readShare, takeLanes } from './lanes.ts'
import type { QueueTables } from './message.ts'

export type LaneShareOptions = Readonly<{
  pool: Pool
  tables: QueueTables
  workerId: string
  chains: Chains
  /** Asked before each step: false where nothing more is to be taken. */
  isWanted(): boolean
  /** Lanes came: everything is to be read again. Of `revised` ones a person has changed messages. */
  onChange(revised: readonly number[]): void
  onError(error: unknown): void
}>

/** The lanes that one registration owns: takes and gives them until they are its equal share. */
export class LaneShare {
  readonly #options: LaneShareOptions
  readonly #owned = new Map<number, Holding>()
  /** Owned, but to be given back as soon as nothing of them is in flight. */
  readonly #leaving = new Set<number>()
  #balancing: Promise<void> | undefined

  constructor(options: LaneShareOptions) {
    this.#options = options
  }

  get size(): number {
    return this.#owned.size
  }

  /** The lanes to be read, with the epochs under which they are owned. */
  get active(): ReadonlyMap<number, string> {
    const active = new Map<number, string>()
    for (const [lane, { epoch }] of this.#owned) if (!this.#leaving.has(lane)) active.set(lane, epoch)
    return active
  }

  /** Of a lane that is not owned (any more) 0: no lane is ever owned under it, so nothing is written. */
  epochOf(lane: number): string {
    return this.#owned.get(lane)?.epoch ?? '0'
  }

  /** One look at the shares; failures are looked at again with the next. */
  balance(): void {
    if (this.#balancing || !this.#options.isWanted()) return
    this.#balancing = this.#balanceOnce()
      .catch(this.#options.onError)
      .finally(() => {
        this.#balancing = undefined
      })
  }

  /** Gives back all of which nothing is in flight, for good. */
  async close(): Promise<void> {
    await this.#balancing
    await this.#giveBack(this.#options.chains.drain(new Set(this.#owned.keys()))).catch(this.#options.onError)
  }

  async #balanceOnce(): Promise<void> {
    const { pool, tables, workerId, chains, isWanted } = this.#options
    const { owned, target } = await readShare(pool, tables, workerId)
    this.#reconcile(owned)
    if (owned.size < target && isWanted()) await this.#take(target - owned.size)
    const tooMany = this.#owned.size - this.#leaving.size - target
    for (const lane of [...this.active.keys()].slice(0, Math.max(0, tooMany))) this.#leaving.add(lane)
    if (this.#leaving.size > 0) await this.#giveBack(chains.drain(this.#leaving))
  }

  /**
   * An answer may have been lost: the database says what is owned. What it no longer knows of goes, once nothing is in
   * flight. Where a person has changed messages, or a taking was not answered, the lane is read anew.
   */
  #reconcile(owned: ReadonlyMap<number, Holding>): void {
    for (const [lane, { epoch }] of this.#owned) if (owned.get(lane)?.epoch !== epoch) this.#leaving.add(lane)
    const revised = [...owned].filter(
      ([lane, { revision }]) => !this.#leaving.has(lane) && this.#owned.get(lane)?.revision !== revision,
    )
    if (revised.length === 0) return
    for (const [lane, holding] of revised) this.#owned.set(lane, holding)
    this.#options.onChange(revised.map(([lane]) => lane))
  }

  async #take(limit: number): Promise<void> {
    const { pool, tables, workerId } = this.#options
    const taken = await atStep('lane.take', () =>
      inTransaction(pool, async (db) => {
        const lanes = await takeLanes(db, tables, workerId, limit)
        const dead = lanes.filter(({ clean }) => !clean).map(({ lane }) => lane)
        await countLostAttempts(db, tables, dead)
        return lanes
      }),
    )
    if (taken.length > 0) this.#own(taken.map(({ lane, epoch, revision }) => [lane, { epoch, revision }]))
  }

  #own(lanes: Iterable<readonly [lane: number, holding: Holding]>): void {
    for (const [lane, holding] of lanes) {
      this.#owned.set(lane, holding)
      this.#leaving.delete(lane)
    }
    this.#options.onChange([])
  }

  async #giveBack(lanes: readonly number[]): Promise<void> {
    await giveBackLanes(this.#options.pool, this.#options.tables, this.#options.workerId, lanes)
    for (const lane of lanes) {
      this.#owned.delete(lane)
      this.#leaving.delete(lane)
    }
  }
}
