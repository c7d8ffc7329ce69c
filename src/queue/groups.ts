import type { QueuedMessage } from './message.ts'

/** How the slots and the memory of one worker are shared out, where its messages go to several receivers. */
export type Shares = Readonly<{
  groupOf(message: QueuedMessage): string
  /** Of one receiver at once: in flight, and in memory. */
  mostInFlight: number
  mostHeld: number
  /** How long the messages of all may be together. */
  characters: number
}>

/** The aggregates that share one receiver. */
export type Group = {
  readonly name: string
  inFlight: number
  held: number
  characters: number
  /** Aggregates that can send now, in the order in which they became ready. */
  readonly ready: Set<string>
  /** Aggregates to be read again from the table. */
  readonly reload: Set<string>
}

const UNSHARED: Shares = {
  groupOf: () => '',
  mostInFlight: Number.POSITIVE_INFINITY,
  mostHeld: Number.POSITIVE_INFINITY,
  characters: Number.POSITIVE_INFINITY,
}

/**
 * So much of what is free may be one group's, of the slots and of the memory: so however many receivers never answer, each
 * leaves the more to the others the less is left. One alone comes to as much as it is allowed.
 */
const PART_OF_FREE = 1 / 8

/** The receivers of one worker's messages: each has its part of the slots and of the memory, and they take turns. */
export class Groups {
  readonly #shares: Shares
  readonly #slots: number
  /** In the order of their turns. */
  readonly #groups = new Map<string, Group>()
  #inFlight = 0
  #held = 0
  #characters = 0

  /** Without `shares` all go to one receiver, which may have all slots. */
  constructor(shares: Shares | undefined, slots: number) {
    this.#shares = shares ?? UNSHARED
    this.#slots = shares ? slots : Number.POSITIVE_INFINITY
  }

  get held(): number {
    return this.#held
  }

  get characters(): number {
    return this.#characters
  }

  of(message: QueuedMessage): Group {
    const name = this.#shares.groupOf(message)
    const found = this.#groups.get(name)
    if (found) return found
    const group: Group = { name, inFlight: 0, held: 0, characters: 0, ready: new Set(), reload: new Set() }
    this.#groups.set(name, group)
    return group
  }

  /** A message of it leaves. */
  begin(group: Group): void {
    group.inFlight++
    this.#inFlight++
  }

  end(group: Group): void {
    group.inFlight--
    this.#inFlight--
  }

  /** A payload of so many characters comes into memory. */
  hold(group: Group, characters: number): void {
    group.held++
    group.characters += characters
    this.#held++
    this.#characters += characters
  }

  letGo(group: Group, characters: number): void {
    group.held--
    group.characters -= characters
    this.#held--
    this.#characters -= characters
  }

  /** How many aggregates could send now, one message of each; none, and not one less, where there is no `next`. */
  get takeable(): number {
    let takeable = 0
    const most = this.#mostInFlight()
    for (const { ready, inFlight } of this.#groups.values())
      takeable += Math.max(0, Math.min(ready.size, most - inFlight))
    return takeable
  }

  /** The first group that has a slot and something to send; its next turn comes after that of all others. */
  next(): Group | undefined {
    const most = this.#mostInFlight()
    for (const group of this.#groups.values()) {
      if (group.ready.size === 0 || group.inFlight >= most) continue
      this.#groups.delete(group.name)
      this.#groups.set(group.name, group)
      return group
    }
    return undefined
  }

  /** One that has nothing has room in any case. */
  hasRoom({ held, characters }: Group): boolean {
    const most = (this.#shares.characters - this.#characters) * PART_OF_FREE
    return held === 0 || (held < this.#shares.mostHeld && characters < most)
  }

  #mostInFlight(): number {
    const part = Math.floor((this.#slots - this.#inFlight) * PART_OF_FREE)
    return Math.max(1, Math.min(this.#shares.mostInFlight, part))
  }

  get awaitsReload(): boolean {
    for (const group of this.#groups.values()) if (group.reload.size > 0 && this.hasRoom(group)) return true
    return false
  }

  /** Aggregates to be read again, of groups that have room for what will be read. */
  *toReload(): Iterable<string> {
    for (const group of this.#groups.values()) if (this.hasRoom(group)) yield* group.reload
  }
}
