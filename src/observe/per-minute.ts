const SECONDS = 60

/** Counts what has happened within the last sixty seconds. */
export class PerMinute {
  /** By the second, of the process's own clock, in which it happened. */
  readonly #counts = new Map<number, number>()

  note(): void {
    const second = this.#forget()
    this.#counts.set(second, (this.#counts.get(second) ?? 0) + 1)
  }

  get count(): number {
    this.#forget()
    let sum = 0
    for (const count of this.#counts.values()) sum += count
    return sum
  }

  /** What is older, and returns the second of now. */
  #forget(): number {
    const now = Math.floor(performance.now() / 1_000)
    for (const second of this.#counts.keys()) {
      if (second > now - SECONDS) break
      this.#counts.delete(second)
    }
    return now
  }
}
