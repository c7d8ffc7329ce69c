/** A page leaves in about so long. */
const PAGE_SECONDS = 0.25
/** So many pages may be under way when the next is asked for: one that is collected while the other leaves, and some slack. */
const PAGES_AHEAD = 1.5
const SMALLEST_PAGE = 20
const LARGEST_PAGE = 500
const FIRST_PAGE = 100

/**
 * How much a backfill may put before what the shop does next: as much as leaves within about half a second, by how fast
 * things have just left. Pure; times are milliseconds of any one clock.
 */
export class Pace {
  #page = FIRST_PAGE
  #last: Readonly<{ at: number; underWay: number }> | undefined

  /** How many to ask for next; 0 while more than a page and a half is still under way. */
  room(underWay: number, now: number): number {
    if (this.#last) this.#learn(this.#last, underWay, now)
    return underWay <= this.#page * PAGES_AHEAD ? this.#page : 0
  }

  /** A page was asked for, on top of what was under way. */
  asked(count: number, underWay: number, now: number): void {
    this.#last = { at: now, underWay: underWay + count }
  }

  #learn(last: Readonly<{ at: number; underWay: number }>, underWay: number, now: number): void {
    const left = last.underWay - underWay
    const seconds = (now - last.at) / 1_000
    if (left <= 0 || seconds <= 0) return
    const page = Math.round((left / seconds) * PAGE_SECONDS)
    this.#page = Math.min(LARGEST_PAGE, Math.max(SMALLEST_PAGE, page))
  }
}
