import { missingWriteGrants } from '../../apply/rights.ts'
import { missingGrants } from '../../capture/rights.ts'
import type { Db } from '../../postgres/pool.ts'
import { absentFields } from '../../store/absent-fields.ts'
import { quoteName } from '../../store/json-sql.ts'
import type { Store } from '../../store/store.ts'
import { checkStores } from './check-stores.ts'
import { type Finding, failed, ok, warning } from './finding.ts'

/** The store: what it is, what this role may do in it, and whether every kind can be read. */
export async function checkStore(db: Db, store: Store, appliesMessages: boolean): Promise<Finding[]> {
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
    await estimateBaseline(db, store),
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
  const none = Object.entries(NOT_EVERYWHERE).filter(([kind]) => !found.some(({ check }) => check === kind))
  return [...found, ...none.map(([kind, text]) => ok(kind, `is not told of: ${text}`))]
}

const NOT_EVERYWHERE = {
  customer: 'the store has no table of customers with id and e-mail address',
  stock_transfer: 'the store has no table of stock transfers',
}

const UNREADABLE =
  "Its changes wait until the column or table is there again; one that was renamed needs a release that knows it, or the shop's own name back."

/** A row of the baselines with its part of the index: of an order, of a product, and of each variant's stock. */
const BASELINE_BYTES = { order: 200, product: 320, variant: 190 } as const

async function estimateBaseline(db: Db, { schema }: Store): Promise<Finding> {
  const count = (table: string) => `(select count(*)::float8 from ${quoteName(schema)}.${table})`
  const { rows } = await db.query<{ products: number; variants: number; orders: number }>(
    `select ${count('spree_products')} as products, ${count('spree_variants')} as variants, ${count('spree_orders')} as orders`,
  )
  const { products = 0, variants = 0, orders = 0 } = rows[0] ?? {}
  const { product, variant, order } = BASELINE_BYTES
  const megabytes = Math.ceil((products * product + variants * variant + orders * order) / 1_000_000)
  const text = `${products} products, ${variants} variants, ${orders} orders: what is remembered of them takes up to ${megabytes} MB`
  return ok('size', text)
}
