import { Doze } from '../postgres/doze.ts'
import { isUnreadable } from '../postgres/errors.ts'
import type { Db, Pool } from '../postgres/pool.ts'
import { claimLease } from '../postgres/worker-lease.ts'
import type { Store, Unreadable } from '../store/store.ts'
import { Collect, type CollectSettings, type Pass, type Tenure, TenureLost } from './collect.ts'
import { openUnreadable } from './gaps.ts'
import { writePulse } from './outbox.ts'

export type CollectorOptions = Readonly<{
  pool: Pool
  store: Store
  laneCount: number
  settings: CollectSettings
  /** The worker's present registration; undefined while it has none. */
  workerId(): string | undefined
  /** True while notifications arrive: only then may the collector sleep between fallback polls. */
  hears(): boolean
  /** Reads the tables of the store anew; rejects where it finds none, and leaves all as it was. */
  reopen(): Promise<void>
  onPass(pass: Pass): void
  /** The kinds that cannot be read have changed: their changes wait in the outbox, the others go on. */
  onHeld(held: Unreadable): void
  onError(error: unknown): void
}>

export type Collector = Readonly<{
  /** Something was written (a notification): look at once. */
  wake(): void
  isCollecting(): boolean
  /** Ends after the pass under way; the lease goes with the worker's registration. */
  stop(): Promise<void>
}>

const POLL_MILLISECONDS = 20
const FALLBACK_POLL_MILLISECONDS = 500
const CLAIM_MILLISECONDS = 1_000
const ERROR_PAUSE_MILLISECONDS = 250
/** So often a kind that cannot be read is tried again. */
const HELD_MILLISECONDS = 2_000

/**
 * Runs passes while this worker holds the collector's lease: one after the other while there is something to collect,
 * else asleep until a trigger notifies. Where the store is in a rush the collector stays awake and polls: a notification in
 * every transaction would cut concurrent commits to a tenth. So it does where notifications do not arrive.
 */
export function startCollector(options: CollectorOptions): Collector {
  const { pool, store, laneCount, settings } = options
  const doze = new Doze()
  let stopping = false
  let tenure: Tenure | undefined
  let held: Unreadable = new Map()
  let heldSince = 0
  const running = run()

  async function run(): Promise<void> {
    let collect = begin()
    let pulse = new Pulse(pool)
    while (!stopping) {
      try {
        const before = tenure
        const current = await holdTenure()
        if (before && current !== before) {
          // What was read under that tenure may have been told by who had the lease since.
          letGo()
          collect = begin()
          pulse = new Pulse(pool)
        }
        if (!current) {
          await doze.rest(CLAIM_MILLISECONDS)
          continue
        }
        if (held.size > 0 && performance.now() - heldSince > HELD_MILLISECONDS && (await look()))
          collect = begin()
        const pass = await collect.pass(current, performance.now())
        options.onPass(pass)
        await pulse.beat(pass, options.hears())
        if (!pass.more)
          await doze.rest(
            Math.min(
              pulse.restMilliseconds,
              collect.settlesIn(performance.now()) ?? Number.POSITIVE_INFINITY,
            ),
          )
      } catch (error) {
        if (error instanceof TenureLost) letGo()
        const isHeld = isUnreadable(error) && (await look().catch(() => false))
        collect = begin()
        pulse = new Pulse(pool)
        tenure = undefined
        if (!(error instanceof TenureLost || isHeld)) options.onError(error)
        await doze.rest(ERROR_PAUSE_MILLISECONDS)
      }
    }
  }

  function begin(): Collect {
    return new Collect(pool, store, laneCount, settings, new Set(held.keys()))
  }

  /** Which kinds can be read now? True where others than before. */
  async function look(): Promise<boolean> {
    const before = held
    // Of what was dropped, much is not in every version and can be done without. Where no store is found, see below.
    await options.reopen().catch(() => {})
    const found = await store.unreadable(pool)
    await openUnreadable(
      pool,
      [...found.keys()].filter((kind) => !before.has(kind)),
    )
    held = found
    heldSince = performance.now()
    if (held.size === before.size && [...held].every(([kind, reason]) => before.get(kind) === reason))
      return false
    options.onHeld(held)
    return true
  }

  /** What cannot be read is the next collector's to find out. */
  function letGo(): void {
    if (held.size > 0) options.onHeld(new Map())
    held = new Map()
  }

  /** The lease while it stands under the present registration; else tries to get it. */
  async function holdTenure(): Promise<Tenure | undefined> {
    const workerId = options.workerId()
    if (workerId === undefined) tenure = undefined
    else if (tenure?.workerId !== workerId) {
      const epoch = await claimLease(pool, 'collector', workerId)
      tenure = epoch === undefined ? undefined : { workerId, epoch }
    }
    return tenure
  }

  return {
    wake: () => doze.wake(),
    isCollecting: () => tenure !== undefined,
    async stop() {
      stopping = true
      doze.wake()
      await running
    },
  }
}

