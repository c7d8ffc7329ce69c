import { type AggregateKind, aggregateKey, splitAggregate } from '../messages/aggregate.ts'
import type { MappingError } from '../messages/mapping-error.ts'
import type { Message, MessageType } from '../messages/message.ts'
import type { OrderSnapshot, VariantStockSnapshot } from '../messages/snapshot.ts'
import { STATE_KINDS } from '../messages/state-kinds.ts'
import {
  type InObjects,
  objectTypeOf,
  orderObjects,
  productObjects,
  stateObjects,
} from '../messages/wombat/as-objects.ts'
import type { Db } from '../postgres/pool.ts'
import type { Store } from '../store/store.ts'
import { type Baseline, readBaselines } from './baseline.ts'
import { type Derivation, inObjects } from './derivation.ts'
import { type AllDerived, Derivations } from './derivations.ts'
import { deriveOrder, type OrderMessages } from './derive-order.ts'
import { deriveProduct, type ProductInput } from './derive-product.ts'
import { deriveState } from './derive-state.ts'
import type { Told } from './echo.ts'
import { withSkusOfMoved } from './moved.ts'
import type { ResolvedRow } from './outbox-row.ts'
import { readRegrouped, removedSkus } from './regrouped.ts'
import { readSeeded } from './seeding.ts'
import type { Shaping } from './shape-messages.ts'
import { readKnownLevels, readStockAccounts, stockPart, variantOfSubject } from './stock-account.ts'
import { readTold } from './told.ts'
import { untold, untoldStock } from './untold.ts'

type Rows = ReadonlyMap<string, readonly ResolvedRow[]>

/**
 * State and baseline of the aggregates, one statement per kind, and what follows from them. An aggregate that cannot be
 * mapped or shaped becomes one entry of `unmapped`; its neighbours do not notice. Unless `whole`, the state may hold the
 * effects of rows that are not among these, perhaps a person's: then nothing is taken for an echo, nor the hub's for
 * told. `seeded`: the kinds whose silent seeding is known to be through, where that is known. Products that need the stock
 * are `held` while that cannot be read: nothing is said of them.
 */
