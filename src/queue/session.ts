import { atStep } from '../observe/steps.ts'
import type { Membership, Registration } from '../postgres/membership.ts'
import type { Pool } from '../postgres/pool.ts'
import { Chains } from './chains.ts'
import type { Shares } from './groups.ts'
import { LaneShare } from './lane-share.ts'
import { type Decision, type QueuedMessage, type QueueTables, sentMessage } from './message.ts'
import { backOffSeconds, isTooOld } from './policy.ts'
import { isOldNews } from './read.ts'
import { LaneReader } from './reader.ts'
import type { Settlement } from './settle.ts'
import { Settler } from './settler.ts'

export type SenderOptions<Permit> = Readonly<{
  pool: Pool
  tables: QueueTables
  membership: Membership
  concurrency: number
  /** How the slots are shared out among several receivers; left out where there is one. */
  shares?: Shares
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

/** On stop, for the outcomes that are known and not yet written. */
const SETTLE_WITHIN_MILLISECONDS = 3_000

/**
 * One worker's sending under one registration: the lanes it owns, their messages in memory, and as many slots as may be
 * in flight. When the registration is lost all of it is dropped: requests are aborted and nothing more is written.
 */
export class Session<Permit> {
  readonly #options: SenderOptions<Permit>
  readonly #registration: Registration
  readonly #chains: Chains
  readonly #share: LaneShare
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

  constructor(options: SenderOptions<Permit>, registration: Registration) {
    this.#options = options
    this.#registration = registration
    this.#taking = AbortSignal.any([registration.signal, this.#stopping.signal])
    this.#inFlight = AbortSignal.any([registration.signal, this.#breakingOff.signal])
    const { pool, tables, concurrency, shares } = options
    this.#chains = new Chains(shares, concurrency)
    this.#share = new LaneShare({
      pool,
      tables,
      workerId: registration.id,
      chains: this.#chains,
      isWanted: () => this.#isAlive(),
      onChange: (revised) => this.#reader.startOver(revised),
      onError: options.onError,
    })
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
      lanes: () => this.#share.active,
      mostPayloads: shares ? undefined : Math.max(512, 8 * concurrency),
      isWanted: () => this.#isAlive(),
      onReady: () => this.#wakeSlots(),
      onError: options.onError,
    })
    this.#slots = Array.from({ length: concurrency }, () => this.#runSlot())
    this.balance()
  }

  get lanesOwned(): number {
    return this.#share.size
  }

  wake(): void {
    this.#reader.wake()
  }

  /** A look at the other workers: is this one's share of the lanes still an equal one? */
  balance(): void {
    this.#share.balance()
  }

  /** A slot sends one message after the other: the permit first, so that what is then chosen is the newest news. */
  async #runSlot(): Promise<void> {
    while (this.#isAlive()) {
      if (this.#chains.takeable === 0) {
        await this.#untilReady()
        continue
      }
      const permit = await this.#options.permit(this.#taking)
      if (permit === undefined) return
      const turn = this.#isAlive() ? this.#chains.take() : undefined
      if (turn === undefined) {
        this.#options.giveBack(permit)
        continue
      }
      if (turn.superseded) {
        this.#options.giveBack(permit)
        this.#supersede(turn.message)
      } else await this.#sendOne(turn.message, permit)
    }
  }

  async #sendOne(message: QueuedMessage, permit: Permit): Promise<void> {
    const epoch = this.#share.epochOf(message.lane)
    const decision = await this.#attempt(message, permit)
    if (this.#registration.signal.aborted) return
    if (decision.do === 'supersede') this.#supersede(message)
    else if (decision.do === 'hold') this.#chains.putBack(message, performance.now())
    else {
      const settlement = settlementOf(message, epoch, decision)
      if (decision.also) {
        const written = await this.#settler.writeWith(settlement, decision.also)
        if (written) this.#goOn(written)
      } else this.#settle(settlement)
    }
    this.#wakeSlots()
    this.#reader.wakeIfDrained()
  }

  async #attempt(message: QueuedMessage, permit: Permit): Promise<Decision | { do: 'supersede' }> {
    try {
      if (await this.#isOldNews(message, permit)) return { do: 'supersede' }
      return await atStep('send.push', () => this.#options.send(message, permit, this.#inFlight))
    } catch (error) {
      this.#options.onError(error)
      return { do: 'retry', reason: 'The attempt failed by a fault of the bridge; the log tells more.' }
    }
  }

  /**
   * What was parked holds nothing while it tells a state: newer news may have left before a person put it back. Where that
   * is so, or cannot be found out, nothing is sent.
   */
  async #isOldNews(message: QueuedMessage, permit: Permit): Promise<boolean> {
    if (!message.hasFailed || message.subject === null) return false
    let isCurrent = false
    try {
      isCurrent = !(await isOldNews(this.#options.pool, this.#options.tables, message))
      return !isCurrent
    } finally {
      if (!isCurrent) this.#options.giveBack(permit)
    }
  }

  #settle(settlement: Settlement): void {
    if (settlement.as === 'failing' || settlement.as === 'parked') {
      this.#settler.add(settlement, () => this.#goOn(settlement))
      return
    }
    this.#settler.add(settlement)
    // The next of this aggregate need not wait for the write: after a crash both are sent again, in order.
    this.#goOn(settlement)
  }

  /** What its outcome means for the chain of a message. */
  #goOn(settlement: Settlement): void {
    const { message, as } = settlement
    const now = performance.now()
    if (as === 'failing') this.#chains.block(message, now + settlement.seconds * 1_000, now)
    else if (as === 'parked' && message.subject === null)
      this.#chains.block(message, Number.POSITIVE_INFINITY, now)
    else this.#chains.finish(message, now)
    this.#wakeSlots()
  }

  #supersede(message: QueuedMessage): void {
    const epoch = this.#share.epochOf(message.lane)
    this.#settle({ message: sentMessage(message), epoch, as: 'superseded' })
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

  /** As many as there is work for, or all when it is over. */
  #wakeSlots(): void {
    if (this.#idle.length === 0) return
    const wanted = this.#isAlive() ? this.#chains.takeable : this.#idle.length
    for (const resolve of this.#idle.splice(0, wanted)) resolve()
  }

  async stop(withinMilliseconds: number): Promise<void> {
    this.#stopping.abort()
    this.#reader.wake()
    this.#wakeSlots()
    const patience = setTimeout(() => this.#breakingOff.abort(), withinMilliseconds)
    await Promise.all([...this.#slots, this.#reader.ended])
    clearTimeout(patience)
    await this.#settler.drain(SETTLE_WITHIN_MILLISECONDS)
    if (this.#registration.signal.aborted) return
    await this.#share.close()
  }
}

function settlementOf(
  queued: QueuedMessage,
  epoch: string,
  decision: Exclude<Decision, { do: 'hold' }>,
): Settlement {
  const message = sentMessage(queued)
  switch (decision.do) {
    case 'acknowledge':
      return { message, epoch, as: 'done', answer: decision.answer }
    case 'park':
      return { message, epoch, as: 'parked', reason: decision.reason, attempts: message.attempts + 1 }
    case 'wait': {
      const { reason, seconds } = decision
      return { message, epoch, as: 'failing', seconds, reason, attempts: message.attempts }
    }
    case 'retry': {
      const { reason, afterSeconds } = decision
      const attempts = message.attempts + 1
      if (isTooOld(queued, Date.now())) return { message, epoch, as: 'parked', reason, attempts }
      const seconds = backOffSeconds(attempts, Math.random(), afterSeconds)
      return { message, epoch, as: 'failing', seconds, reason, attempts }
    }
  }
}
