/** A page leaves in about so long. */
const PAGE_SECONDS = 0.25
/** So many pages may be under way when the next is asked for: one that is collected while the other leaves, and some slack. */
const PAGES_AHEAD = 1.5
const SMALLEST_PAGE = 20
const LARGEST_PAGE = 500
const FIRST_PAGE = 100
/** Outcomes are written in batches, and what one of them takes away in a moment is no pace: so long is watched what leaves. */
const WATCHED_SECONDS = 0.2

/**
 * How much a backfill may put before what the shop does next: as much as leaves within about half a second, by how fast
 * things have just left. Pure; times are milliseconds of any one clock.
 */
export class Pace {
  #page = FIRST_PAGE
  /** From when on it is watched, and what was under way then or was asked for since. */
  #watched: { at: number; toLeave: number } | undefined

  /** How many to ask for next; 0 while more than a page and a half is still under way. */
  room(underWay: number, now: number): number {
    this.#watched ??= { at: now, toLeave: underWay }
    const { at, toLeave } = this.#watched
    const seconds = (now - at) / 1_000
    if (seconds >= WATCHED_SECONDS) {
      this.#learn(toLeave - underWay, seconds, underWay === 0)
      this.#watched = { at: now, toLeave: underWay }
    }
    return underWay <= this.#page * PAGES_AHEAD ? this.#page : 0
  }

  /** A page was asked for, on top of what was under way. */
  asked(count: number): void {
    if (this.#watched) this.#watched.toLeave += count
  }

  #learn(left: number, seconds: number, allLeft: boolean): void {
    if (left <= 0) return
    const page = Math.round((left / seconds) * PAGE_SECONDS)
    // Where there was no more to leave, more might have left.
    const least = allLeft ? this.#page : SMALLEST_PAGE
    this.#page = Math.min(LARGEST_PAGE, Math.max(least, page))
  }
}
