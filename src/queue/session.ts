import { atStep } from '../observe/steps.ts'
import type { Membership, Registration } from '../postgres/membership.ts'
import type { Pool } from '../postgres/pool.ts'
import { inTransaction } from '../postgres/transaction.ts'
import { Chains } from './chains.ts'
import { countLostAttempts, giveBackLanes, type Holding, readShare, takeLanes } from './lanes.ts'
import type { Decision, QueuedMessage, QueueTables } from './message.ts'
import { backOffSeconds, isTooOld } from './policy.ts'
import { LaneReader } from './reader.ts'
import { Settler } from './settler.ts'

export type SenderOptions<Permit> = Readonly<{
  pool: Pool
  tables: QueueTables
  membership: Membership
  concurrency: number
  /** Types of which the last acknowledgement is kept, for the echo rule. */
  rememberedTypes: readonly string[]
  /** Resolves when a message may be sent; undefined when the signal came first. Asked for before a message is chosen. */
  permit(signal: AbortSignal): Promise<Permit | undefined>
  /** The permit was not needed after all. */
  giveBack(permit: Permit): void
  /** Sends one message; uses the permit up. Must not reject. */
  send(message: QueuedMessage, permit: Permit, signal: AbortSignal): Promise<Decision>
  onSuperseded(message: QueuedMessage): void
  onError(error: unknown): void
}>

/**
 * One worker's sending under one registration: the lanes it owns, their messages in memory, and as many slots as may be
 * in flight. When the registration is lost all of it is dropped: requests are aborted and nothing more is written.
 */
export class Session<Permit> {
  readonly #options: SenderOptions<Permit>
  readonly #registration: Registration
  readonly #lanes = new Map<number, Holding>()
  readonly #leaving = new Set<number>()
  readonly #chains = new Chains()
  readonly #reader: LaneReader
  readonly #settler: Settler
  readonly #stopping = new AbortController()
  readonly #breakingOff = new AbortController()
  /** Ends the asking for permits: on stop, or when the registration is lost. */
  readonly #taking: AbortSignal
  /** Ends the requests in flight: when the registration is lost, or when stopping takes too long. */
  readonly #inFlight: AbortSignal
  readonly #slots: Promise<void>[]
  #idle: (() => void)[] = []
  #balancing = false

