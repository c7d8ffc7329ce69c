import type pg from 'pg'
import type { Random } from './random.ts'
import type { StoreFamily } from './stores.ts'

/** What the writers of one workload share: which rows there are to choose from, and what was done so far. */
export type Shop = {
  readonly family: StoreFamily
  /** In names and numbers, so that two workloads on one store do not meet. */
  readonly mark: string
  /** `spree_stock_items` and its like. */
  readonly stock: 'spree_stock_items' | 'spree_stock_levels'
  readonly location: string
  readonly products: string[]
  readonly stockRows: string[]
  readonly orders: string[]
  /** Products that this workload made: only these are ever removed. */
  readonly ownProducts: string[]
  counter: number
}

/** One thing that happens in a shop, with as many commits as the shop's own code would take. */
export type Act = (db: pg.ClientBase, shop: Shop, random: Random) => Promise<void>

export const UTC = `(clock_timestamp() at time zone 'utc')`

export async function openShop(db: pg.ClientBase, family: StoreFamily, seed: number): Promise<Shop> {
  const stock = family === 'spree-4.10' ? 'spree_stock_items' : 'spree_stock_levels'
  const ids = async (query: string): Promise<string[]> =>
    (await db.query<{ id: string }>(query)).rows.map(({ id }) => String(id))
  const [location] = await ids('select id from spree_stock_locations order by "default" desc, id limit 1')
  if (!location) throw new Error('The store has no stock location.')
  return {
    family,
    mark: `${seed.toString(36).toUpperCase()}${Date.now().toString(36).toUpperCase()}`,
    stock,
    location,
    products: await ids('select id from spree_products where deleted_at is null order by id limit 40'),
    stockRows: await ids(`
      select s.id from ${stock} s join spree_variants v on v.id = s.variant_id
       where s.deleted_at is null and v.deleted_at is null order by s.id limit 80`),
    orders: await ids('select id from spree_orders where completed_at is not null order by id'),
    ownProducts: [],
    counter: 0,
  }
}

/** Commits what `work` did; rolls back what it throws. */
export async function inOneCommit(db: pg.ClientBase, work: () => Promise<void>): Promise<void> {
  await db.query('begin')
  try {
    await work()
    await db.query('commit')
  } catch (error) {
    await db.query('rollback').catch(() => {}) // a broken connection has rolled back already
    throw error
  }
}

export async function insertRow(
  db: pg.ClientBase,
  table: string,
  values: Readonly<Record<string, unknown>>,
): Promise<string> {
  const names = Object.keys(values)
  const { rows } = await db.query<{ id: string }>(
    `insert into ${table} (${names.join(', ')}, created_at, updated_at)
     values (${names.map((_, index) => `$${index + 1}`).join(', ')}, ${UTC}, ${UTC}) returning id`,
    Object.values(values),
  )
  return String(rows[0]?.id)
}

/** A name with a version that only grows: `Tee v3` → `Tee v4`, under the row's own lock. */
export function nextVersion(column: string): string {
  return `regexp_replace(coalesce(${column}, ''), ' v[0-9]+$', '')
          || ' v' || (coalesce(substring(${column} from ' v([0-9]+)$')::integer, 0) + 1)`
}
