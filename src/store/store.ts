import { z } from 'zod'

import type { MappingError } from '../messages/mapping-error.ts'
import {
  type OrderSnapshot,
  type ProductSnapshot,
  parseOrder,
  parseProduct,
  type VariantStockSnapshot,
} from '../messages/snapshot.ts'
import { eachRow } from '../postgres/each-row.ts'
import type { Db } from '../postgres/pool.ts'
import { queryOnce, queryPrepared } from '../postgres/prepared.ts'
import { type Columns, readColumns } from './columns.ts'
import { detectFamily, type FamilyName } from './detect-family.ts'
import { spree4 } from './families/spree-4.ts'
import { spree6 } from './families/spree-6.ts'
import type { Family } from './family.ts'
import { quoteName } from './json-sql.ts'
import { type ChangedRow, resolveOwners } from './resolve.ts'
import { StoreError } from './store-error.ts'
import type { WatchedTable } from './watched.ts'

export type { ChangedRow, WatchedTable }

/** A store's database: what to watch in it and how to read it, whatever the family. All ids are texts. */
export type Store = Readonly<{
  family: FamilyName
  schema: string
  /** For those who write. */
  columns: Columns
  watched: readonly WatchedTable[]
  /** Every table that the statements below read. */
  tables: readonly string[]
  /** The aggregates that each change belongs to, by the id of its record; see `resolveOwners`. */
  resolve(db: Db, rows: readonly ChangedRow[]): Promise<ReadonlyMap<string, readonly string[]>>
  /** State of products; one that is gone is absent, one that cannot be read is the error that says why. */
  products(db: Db, ids: readonly string[]): Promise<ReadonlyMap<string, ProductSnapshot | MappingError>>
  /** State of placed orders; carts are absent. */
  orders(db: Db, ids: readonly string[]): Promise<ReadonlyMap<string, OrderSnapshot | MappingError>>
  /** The same for many: inside a transaction, each as it comes in, while the database makes the next. */
  eachOrder(
    db: Db,
    ids: readonly string[],
    take: (id: string, order: OrderSnapshot | MappingError) => void,
  ): Promise<void>
  /** Stock by variant id; a variant that is gone is absent, a deleted one is not living. */
  stock(db: Db, variantIds: readonly string[]): Promise<ReadonlyMap<string, VariantStockSnapshot>>
  /** Stock of all living variants of some products, by variant id. */
  stockOfProducts(db: Db, productIds: readonly string[]): Promise<ReadonlyMap<string, VariantStockSnapshot>>
  /** SKU → ids of the living products that have a living variant with it. */
  skuOwners(db: Db, skus: readonly string[]): Promise<ReadonlyMap<string, ReadonlySet<string>>>
  /** Ids of all products, or of all placed orders, in order, a page at a time. */
  roots(db: Db, kind: 'product' | 'order', afterId: string, limit: number): Promise<string[]>
  /** Which of these are products, or placed orders, at present. */
  present(db: Db, kind: 'product' | 'order', ids: readonly string[]): Promise<ReadonlySet<string>>
  /** Id of the variant that was made last. */
  lastVariant(db: Db): Promise<string>
}>

const families: Readonly<Record<FamilyName, (columns: Columns) => Family>> = {
  'spree-4.10': spree4,
  'spree-6.0': spree6,
}

/** To begin the statement costs what three orders cost; and the limit on its time is for so many, were each of a thousand lines. */
const ORDERS_PER_STATEMENT = 100

/**
 * Reads the store's schema, once, and tells its family by it. A store whose tables change under a running process
 * must be opened anew. @throws StoreError where there is no store, or none that we know.
 */