  constructor(options: SenderOptions<Permit>, registration: Registration) {
    this.#options = options
    this.#registration = registration
    this.#taking = AbortSignal.any([registration.signal, this.#stopping.signal])
    this.#inFlight = AbortSignal.any([registration.signal, this.#breakingOff.signal])
    const { pool, tables, concurrency } = options
    this.#settler = new Settler({
      pool,
      tables,
      workerId: registration.id,
      signal: registration.signal,
      rememberedTypes: options.rememberedTypes,
      onSettled: (messages) => this.#reader.release(messages),
      onError: options.onError,
    })
    this.#reader = new LaneReader({
      pool,
      tables,
      chains: this.#chains,
      lanes: () => this.#activeLanes(),
      mostHeld: Math.max(512, 8 * concurrency),
      isWanted: () => this.#isAlive(),
      onReady: () => this.#wakeSlots(),
      onError: options.onError,
    })
    this.#slots = Array.from({ length: concurrency }, () => this.#runSlot())
    this.balance()
  }

  get lanesOwned(): number {
    return this.#lanes.size
  }

  wake(): void {
    this.#reader.wake()
  }

  /** Takes and gives lanes until this worker has its equal share; one look at a time, failures are looked at again. */
  balance(): void {
    if (this.#balancing || !this.#isAlive()) return
    this.#balancing = true
    this.#balanceOnce()
      .catch(this.#options.onError)
      .finally(() => {
        this.#balancing = false
      })
  }

  async #balanceOnce(): Promise<void> {
    const { pool, tables } = this.#options
    const { id } = this.#registration
    const { owned, target } = await readShare(pool, tables, id)
    this.#reconcile(owned)
    if (owned.size < target) await this.#take(target - owned.size)
    const tooMany = this.#lanes.size - this.#leaving.size - target
    for (const lane of [...this.#lanes.keys()]
      .filter((lane) => !this.#leaving.has(lane))
      .slice(0, Math.max(0, tooMany))) {
      this.#leaving.add(lane)
    }
    if (this.#leaving.size > 0) await this.#giveBack(this.#chains.drain(this.#leaving))
  }

  /**
   * An answer may have been lost: the database says what is owned. What it no longer knows of goes, once nothing is in
   * flight. Where a person has changed messages, all that is known of the lane is read anew.
   */
  #reconcile(owned: ReadonlyMap<number, Holding>): void {
    for (const [lane, { epoch }] of this.#lanes) if (owned.get(lane)?.epoch !== epoch) this.#leaving.add(lane)
    const unknown = [...owned].filter(([lane]) => !this.#lanes.has(lane))
    if (unknown.length > 0) this.#own(unknown)
    const revised = [...owned].filter(
      ([lane, { revision }]) => !this.#leaving.has(lane) && this.#lanes.get(lane)?.revision !== revision,
    )
    if (revised.length === 0) return
    for (const [lane, holding] of revised) this.#lanes.set(lane, holding)
    this.#reader.startOver(revised.map(([lane]) => lane))
  }

  #own(lanes: Iterable<readonly [lane: number, holding: Holding]>): void {
    for (const [lane, holding] of lanes) this.#lanes.set(lane, holding)
    this.#reader.startOver()
  }

  async #take(limit: number): Promise<void> {
    const { pool, tables } = this.#options
    const taken = await atStep('lane.take', () =>
      inTransaction(pool, async (db) => {
        const lanes = await takeLanes(db, tables, this.#registration.id, limit)
        const dead = lanes.filter(({ clean }) => !clean).map(({ lane }) => lane)
        await countLostAttempts(db, tables, dead)
        return lanes
      }),
    )
    if (taken.length > 0) this.#own(taken.map(({ lane, epoch, revision }) => [lane, { epoch, revision }]))
  }

  async #giveBack(lanes: readonly number[]): Promise<void> {
    await giveBackLanes(this.#options.pool, this.#options.tables, this.#registration.id, lanes)
    for (const lane of lanes) {
      this.#lanes.delete(lane)
      this.#leaving.delete(lane)
    }
  }

  /** Of a lane that is not owned (any more) none: no lane is ever owned under 0, so nothing is written. */
  #epochOf({ lane }: QueuedMessage): string {
    return this.#lanes.get(lane)?.epoch ?? '0'
  }

  #activeLanes(): ReadonlyMap<number, string> {
    return new Map(
      [...this.#lanes].filter(([lane]) => !this.#leaving.has(lane)).map(([lane, { epoch }]) => [lane, epoch]),
    )
  }

  /** A slot sends one message after the other: the permit first, so that what is then chosen is the newest news. */
  async #runSlot(): Promise<void> {
    while (this.#isAlive()) {
      if (!this.#chains.hasReady) {
        await this.#untilReady()
        continue
      }
      const permit = await this.#options.permit(this.#taking)
      if (permit === undefined) return
      const turn = this.#isAlive() ? this.#chains.take() : undefined
      if (turn === undefined) {
        this.#options.giveBack(permit)
        this.#reader.wake()
        continue
      }
      if (turn.superseded) {
        this.#options.giveBack(permit)
        this.#supersede(turn.message)
      } else await this.#sendOne(turn.message, permit)
    }
  }

  async #sendOne(message: QueuedMessage, permit: Permit): Promise<void> {
    const epoch = this.#epochOf(message)
    const decision = await atStep('send.push', () =>
      this.#options.send(message, permit, this.#inFlight),
    ).catch((error: unknown): Decision => {
      this.#options.onError(error)
      return { do: 'retry', reason: 'The attempt failed by a fault of the bridge; the log tells more.' }
    })
    if (!this.#registration.signal.aborted) this.#follow(message, epoch, decision)
  }

  #follow(message: QueuedMessage, epoch: string, decision: Decision): void {
    const now = performance.now()
    switch (decision.do) {
      case 'acknowledge':
        this.#settler.add({ message, epoch, as: 'done', answer: decision.answer })
        // The next of this aggregate need not wait for the write: after a crash both are sent again, in order.
        this.#chains.finish(message, now)
        break
      case 'hold':
        this.#chains.putBack(message, now)
        break
      case 'park':
        this.#park(message, epoch, decision.reason)
        break
      case 'retry':
        if (isTooOld(message.createdAt, Date.now())) this.#park(message, epoch, decision.reason)
        else {
          const seconds = backOffSeconds(message.attempts + 1, Math.random(), decision.afterSeconds)
          this.#settler.add({ message, epoch, as: 'failing', seconds, reason: decision.reason }, () =>
            this.#chains.block(message, performance.now() + seconds * 1_000, performance.now()),
          )
        }
    }
    this.#wakeSlots()
    this.#reader.wakeIfDrained()
  }

  #park(message: QueuedMessage, epoch: string, reason: string): void {
    this.#settler.add({ message, epoch, as: 'parked', reason }, () => {
      if (message.stateLike) this.#chains.finish(message, performance.now())
      else this.#chains.block(message, Number.POSITIVE_INFINITY, performance.now())
      this.#wakeSlots()
    })
  }

  #supersede(message: QueuedMessage): void {
    this.#settler.add({ message, epoch: this.#epochOf(message), as: 'superseded' })
    this.#chains.finish(message, performance.now())
    this.#options.onSuperseded(message)
  }

  /** Not by the signal alone: a process that was stopped wakes before its timers. */
  #isAlive(): boolean {
    return (
      !this.#stopping.signal.aborted && this.#options.membership.registration()?.id === this.#registration.id
    )
  }

  #untilReady(): Promise<void> {
    return new Promise((resolve) => {
      this.#idle.push(resolve)
    })
  }

  #wakeSlots(): void {
    if (this.#idle.length === 0 || !(this.#chains.hasReady || !this.#isAlive())) return
    const idle = this.#idle
    this.#idle = []
    for (const resolve of idle) resolve()
  }

  async stop(withinMilliseconds: number): Promise<void> {
    this.#stopping.abort()
    this.#reader.wake()
    for (const resolve of this.#idle) resolve()
    const patience = setTimeout(() => this.#breakingOff.abort(), withinMilliseconds)
    await Promise.all([...this.#slots, this.#reader.ended])
    clearTimeout(patience)
    await this.#settler.drained()
    if (this.#registration.signal.aborted) return
    const idle = this.#chains.drain(new Set(this.#lanes.keys()))
    await this.#giveBack(idle).catch(this.#options.onError)
  }
}
