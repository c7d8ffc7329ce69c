import { type Kind, splitAggregate } from '../messages/aggregate.ts'
import { atStep } from '../observe/steps.ts'
import { mayHaveCrashed, openWindow, type Seen, type Snapshot } from '../postgres/new-rows.ts'
import type { Connection, Db, Pool } from '../postgres/pool.ts'
import { fence } from '../postgres/worker-lease.ts'
import { insertMessages } from '../queue/enqueue.ts'
import { BRIDGE_QUEUE, type NewMessage } from '../queue/message.ts'
import type { Store } from '../store/store.ts'
import { deleteBaselines, writeBaselines } from './baseline.ts'
import { deriveAggregates } from './derive-aggregates.ts'
import type { OrderMessages } from './derive-order.ts'
import { openUnknown } from './gaps.ts'
import { keepToldPage } from './keep-told.ts'
import { writeLedger } from './ledger.ts'
import { followMoves } from './moved.ts'
import { readNewRows, request, takeRows } from './outbox.ts'
import { isForget, type OutboxRow, type ResolvedRow } from './outbox-row.ts'
import { Pending, type SettleTimes } from './pending.ts'
import { resolveRows } from './resolve-rows.ts'
import { seedPage } from './seeding.ts'
import { countCompared } from './shadow.ts'
import type { Shaping } from './shape-messages.ts'
import { tallyOf } from './tally.ts'
import { clearUnmapped, parkUnmapped, readUnmapped, type Unmapped } from './unmapped.ts'
import { countWithheld, type WithheldFrom } from './withheld.ts'

export type CollectSettings = Readonly<{
  settle: SettleTimes
  stockMessages: 'change' | 'actual'
  stockBy?: 'variant' | 'location'
  orderMessages: OrderMessages
  /** What the configuration makes of the messages; undefined where it says nothing of them. */
  shaping?: Shaping | undefined
  /** Bound on statements and on idling inside the transaction: half a worker's lease. */
  statementTimeoutMilliseconds: number
}>

/** The lease under which one worker is the collector. */
export type Tenure = Readonly<{ workerId: string; epoch: string }>

/** What one pass did; the loop, the metrics and the log live on it. */
export type Pass = Readonly<{
  rowsRead: readonly OutboxRow[]
  aggregates: number
  messages: readonly NewMessage[]
  silenced: number
  withoutSku: number
  /** Messages that the configuration keeps back. */
  withheld: readonly WithheldFrom[]
  unmapped: readonly Unmapped[]
  /** True where more is waiting that could be collected at once. */
  more: boolean
}>

/** The lease has passed to another worker: everything in memory is worthless. */
export class TenureLost extends Error {
  constructor() {
    super('another worker is the collector now')
    this.name = 'TenureLost'
  }
}

const NOTHING = {
  aggregates: 0,
  messages: [],
  silenced: 0,
  withoutSku: 0,
  withheld: [],
  unmapped: [],
  more: false,
} as const

/**
 * Of an aggregate of which no message could be made: was it by stock alone, as far as is known, and was what is missing of
 * its stock asked for since?
 */
type Failure = Readonly<{ ofStock: boolean; isAsked: boolean }>

type Read = Readonly<{ snapshot: Snapshot; rows: readonly OutboxRow[]; whole: boolean }>

/** Rows of one read; a window with more is read again from its start, when few of them are left, until it fits. */
const ROWS_PER_READ = 20_000
const ROWS_TO_READ_ON = 2_000
/**
 * The statement for the state of orders takes as long to plan as some twenty of them to read. More than this cost more
 * again: their messages grow old in memory before they are written, and the collection of garbage moves them about.
 */
const AGGREGATES_PER_PASS = 200

/**
 * The collector's memory of one tenure: the snapshot up to which the outbox was read, and the rows waiting to settle.
 * A pass is one transaction on one snapshot: read what is new, read the state of the aggregates that are due, derive,
 * insert messages, move the baseline, delete the rows, and last of all the fence. A crash anywhere leaves everything as before.
 */
