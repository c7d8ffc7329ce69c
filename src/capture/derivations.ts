import type { Db } from '../postgres/pool.ts'
import type { NewMessage } from '../queue/message.ts'
import { type Breathe, breathing } from './breathe.ts'
import type { Derivation } from './derivation.ts'
import type { ResolvedRow } from './outbox-row.ts'
import {
  type Compared,
  type ShapedMessages,
  type Shaping,
  shapeMessages,
  unshaped,
  type Withheld,
} from './shape-messages.ts'
import type { Unmapped } from './unmapped.ts'

/** What follows for one aggregate: its messages as they go into the queue, those that do not, and what a shadow makes of all. */
export type Derived = Omit<Derivation, 'messages' | 'unsaid'> &
  Readonly<{ messages: readonly NewMessage[]; withheld: readonly Withheld[]; compared: readonly Compared[] }>

export type AllDerived = Readonly<{
  derivations: ReadonlyMap<string, Derived>
  unmapped: readonly Unmapped[]
  /** Those for which there was no time: they wait for the next pass. */
  deferred: ReadonlySet<string>
}>

/** What expressions may take of one pass: a sale must not wait for hundreds that are slow. */
const EXPRESSIONS_MILLISECONDS = 1_000

/** Gathers what follows for the aggregates of one pass. One that cannot be mapped or shaped is parked alone. */
export class Derivations {
  readonly #rows: ReadonlyMap<string, readonly ResolvedRow[]>
  readonly #shaping: Shaping | undefined
  readonly #orderedAs: (aggregate: string) => string
  readonly #found = new Map<string, Derived>()
  readonly #unmapped: Unmapped[] = []
  /** Work that is left because an expression has a part in it. */
  readonly #unfinished = new Map<string, (breathe: Breathe) => Promise<void>>()
  readonly #known = new Set<string>()

  constructor(
    rows: ReadonlyMap<string, readonly ResolvedRow[]>,
    shaping: Shaping | undefined,
    orderedAs: (aggregate: string) => string,
  ) {
    this.#rows = rows
    this.#shaping = shaping
    this.#orderedAs = orderedAs
  }

  has(aggregate: string): boolean {
    return this.#known.has(aggregate)
  }

  /** `untold`: what follows all the same, where no message can be made. */
  add(aggregate: string, work: () => Derivation, untold: () => Derivation): void {
    this.#known.add(aggregate)
    const park = (error: unknown) => {
      this.#unmapped.push({ aggregate, reason: error instanceof Error ? error.message : String(error) })
      try {
        this.#queue(aggregate, untold(), unshaped([]))
      } catch {
        // Just this may be what failed, and its neighbours are not to notice.
      }
    }
    try {
      const derivation = work()
      const shaped = this.#shaping
        ? shapeMessages(derivation.messages, this.#shaping)
        : unshaped(derivation.messages)
      if (typeof shaped !== 'function') this.#queue(aggregate, derivation, shaped)
      else
        this.#unfinished.set(aggregate, (breathe) =>
          shaped(breathe).then((finished) => this.#queue(aggregate, derivation, finished), park),
        )
    } catch (error) {
      park(error)
    }
  }

  /** Evaluates the expressions, one after the other, while there is time: those of one aggregate at least. */
  async finish(db: Db): Promise<AllDerived> {
    const deferred = new Set(this.#unfinished.keys())
    const breathe = breathing(db)
    const began = performance.now()
    for (const [aggregate, work] of this.#unfinished) {
      if (performance.now() - began > EXPRESSIONS_MILLISECONDS) break
      await work(breathe)
      deferred.delete(aggregate)
    }
    const derivations = new Map<string, Derived>()
    for (const aggregate of this.#rows.keys()) {
      const derived = this.#found.get(aggregate)
      if (derived) derivations.set(aggregate, derived)
    }
    return { derivations, unmapped: this.#unmapped, deferred }
  }

  #queue(aggregate: string, derivation: Derivation, shaped: ShapedMessages): void {
    const rows = this.#rows.get(aggregate) ?? []
    const changedAt = new Date(Math.min(...rows.map((row) => row.at.getTime())))
    const messages = shaped.messages.map((message) => ({
      aggregate: this.#orderedAs(aggregate),
      changedAt,
      ...message,
    }))
    const withheld = [...derivation.unsaid, ...shaped.withheld]
    this.#found.set(aggregate, { ...derivation, ...shaped, messages, withheld })
  }
}
