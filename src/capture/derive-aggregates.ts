import { aggregateKey } from '../messages/aggregate.ts'
import type { MappingError } from '../messages/mapping-error.ts'
import type { MessageType } from '../messages/message.ts'
import { naturalKeySchema } from '../messages/product.ts'
import type { OrderSnapshot, ProductSnapshot, VariantStockSnapshot } from '../messages/snapshot.ts'
import type { Db } from '../postgres/pool.ts'
import type { Store } from '../store/store.ts'
import { type Baseline, readBaselines } from './baseline.ts'
import type { Derivation } from './derivation.ts'
import { deriveOrder } from './derive-order.ts'
import { deriveProduct, type ProductInput } from './derive-product.ts'
import type { Told } from './echo.ts'
import type { ResolvedRow } from './outbox-row.ts'
import { readSeeded } from './seeding.ts'
import { readKnownLevels, readStockAccounts, stockPart } from './stock-account.ts'
import { readTold } from './told.ts'
import type { Unmapped } from './unmapped.ts'

type Rows = ReadonlyMap<string, readonly ResolvedRow[]>

/**
 * State and baseline of the aggregates, one statement per kind, and what follows from them. An aggregate that
 * cannot be mapped becomes one entry of `unmapped`; its neighbours do not notice. Unless `whole`, the state may hold the
 * effects of rows that are not among these, perhaps a person's: then nothing is taken for an echo.
 */
export async function deriveAggregates(
  db: Db,
  store: Store,
  rows: Rows,
  how: Readonly<{ stockMessages: 'change' | 'actual'; whole: boolean }>,
): Promise<{ derivations: ReadonlyMap<string, Derivation>; unmapped: Unmapped[] }> {
  // The outbox was read by index whatever the statistics say; the state is read as the planner sees fit.
  await db.query('set local enable_seqscan = on; set local jit = off')
  const aggregates = [...rows.keys()]
  const baselines = await readBaselines(db, aggregates)
  const products = await readProducts(db, store, rows)
  const orders = await store.orders(db, idsOf(aggregates, 'order'))
  const stock = await store.stock(db, stockVariants(rows))
  const accounts = await readNeededAccounts(db, rows, stock, baselines)
  const seeded = await readSeeded(db)
  const told = await readTold(db, hubMade(rows))
  const elsewhere = await removedSkus(db, store, products, baselines)
  await db.query('set local enable_seqscan = off')

  const derivations = new Map<string, Derivation>()
  const unmapped: Unmapped[] = []
  const now = new Date()
  for (const [aggregate, aggregateRows] of rows) {
    const [kind, id] = splitAggregate(aggregate)
    const known = baselines.get(aggregate) ?? new Map<string, Baseline>()
    try {
      if (kind === 'order') {
        const order = mapped<OrderSnapshot>(orders.get(id))
        derivations.set(aggregate, deriveOrder({ aggregate, rows: aggregateRows, order, baselines: known }))
        continue
      }
      derivations.set(
        aggregate,
        deriveProduct({
          aggregate,
          rows: aggregateRows,
          product: mapped<ProductSnapshot>(products.get(id)),
          stock,
          baselines: known,
          accounts,
          seeded: seeded.has('product'),
          stockMessages: how.stockMessages,
          told: (type: MessageType): Told =>
            how.whole
              ? (told.get(`${aggregate} ${type}`) ?? { waiting: false, acknowledgedAt: undefined })
              : { waiting: true, acknowledgedAt: undefined },
          livesElsewhere: (sku) => [...(elsewhere.get(sku) ?? [])].some((owner) => owner !== id),
          now,
        }),
      )
    } catch (error) {
      unmapped.push({ aggregate, reason: error instanceof Error ? error.message : String(error) })
    }
  }
  return { derivations, unmapped }
}

function mapped<Snapshot>(found: Snapshot | MappingError | undefined): Snapshot | undefined {
  if (found instanceof Error) throw found
  return found
}

async function readProducts(db: Db, store: Store, rows: Rows) {
  const wanted = [...rows]
    .filter(([, own]) => own.some((row) => row.kind === 'product'))
    .map(([aggregate]) => aggregate)
  return store.products(db, idsOf(wanted, 'product'))
}

function stockVariants(rows: Rows): string[] {
  const variants = new Set<string>()
  for (const own of rows.values()) {
    for (const row of own) {
      const variantId = row.kind === 'stock' ? (row.parent ?? row.parentOld) : null
      if (variantId !== null) variants.add(variantId)
    }
  }
  return [...variants]
}

/** Most variants have a baseline and nobody asks about them: then nothing is read. */
async function readNeededAccounts(
  db: Db,
  rows: Rows,
  stock: ReadonlyMap<string, VariantStockSnapshot>,
  baselines: ReadonlyMap<string, ReadonlyMap<string, Baseline>>,
): Promise<ProductInput['accounts']> {
  const asked = new Set<string | null>()
  for (const own of rows.values()) for (const row of own) if (row.op === 'compare') asked.add(row.parent)
  const baselineOf = ({ productId, variantId }: VariantStockSnapshot) =>
    baselines.get(aggregateKey('product', productId))?.get(stockPart(variantId))
  const variants = [...stock.values()]
  const accounts = await readStockAccounts(
    db,
    variants.filter(({ variantId }) => asked.has(variantId)),
    baselineOf,
  )
  const known = await readKnownLevels(
    db,
    variants.filter((variant) => !asked.has(variant.variantId) && baselineOf(variant) === undefined),
  )
  const needed = new Map<string, Readonly<{ known: number; missed: number }>>(accounts)
  for (const [id, level] of known) needed.set(id, { known: level, missed: 0 })
  return needed
}

/** Aggregates of which everything new was written by the hub: only they can be an echo. */
function hubMade(rows: Rows): string[] {
  return [...rows].filter(([, own]) => own.some((row) => row.origin !== null)).map(([aggregate]) => aggregate)
}

/** For SKUs of products that are gone or deleted: the products on whose living variants they live on. */
async function removedSkus(
  db: Db,
  store: Store,
  products: ReadonlyMap<string, ProductSnapshot | MappingError>,
  baselines: ReadonlyMap<string, ReadonlyMap<string, Baseline>>,
): Promise<ReadonlyMap<string, ReadonlySet<string>>> {
  const skus = new Set<string>()
  for (const [aggregate, parts] of baselines) {
    const naturalKey = parts.get('catalogue')?.naturalKey
    const product = products.get(splitAggregate(aggregate)[1])
    const removed = product === undefined || (!(product instanceof Error) && product.deletedAt !== null)
    if (naturalKey == null || !removed) continue
    const { sku, variants } = naturalKeySchema.parse(JSON.parse(naturalKey))
    for (const known of [sku, ...variants.map((variant) => variant.sku)]) skus.add(known)
  }
  for (const product of products.values()) {
    if (!(product instanceof Error) && product.deletedAt !== null) skus.add(product.sku)
  }
  skus.delete('')
  return skus.size === 0 ? new Map() : store.skuOwners(db, [...skus])
}

function idsOf(aggregates: readonly string[], kind: string): string[] {
  return aggregates
    .filter((aggregate) => aggregate.startsWith(`${kind}:`))
    .map((aggregate) => splitAggregate(aggregate)[1])
}

function splitAggregate(aggregate: string): [kind: string, id: string] {
  const colon = aggregate.indexOf(':')
  return [aggregate.slice(0, colon), aggregate.slice(colon + 1)]
}