export async function openStore(db: Db): Promise<Store> {
  const columns = await readColumns(db)
  const family = families[detectFamily(columns)](columns)
  const schema = quoteName(columns.schema)
  const tables = tablesIn(schema, [family.products, family.orders, family.stock])
  refuseOtherKeys(columns, [...tables, ...family.watched.map(({ table }) => table)])
  const skuStatement = `
select distinct v.sku, v.product_id::text as product_id
  from ${schema}.spree_variants v
  join ${schema}.spree_products p on p.id = v.product_id
 where v.sku = any($1::text[])
   and v.deleted_at is null
   and p.deleted_at is null`
  // Qualified: a bare `id` in the order is the text that is selected, and '100' comes before '20'.
  const rootStatements = {
    product: `select p.id::text from ${schema}.spree_products p where p.id > $1::bigint order by p.id limit $2`,
    order: `
select o.id::text
  from ${schema}.spree_orders o
 where o.id > $1::bigint
   and o.completed_at is not null
 order by o.id
 limit $2`,
  }
  const presentStatements = {
    product: `select p.id::text from ${schema}.spree_products p where p.id = any($1::bigint[])`,
    order: `select o.id::text from ${schema}.spree_orders o where o.id = any($1::bigint[]) and o.completed_at is not null`,
  }
  return {
    family: family.name,
    schema: columns.schema,
    columns,
    watched: family.watched,
    tables,
    resolve: (db, rows) => resolveOwners(db, family, rows),
    products: (db, ids) => readSnapshots(queryPrepared, db, family.products, ids, parseProduct),
    // Asked by those who read outside a window: a plan that is kept must not outlive its statistics there.
    orders: (db, ids) => readSnapshots(queryOnce, db, family.orders, ids, parseOrder),
    async eachOrder(db, ids, take) {
      for (let start = 0; start < ids.length; start += ORDERS_PER_STATEMENT) {
        const some = ids.slice(start, start + ORDERS_PER_STATEMENT)
        await eachRow<SnapshotRow>(db, family.orders, [some], ({ id, snapshot }) =>
          take(id, parseOrder(id, snapshot)),
        )
      }
    },
    stock: (db, variantIds) => readStock(db, family.stock, variantIds),
    stockOfProducts: (db, productIds) => readStock(db, family.stockOfProducts, productIds),
    async skuOwners(db, skus) {
      const owners = new Map<string, Set<string>>()
      const { rows } = await db.query<{ sku: string; product_id: string }>(skuStatement, [skus])
      for (const { sku, product_id } of rows) {
        owners.set(sku, (owners.get(sku) ?? new Set()).add(product_id))
      }
      return owners
    },
    async roots(db, kind, afterId, limit) {
      const { rows } = await db.query<{ id: string }>(rootStatements[kind], [afterId, limit])
      return rows.map(({ id }) => id)
    },
    async present(db, kind, ids) {
      const { rows } = await db.query<{ id: string }>(presentStatements[kind], [ids])
      return new Set(rows.map(({ id }) => id))
    },
    async lastVariant(db) {
      const { rows } = await db.query<{ id: string }>(
        `select coalesce(max(v.id), 0)::text as id from ${schema}.spree_variants v`,
      )
      return rows[0]?.id ?? '0'
    },
  }
}

type SnapshotRow = { id: string; snapshot: string }

async function readSnapshots<Snapshot>(
  query: typeof queryPrepared,
  db: Db,
  statement: string,
  ids: readonly string[],
  parse: (id: string, json: string) => Snapshot | MappingError,
): Promise<ReadonlyMap<string, Snapshot | MappingError>> {
  if (ids.length === 0) return new Map()
  const { rows } = await query<SnapshotRow>(db, statement, [ids])
  return new Map(rows.map(({ id, snapshot }) => [id, parse(id, snapshot)]))
}

const stockRow = z.object({
  variant_id: z.string(),
  product_id: z.string(),
  sku: z.string(),
  living: z.boolean(),
  created_at: z.date().nullable(),
  level: z.number(),
  locations: z.record(z.string(), z.string().nullable()),
})

async function readStock(
  db: Db,
  statement: string,
  ids: readonly string[],
): Promise<ReadonlyMap<string, VariantStockSnapshot>> {
  if (ids.length === 0) return new Map()
  const { rows } = await queryPrepared(db, statement, [ids])
  const stock = stockRow.array().parse(rows)
  return new Map(
    stock.map((row) => [
      row.variant_id,
      {
        variantId: row.variant_id,
        productId: row.product_id,
        sku: row.sku,
        level: row.level,
        living: row.living,
        createdAt: row.created_at,
        locations: new Map(Object.entries(row.locations)),
      },
    ]),
  )
}

/** The statements look rows up by integer keys. The triggers would do with any. */
function refuseOtherKeys(columns: Columns, tables: readonly string[]): void {
  for (const table of tables) {
    const type = columns.typeOf(table, 'id')
    if (type === undefined || /^(bigint|integer|smallint)$/.test(type)) continue
    throw new StoreError(
      'unsupported_keys',
      `The keys of table ${table} are of type ${type}. Supported are stores whose keys are integers, as Spree makes them.`,
    )
  }
}

function tablesIn(schema: string, statements: readonly string[]): string[] {
  const names = statements.flatMap((statement) => statement.split(`${schema}.`).slice(1))
  return [...new Set(names.map((text) => /^\w+/.exec(text)?.[0] ?? ''))].sort()
}
