import type { AggregateKind } from '../messages/aggregate.ts'
import type { MappingError } from '../messages/mapping-error.ts'
import {
  type OrderSnapshot,
  type ProductSnapshot,
  parseOrder,
  parseProduct,
  type ReturnSnapshot,
  type VariantStockSnapshot,
} from '../messages/snapshot.ts'
import type { Picture, StateKind } from '../messages/state-kind.ts'
import { STATE_KINDS } from '../messages/state-kinds.ts'
import { eachRow } from '../postgres/each-row.ts'
import type { Db } from '../postgres/pool.ts'
import { queryOnce, queryPrepared } from '../postgres/prepared.ts'
import { CART, type Carts, ordersOrCarts } from './carts.ts'
import { type Changed, changedSince, type PollCursor } from './changed-since.ts'
import { type Columns, readColumns } from './columns.ts'
import { detectFamily, type FamilyName } from './detect-family.ts'
import { type Extra, extraTables, readExtra, withExtra } from './extra.ts'
import { solidus } from './families/solidus.ts'
import { spree2 } from './families/spree-2.ts'
import { spree4 } from './families/spree-4.ts'
import { spree6 } from './families/spree-6.ts'
import type { Family } from './family.ts'
import { quoteName } from './json-sql.ts'
import { withObjectParts } from './object-parts.ts'
import {
  readReturns,
  readSnapshots,
  readStock,
  type SnapshotRow,
  withParts,
  withValues,
} from './read-snapshots.ts'
import { findUnreadable, type Unreadable } from './readable.ts'
import { type ChangedRow, resolveOwners } from './resolve.ts'
import { stockPlacesStatement } from './stock-sql.ts'
import { StoreError } from './store-error.ts'
import type { WatchedTable } from './watched.ts'

export type { ChangedRow, Extra, Unreadable, WatchedTable }
export { CART, ordersOrCarts }

/** A store's database: what to watch in it and how to read it, whatever the family. All ids are texts. */
export type Store = Readonly<{
  family: FamilyName
  schema: string
  /** For those who write. */
  columns: Columns
  /** It is told as objects of the second generation: its snapshots have what those say besides, and every place is named. */
  inObjects: boolean
  watched: readonly WatchedTable[]
  /** Where the carts are, if they are told. */
  carts: Carts | null
  /** The kind with whose messages those of another are put into one order, for the same id. */
  orderedAs(kind: AggregateKind): AggregateKind
  /** The kinds of aggregates that there are in it. */
  kinds: readonly AggregateKind[]
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
  /** The tables in which returns of orders change. */
  returnTables: readonly string[]
  /** The returns of orders, by the order's id, in the order in which they are told; orders without any are absent. */
  returns(
    db: Db,
    orderIds: readonly string[],
  ): Promise<ReadonlyMap<string, readonly ReturnSnapshot[] | MappingError>>
  /** Stock by variant id; a variant that is gone is absent, a deleted one is not living. */
  stock(db: Db, variantIds: readonly string[]): Promise<ReadonlyMap<string, VariantStockSnapshot>>
  /** Stock of all living variants of some products, by variant id. */
  stockOfProducts(db: Db, productIds: readonly string[]): Promise<ReadonlyMap<string, VariantStockSnapshot>>
  /** Names of the places where stock is, by id; undefined where there is but one, and none has to be named. */
  stockPlaces(db: Db): Promise<ReadonlyMap<string, string> | undefined>
  /** SKU → ids of the living products that have a living variant with it. */
  skuOwners(db: Db, skus: readonly string[]): Promise<ReadonlyMap<string, ReadonlySet<string>>>
  /** What is to be told of the aggregates of a kind that the store has; one that is gone is absent. */
  pictures(
    db: Db,
    kind: StateKind,
    ids: readonly string[],
  ): Promise<ReadonlyMap<string, Picture | MappingError>>
  /** Ids of all aggregates of a kind (orders: placed ones), in order, a page at a time. */
  roots(db: Db, kind: AggregateKind, afterId: string, limit: number): Promise<string[]>
  /** Ids of the aggregates of a kind (orders: placed ones) that changed, as a poll asks for them; undefined of a kind that it does not have. */
  changedSince(
    db: Db,
    kind: AggregateKind,
    cursor: PollCursor | undefined,
    limit: number,
  ): Promise<Changed | undefined>
  /** Which of these are there at present (orders: placed). */
  present(db: Db, kind: AggregateKind, ids: readonly string[]): Promise<ReadonlySet<string>>
  /** Kinds that cannot be read at present: the tables are not what they were when the store was opened. */
  unreadable(db: Db): Promise<Unreadable>
  /** Id of the variant that was made last. */
  lastVariant(db: Db): Promise<string>
}>

