import { setTimeout as pause } from 'node:timers/promises'
import pg from 'pg'
import { createRandom } from './random.ts'
import { type Act, openShop, type Shop } from './shop.ts'
import * as catalogue from './shop-catalogue.ts'
import * as checkout from './shop-checkout.ts'
import * as customers from './shop-customers.ts'
import * as orders from './shop-orders.ts'
import type { StoreFamily } from './stores.ts'

const ACTS: Readonly<Record<string, Act>> = { ...catalogue, ...checkout, ...customers, ...orders }
/** How often what happens, of all that happens. */
const WEIGHTS: Readonly<Record<string, number>> = {
  moveStock: 8,
  rename: 4,
  renameAndReprice: 3,
  placeOrder: 3,
  noteOrder: 4,
  changeQuantity: 3,
  changeAddress: 2,
  shipOrder: 2,
  upsertStock: 2,
  renameCustomer: 2,
}

export type WorkloadOptions = Readonly<{
  seed: number
  writers: number
  /** Ends by itself after so many acts; otherwise when stopped. */
  acts?: number
  /** Between two acts of one writer, at most. */
  pauseMs?: number
}>

/** What was done, by act; and what the store itself refused or lost in the middle of it. */
export type Done = Readonly<{ acts: ReadonlyMap<string, number>; deadlocks: number; interrupted: number }>

export type Workload = Readonly<{
  /** Resolves when all writers have ended, with what they did; rejects with what went wrong in the workload itself. */
  ended: Promise<Done>
  /** Lets every writer end the act it is in. */
  stop(): Promise<Done>
}>

/**
 * A busy shop: writers that overlap, commit late, roll back, and leave half of it undone when the database goes away.
 * The seed decides what each writer does, not how the writers interleave.
 */
export async function startWorkload(
  url: string,
  family: StoreFamily,
  options: WorkloadOptions,
): Promise<Workload> {
  const pool = new pg.Pool({ connectionString: url, max: options.writers + 1, application_name: 'workload' })
  pool.on('error', () => {}) // an idle connection of a server that restarts
  pool.on('connect', (client) => client.on('error', () => {})) // the query that it breaks tells as well
  const first = await pool.connect()
  const shop = await openShop(first, family, options.seed)
  first.release()

  const counts = new Map<string, number>()
  const state = {
    stopped: false,
    left: options.acts ?? Number.POSITIVE_INFINITY,
    deadlocks: 0,
    interrupted: 0,
  }
  const write = async (writer: number) => {
    const random = createRandom(options.seed * 1000 + writer)
    const names = Object.keys(ACTS).flatMap((name) => Array<string>(WEIGHTS[name] ?? 1).fill(name))
    while (!state.stopped && state.left-- > 0) {
      const name = random.pick(names)
      const problem = await perform(pool, shop, name, random).catch((error: unknown) => {
        state.stopped = true
        throw error
      })
      if (problem) state[problem]++
      else counts.set(name, (counts.get(name) ?? 0) + 1)
      if (problem === 'interrupted') await pause(200)
      else await pause(random.between(0, options.pauseMs ?? 20))
    }
  }
  const ended = Promise.all(Array.from({ length: options.writers }, (_, writer) => write(writer)))
    .then((): Done => ({ acts: counts, deadlocks: state.deadlocks, interrupted: state.interrupted }))
    .finally(() => pool.end())
  ended.catch(() => {}) // whoever awaits it hears of it
  return {
    ended,
    stop: () => {
      state.stopped = true
      return ended
    },
  }
}

async function perform(
  pool: pg.Pool,
  shop: Shop,
  name: string,
  random: ReturnType<typeof createRandom>,
): Promise<'deadlocks' | 'interrupted' | null> {
  let client: pg.PoolClient | undefined
  try {
    client = await pool.connect()
    await ACTS[name]?.(client, shop, random)
    client.release()
    return null
  } catch (error) {
    client?.release(true)
    const problem = problemOf(error)
    if (!problem) throw new Error(`The workload's '${name}' failed`, { cause: error })
    return problem
  }
}

/** What a busy store's own programs would see too. */
function problemOf(error: unknown): 'deadlocks' | 'interrupted' | null {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  if (code === '40P01' || code === '40001') return 'deadlocks'
  // 25006: read only; 53: no space, no connection left; 55000: nobody is let in
  if (/^(57P0|08|25006|53|55000|ECONN|EPIPE|ENOENT)/.test(code)) return 'interrupted'
  const message = error instanceof Error ? error.message : ''
  return /Connection terminated|connection error|timeout exceeded/i.test(message) ? 'interrupted' : null
}
