import { atStep } from '../observe/steps.ts'
import { Doze } from '../postgres/doze.ts'
import type { Seen } from '../postgres/new-rows.ts'
import type { Pool } from '../postgres/pool.ts'
import type { Chains } from './chains.ts'
import type { QueuedMessage, QueueTables, SentMessage } from './message.ts'
import { listPaused } from './pause.ts'
import { openFullWindow, type Pause, readChains, readNew, readPage, type Window } from './read.ts'

export type LaneReaderOptions = Readonly<{
  pool: Pool
  tables: QueueTables
  chains: Chains
  /** The lanes to be read, with the epochs under which they are owned. */
  lanes(): ReadonlyMap<number, string>
  /**
   * Payloads in memory at which reading pauses. Undefined where the chains have several receivers, each with a bound of its
   * own: a common one would let the slow ones keep out the others.
   */
  mostPayloads: number | undefined
  /** Asked before each read: false ends the reader. */
  isWanted(): boolean
  onReady(): void
  onError(error: unknown): void
}>

const PAGE = 128
const MOST_CHARACTERS = 16_000_000
/** Sent and not yet settled: where PostgreSQL is slow to write, sending waits for it. */
const MOST_UNSETTLED = 4_096
const MOST_CHAINS_PER_READ = 64
const MESSAGES_PER_CHAIN = 16
const MOST_SKIPPED = 1_000
/** Notifications are only a wake-up: a poll finds what none came for. */
const POLL_MILLISECONDS = 250
const ERROR_PAUSE_MILLISECONDS = 250

/**
 * Keeps the chains of this worker's lanes filled: everything at first, page by page; then what is new since the last
 * read. One read at a time, and none while memory is full.
 */
export class LaneReader {
  readonly ended: Promise<void>
  readonly #options: LaneReaderOptions
  #startsOver = true
  readonly #revised = new Set<number>()
  #window: Window | undefined
  #seen: Seen | undefined
  /** Types of which nothing is sent: who changes them revises the lanes. */
  #paused: readonly string[] = []
  readonly #doze = new Doze()
  #readAt = 0
  #reading = false
  #reloadsFirst = false
  #usualLength = 0
  #releaseAfterRead: SentMessage[] = []

  constructor(options: LaneReaderOptions) {
    this.#options = options
    this.ended = this.#run()
  }

  wake(): void {
    this.#readAt = 0
    this.#doze.wake()
  }

  /** The lanes have changed: everything in them is read again, and what is known of `revised` ones forgotten before. */
  startOver(revised: readonly number[] = []): void {
    this.#startsOver = true
    for (const lane of revised) this.#revised.add(lane)
    this.#doze.wake()
  }

