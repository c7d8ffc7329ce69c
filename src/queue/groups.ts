import type { QueuedMessage } from './message.ts'

/** How the slots and the memory of one worker are shared out, where its messages go to several receivers. */
export type Shares = Readonly<{
  groupOf(message: QueuedMessage): string
  /** In flight at once. */
  mostInFlight: number
  /** In memory at once, and how long they may be together. */
  mostHeld: number
  mostCharacters: number
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
  mostCharacters: Number.POSITIVE_INFINITY,
}

/** The receivers of one worker's messages: each has its part of the slots and of the memory, and they take turns. */
export class Groups {
  readonly #shares: Shares
  /** In the order of their turns. */
  readonly #groups = new Map<string, Group>()

  constructor(shares: Shares = UNSHARED) {
    this.#shares = shares
  }

  of(message: QueuedMessage): Group {
    const name = this.#shares.groupOf(message)
    const found = this.#groups.get(name)
    if (found) return found
    const group: Group = { name, inFlight: 0, held: 0, characters: 0, ready: new Set(), reload: new Set() }
    this.#groups.set(name, group)
    return group
  }

  /** How many aggregates could send at once, one message of each. */
  get takeable(): number {
    let takeable = 0
    for (const { ready, inFlight } of this.#groups.values())
      takeable += Math.min(ready.size, this.#shares.mostInFlight - inFlight)
    return takeable
  }

  /** The first group that has a slot and something to send; its next turn comes after that of all others. */
  next(): Group | undefined {
    for (const group of this.#groups.values()) {
      if (group.ready.size === 0 || group.inFlight >= this.#shares.mostInFlight) continue
      this.#groups.delete(group.name)
      this.#groups.set(group.name, group)
      return group
    }
    return undefined
  }

  hasRoom({ held, characters }: Group): boolean {
    return held < this.#shares.mostHeld && characters < this.#shares.mostCharacters
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
