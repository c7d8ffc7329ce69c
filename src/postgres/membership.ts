import { randomUUID } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'

import type { Db } from './pool.ts'
import { evictExpired, registerWorker, releaseWorker, renewWorker, type WorkerTable } from './worker-lease.ts'

export type MembershipOptions = Readonly<{
  /** For the looks at the other workers, and for the registration where its own connection fails. */
  pool: Db
  /** For the own registration alone: nothing of it may queue behind other statements (`openLeaseConnection`). */
  ownConnection: Db
  table: WorkerTable
  process: string
  version: string
  leaseMilliseconds: number
  /** How often the lease is renewed, and how soon it is asked for again where no answer comes. */
  heartbeatMilliseconds: number
  /** What the worker says of itself at its registration and with each heartbeat, as JSON text. */
  status(): string
  /** Wraps the renewal, for whoever wants to watch it. */
  watch<T>(work: () => Promise<T>): Promise<T>
  onError(error: unknown): void
}>

/** One tenure as a worker. `signal` aborts when the lease is lost, or may be: from then on nothing may be sent under it. */
export type Registration = Readonly<{ id: string; signal: AbortSignal }>

export type Membership = Readonly<{
  /** Undefined before the first registration and between a lost one and the next. */
  registration(): Registration | undefined
  /** Told after each registration and after every look at the other workers: twice a second, and when a lease has just run out. */
  onLook(listener: () => void): void
  /** Milliseconds since the last successful heartbeat, also of a registration that is lost; undefined before the first. */
  heartbeatAge(): number | undefined
  /** Ends the registration in order; what it owned is free at once. */
  leave(): Promise<void>
}>

const LOOK_MILLISECONDS = 500
/** So long before the lease ends by the database, the worker takes it for lost: its requests in flight need to end. */
const SAFETY_MILLISECONDS = 2_000

type Moment = Readonly<{ monotonic: number; wall: number }>

function present(): Moment {
  return { monotonic: performance.now(), wall: Date.now() }
}

/**
 * Keeps a worker registered. Without a renewal by the end of the lease less two seconds its signal aborts, and it comes
 * back under a new id: what the old one learns from then on counts for nothing. All by this process's own clocks.
 */
export function joinWorkers(options: MembershipOptions): Membership {
  const { pool, ownConnection, table, leaseMilliseconds, heartbeatMilliseconds } = options
  const stopping = new AbortController()
  const listeners: (() => void)[] = []
  let heartbeat: Moment | undefined
  /** Of a registration that is not answered yet: it may come through for all that, so the next try is for the same. */
  let entering: string | undefined
  let current: { id: string; lost: AbortController; renewedAt: Moment; expiry: NodeJS.Timeout } | undefined
  // Two loops: an eviction may wait for locks on what the evicted one owned, and no renewal may wait for that.
  const running = Promise.all([repeat(keepRegistered), repeat(look)])

  /** `turn` returns in how many milliseconds the next is due. */
  async function repeat(turn: () => Promise<number>): Promise<void> {
    while (!stopping.signal.aborted) {
      const rest = await turn().catch((error) => {
        options.onError(error)
        return LOOK_MILLISECONDS
      })
      await pause(rest, undefined, { signal: stopping.signal }).catch(() => undefined)
    }
  }

  /** Returns in how many milliseconds to look again at the latest: when the next lease ends, should nobody renew it. */
  async function look(): Promise<number> {
    const { nextEndsIn = LOOK_MILLISECONDS } = await evictExpired(pool, table)
    tell()
    return Math.min(LOOK_MILLISECONDS, Math.max(0, nextEndsIn) + 1)
  }

  function tell(): void {
    for (const listener of listeners) listener()
  }

  async function keepRegistered(): Promise<number> {
    // A process that wakes may come here before the timer that it missed: to renew would keep what it owned from all others.
    loseIfOver()
    if (!current) await register()
    else if (performance.now() - current.renewedAt.monotonic >= heartbeatMilliseconds) await renew(current.id)
    return LOOK_MILLISECONDS
  }

  async function register(): Promise<void> {
    entering ??= randomUUID()
    const id = entering
    await ask(async (db) => {
      const asked = present()
      await registerWorker(db, table, options, leaseMilliseconds, options.status(), id)
      if (entering !== id) return prolong(db, id, asked)
      entering = undefined
      current = { id, lost: new AbortController(), renewedAt: asked, expiry: expireAfter(asked) }
      heartbeat = asked
      tell()
    })
  }

  async function renew(id: string): Promise<void> {
    await ask(async (db) => {
      const asked = present()
      const renewed = await options.watch(() =>
        renewWorker(db, table, id, leaseMilliseconds, options.status()),
      )
      if (renewed) await prolong(db, id, asked)
      else if (current?.id === id) lose()
    })
  }

  async function prolong(db: Db, id: string, asked: Moment): Promise<void> {
    // It was given up while the answer was on its way, and nobody else may have what it owned while it stands.
    if (current?.id !== id) return releaseWorker(db, table, id)
    if (asked.monotonic < current.renewedAt.monotonic) return
    clearTimeout(current.expiry)
    current = { ...current, renewedAt: asked, expiry: expireAfter(asked) }
    heartbeat = asked
  }

  /**
   * On the own connection; over the pool where that fails, as it does where the server has no room for a new one; and once more,
   * on another, where no answer comes: it may be half-open. Without giving up the first, which would lose its place in the
   * queue of a pooler. The first answer counts.
   */
  async function ask(statement: (db: Db) => Promise<void>): Promise<void> {
    const late = () => pause(heartbeatMilliseconds, 'late' as const, { ref: false })
    const first = statement(ownConnection)
    const outcome = await Promise.race([
      first.then(
        () => 'answered' as const,
        () => 'failed' as const,
      ),
      late(),
    ])
    if (outcome === 'answered') return
    const second = statement(outcome === 'failed' ? pool : ownConnection)
    const answered = Promise.any([first, second]).catch((error) => {
      throw error instanceof AggregateError ? error.errors[0] : error
    })
    // Asked for anew then; an answer that comes all the same counts.
    if ((await Promise.race([answered, late()])) === 'late') answered.catch(options.onError)
  }

  function expireAfter(asked: Moment): NodeJS.Timeout {
    return setTimeout(lose, asked.monotonic + leaseMilliseconds - safety() - performance.now())
  }

  function safety(): number {
    return Math.min(SAFETY_MILLISECONDS, leaseMilliseconds / 4)
  }

  function lose(): void {
    if (!current) return
    clearTimeout(current.expiry)
    const { lost } = current
    current = undefined
    lost.abort(new Error('the lease of this worker was lost'))
  }

  function loseIfOver(): void {
    if (current && !isValid(current.renewedAt)) lose()
  }

  /**
   * A process that was stopped wakes with its timers still to come: the clock is asked, not the timer alone. And the
   * wall clock as well, because the monotonic one stands still while a virtual machine is suspended.
   */
  function isValid({ monotonic, wall }: Moment): boolean {
    const trusted = leaseMilliseconds - safety()
    return performance.now() < monotonic + trusted && Date.now() < wall + trusted
  }

  return {
    registration() {
      loseIfOver()
      return current && { id: current.id, signal: current.lost.signal }
    },
    onLook: (listener) => listeners.push(listener),
    heartbeatAge: () => heartbeat && performance.now() - heartbeat.monotonic,
    async leave() {
      stopping.abort()
      await running
      const id = current?.id ?? entering
      lose()
      if (id !== undefined) await ask((db) => releaseWorker(db, table, id)).catch(options.onError)
    },
  }
}
