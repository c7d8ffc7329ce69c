import { z } from 'zod'

import { type AggregateKind, aggregateKey, aggregateKindOf } from '../messages/aggregate.ts'
import { MappingError } from '../messages/mapping-error.ts'
import { orderContent } from '../messages/order-content.ts'
import { productPayload } from '../messages/product.ts'
import { rawOrder } from '../messages/raw-order.ts'
import type {
  OrderSnapshot,
  ProductSnapshot,
  ReturnSnapshot,
  VariantStockSnapshot,
} from '../messages/snapshot.ts'
import type { Picture, StateKind } from '../messages/state-kind.ts'
import type { Baseline } from './baseline.ts'
import { productContent } from './content.ts'
import { areReturnsTold } from './derive-returns.ts'
import { digestOf, isUnchanged } from './digest.ts'
import type { Asked } from './outbox.ts'
import type { StockAccount } from './stock-account.ts'

/**
 * How the store differs from what was announced: it was `changed` since, never told (`untold`), is `gone`; or no message
 * can be made of it, and nobody knows that yet (`unmappable`).
 */
export type Outcome = 'changed' | 'untold' | 'gone' | 'unmappable'

/** One difference that nothing under way accounts for. */
export type Drift = Readonly<{
  about: Asked
  outcome: Outcome
  /** What people know it by: an order's number, a product's SKU or name, a variant's SKU; null where that is personal. */
  name: string | null
  /** Stock only: pieces that were never told. */
  missed?: number
}>

type Found<Snapshot> = Snapshot | MappingError

/** An order as it stands, with its returns, against what was announced of it; undefined where they agree. */
export function compareOrder(
  id: string,
  order: Found<OrderSnapshot>,
  returns: Found<readonly ReturnSnapshot[]>,
  baselines: ReadonlyMap<string, Baseline> | undefined,
): Drift | undefined {
  const drift = (outcome: Outcome, name: string | null): Drift => ({
    about: { kind: 'order', id },
    outcome,
    name,
  })
  const told = baselines?.get('order')
  if (order instanceof MappingError || returns instanceof MappingError)
    return drift('unmappable', told?.naturalKey ?? null)
  if (!told) return drift('untold', order.number)
  const raw = rawOrder(order)
  const content = orderContent(order, raw)
  return isUnchanged(told, digestOf(content), content) && areReturnsTold(returns, raw, baselines)
    ? undefined
    : drift('changed', order.number)
}

/** The same for what the catalogue says of a product. One that was removed before anybody was told needs no word. */
export function compareProduct(
  id: string,
  product: Found<ProductSnapshot>,
  told: Baseline | undefined,
): Drift | undefined {
  const drift = (outcome: Outcome, name: string | null): Drift => ({
    about: { kind: 'product', id },
    outcome,
    name,
  })
  if (product instanceof MappingError) return drift('unmappable', null)
  const name = product.sku || product.name
  if (!told) return product.deletedAt === null ? drift('untold', name) : undefined
  const content = productContent(productPayload(product, undefined), product.parts)
  return isUnchanged(told, digestOf(content), content) ? undefined : drift('changed', name)
}

/** The same for a kind that is announced as one state. */
export function compareState(
  { kind }: StateKind,
  id: string,
  picture: Found<Picture>,
  told: Baseline | undefined,
): Drift | undefined {
  const drift = (outcome: Outcome, naturalKey: string | null): Drift => ({
    about: { kind, id },
    outcome,
    name: nameIn(kind, naturalKey),
  })
  if (picture instanceof MappingError) return drift('unmappable', told?.naturalKey ?? null)
  const { content, naturalKey, deleted } = picture
  if (!told) return deleted ? undefined : drift('untold', naturalKey)
  return isUnchanged(told, digestOf(content), content) ? undefined : drift('changed', naturalKey)
}

/** What people know an aggregate by, as it was noted; a kind says its name, or has none. */
export function nameIn(kind: AggregateKind, naturalKey: string | null): string | null {
  if (kind === 'order' || naturalKey === null) return naturalKey
  const { sku, name } = namedKeySchema.parse(JSON.parse(naturalKey))
  return sku || name || null
}

const namedKeySchema = z.object({ sku: z.string().optional(), name: z.string().nullish() })

/**
 * The same for the stock of a variant. Nothing is said of one that is deleted or has no SKU. Where deltas are told, what is
 * missing is exact even while others are under way; where levels are told, any that is under way will tell the level.
 * `isElsewhere`: the pieces are all known, but told of other places.
 */
export function compareStock(
  { variantId, productId, sku, living, level }: VariantStockSnapshot,
  told: Baseline | undefined,
  account: StockAccount,
  stockMessages: 'change' | 'actual',
  isElsewhere = false,
): Drift | 'underWay' | undefined {
  if (!living || sku === '') return undefined
  const { missed, waitingRows, asked } = account
  const isUntold = told === undefined ? level !== 0 : stockMessages === 'actual' && told.level === null
  const isMissing = missed !== 0 || isUntold || isElsewhere
  if (!isMissing) return undefined
  if (asked || (stockMessages === 'actual' && waitingRows > 0)) return 'underWay'
  // Its first change is about to be collected, and will note the level.
  if (missed === 0 && waitingRows > 0) return 'underWay'
  return {
    about: { kind: 'stock', id: productId, variantId },
    outcome: told && !isUntold ? 'changed' : 'untold',
    name: sku,
    missed,
  }
}

export function aggregateOf({ about: { kind, id } }: Drift): string {
  return aggregateKey(aggregateKindOf(kind), id)
}