export async function deriveAggregates(
  db: Db,
  store: Store,
  rows: Rows,
  how: Readonly<{
    stockMessages: 'change' | 'actual'
    stockBy?: 'variant' | 'location'
    orderMessages: OrderMessages
    whole: boolean
    seeded: ReadonlySet<string> | undefined
    /** Aggregates of which no message could be made before. */
    failedBefore?: Pick<ReadonlySet<string>, 'has'>
    /** Stock cannot be read at present. */
    stockHeld?: boolean
    /** Undefined: messages are sent as they are mapped. */
    shaping?: Shaping | undefined
  }>,
): Promise<AllDerived & Readonly<{ held: ReadonlySet<string> }>> {
  const aggregates = [...rows.keys()]
  const changed = changedProducts(rows)
  const variants = stockVariants(rows)
  const [noted, products, named, seeded, told] = await Promise.all([
    readBaselines(db, aggregates, how.orderMessages === 'generic'),
    store.products(db, changed),
    store.stock(db, variants),
    how.seeded ?? readSeeded(db),
    readTold(db, hubMade(rows)),
  ])
  const baselines = withSkusOfMoved(noted, rows)
  const pictures = new Map(
    await Promise.all(
      STATE_KINDS.map(async (about) => {
        const ids = idsOf(aggregates, about.kind)
        return [about.kind, await store.pictures(db, about, ids)] as const
      }),
    ),
  )
  const { stock, regrouped, left, held } = await readRegrouped(db, store, {
    changed,
    products,
    baselines,
    named,
    stockHeld: how.stockHeld ?? false,
  })
  const places = how.stockBy === 'location' && stock.size > 0 ? await store.stockPlaces(db) : undefined
  const accounts = await readNeededAccounts(db, rows, stock, baselines)
  const elsewhere = await removedSkus(db, store, { changed, products, baselines, left })

  const orders = idsOf(aggregates, 'order')
  const returning = orders.filter((id) => {
    const aggregate = aggregateKey('order', id)
    // What was not told of the returns of one that failed, its rows do not say any more.
    return how.failedBefore?.has(aggregate) || mayReturn(store, rows.get(aggregate) ?? [])
  })
  const returns = await store.returns(db, returning)
  const all = new Derivations(rows, how.shaping, (aggregate) => {
    const of = splitAggregate(aggregate)
    return of ? aggregateKey(store.orderedAs(of.kind), of.id) : aggregate
  })
  const inDialect = (derivation: Derivation, translate: (messages: readonly Message[]) => InObjects) =>
    store.inObjects ? inObjects(derivation, translate(derivation.messages)) : derivation
  const deriveFromOrder = (id: string, order: OrderSnapshot | MappingError | undefined) => {
    const aggregate = aggregateKey('order', id)
    const input = {
      aggregate,
      rows: rows.get(aggregate) ?? [],
      baselines: baselines.get(aggregate) ?? NONE_KNOWN,
      seeded: seeded.has('order'),
      orderMessages: how.orderMessages,
      whole: how.whole,
    }
    const derive = () => {
      const own = returning.includes(id) ? (mapped(returns.get(id)) ?? []) : undefined
      const derivation = deriveOrder({ ...input, order: mapped(order), returns: own })
      return inDialect(derivation, (messages) => orderObjects(messages, mapped(order), own ?? []))
    }
    all.add(aggregate, derive, () => untold(input))
  }
  // An order's picture is a hundred objects: as soon as it comes it is made into the text that leaves, and let go.
  await store.eachOrder(db, orders, deriveFromOrder)
  for (const id of orders) if (!all.has(aggregateKey('order', id))) deriveFromOrder(id, undefined)

  const now = new Date()
  const toldOf =
    (aggregate: string) =>
    (type: MessageType): Told =>
      how.whole
        ? (told.get(`${aggregate} ${store.inObjects ? objectTypeOf(type) : type}`) ?? {
            waiting: false,
            acknowledgedAt: undefined,
          })
        : { waiting: true, acknowledgedAt: undefined }
  for (const id of idsOf(aggregates, 'product')) {
    if (held.includes(id)) continue
    const aggregate = aggregateKey('product', id)
    const input = {
      aggregate,
      rows: rows.get(aggregate) ?? [],
      regrouped: regrouped.get(id) ?? [],
      stock,
      baselines: baselines.get(aggregate) ?? NONE_KNOWN,
      accounts,
      stockMessages: how.stockMessages,
      places,
      told: toldOf(aggregate),
      now,
    }
    const derive = () => {
      const product = mapped(products.get(id))
      const derivation = deriveProduct({
        ...input,
        product,
        seeded: seeded.has('product'),
        whole: how.whole,
        livesElsewhere: (sku) => [...(elsewhere.get(sku) ?? [])].some((owner) => owner !== id),
      })
      const variantOf = ({ subject }: Message) => stock.get(variantOfSubject(subject) ?? '')
      return inDialect(derivation, (messages) =>
        productObjects(messages, product, { variantOf, places: places ?? new Map() }),
      )
    }
    all.add(aggregate, derive, () => untoldStock(input))
  }

  for (const about of STATE_KINDS) {
    for (const id of idsOf(aggregates, about.kind)) {
      const aggregate = aggregateKey(about.kind, id)
      const input = {
        about,
        aggregate,
        id,
        rows: rows.get(aggregate) ?? [],
        baselines: baselines.get(aggregate) ?? NONE_KNOWN,
        seeded: seeded.has(about.kind),
        whole: how.whole,
        told: toldOf(aggregate),
        now,
      }
      const derive = () => {
        // Not gone: its table is, perhaps for a moment, or is another one now.
        if (!store.kinds.includes(about.kind)) throw new Error(`The store has no table for ${about.kind}s.`)
        const picture = mapped(pictures.get(about.kind)?.get(id))
        return inDialect(deriveState({ ...input, picture }), stateObjects)
      }
      all.add(aggregate, derive, () => untold(input))
    }
  }

  const finished = await all.finish(db)
  return { ...finished, held: new Set(held.map((id) => aggregateKey('product', id))) }
}

const NONE_KNOWN: ReadonlyMap<string, Baseline> = new Map()

function mapped<Snapshot>(found: Snapshot | MappingError | undefined): Snapshot | undefined {
  if (found instanceof Error) throw found
  return found
}

/** The products of whose catalogue something changed; where only stock moved, nothing else is asked about. */
function changedProducts(rows: Rows): string[] {
  const changed = [...rows].filter(([, own]) => own.some((row) => row.kind === 'product'))
  return idsOf(
    changed.map(([aggregate]) => aggregate),
    'product',
  )
}

/** Most orders never have a return: then none is asked for. */
function mayReturn(store: Store, rows: readonly ResolvedRow[]): boolean {
  return rows.some(({ tableName }) => tableName === 'request' || store.returnTables.includes(tableName))
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

/** Of most variants a level is noted and nobody asks about them: then nothing is read. */
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
    variants.filter((variant) => !asked.has(variant.variantId) && baselineOf(variant)?.level == null),
  )
  const needed = new Map<string, Readonly<{ known: number; missed: number }>>(accounts)
  for (const [id, level] of known) needed.set(id, { known: level, missed: 0 })
  return needed
}

/** Aggregates of which everything new was written by the hub: only they can be an echo. */
function hubMade(rows: Rows): string[] {
  return [...rows].filter(([, own]) => own.some((row) => row.origin !== null)).map(([aggregate]) => aggregate)
}

function idsOf(aggregates: readonly string[], kind: AggregateKind): string[] {
  return aggregates
    .filter((aggregate) => aggregate.startsWith(`${kind}:`))
    .map((aggregate) => aggregate.slice(kind.length + 1))
}
