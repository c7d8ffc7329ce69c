import type { Db } from '../../src/postgres/pool.ts'
import { createRandom, type Random } from '../support/random.ts'
import { type AnyStore, passIdsBroughtAlong } from '../support/stores.ts'

/** By which names a family knows what all have. */
export type Words = Readonly<{
  /** Products have a master variant; else one of theirs is the default. */
  masters: boolean
  stock: string
  shipments: string
  units: string
  unitParent: string
  customers: string | undefined
}>

const OLDER: Words = {
  masters: true,
  stock: 'spree_stock_items',
  shipments: 'spree_shipments',
  units: 'spree_inventory_units',
  unitParent: 'shipment_id',
  customers: 'spree_users',
}
const SIX: Words = {
  masters: false,
  stock: 'spree_stock_levels',
  shipments: 'spree_fulfillments',
  units: 'spree_fulfillment_items',
  unitParent: 'fulfillment_id',
  customers: 'spree_customers',
}

export type ReplayedStore = Extract<AnyStore, 'spree-2.4' | 'spree-4.10' | 'solidus-4' | 'spree-6.0'>

export const WORDS: Readonly<Record<ReplayedStore, Words>> = {
  // Its users are an extension of their own, which the small shop does not have.
  'spree-2.4': { ...OLDER, customers: undefined },
  'spree-4.10': OLDER,
  'solidus-4': OLDER,
  'spree-6.0': SIX,
}

/** A shop in which things happen by chance: which rows they meet is chosen when they happen. */
export type ReplayShop = Readonly<{
  family: ReplayedStore
  words: Words
  has(table: string, column: string): boolean
  /** In names and numbers, so that none comes twice. */
  next(): number
}>

export const isSix = ({ words }: ReplayShop): boolean => !words.masters

/** One thing that happens; where there is nothing that it could happen to it does nothing. */
export type Happening = (at: Readonly<{ db: Db; shop: ReplayShop; random: Random }>) => Promise<void>

export const UTC = `(clock_timestamp() at time zone 'utc')`

export async function openReplayShop(db: Db, family: ReplayedStore): Promise<ReplayShop> {
  const { rows } = await db.query<{ name: string }>(
    `select table_name || '.' || column_name as name from information_schema.columns where table_schema = 'public'`,
  )
  const columns = new Set(rows.map(({ name }) => name))
  await passIdsBroughtAlong(db)
  let count = 0
  return {
    family,
    words: WORDS[family],
    has: (table, column) => columns.has(`${table}.${column}`),
    next: () => ++count,
  }
}

export function happen(db: Db, shop: ReplayShop, what: Happening, seed: number): Promise<void> {
  return what({ db, shop, random: createRandom(seed) })
}

/** Inserts what of `values` the family has columns for. */
export async function insert(
  db: Db,
  shop: ReplayShop,
  table: string,
  values: Readonly<Record<string, unknown>>,
): Promise<string> {
  const given = Object.entries(values).filter(([name]) => shop.has(table, name))
  const times = ['created_at', 'updated_at'].filter((name) => shop.has(table, name))
  const names = [...given.map(([name]) => name), ...times]
  const { rows } = await db.query<{ id: string }>(
    `insert into ${table} (${names.join(', ')})
     values (${[...given.map((_, index) => `$${index + 1}`), ...times.map(() => UTC)].join(', ')})
     returning ${shop.has(table, 'id') ? 'id::text' : `''`} as id`,
    given.map(([, value]) => value),
  )
  return rows[0]?.id ?? ''
}

/** One of the rows that a query finds; undefined where it finds none. */
export async function choose<Row extends Readonly<Record<string, unknown>>>(
  db: Db,
  random: Random,
  query: string,
): Promise<Row | undefined> {
  const { rows } = await db.query<Row>(query)
  return rows.length === 0 ? undefined : random.pick(rows)
}

export async function touch(db: Db, table: string, id: string): Promise<void> {
  await db.query(`update ${table} set updated_at = ${UTC} where id = $1`, [id])
}

export const LIVING_PRODUCTS = 'select id::text from spree_products where deleted_at is null order by id'
export const LIVING_VARIANTS = `
  select v.id::text, v.product_id::text as product, v.sku, coalesce(v.is_master, false) as master
    from spree_variants v join spree_products p on p.id = v.product_id
   where v.deleted_at is null and p.deleted_at is null
   order by v.id`

export type Id = Readonly<{ id: string }>
export type Variant = Readonly<{ id: string; product: string; sku: string; master: boolean }>
