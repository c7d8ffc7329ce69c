import type { MessageType } from '../messages/message.ts'
import {
  type NaturalKey,
  productNaturalKey,
  productPayload,
  removedProductPayload,
} from '../messages/product.ts'
import type { ProductSnapshot } from '../messages/snapshot.ts'
import { timeOfChange } from '../messages/time-of-change.ts'
import { productContent } from './content.ts'
import { type Derivation, emptyDerivation } from './derivation.ts'
import { deriveStock, type StockInput } from './derive-stock.ts'
import { digestOf, isUnchanged, SHAPE } from './digest.ts'
import { isEcho } from './echo.ts'
import { movesIn } from './moved.ts'
import {
  changedByShop,
  haveCrossed,
  isBackfill,
  isForget,
  isRootInsert,
  type ResolvedRow,
} from './outbox-row.ts'
import { CATALOGUE, knownKey } from './regrouped.ts'

export type ProductInput = Omit<StockInput, 'wasTold' | 'isCounted'> &
  Readonly<{
    /** Undefined: the row is gone. */
    product: ProductSnapshot | undefined
    /** True once the silent seeding is through: from then on a missing baseline means new. */
    seeded: boolean
    /** False where the product may hold the effects of rows that are not among these. */
    whole: boolean
    /** Is the SKU in use by a living variant of another product? Then its removal must not be announced. Never of ''. */
    livesElsewhere(sku: string): boolean
  }>

/** The catalogue message first, then the stock of its SKUs: stock must not overtake the `product:new` of its SKU. */
export function deriveProduct(input: ProductInput): Derivation {
  const derivation = emptyDerivation()
  const catalogueRows = input.rows.filter((row) => row.kind === 'product')
  if (catalogueRows.length > 0) deriveCatalogue(input, catalogueRows, derivation)
  if (catalogueRows.some(isBackfill)) tellWhole(input, derivation)
  const known = knownKey(input.baselines)
  deriveStock(
    {
      ...input,
      wasTold: (id) => wasTold(id, input, known),
      isCounted: (sku) => isCounted(sku, input, known),
    },
    derivation,
  )
  return derivation
}

/**
 * A master is no variant to others: it was told of with its product. One that comes from another product was told of with
 * that. And of a product of which nothing is noted, pieces that were there before are taken to be known: they must not be
 * told twice.
 */
function wasTold(
  variantId: string,
  { product, seeded, rows, stock }: ProductInput,
  known: NaturalKey | undefined,
): boolean {
  const isOne = (of: NaturalKey | ProductSnapshot) => of.variants.some(({ id }) => id === variantId)
  const wasOfAnother = () => movesIn(rows).some((move) => move.variantId === variantId)
  const isMaster = () => product !== undefined && stock.get(variantId)?.sku === product.sku
  return !seeded || known === undefined || isOne(known) || isMaster() || wasOfAnother()
}

/** A living variant has it, or nobody is told that the product is gone, and with it the SKUs of its variants. */
function isCounted(sku: string, input: ProductInput, known: NaturalKey | undefined): boolean {
  const { product } = input
  if (input.livesElsewhere(sku)) return true
  if (product && product.deletedAt === null)
    return [product, ...product.variants].some((variant) => variant.sku === sku)
  const told = known ?? (product && productNaturalKey(product))
  return told !== undefined && livesOn(told, input)
}

/**
 * Of a product that others may know, as a new one: who knows nothing of it is to add it (`add_product`, §9.4: an update of
 * an unknown SKU is refused). What changed meanwhile is told before, so that nobody misses it who leaves new ones alone.
 */
function tellWhole({ product }: ProductInput, { messages }: Derivation): void {
  if (!product || product.deletedAt !== null || messages.some(({ type }) => type === 'product:new')) return
  messages.push({ type: 'product:new', payload: productPayload(product, undefined), subject: null })
}

function deriveCatalogue(input: ProductInput, rows: readonly ResolvedRow[], derivation: Derivation): void {
  const { aggregate, product } = input
  const before = input.baselines.get(CATALOGUE)
  const known = knownKey(input.baselines)
  if (!product) {
    if (known && !livesOn(known, input)) {
      const variants = known.variants.filter(({ sku }) => !input.livesElsewhere(sku))
      const payload = removedProductPayload({ ...known, variants }, input.now)
      derivation.messages.push({ type: 'product:update', payload, subject: CATALOGUE })
    }
    derivation.forgotten.push(...[...input.baselines.values()].map(({ part }) => ({ aggregate, part })))
    return
  }

  const content = productPayload(product, undefined)
  const write = (digest: string | null, changedAt?: Date) =>
    derivation.baselines.push({
      aggregate,
      part: CATALOGUE,
      digest,
      level: null,
      naturalKey: JSON.stringify(productNaturalKey(product)),
      shape: SHAPE,
      changedAt,
    })
  if (rows.every(isForget)) return void write(null)
  const isNew = before === undefined && (input.seeded || rows.some((row) => isRootInsert(row, product.id)))
  // Made and removed before anyone was told: never mentioned, and new if it is ever restored.
  if (isNew && product.deletedAt !== null) return
  const own = productContent(content, product.parts)
  const digest = digestOf(own)
  const unchanged = !rows.some(isForget) && isUnchanged(before, digest, own)
  // What the shop took back it has changed.
  const crossed = haveCrossed(rows, input.whole)
  const written = unchanged && !crossed ? undefined : changedByShop(rows)
  const told = content.updated_at ? new Date(content.updated_at) : undefined
  write(digest, written && timeOfChange(written, told))
  const requested = rows.some((row) => row.op === 'announce')
  if (unchanged && !requested && !crossed) return
  // A removal is not told for a SKU that lives on another variant: a consumer would remove that one.
  if (product.deletedAt !== null && livesOn(known ?? productNaturalKey(product), input)) return
  // A product that the hub itself made is known to all that the hub told of it; one that was merely never announced is not.
  const isHubs = !isNew || rows.some((row) => isRootInsert(row, product.id))
  // Where what was told is forgotten, the hub lacks more than it has written.
  const isForgotten = before?.digest === null
  if (isHubs && !isForgotten && !requested && isEchoOf(rows, ['product:new', 'product:update'], input)) {
    derivation.silenced++
    return
  }
  if (isNew) {
    derivation.messages.push({ type: 'product:new', payload: content, subject: null })
    return
  }
  const payload = productPayload(product, known)
  const subject = payload.previous_sku === undefined ? CATALOGUE : null
  derivation.messages.push({ type: 'product:update', payload, subject })
}

function isEchoOf(
  rows: readonly ResolvedRow[],
  types: readonly MessageType[],
  { told }: ProductInput,
): boolean {
  const changes = rows.filter((row) => !isBackfill(row))
  return changes.length > 0 && isEcho(changes, types, told)
}

/** By its own SKU; where it has none, because masters were abolished, by all those of its variants. */
function livesOn({ sku, variants }: NaturalKey, input: ProductInput): boolean {
  const skus = sku === '' ? variants.map((variant) => variant.sku) : [sku]
  return skus.length > 0 && skus.every((each) => input.livesElsewhere(each))
}
