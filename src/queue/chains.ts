import { type Group, Groups, type Shares } from './groups.ts'
import type { QueuedMessage, SentMessage } from './message.ts'
import { BEGINNING, isBefore, type Position } from './position.ts'

/** One aggregate's messages in the order in which they leave. */
type Chain = {
  readonly aggregate: string
  readonly lane: number
  readonly group: Group
  /** Loaded messages not yet being sent, oldest first. */
  loaded: QueuedMessage[]
  /** The table holds messages of this aggregate beyond the loaded ones: read them before anything newer is appended. */
  more: boolean
  busy: boolean
  /** How far the aggregate was read: when nothing is loaded any more, what is still to be sent lies behind it. */
  reach: Position | undefined
  /** Something before `reach` was left in the table: it has to be read from its oldest message on. */
  fromOldest: boolean
  /** Nothing leaves before this time; Infinity while a parked message holds the chain. */
  blockedUntil: number
}

/** A message in memory. Without `characters` it was sent, and only its id is kept. */
type Held = { readonly lane: number; readonly group: Group; characters: number | undefined }

const LOADED_PER_CHAIN = 16
/** An aggregate to be read again, from its beginning or behind a message. */
export type Reload = Readonly<{ aggregate: string; after: Position | undefined }>
/** Aggregates that will be reloaded; `reach` is the farthest of theirs. */
export type WithMore = Readonly<{ aggregates: readonly string[]; reach: Position }>
/** What is to be sent next, or closed unsent because a newer message tells the same state. */
export type Turn = Readonly<{ message: QueuedMessage; superseded: boolean }>

/**
 * The messages that one worker holds in memory: a chain per aggregate, of which one message at a time is under way.
 * Memory only: what is dropped here still lies in the table. Times are those of `performance.now()`.
 *
 * A failing or overlong aggregate keeps no messages here, only the knowledge that there are `more`: so a million messages
 * behind one that fails cost nothing, and the others go on.
 */
export class Chains {
  readonly #chains = new Map<string, Chain>()
  readonly #groups: Groups
  readonly #blocked = new Set<string>()
  /** Ids in memory: loaded, under way, or sent and not yet settled. A row of these is never loaded twice. */
  readonly #held = new Map<string, Held>()

  /** `slots`: how many messages can be in flight. */
  constructor(shares?: Shares, slots = Number.POSITIVE_INFINITY) {
    this.#groups = new Groups(shares, slots)
  }

  /** Messages loaded, under way, or sent and not yet settled. */
  get heldMessages(): number {
    return this.#held.size
  }

  /** Of these, the ones of which the payload is in memory: loaded or under way. */
  get heldPayloads(): number {
    return this.#groups.held
  }

  /** Length of these payloads. */
  get heldCharacters(): number {
    return this.#groups.characters
  }

  /** Messages that could be taken now, one of each chain. */
  get takeable(): number {
    return this.#groups.takeable
  }

