import { missingWriteGrants } from '../../apply/rights.ts'
import { missingGrants } from '../../capture/rights.ts'
import type { Db } from '../../postgres/pool.ts'
import { absentFields } from '../../store/absent-fields.ts'
import { quoteName } from '../../store/json-sql.ts'
import type { Store } from '../../store/store.ts'
import { checkStores } from './check-stores.ts'
import { type Finding, failed, ok, warning } from './finding.ts'

/** The store: what it is, what this role may do in it, and whether every kind can be read. */
export async function checkStore(
  db: Db,
  store: Store,
  { appliesMessages, keepsOrders }: Readonly<{ appliesMessages: boolean; keepsOrders: boolean }>,
): Promise<Finding[]> {
  const [watching, writing] = [await missingGrants(db, store), await missingWriteGrants(db, store)]
  const rights = [
    ok('store', `${store.family}, in schema ${store.schema}: ${store.watched.length} tables are watched`),
    watching.length === 0
      ? ok('rights to watch', 'complete')
      : failed('rights to watch', `${watching.length} missing`, asOwner(watching)),
    writing.grants.length === 0
      ? ok('rights to write', 'complete')
      : (appliesMessages ? failed : warning)(
          'rights to write',
          `missing for ${writing.services.join(', ')}`,
          asOwner(writing.grants),
        ),
  ]
  if (watching.length > 0) return rights
  return [
    ...rights,
    ...(await checkStores(db, store)),
    ...(await checkKinds(db, store)),
    await estimateBaseline(db, store, keepsOrders),
  ]
}

function asOwner(grants: readonly string[]): string {
  return `As the owner of the store's tables run:\n${grants.join('\n')}`
}

/**
 * The columns that each kind needs are there, or PostgreSQL names the one that is not; and which fields stay empty because
 * this store has no column for them.
 */
async function checkKinds(db: Db, store: Store): Promise<Finding[]> {
  const unreadable = await store.unreadable(db)
  const found = [...store.kinds, 'stock' as const].map((kind) => {
    const why = unreadable.get(kind)
    if (why !== undefined) return failed(kind, `cannot be read: ${why}`, UNREADABLE)
    const absent = absentFields(store.columns, kind)
    return ok(
      kind,
      absent.length === 0 ? 'can be read' : `can be read; the store does not keep ${absent.join(', ')}`,
    )
  })
  const isTold = (kind: string) =>
    kind === 'return' ? store.returnTables.length > 0 : found.some(({ check }) => check === kind)
  const none = Object.entries(NOT_EVERYWHERE).filter(([kind]) => !isTold(kind))
  return [...found, ...none.map(([kind, text]) => ok(kind, `is not told of: ${text}`))]
}

const NOT_EVERYWHERE = {
  customer: 'the store has no table of customers with id and e-mail address',
  stock_transfer: 'the store has no table of stock transfers',
  return: 'the store keeps no items of what comes back',
}

const UNREADABLE =
  "Its changes wait until the column or table is there again; one that was renamed needs a release that knows it, or the shop's own name back."

/** A row of the baselines with its part of the index; and an order as it was last told, where it is kept for the next time. */
const BASELINE_BYTES = { product: 400, variant: 190, order: 200, keptOrder: 2_400, customer: 250 } as const

/** Beyond so many rows a count takes long; then what the server estimates will do. */
const COUNTED = 10_000

async function estimateBaseline(db: Db, { schema, columns }: Store, keepsOrders: boolean): Promise<Finding> {
  const products = await countRows(db, schema, 'spree_products')
  const variants = await countRows(db, schema, 'spree_variants')
  const orders = await countRows(db, schema, 'spree_orders')
  const customers = columns.customers ? await countRows(db, schema, columns.customers) : 0
  const bytes =
    products * BASELINE_BYTES.product +
    variants * BASELINE_BYTES.variant +
    orders * (keepsOrders ? BASELINE_BYTES.keptOrder : BASELINE_BYTES.order) +
    customers * BASELINE_BYTES.customer
  return ok(
    'size',
    `${told(products)} products, ${told(variants)} variants, ${told(orders)} orders${keepsOrders ? ', kept as they were last told' : ''}, ${told(customers)} customers: what is remembered of them takes up to ${Math.ceil(bytes / 1_000_000)} MB`,
  )
}

async function countRows(db: Db, schema: string, table: string): Promise<number> {
  const name = `${quoteName(schema)}.${quoteName(table)}`
  const { rows } = await db.query<{ count: number }>(
    `select case
              when counted < $2 then counted
              else greatest(counted, (select reltuples from pg_catalog.pg_class where oid = $1::regclass))
            end::float8 as count
       from (select count(*) as counted from (select from ${name} limit $2) first) known`,
    [name, COUNTED],
  )
  return rows[0]?.count ?? 0
}

function told(rows: number): string {
  return rows < COUNTED ? String(rows) : `about ${Math.round(rows)}`
}