/** What of the settings decides what is read and watched. */
export type Told = Readonly<{
  /** What of its own is read besides. */
  extra?: Extra | undefined
  /** Carts are told nobody unless `on`. */
  carts?: 'on' | 'off' | undefined
  /** Told to a hub that takes objects, snapshots have what those say besides. */
  hubDialect?: 'seed' | 'wombat' | undefined
}>

const families: Readonly<
  Record<FamilyName, (columns: Columns, name: FamilyName, told: Readonly<{ carts: boolean }>) => Family>
> = {
  'spree-2.1': spree2,
  'spree-2.4': spree4,
  'spree-3.6': spree4,
  'spree-4.7': spree4,
  'spree-4.10': spree4,
  'spree-6.0': spree6,
  solidus,
}

/** To begin the statement costs what three orders cost; and the limit on its time is for so many, were each of a thousand lines. */
const ORDERS_PER_STATEMENT = 100

/**
 * Reads the store's schema, once, and tells its family by it. A store whose tables change under a running process
 * must be opened anew.
 * @param customers The table of those who have accounts, where it is known.
 * @throws StoreError where there is no store, none that we know, or none that has what is asked for
 */
export async function openStore(
  db: Db,
  { extra, carts, hubDialect }: Told = {},
  customers?: string | undefined,
): Promise<Store> {
  const columns = await readColumns(db, extraTables(extra), customers)
  const name = detectFamily(columns)
  const inObjects = hubDialect === 'wombat'
  const own = withExtra(families[name](columns, name, { carts: carts === 'on' }), columns, extra)
  const family = inObjects ? withObjectParts(own, columns) : own
  const schema = quoteName(columns.schema)
  const tables = tablesIn(schema, [
    family.products,
    family.orders,
    family.stock,
    ...(family.returns ? [family.returns.sql] : []),
    ...Object.values(family.states).map(({ snapshots }) => snapshots),
  ])
  refuseOtherKeys(columns, [...tables, ...family.watched.map(({ table }) => table)])
  const placesStatement = stockPlacesStatement(columns)
  const skuStatement = `
select distinct v.sku, v.product_id::text as product_id
  from ${schema}.spree_variants v
  join ${schema}.spree_products p on p.id = v.product_id
 where v.sku = any($1::text[])
   and v.deleted_at is null
   and p.deleted_at is null`
  const rootsOf = (kind: AggregateKind) => {
    if (kind === 'order') return `${schema}.spree_orders t where t.completed_at is not null and`
    if (kind === 'product') return `${schema}.spree_products t where`
    const { table, condition } = family.states[kind] ?? {}
    if (table === undefined) return undefined
    return `${schema}.${quoteName(table)} t where ${condition === undefined ? '' : `${condition} and`}`
  }
  // Qualified: a bare `id` in the order is the text that is selected, and '100' comes before '20'.
  const idsOf = async (db: Db, kind: AggregateKind, condition: string, values: unknown[]) => {
    const roots = rootsOf(kind)
    if (roots === undefined) return []
    const { rows } = await db.query<{ id: string }>(`select t.id::text from ${roots} ${condition}`, values)
    return rows.map(({ id }) => id)
  }
  const snapshotOfProduct = ({ id, extra: json, ...row }: SnapshotRow) =>
    withValues(parseProduct(id, withParts(row)), json && readExtra(columns, 'product', json))
  const snapshotOfOrder = ({ id, extra: json, ...row }: SnapshotRow) =>
    withValues(parseOrder(id, withParts(row)), json && readExtra(columns, 'order', json))
  return {
    family: family.name,
    schema: columns.schema,
    columns,
    inObjects,
    watched: family.watched,
    carts: family.carts,
    orderedAs: (kind) =>
      kind === 'product' || kind === 'order' ? kind : (family.states[kind]?.orderedWith ?? kind),
    kinds: ['product', 'order', ...STATE_KINDS.flatMap(({ kind }) => (family.states[kind] ? [kind] : []))],
    tables,
    resolve: (db, rows) => resolveOwners(db, family, rows),
    products: (db, ids) => readSnapshots(queryPrepared, db, family.products, ids, snapshotOfProduct),
    // Asked by those who read outside a window: a plan that is kept must not outlive its statistics there.
    orders: (db, ids) => readSnapshots(queryOnce, db, family.orders, ids, snapshotOfOrder),
    async eachOrder(db, ids, take) {
      for (let start = 0; start < ids.length; start += ORDERS_PER_STATEMENT) {
        const some = ids.slice(start, start + ORDERS_PER_STATEMENT)
        await eachRow<SnapshotRow>(db, family.orders, [some], (row) => take(row.id, snapshotOfOrder(row)))
      }
    },
    returnTables: family.returns?.tables ?? [],
    returns: (db, orderIds) => readReturns(db, family.returns?.sql, orderIds),
    stock: (db, variantIds) => readStock(db, family.stock, variantIds),
    stockOfProducts: (db, productIds) => readStock(db, family.stockOfProducts, productIds),
    async stockPlaces(db) {
      const { rows } = await db.query<{ id: string; name: string; living: boolean }>(placesStatement)
      if (!inObjects && rows.filter(({ living }) => living).length < 2) return undefined
      return new Map(rows.map(({ id, name }) => [id, name]))
    },
    async skuOwners(db, skus) {
      const owners = new Map<string, Set<string>>()
      const { rows } = await db.query<{ sku: string; product_id: string }>(skuStatement, [skus])
      for (const { sku, product_id } of rows) {
        owners.set(sku, (owners.get(sku) ?? new Set()).add(product_id))
      }
      return owners
    },
    async pictures(db, kind, ids) {
      const source = family.states[kind.kind]
      return source
        ? readSnapshots(queryPrepared, db, source.snapshots, ids, ({ id, snapshot }) =>
            kind.read(id, snapshot),
          )
        : new Map()
    },
    roots: (db, kind, afterId, limit) =>
      idsOf(db, kind, 't.id > $1::bigint order by t.id limit $2', [afterId, limit]),
    async changedSince(db, kind, cursor, limit) {
      const rows = rootsOf(kind)
      // The one table that is not Spree's own.
      const timeless = kind === 'customer' && !columns.has(columns.customers ?? '', 'updated_at')
      return rows === undefined || timeless ? undefined : changedSince(db, rows, cursor, limit)
    },
    present: async (db, kind, ids) => new Set(await idsOf(db, kind, 't.id = any($1::bigint[])', [ids])),
    unreadable: (db) => findUnreadable(db, family),
    async lastVariant(db) {
      const { rows } = await db.query<{ id: string }>(
        `select coalesce(max(v.id), 0)::text as id from ${schema}.spree_variants v`,
      )
      return rows[0]?.id ?? '0'
    },
  }
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
  return [...new Set(names.map((text) => /^"?(\w+)/.exec(text)?.[1] ?? ''))].sort()
}