export class Collect {
  readonly #pool: Pool
  readonly #store: Store
  readonly #laneCount: number
  readonly #settings: CollectSettings
  readonly #held: ReadonlySet<Kind>
  readonly #pending = new Pending()
  #seen: Seen | undefined
  #unmapped: ReadonlyMap<string, Failure> | undefined
  #seeded: ReadonlySet<string> = new Set()
  /** How far it was seen to it that what order messages tell from is kept; undefined where that needs no seeing to. */
  #keptTo: string | undefined
  #overflowing = false

  /** Changes of `held` kinds stay in the outbox: who lets go of them begins anew. */
  constructor(
    pool: Pool,
    store: Store,
    laneCount: number,
    settings: CollectSettings,
    held: ReadonlySet<Kind> = new Set(),
  ) {
    this.#pool = pool
    this.#store = store
    this.#laneCount = laneCount
    this.#settings = settings
    this.#held = held
    this.#keptTo = settings.orderMessages === 'generic' ? '' : undefined
  }

  /** Milliseconds until the next aggregate has settled, undefined while nothing waits. */
  settlesIn(now: number): number | undefined {
    const at = this.#pending.nextDueAt(this.#settings.settle)
    return at === undefined ? undefined : Math.max(0, at - now)
  }

  /** Rows read and not yet collected. */
  get waitingRows(): number {
    return this.#pending.size
  }

  /**
   * One pass. On any error memory is dropped and the next pass reads everything anew; the error is thrown on.
   * @throws TenureLost where the lease has passed on.
   */
  async pass(tenure: Tenure, now: number): Promise<Pass> {
    const connection = await this.#pool.connect()
    try {
      const pass = await this.#passOn(connection, tenure, now)
      connection.release()
      return pass
    } catch (error) {
      this.#forget()
      const rolledBack = await connection.query('rollback').then(
        () => undefined,
        (cause: unknown) => new Error('rollback failed', { cause }),
      )
      connection.release(rolledBack)
      throw error
    }
  }

