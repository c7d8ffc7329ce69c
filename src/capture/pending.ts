import { type Move, movesIn } from './moved.ts'
import { isBackfill, type ResolvedRow } from './outbox-row.ts'

export type SettleTimes = Readonly<{ quietMilliseconds: number; atMostMilliseconds: number }>

type Waiting = { rows: Map<string, ResolvedRow>; settles: boolean; firstAt: number; lastAt: number }

/**
 * The outbox rows that were read and not yet collected, by aggregate. Pure but for its memory; times are the
 * collector's own clock at reading.
 *
 * An order, and a product with any catalogue row, settles: a checkout is ten and more commits, a new product with two
 * variants eight. It is due when nothing came for the quiet time, at the latest after the longest wait. A product of which
 * only stock changed is due at once, unless it settles already: its stock must not overtake its `product:new`; so is what
 * a backfill asks for.
 */
export class Pending {
  readonly #byAggregate = new Map<string, Waiting>()
  readonly #rows = new Map<string, { row: ResolvedRow; open: Set<string> }>()
  readonly #ownerless = new Map<string, ResolvedRow>()
  readonly #aside = new Set<string>()

  /** Rows that are to be collected, without those that wait aside. */
  get size(): number {
    return this.#rows.size + this.#ownerless.size - this.asideRows
  }

  /** Rows of which only such aggregates are left as wait aside. */
  get asideRows(): number {
    if (this.#aside.size === 0) return 0
    const waits = (aggregate: string) => this.#aside.has(aggregate)
    return [...this.#rows.values()].filter(({ open }) => [...open].every(waits)).length
  }

  /** Rows known already (a window read again) change nothing, not even the settling. */
  add(rows: readonly ResolvedRow[], now: number): void {
    const news = rows.filter(({ id }) => !this.#rows.has(id))
    for (const row of news) {
      if (row.aggregates.length === 0) this.#ownerless.set(row.id, row)
      else this.#enter(row, now)
    }
    for (const move of movesIn(news)) this.#follow(move, now)
  }

  #enter(row: ResolvedRow, now: number): void {
    this.#rows.set(row.id, { row, open: new Set(row.aggregates) })
    for (const aggregate of row.aggregates) this.#await(aggregate, row, now)
  }

  /** What is known of a variant's stock goes along to another product: so do its rows that wait. */
  #follow({ variantId, from, to }: Move, now: number): void {
    const waiting = this.#byAggregate.get(from)
    for (const row of [...(waiting?.rows.values() ?? [])]) {
      if (row.kind !== 'stock' || (row.parent ?? row.parentOld) !== variantId) continue
      waiting?.rows.delete(row.id)
      const open = [...(this.#rows.get(row.id)?.open ?? [])]
      this.#enter({ ...row, aggregates: open.map((each) => (each === from ? to : each)) }, now)
    }
    if (waiting?.rows.size === 0) this.#byAggregate.delete(from)
  }

  #await(aggregate: string, row: ResolvedRow, now: number): void {
    const waiting = this.#byAggregate.get(aggregate)
    // What is asked for is no burst: it waits only for changes that settle.
    const settles = row.kind !== 'stock' && !isBackfill(row)
    if (waiting === undefined) {
      this.#byAggregate.set(aggregate, { rows: new Map([[row.id, row]]), settles, firstAt: now, lastAt: now })
      return
    }
    waiting.rows.set(row.id, row)
    if (!settles) return
    waiting.settles = true
    waiting.lastAt = now
  }

  /** These cannot be told for now: they are due no more, and their rows stay. */
  setAside(aggregates: Iterable<string>): void {
    for (const aggregate of aggregates) this.#aside.add(aggregate)
  }

  /** Aggregates whose time has come, longest waiting first, at most `limit`. */
  due(now: number, settle: SettleTimes, limit: number): string[] {
    const due: string[] = []
    for (const [aggregate, waiting] of this.#byAggregate) {
      if (due.length === limit) break
      if (!this.#aside.has(aggregate) && dueAt(waiting, settle) <= now) due.push(aggregate)
    }
    return due
  }

  /** When the next aggregate is due, on the clock of `add`; undefined while nothing waits. */
  nextDueAt(settle: SettleTimes): number | undefined {
    let next: number | undefined
    for (const [aggregate, waiting] of this.#byAggregate) {
      if (this.#aside.has(aggregate)) continue
      const at = dueAt(waiting, settle)
      if (next === undefined || at < next) next = at
    }
    return next
  }

  rowsOf(aggregate: string): ResolvedRow[] {
    return [...(this.#byAggregate.get(aggregate)?.rows.values() ?? [])].sort(byTransaction)
  }

  /** The rows that are done with once `aggregates` are collected: theirs alone, and those that belong to nothing. */
  finishedBy(aggregates: readonly string[]): ResolvedRow[] {
    const finished = [...this.#ownerless.values()]
    // A row may belong to a hundred thousand: those that are left are not gone through, but counted.
    const taken = new Map<string, number>()
    for (const aggregate of aggregates) {
      for (const id of this.#byAggregate.get(aggregate)?.rows.keys() ?? []) {
        const entry = this.#rows.get(id)
        const count = (taken.get(id) ?? 0) + 1
        taken.set(id, count)
        if (entry?.open.size === count) finished.push(entry.row)
      }
    }
    return finished
  }

  /** Called when the transaction that collected `aggregates` has committed. */
  collected(aggregates: readonly string[]): void {
    this.#ownerless.clear()
    for (const aggregate of aggregates) {
      for (const id of this.#byAggregate.get(aggregate)?.rows.keys() ?? []) {
        const entry = this.#rows.get(id)
        entry?.open.delete(aggregate)
        if (entry?.open.size === 0) this.#rows.delete(id)
      }
      this.#byAggregate.delete(aggregate)
    }
  }

  clear(): void {
    this.#byAggregate.clear()
    this.#rows.clear()
    this.#ownerless.clear()
    this.#aside.clear()
  }
}

function dueAt(waiting: Waiting, settle: SettleTimes): number {
  if (!waiting.settles) return waiting.firstAt
  return Math.min(waiting.lastAt + settle.quietMilliseconds, waiting.firstAt + settle.atMostMilliseconds)
}

/** Transaction ids and row ids are decimal texts without leading zeros: the longer is the greater. */
function byTransaction(a: ResolvedRow, b: ResolvedRow): number {
  return compareDecimal(a.xid, b.xid) || compareDecimal(a.id, b.id)
}

function compareDecimal(a: string, b: string): number {
  if (a.length !== b.length) return a.length - b.length
  return a < b ? -1 : a > b ? 1 : 0
}