/** Above so many transactions a second it is a rush, once it has lasted for some of them beyond that. */
const QUIET_PER_SECOND = 100
const RUSH_BEGINS = 25
const RUSH_ENDS_WITHIN_SECONDS = 1
/** After it fell asleep: a writer that read "awake" before may commit only now. */
const LIGHT_SLEEP_MILLISECONDS = 1_000
const TELL_MILLISECONDS = 1_000

/** Whether the collector sleeps, which is when triggers notify, and what they were told of it. */
class Pulse {
  readonly #db: Db
  /** Transactions beyond what a quiet store makes: a bucket that leaks. */
  #excess = 0
  #countedAt = performance.now()
  #rush = false
  #asleep: boolean | undefined
  #readId = '0'
  #toldAt = Number.NEGATIVE_INFINITY
  #turnedAt = Number.NEGATIVE_INFINITY
  #mayNotify: boolean | undefined

  constructor(db: Db) {
    this.#db = db
  }

  get restMilliseconds(): number {
    const sleepsSoundly = this.#asleep && performance.now() - this.#turnedAt > LIGHT_SLEEP_MILLISECONDS
    return sleepsSoundly ? FALLBACK_POLL_MILLISECONDS : POLL_MILLISECONDS
  }

  /** After each pass: wakes or goes to sleep, and tells the triggers at most once a second how far collecting has come. */
  async beat(pass: Pass, hears: boolean): Promise<void> {
    const now = performance.now()
    this.#count(pass, now)
    this.#readId = pass.rowsRead.reduce(
      (id, row) => (BigInt(row.id) > BigInt(id) ? row.id : id),
      this.#readId,
    )
    const asleep = hears && !this.#rush && !pass.more && (await this.#notifyIsHarmless())
    const turned = asleep !== this.#asleep
    if (!turned && now - this.#toldAt < TELL_MILLISECONDS) return
    await writePulse(this.#db, { asleep, readTo: pass.more ? this.#readId : 'the end' })
    this.#asleep = asleep
    this.#toldAt = now
    if (turned) this.#turnedAt = now
  }

  #count({ rowsRead }: Pass, now: number): void {
    const leaked = ((now - this.#countedAt) / 1_000) * QUIET_PER_SECOND
    const transactions = new Set(rowsRead.map(({ xid }) => xid)).size
    this.#countedAt = now
    this.#excess = Math.min(
      Math.max(0, this.#excess - leaked) + transactions,
      QUIET_PER_SECOND * RUSH_ENDS_WITHIN_SECONDS,
    )
    this.#rush = this.#excess > (this.#rush ? 0 : RUSH_BEGINS)
  }

  /** A transaction that has notified cannot be prepared: where the server allows two-phase commit, the store may use it. */
  async #notifyIsHarmless(): Promise<boolean> {
    if (this.#mayNotify === undefined) {
      const { rows } = await this.#db.query<{ none: boolean }>(
        `select current_setting('max_prepared_transactions')::integer = 0 as none`,
      )
      this.#mayNotify = rows[0]?.none ?? false
    }
    return this.#mayNotify
  }
}