  #forget(): void {
    this.#pending.clear()
    this.#seen = undefined
    this.#unmapped = undefined
    this.#overflowing = false
  }

  async #passOn(db: Connection, tenure: Tenure, now: number): Promise<Pass> {
    const { snapshot, rows, whole } = await this.#readFrom(db)
    if (rows.length > 0) {
      const resolved = await atStep('collect.resolve', () => resolveRows(db, this.#store, rows))
      this.#pending.add(resolved, now)
      if (this.#held.size > 0) this.#pending.setAside(this.#heldAmong(resolved))
    }
    const unknown = rows.filter((row) => isUnknown(row, this.#store))
    if (unknown.length > 0) await openUnknown(db, unknown)

    // A window that does not fit is taken as it comes, settled or not: it must shrink.
    const dueNow = whole ? now : Number.POSITIVE_INFINITY
    const due = this.#pending.due(dueNow, this.#settings.settle, AGGREGATES_PER_PASS)
    const isSeeded = (seeded: ReadonlySet<string>) => this.#store.kinds.every((kind) => seeded.has(kind))
    const readsAll = whole && this.#held.size === 0
    const seeds = readsAll && !isSeeded(this.#seeded)
    const keeps = readsAll && isSeeded(this.#seeded) && this.#keptTo !== undefined
    if (due.length === 0 && this.#pending.finishedBy(due).length === 0 && !seeds && !keeps) {
      await db.query('commit')
      if (whole) this.#seen = { snapshot, at: performance.now() }
      return { ...NOTHING, rowsRead: rows, more: !whole }
    }

    const rowsByAggregate = new Map(due.map((aggregate) => [aggregate, this.#pending.rowsOf(aggregate)]))
    const failedBefore =
      this.#unmapped ??
      new Map((await readUnmapped(db)).map((aggregate) => [aggregate, { ofStock: false, isAsked: false }]))
    await followMoves(db, rowsByAggregate)
    const { derivations, unmapped, deferred, held } = await atStep('collect.snapshot', () =>
      deriveAggregates(db, this.#store, rowsByAggregate, {
        stockMessages: this.#settings.stockMessages,
        stockBy: this.#settings.stockBy ?? 'variant',
        orderMessages: this.#settings.orderMessages,
        shaping: this.#settings.shaping,
        // An address is an order's and a customer's: what is held may be a part of what is not.
        whole: readsAll,
        seeded: isSeeded(this.#seeded) ? this.#seeded : undefined,
        failedBefore,
        stockHeld: this.#held.has('stock'),
      }),
    )
    this.#pending.setAside(held)
    const taken = due.filter((aggregate) => !deferred.has(aggregate) && !held.has(aggregate))
    const finished = this.#pending.finishedBy(taken)
    const all = [...derivations.values()]
    const messages = all.flatMap((derivation) => derivation.messages)
    const withheld = [...derivations].flatMap(([aggregate, own]) =>
      own.withheld.map((message) => ({ aggregate, ...message })),
    )
    const compared = [...derivations].flatMap(([aggregate, own]) =>
      own.compared.map((message) => ({ aggregate, ...message })),
    )
    const failing = new Set(unmapped.map(({ aggregate }) => aggregate))
    const rowsOf = (aggregate: string) => rowsByAggregate.get(aggregate) ?? []
    const succeeding = taken.filter((aggregate) => failedBefore.has(aggregate) && !failing.has(aggregate))
    // Stock that is told says nothing of its product, where that is what failed; nor does what only forgets.
    const mended = succeeding.filter((aggregate) =>
      rowsOf(aggregate).some(
        (row) => (row.kind !== 'stock' || failedBefore.get(aggregate)?.ofStock) && !isForget(row),
      ),
    )
    const waitingRows = (aggregate: string) => this.#pending.rowsOf(aggregate)
    const keepsOrders = this.#settings.orderMessages === 'generic'
    const seeded = seeds
      ? await atStep('collect.seed', () => seedPage(db, this.#store, waitingRows, keepsOrders))
      : this.#seeded
    const keptTo = keeps ? await keepToldPage(db, this.#store, this.#keptTo ?? '') : this.#keptTo
    // Once: else each sale of a product that stays parked would bring a comparison of all its variants.
    const toCompare = this.#held.has('stock')
      ? []
      : succeeding.filter((aggregate) => !failedBefore.get(aggregate)?.isAsked)
    if (toCompare.length > 0) await compareStockOf(db, this.#store, toCompare)
    const written = await Promise.all([
      atStep('collect.messages', () =>
        insertMessages(db, BRIDGE_QUEUE, this.#laneCount, messages, tenure.workerId),
      ),
      atStep('collect.baseline', () =>
        Promise.all([
          writeBaselines(
            db,
            all.flatMap((derivation) => derivation.baselines),
          ),
          deleteBaselines(
            db,
            all.flatMap((derivation) => derivation.forgotten),
          ),
          writeLedger(
            db,
            all.flatMap((derivation) => derivation.ledger),
          ),
          clearUnmapped(db, mended),
          parkUnmapped(db, unmapped),
          countWithheld(db, withheld),
          countCompared(db, this.#settings.shaping?.shadow?.trial, compared),
        ]),
      ),
      atStep('collect.outbox', () =>
        takeRows(db, finished, tallyOf(finished, derivations, unmapped, messages.length)),
      ),
      atStep('collect.fence', () => fence(db, 'collector', tenure.workerId, tenure.epoch)),
    ])
    const isOurs = written.at(-1)
    if (!isOurs) throw new TenureLost()
    await atStep('collect.commit', () => db.query('commit'))

    this.#pending.collected(taken)
    const failures = new Map(failedBefore)
    for (const aggregate of toCompare) failures.set(aggregate, { ofStock: false, isAsked: true })
    for (const aggregate of mended) failures.delete(aggregate)
    for (const aggregate of failing)
      failures.set(aggregate, failureOf(rowsOf(aggregate), failures.get(aggregate)))
    this.#unmapped = failures
    if (whole) this.#seen = { snapshot, at: performance.now() }
    this.#seeded = seeded
    this.#keptTo = keptTo
    return {
      rowsRead: rows,
      aggregates: taken.length,
      messages,
      silenced: sum(all, (derivation) => derivation.silenced),
      withoutSku: sum(all, (derivation) => derivation.withoutSku),
      withheld,
      unmapped,
      more:
        !whole ||
        due.length === AGGREGATES_PER_PASS ||
        deferred.size > 0 ||
        (seeds && !isSeeded(seeded)) ||
        (this.#held.size === 0 && isSeeded(seeded) && keptTo !== undefined),
    }
  }

  /** What rows of other kinds have changed of held ones: an address is an order's and a customer's. */
  #heldAmong(rows: readonly ResolvedRow[]): string[] {
    return rows
      .filter(({ kind }) => kind !== 'stock')
      .flatMap(({ aggregates }) => aggregates)
      .filter((aggregate) => {
        const of = splitAggregate(aggregate)
        return of !== undefined && this.#held.has(of.kind)
      })
  }

  /** What is new; all of it where what was read before may be of a server that has crashed since. */
  async #readFrom(db: Connection): Promise<Read> {
    const read = await this.#read(db)
    if (this.#seen === undefined || !mayHaveCrashed(this.#seen, db, read.snapshot)) return read
    this.#forget()
    await db.query('rollback')
    return this.#read(db)
  }

  /**
   * What is new, on one snapshot with all that follows in this transaction. `whole` is false while there is more than one
   * read takes: then the remembered snapshot stays, and nothing is read again before most of what was read is collected.
   */
  async #read(db: Db): Promise<Read> {
    return atStep('collect.read', async () => {
      const opened = openWindow(db, this.#settings.statementTimeoutMilliseconds)
      // What comes in many windows that fit must not gather in memory either.
      if (this.#pending.size > (this.#overflowing ? ROWS_TO_READ_ON : ROWS_PER_READ))
        return { snapshot: await opened, rows: [], whole: false }
      // What waits aside is read again with the rest, and must not stand in its way.
      const limit = ROWS_PER_READ + this.#pending.asideRows
      const [snapshot, rows] = await Promise.all([
        opened,
        readNewRows(db, this.#seen?.snapshot, limit, this.#held),
      ])
      this.#overflowing = rows.length === limit
      return { snapshot, rows, whole: !this.#overflowing }
    })
  }
}

/** Of a kind that is told, in a table that is not watched: it had another name when the change was recorded. */
function isUnknown({ kind, tableName }: OutboxRow, { kinds, watched }: Store): boolean {
  return (
    tableName !== 'request' &&
    (kind === 'stock' || kinds.some((told) => told === kind)) &&
    watched.every(({ table }) => table !== tableName)
  )
}

function failureOf(rows: readonly ResolvedRow[], before: Failure | undefined): Failure {
  // What fails when it is asked for is not asked for again, and no sale that is told makes up for it.
  if (rows.every(({ op }) => op === 'compare')) return { ofStock: false, isAsked: true }
  return { ofStock: rows.every(({ kind }) => kind === 'stock') && (before?.ofStock ?? true), isAsked: false }
}

/** What was not told of the stock of products while they could not be mapped is asked for. */
async function compareStockOf(db: Db, store: Store, aggregates: readonly string[]): Promise<void> {
  const ids = aggregates.flatMap((aggregate) => /^product:(.*)/.exec(aggregate)?.[1] ?? [])
  const variants = await store.stockOfProducts(db, ids)
  await request(
    db,
    'compare',
    [...variants.values()].map(({ productId, variantId }) => ({ kind: 'stock', id: productId, variantId })),
  )
}

function sum<T>(items: readonly T[], of: (item: T) => number): number {
  return items.reduce((total, item) => total + of(item), 0)
}
