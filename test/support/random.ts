/** A stream of choices that the same seed repeats. */
export type Random = Readonly<{
  /** From 0 up to, but not including, 1. */
  fraction(): number
  /** A whole number, both ends included. */
  between(least: number, most: number): number
  pick<T>(choices: readonly T[]): T
  chance(probability: number): boolean
  /** The same items in another order. */
  shuffle<T>(items: readonly T[]): T[]
}>

export function createRandom(seed: number): Random {
  let state = seed >>> 0
  // mulberry32
  const fraction = () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
  return {
    fraction,
    between: (least, most) => least + Math.floor(fraction() * (most - least + 1)),
    pick: (choices) => {
      const choice = choices[Math.floor(fraction() * choices.length)]
      if (choice === undefined) throw new Error('Nothing to pick from.')
      return choice
    },
    chance: (probability) => fraction() < probability,
    shuffle: (items) =>
      items
        .map((item) => ({ item, place: fraction() }))
        .sort((one, other) => one.place - other.place)
        .map(({ item }) => item),
  }
}
