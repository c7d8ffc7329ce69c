import { setImmediate as nextTurn, setTimeout as pause } from 'node:timers/promises'

export type InGroups<Item, Result> = Readonly<{
  /** The results of those that it could take; where it rejects, none of them has one. */
  work(items: readonly Item[]): Promise<ReadonlyMap<Item, Result>>
  /** Of two that are the same, the second goes with a later group. */
  keyOf(item: Item): string
  /** The most that a group may have. */
  most: number
  failed(error: unknown): void
}>

type Waiting<Item, Result> = Readonly<{ item: Item; settle(result: Result | undefined): void }>

/** For such a part of the time that a group took, as many as it had are waited for. */
const PART_WAITED = 1 / 2
/** However long one took that stood still. */
const MOST_WAITED_MILLISECONDS = 50

/**
 * Group commit: what comes in while a group is worked on is the next group, so a single one goes at once, and the more
 * there are the more go together. Returns what gives an item to the next group; undefined where that could not take it.
 */
export function inGroups<Item, Result>({
  work,
  keyOf,
  most,
  failed,
}: InGroups<Item, Result>): (item: Item) => Promise<Result | undefined> {
  let waiting: Waiting<Item, Result>[] = []
  let isBusy = false
  /** Of the group before: how many they were, and until when so many are waited for. */
  let before = { size: 0, due: 0 }

  async function workThrough(): Promise<void> {
    if (isBusy) return
    isBusy = true
    while (waiting.length > 0) {
      await untilTheyAreBack()
      const group = takeGroup()
      const from = performance.now()
      try {
        const results = await work(group.map(({ item }) => item))
        const now = performance.now()
        const wait = Math.min((now - from) * PART_WAITED, MOST_WAITED_MILLISECONDS)
        before = { size: group.length, due: now + wait }
        for (const { item, settle } of group) settle(results.get(item))
      } catch (error) {
        failed(error)
        for (const { settle } of group) settle(undefined)
      }
    }
    isBusy = false
  }

  /**
   * Those who have just been answered send what they have next: a group that began with the first of them would be of it
   * alone, and keep all others waiting for about as long as one of theirs.
   */
  async function untilTheyAreBack(): Promise<void> {
    while (waiting.length < before.size && performance.now() < before.due) await pause(1)
    for (let known = 0; known < waiting.length && waiting.length < most; ) {
      known = waiting.length
      await nextTurn()
    }
  }

  function takeGroup(): Waiting<Item, Result>[] {
    const group = new Map<string, Waiting<Item, Result>>()
    const later: Waiting<Item, Result>[] = []
    for (const one of waiting) {
      const key = keyOf(one.item)
      if (group.size < most && !group.has(key)) group.set(key, one)
      else later.push(one)
    }
    waiting = later
    return [...group.values()]
  }

  return (item) =>
    new Promise((settle) => {
      waiting.push({ item, settle })
      void workThrough()
    })
}
