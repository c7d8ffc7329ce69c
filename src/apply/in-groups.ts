import { setImmediate as nextTurn } from 'node:timers/promises'

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

  async function workThrough(): Promise<void> {
    if (isBusy) return
    isBusy = true
    while (waiting.length > 0) {
      await untilNoneComes()
      const group = takeGroup()
      try {
        const results = await work(group.map(({ item }) => item))
        for (const { item, settle } of group) settle(results.get(item))
      } catch (error) {
        failed(error)
        for (const { settle } of group) settle(undefined)
      }
    }
    isBusy = false
  }

  /** Those who have just been answered send what they have next: a group that began at once would be of the first alone. */
  async function untilNoneComes(): Promise<void> {
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
