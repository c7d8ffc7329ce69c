import { setTimeout as pause } from 'node:timers/promises'
import { sqlState } from '../../src/postgres/errors.ts'
import type { Db } from '../../src/postgres/pool.ts'
import { inTransaction } from '../../src/postgres/transaction.ts'
import type { TestDatabase } from './postgres.ts'
import type { Random } from './random.ts'
import type { StoreFamily } from './stores.ts'

/** What a store has of a SKU: of these, so many are promised to orders that have not left (6.x only). */
export type Shelf = Readonly<{ sku: string; level: number; promised: number }>
/** What somebody did to a level, and the level before and after. */
export type Step = Readonly<{ sku: string; from: number; to: number }>

/** SKUs that everybody wants, two of each product. In the order of the second two the products come the other way round. */
export const HOT = ['HOT-0', 'HOT-1', 'HOT-2', 'HOT-3'] as const
/** SKUs whose level is told, and which nobody orders. */
export const TOLD = ['TOLD-0', 'TOLD-1'] as const
const MANY = Array.from({ length: 40 }, (_, index) => `MANY-${index}`)

const PRODUCTS = [11, 12, 12, 11]
const PLENTY = 50_000

/** Each family's own names. */
export const SHELVES = {
  'spree-4.10': { levels: 'spree_stock_items', key: 'stock_item_id', promised: '0', kind: `''` },
  'spree-6.0': {
    levels: 'spree_stock_levels',
    key: 'stock_level_id',
    promised: 'allocated_count',
    kind: 'm.kind',
  },
} as const

/** Puts up the shelves, in the default location: plenty of all, but for the one that may owe. */
export async function putUpShelves({ pool }: TestDatabase, family: StoreFamily): Promise<void> {
  const skus = [...HOT, ...TOLD, ...MANY]
  await pool.query(
    `with made as (
       insert into spree_variants (sku, product_id, created_at, updated_at)
       select sku, product, now(), now() from unnest($1::text[], $2::bigint[]) given (sku, product)
       returning id, sku
     )
     insert into ${SHELVES[family].levels} (variant_id, stock_location_id, count_on_hand, backorderable, created_at, updated_at)
     select id, 1, case sku when 'OWED-0' then 0 else $3::integer end, sku = 'OWED-0', now(), now()
       from made`,
    [['OWED-0', ...skus], [13, ...skus.map((_, index) => PRODUCTS[index % PRODUCTS.length])], PLENTY],
  )
}

export async function readShelves({ pool }: TestDatabase, family: StoreFamily): Promise<Shelf[]> {
  const { levels, promised } = SHELVES[family]
  const { rows } = await pool.query<Shelf>(
    `select v.sku, l.count_on_hand as level, ${promised} as promised
       from ${levels} l join spree_variants v on v.id = l.variant_id
      where v.sku ~ '^(HOT|TOLD|MANY|OWED)-'`,
  )
  return rows
}

export type Clerk = Readonly<{
  /** What it did, and what it took back. */
  stop(): Promise<Readonly<{ done: readonly Step[]; rolledBack: number }>>
}>

/**
 * Somebody in the shop itself who takes from the hot shelves and puts back, two at a time in any order, as the shop's own
 * code does, and thinks better of it half of the time.
 */
export function startClerk({ pool }: TestDatabase, family: StoreFamily, random: Random): Clerk {
  const { levels, key } = SHELVES[family]
  const [kind, adjusted] = family === 'spree-6.0' ? ['kind,', `'adjusted',`] : ['', '']
  const done: Step[] = []
  let rolledBack = 0
  let stopped = false
  const move = async (db: Db, sku: string): Promise<Step> => {
    const { rows } = await db.query<{ id: string; level: number }>(
      `select l.id, l.count_on_hand as level
         from ${levels} l join spree_variants v on v.id = l.variant_id
        where v.sku = $1
          for no key update of l`,
      [sku],
    )
    const { id, level } = rows[0]!
    const quantity = random.pick([-3, -2, -1, 1, 2, 3])
    await db.query(
      `insert into spree_stock_movements (${key}, quantity, ${kind} created_at, updated_at)
       values ($1, $2, ${adjusted} now(), now())`,
      [id, quantity],
    )
    await db.query(`update ${levels} set count_on_hand = count_on_hand + $2 where id = $1`, [id, quantity])
    await pause(random.between(0, 20))
    return { sku, from: level, to: level + quantity }
  }
  const work = async () => {
    const thinksBetter = new Error()
    const [first, second] = random.shuffle(HOT)
    try {
      const steps = await inTransaction(pool, async (db) => {
        const moved = [await move(db, first!), await move(db, second!)]
        if (random.chance(0.5)) throw thinksBetter
        return moved
      })
      done.push(...steps)
    } catch (error) {
      if (error !== thinksBetter && sqlState(error) !== '40P01') throw error
      rolledBack++
    }
  }
  const working = (async () => {
    while (!stopped) {
      await work()
      await pause(random.between(0, 60))
    }
  })()
  working.catch(() => {}) // whoever stops it hears of it
  return {
    async stop() {
      stopped = true
      await working
      return { done, rolledBack }
    },
  }
}