  /** Something was sent: there may be room again. */
  wakeIfDrained(): void {
    if (this.#reading || !this.#wantsPage()) return
    if (this.#window !== undefined || this.#options.chains.awaitsReload) this.#doze.wake()
  }

  /**
   * Outcomes are written, so the ids may be read again. A read that is under way began before that and may still bring
   * these rows: it ends first.
   */
  release(messages: readonly SentMessage[]): void {
    if (this.#reading) this.#releaseAfterRead.push(...messages)
    else this.#options.chains.release(messages)
    this.#doze.wake()
  }

  async #run(): Promise<void> {
    while (this.#options.isWanted()) {
      try {
        const didRead = await atStep('lane.read', () => this.#readOnce())
        this.#options.onReady()
        if (!didRead) await this.#doze.rest(this.#restMilliseconds())
      } catch (error) {
        this.#options.onError(error)
        await this.#doze.rest(ERROR_PAUSE_MILLISECONDS)
      }
    }
    this.#options.onReady()
  }

  /**
   * One statement, and what is done with its rows. It ends before the next begins: an aggregate whose failure is released
   * late is passed over by whatever reads it in between.
   */
  async #read<T>(work: () => Promise<T>): Promise<T> {
    this.#reading = true
    try {
      return await work()
    } finally {
      this.#reading = false
      this.#options.chains.release(this.#releaseAfterRead)
      this.#releaseAfterRead = []
    }
  }

  /** The one read that is most wanted now; false where none is. */
  async #readOnce(): Promise<boolean> {
    const { chains } = this.#options
    const owned = this.#options.lanes()
    const lanes = [...owned.keys()]
    if (lanes.length === 0) return false
    if (this.#startsOver) {
      this.#startsOver = false
      // Between two reads: one under way may still bring what was so before the revision.
      chains.startOver(this.#revised)
      this.#revised.clear()
      this.#window = await this.#read(() => this.#openFullWindow(lanes))
      this.#seen = undefined
    }
    if (!this.#wantsPage()) return false
    const room = this.#room()
    // In turns: neither may aggregates with a long tail keep all others out of memory, nor the reverse.
    this.#reloadsFirst = !this.#reloadsFirst
    const reload = () => this.#read(() => this.#reload(room))
    const readOn = () => this.#read(() => this.#readOn(owned, room))
    return this.#reloadsFirst ? (await reload()) || (await readOn()) : (await readOn()) || (await reload())
  }

  /** Reads aggregates again of which the table holds more than memory. */
  async #reload(room: number): Promise<boolean> {
    const { pool, tables, chains } = this.#options
    const most = Math.min(MOST_CHAINS_PER_READ, Math.ceil(room / MESSAGES_PER_CHAIN))
    const due = chains.dueForReload(performance.now(), most)
    if (due.length === 0) return false
    const rows = await readChains(pool, tables, due, MESSAGES_PER_CHAIN, this.#pause)
    for (const [aggregate, messages] of rows) {
      this.#measure(messages)
      chains.replace(aggregate, messages, messages.length === MESSAGES_PER_CHAIN, performance.now())
    }
    return true
  }

  /** Reads forward: the rest of the window, or what is new since. */
  async #readOn(owned: ReadonlyMap<number, string>, room: number): Promise<boolean> {
    const { pool, tables, chains } = this.#options
    if (this.#window) {
      for (const lane of this.#window.positions.keys())
        if (!owned.has(lane)) this.#window.positions.delete(lane)
      if (this.#window.positions.size > 0) {
        const skip = chains.withMore(MOST_SKIPPED)
        this.#append(
          await readPage(pool, tables, this.#window, skip, Math.min(PAGE, room), this.#pause),
          owned,
        )
      }
      if (this.#window.positions.size === 0) {
        this.#seen = this.#window.until
        this.#window = undefined
      }
      return true
    }
    const now = performance.now()
    if (this.#seen === undefined || now - this.#readAt < POLL_MILLISECONDS) return false
    this.#readAt = now
    const read = await readNew(pool, tables, [...owned.keys()], this.#seen, Math.min(PAGE, room), this.#pause)
    if (read === undefined) this.startOver()
    if (read === undefined || this.#startsOver) return true
    this.#seen = read.seen
    this.#window = read.window
    this.#append(read.messages, owned)
    return read.messages.length > 0 || read.window !== undefined
  }

  get #pause(): Pause {
    const types = this.#paused
    return { types, underWay: types.length === 0 ? [] : this.#options.chains.heldIds }
  }

  /** While the read was under way a lane may have gone to another worker: its rows are that one's now. */
  #append(messages: readonly QueuedMessage[], ownedBefore: ReadonlyMap<number, string>): void {
    this.#measure(messages)
    const owned = this.#options.lanes()
    this.#options.chains.append(
      messages.filter(({ lane }) => owned.has(lane) && owned.get(lane) === ownedBefore.get(lane)),
      performance.now(),
    )
  }

  async #openFullWindow(lanes: readonly number[]): Promise<Window> {
    const { pool, tables } = this.#options
    try {
      this.#paused = (await listPaused(pool, tables)).map(({ type }) => type)
      return await openFullWindow(pool, lanes)
    } catch (error) {
      this.#startsOver = true
      throw error
    }
  }

  /**
   * The next page is read shortly before it is sent, unless a slot has nothing to send: a payload that waits for long
   * outlives collections of V8's, which copies it at each of the first two.
   */
  #wantsPage(): boolean {
    const { chains, mostPayloads } = this.#options
    const isNear =
      mostPayloads === undefined || chains.heldPayloads <= mostPayloads / 4 || chains.takeable === 0
    return isNear && this.#room() >= this.#roomForPage()
  }

  /** How many messages may be read now, by number and by the length that they have had of late. */
  #room(): number {
    const { chains, mostPayloads } = this.#options
    const { heldMessages, heldPayloads, heldCharacters } = chains
    if (heldMessages - heldPayloads > MOST_UNSETTLED) return 0
    const byLength = this.#countOf(MOST_CHARACTERS - heldCharacters)
    if (mostPayloads === undefined) return Math.max(byLength, this.#roomForPage())
    return Math.min(mostPayloads - heldPayloads, byLength)
  }

  /** A statement costs what a dozen messages cost: a memory nearly full is not topped up one by one. */
  #roomForPage(): number {
    const { mostPayloads = Number.POSITIVE_INFINITY } = this.#options
    return Math.min(PAGE, mostPayloads / 2, this.#countOf(MOST_CHARACTERS / 8))
  }

  #countOf(characters: number): number {
    return Math.ceil(characters / Math.max(1, this.#usualLength))
  }

  #measure(messages: readonly QueuedMessage[]): void {
    for (const { payload } of messages) this.#usualLength += (payload.length - this.#usualLength) / 32
  }

  #restMilliseconds(): number {
    const now = performance.now()
    const due = this.#options.chains.nextDueAt() ?? Number.POSITIVE_INFINITY
    const poll = Math.max(this.#readAt + POLL_MILLISECONDS, now)
    return Math.min(POLL_MILLISECONDS, Math.max(1, Math.min(poll, due) - now))
  }
}