  /** Ids that are not read again: loaded, under way, or sent and not yet settled. */
  get heldIds(): readonly string[] {
    return [...this.#held.keys()]
  }

  /** Some aggregate's next messages are still in the table. */
  get awaitsReload(): boolean {
    return this.#groups.awaitsReload
  }

  /** Rows read forward, in the order of the table. Those of a chain that has `more` wait for its reload. */
  append(messages: readonly QueuedMessage[], now: number): void {
    for (const message of messages) {
      if (this.#held.has(message.id)) continue
      const chain = this.#chains.get(message.aggregate) ?? this.#open(message)
      if (chain.more || chain.blockedUntil > now) leaveInTable(chain, message)
      else this.#load(chain, message, now)
      this.#place(chain, now)
    }
  }

  /** The rows of an aggregate as read again; `more` tells that there are further ones. */
  replace(aggregate: string, messages: readonly QueuedMessage[], more: boolean, now: number): void {
    const chain = this.#chains.get(aggregate)
    if (!chain) return
    chain.group.reload.delete(aggregate)
    if (chain.busy) return
    this.#unload(chain)
    chain.more = false
    chain.fromOldest = false
    chain.blockedUntil = 0
    // So far it was read, and no further: of a page full of what is held, nothing may be taken for the end.
    const last = messages.at(-1)
    if (last) chain.reach = { xid: last.xid, id: last.id }
    for (const message of messages) {
      if (this.#held.has(message.id)) continue
      if (chain.more || chain.blockedUntil > now) leaveInTable(chain, message)
      else this.#load(chain, message, now)
    }
    chain.more ||= more
    this.#place(chain, now)
  }

  /** The next message to send: its chain is busy until `finish`. */
  take(): Turn | undefined {
    for (let group = this.#groups.next(); group; group = this.#groups.next()) {
      const [aggregate = ''] = group.ready
      group.ready.delete(aggregate)
      const chain = this.#chains.get(aggregate)
      const head = chain?.loaded.shift()
      if (!chain || !head) continue
      chain.busy = true
      this.#groups.begin(group)
      const superseded =
        head.subject !== null &&
        chain.loaded.some((newer) => newer.subject === head.subject && newer.type === head.type)
      return { message: head, superseded }
    }
    return undefined
  }

  /** The message under way is done with and its chain goes on. Its id stays held until its outcome is written. */
  finish({ id, aggregate }: SentMessage, now: number): void {
    this.#letPayloadGo(this.#held.get(id))
    const chain = this.#chains.get(aggregate)
    if (!chain) return
    this.#settleDown(chain)
    this.#place(chain, now)
  }

  /**
   * The message was not sent after all: it is the first again, behind the other chains that are ready. Where nothing
   * else is loaded it is read again with the rest, since a person may have changed it meanwhile.
   */
  putBack(message: QueuedMessage, now: number): void {
    const chain = this.#chains.get(message.aggregate)
    if (!chain) return
    this.#settleDown(chain)
    chain.loaded.unshift(message)
    if (chain.more && chain.loaded.length === 1) this.#unload(chain)
    this.#place(chain, now)
  }

  /**
   * The message failed and that is written: nothing of its aggregate leaves before `until` (Infinity: before a person
   * acts). Until it is written its chain stays busy, or a reload could pass it by.
   */
  block(message: SentMessage, until: number, now: number): void {
    const chain = this.#chains.get(message.aggregate)
    if (!chain) return
    this.#settleDown(chain)
    this.#blockBy(chain, message, until)
    this.#place(chain, now)
  }

  /** The outcome is written: the ids may be read again (they are gone, or lie there with their new state). */
  release(messages: readonly SentMessage[]): void {
    for (const { id } of messages) this.#drop(id)
  }

  /** Aggregates whose messages are to be read again now: drained with `more`, or blocked until a time that has passed. */
  dueForReload(now: number, limit: number): Reload[] {
    for (const aggregate of this.#blocked) {
      const chain = this.#chains.get(aggregate)
      if (chain && chain.blockedUntil <= now) {
        this.#blocked.delete(aggregate)
        chain.group.reload.add(aggregate)
      }
    }
    const due: Reload[] = []
    for (const aggregate of this.#groups.toReload()) {
      if (due.length === limit) break
      const chain = this.#chains.get(aggregate)
      due.push({ aggregate, after: chain?.fromOldest ? undefined : chain?.reach })
    }
    return due
  }

  /** When the next blocked chain is due, undefined if none will be by itself. */
  nextDueAt(): number | undefined {
    let next = Number.POSITIVE_INFINITY
    for (const aggregate of this.#blocked) {
      next = Math.min(next, this.#chains.get(aggregate)?.blockedUntil ?? Number.POSITIVE_INFINITY)
    }
    return Number.isFinite(next) ? next : undefined
  }

  /** Aggregates of which rows need not be read forward, because they will be reloaded: from behind their reach on. */
  withMore(limit: number): WithMore {
    const aggregates: string[] = []
    let reach = BEGINNING
    for (const chain of this.#chains.values()) {
      if (aggregates.length === limit) break
      if (!chain.more) continue
      aggregates.push(chain.aggregate)
      if (chain.reach && isBefore(reach, chain.reach)) reach = chain.reach
    }
    return { aggregates, reach }
  }

  /**
   * All is read anew. In these lanes a person has changed messages: what is known of them is dropped. The others are passed
   * over where they have `more`, and so is what has come late among what was read of them: they begin with their oldest.
   */
  startOver(revised: ReadonlySet<number>): void {
    for (const chain of this.#chains.values()) {
      if (!revised.has(chain.lane)) {
        if (chain.more) chain.fromOldest = true
        continue
      }
      if (!chain.busy) this.#close(chain)
      else {
        this.#unload(chain)
        chain.more = true
        // What a person has put back may lie before the message under way.
        chain.fromOldest = true
      }
    }
  }

  /** Drops what is not under way of lanes that shall go, and returns those of which nothing is left in flight. */
  drain(lanes: ReadonlySet<number>): number[] {
    const stillBusy = new Set<number>()
    for (const chain of this.#chains.values()) {
      if (!lanes.has(chain.lane)) continue
      if (chain.busy) {
        // Or a busy aggregate would keep its lane here for as long as it has something to send.
        this.#unload(chain)
        chain.more = false
        stillBusy.add(chain.lane)
      } else this.#close(chain)
    }
    for (const { lane } of this.#held.values()) if (lanes.has(lane)) stillBusy.add(lane)
    return [...lanes].filter((lane) => !stillBusy.has(lane))
  }

  #open(message: QueuedMessage): Chain {
    const { aggregate, lane } = message
    const chain: Chain = {
      aggregate,
      lane,
      group: this.#groups.of(message),
      loaded: [],
      more: false,
      busy: false,
      reach: undefined,
      fromOldest: false,
      blockedUntil: 0,
    }
    this.#chains.set(aggregate, chain)
    return chain
  }

  /** Its message is no longer under way. */
  #settleDown(chain: Chain): void {
    if (chain.busy) this.#groups.end(chain.group)
    chain.busy = false
  }

  #load(chain: Chain, message: QueuedMessage, now: number): void {
    if (message.state === 'parked') {
      // Old news that the hub refused holds nothing; a piece of history holds what comes after it.
      if (message.subject === null) this.#blockBy(chain, message, Number.POSITIVE_INFINITY)
    } else if (message.dueAt > now) this.#blockBy(chain, message, message.dueAt)
    else if (chain.loaded.length === LOADED_PER_CHAIN || !this.#groups.hasRoom(chain.group))
      leaveInTable(chain, message)
    else {
      chain.loaded.push(message)
      // Its place only: the message itself would keep its payload in memory.
      if (!chain.reach || isBefore(chain.reach, message)) chain.reach = { xid: message.xid, id: message.id }
      const { lane, payload } = message
      this.#held.set(message.id, { lane, group: chain.group, characters: payload.length })
      this.#groups.hold(chain.group, payload.length)
    }
  }

  /** What is loaded before the blocking message still leaves; from it on the table has to be read again. */
  #blockBy(chain: Chain, message: SentMessage, until: number): void {
    leaveInTable(chain, message)
    if (chain.loaded.length > 0 && chain.loaded.every((loaded) => isBefore(loaded, message))) return
    this.#unload(chain)
    chain.blockedUntil = until
  }

  /** Puts the chain where it belongs: ready, blocked, to be reloaded, or away. */
  #place(chain: Chain, now: number): void {
    const { aggregate, group } = chain
    group.ready.delete(aggregate)
    this.#blocked.delete(aggregate)
    if (chain.busy) return
    if (chain.blockedUntil > now) this.#blocked.add(aggregate)
    else if (chain.loaded.length > 0) group.ready.add(aggregate)
    else if (chain.more) group.reload.add(aggregate)
    else this.#chains.delete(aggregate)
  }

  #unload(chain: Chain): void {
    for (const message of chain.loaded) {
      this.#drop(message.id)
      leaveInTable(chain, message)
    }
    chain.loaded = []
  }

  #drop(id: string): void {
    this.#letPayloadGo(this.#held.get(id))
    this.#held.delete(id)
  }

  #letPayloadGo(held: Held | undefined): void {
    if (held?.characters === undefined) return
    this.#groups.letGo(held.group, held.characters)
    held.characters = undefined
  }

  #close(chain: Chain): void {
    this.#unload(chain)
    this.#chains.delete(chain.aggregate)
    chain.group.ready.delete(chain.aggregate)
    chain.group.reload.delete(chain.aggregate)
    this.#blocked.delete(chain.aggregate)
  }
}

/** The table has to be read again for it: from the oldest on, where it lies before what was loaded already. */
function leaveInTable(chain: Chain, message: SentMessage): void {
  chain.more = true
  if (chain.reach && !isBefore(chain.reach, message)) chain.fromOldest = true
}
