import type { MessageType } from '../messages/message.ts'
import type { VariantStockSnapshot } from '../messages/snapshot.ts'
import { stockPayload } from '../messages/stock.ts'
import type { Baseline } from './baseline.ts'
import type { Derivation, LedgerEntry } from './derivation.ts'
import { SHAPE } from './digest.ts'
import { isEcho, type Told } from './echo.ts'
import { movesIn } from './moved.ts'
import { isBackfill, isForget, isHubs, type ResolvedRow } from './outbox-row.ts'
import { type StockAccount, stockPart } from './stock-account.ts'
import {
  areExplained,
  changedLevels,
  differences,
  levelsByName,
  type PiecesByPlace,
  type Places,
  stockKey,
  toldPlaces,
  toldSku,
  withEmptied,
  withoutLevels,
} from './stock-places.ts'

export type StockInput = Readonly<{
  aggregate: string
  rows: readonly ResolvedRow[]
  /** Variants of which something else than stock changed: whether they live, or their SKU. */
  regrouped: readonly string[]
  /** Of the variants that stock rows or `regrouped` name; one that is missing is gone. */
  stock: ReadonlyMap<string, VariantStockSnapshot>
  baselines: ReadonlyMap<string, Baseline>
  /** Of those variants that have no baseline, or of which a row asks what is missing. */
  accounts: ReadonlyMap<string, Pick<StockAccount, 'known' | 'missed'>>
  stockMessages: 'change' | 'actual'
  /** Where each place is told by itself: their names. */
  places: Places | undefined
  told(type: MessageType): Told
  /** Whether the product was told of with this variant, of whose stock nothing is noted. */
  wasTold(variantId: string): boolean
  /** Do those who heard of the SKU go on counting pieces under it, though this variant is gone? */
  isCounted(sku: string): boolean
  now: Date
}>

/** What follows for the stock of a product's variants, which its rows name. */
export function deriveStock(input: StockInput, derivation: Derivation): void {
  const byVariant = new Map<string, ResolvedRow[]>(input.regrouped.map((variantId) => [variantId, []]))
  for (const row of input.rows) {
    const variantId = row.kind === 'stock' ? (row.parent ?? row.parentOld) : null
    if (variantId === null || (isForget(row) && !hasLevel(input, variantId))) continue
    const rows = byVariant.get(variantId)
    if (rows) rows.push(row)
    else byVariant.set(variantId, [row])
  }
  for (const [variantId, rows] of byVariant) deriveVariantStock(input, variantId, rows, derivation)
}

/** Differences are told whatever was; and of a variant that is another product's now, nothing is noted here. */
function hasLevel({ stockMessages, baselines }: StockInput, variantId: string): boolean {
  return stockMessages === 'actual' && baselines.has(stockPart(variantId))
}

/**
 * `stock:change` is the sum of the deltas that were not the hub's own: exact without any baseline. The baseline moves by
 * what was taken, not to the level that is found: what no trigger saw stays missing until somebody asks for it.
 */
function deriveVariantStock(
  input: StockInput,
  variantId: string,
  rows: readonly ResolvedRow[],
  derivation: Derivation,
): void {
  const { aggregate, places, stockMessages } = input
  const part = stockPart(variantId)
  const variant = input.stock.get(variantId)
  const noted = input.baselines.get(part)
  const before = noted && rows.some(isForget) ? withoutLevels(noted) : noted
  const [heardAs, sku] = [skuHeard(input, variantId), variant?.living ? variant.sku : '']
  if (rows.every(isForget) && heardAs === sku) {
    if (before && rows.length > 0) derivation.baselines.push(before)
    return
  }
  const account = input.accounts.get(variantId)
  const missed = rows.some((row) => row.op === 'compare') ? (account?.missed ?? 0) : 0
  derivation.ledger.push(...ledgerOf(variantId, variant, rows, missed, input.now))
  const known = Number(before?.level ?? account?.known ?? 0)
  // To another product under another SKU: who heard of both products knows nothing of what the two SKUs have in common.
  const isRenamed = sku !== heardAs && cameFromElsewhere(variantId, input)
  const leaves =
    heardAs !== '' && (sku === '' || isRenamed) && stockMessages === 'change' && input.isCounted(heardAs)
  // Who counts by SKU loses the pieces of a SKU that is gone; those of one that is counted on have to be taken from it.
  if (leaves && known !== 0) {
    const own = variant ? differences(rows, 0, variant, places) : NOWHERE
    const pieces = sumByPlace(own) === -known ? own : new Map([[undefined, -known]])
    tell(derivation, 'stock:change', heardAs, pieces, null)
  }
  if (!variant) {
    derivation.forgotten.push({ aggregate, part })
    return
  }
  const level = known + sumOf(rows) + missed
  const levels = stockMessages === 'actual' && places ? levelsByName(variant, places) : undefined
  // Where one location is left none is named: what stands with the hub under names is there no more.
  const placesGone = places ? undefined : toldPlaces(before, rows)
  derivation.baselines.push({
    aggregate,
    part,
    digest: null,
    level: String(stockMessages === 'change' ? level : variant.level),
    naturalKey: stockKey({ sku, ...(levels && { places: Object.fromEntries(withEmptied(levels, before)) }) }),
    shape: SHAPE,
  })
  if (leaves && sku === '') return
  const appears = sku !== '' && (heardAs === '' || isRenamed)
  const whole = rows.some(isBackfill)
  let changes: PiecesByPlace
  if (stockMessages === 'change')
    changes = appears
      ? withFormer(known, rows, missed, variant, places)
      : differences(rows, missed, variant, places)
  else if (levels && places)
    changes = whole || appears ? levels : changedLevels(levels, rows, missed, before, variant, places)
  else if (!whole && !appears && !placesGone && isAsTold(before, rows, variant)) changes = NOWHERE
  else
    changes = new Map([...(placesGone ?? []).map((name) => [name, 0] as const), [undefined, variant.level]])
  if (!variant.living || !(changes.size > 0 || whole)) {
    const delta = sumOf(rows.filter((row) => !isHubs(row))) + missed
    if (delta === 0 && rows.some(isHubs)) derivation.silenced++
    return
  }
  if (sku === '') {
    derivation.withoutSku++
    return
  }
  if (stockMessages === 'change') {
    tell(derivation, 'stock:change', sku, changes, null)
    // By all that was told and not as it stands: what is under way will be told as a change of this level. How much of
    // that is where is known only while nothing is under way.
    if (whole)
      tell(
        derivation,
        'stock:actual',
        sku,
        places && level === variant.level ? levelsByName(variant, places) : new Map([[undefined, level]]),
        null,
      )
    return
  }
  // What nobody knows (yet, or any more), or what else moved, the hub does not know by having moved something itself.
  const hadMore = appears && known !== 0
  const isExplained =
    (levels && places && areExplained(changes, rows, before, variant, places)) ??
    (!placesGone && before?.level !== null && level === variant.level)
  if (!whole && !hadMore && rows.length > 0 && isExplained && isEcho(rows, ['stock:actual'], input.told))
    derivation.silenced++
  else tell(derivation, 'stock:actual', sku, changes, part)
}

/** Whether the level is the one that was told, and the hub has not made another of that. */
function isAsTold(
  before: Baseline | undefined,
  rows: readonly ResolvedRow[],
  { level }: VariantStockSnapshot,
): boolean {
  return Number(before?.level ?? Number.NaN) === level && sumOf(rows.filter(isHubs)) === 0
}

const NOWHERE: PiecesByPlace = new Map()

/** The SKU under which those who heard of the variant count its pieces; empty where nobody does. */
function skuHeard({ baselines, stock, wasTold }: StockInput, variantId: string): string {
  const before = baselines.get(stockPart(variantId))
  if (before) return toldSku(before)
  return wasTold(variantId) ? (stock.get(variantId)?.sku ?? '') : ''
}

/** Whether all that its rows say of where it was comes to another product than it was of. */
function cameFromElsewhere(variantId: string, { aggregate, rows }: StockInput): boolean {
  const [first] = movesIn(rows).filter((move) => move.variantId === variantId)
  return first !== undefined && first.from !== aggregate
}

/** All that a variant has which is heard of for the first time, or again: what it had before, and what changed. */
function withFormer(
  known: number,
  rows: readonly ResolvedRow[],
  missed: number,
  variant: VariantStockSnapshot,
  places: Places | undefined,
): PiecesByPlace {
  const changes = differences(rows, missed, variant, places)
  if (known === 0) return changes
  if (places && changes.size === 0 && known === variant.level) return levelsByName(variant, places)
  const all = new Map(changes).set(undefined, (changes.get(undefined) ?? 0) + known)
  return new Map([...all].filter(([, pieces]) => pieces !== 0))
}

function ledgerOf(
  variantId: string,
  variant: VariantStockSnapshot | undefined,
  rows: readonly ResolvedRow[],
  missed: number,
  now: Date,
): LedgerEntry[] {
  const entries = rows.flatMap(({ rowId, delta, origin, at }) =>
    delta === null || rowId === null
      ? []
      : [
          {
            variantId,
            stockItemId: rowId,
            stockLocationId: variant?.locations.get(rowId) ?? null,
            delta,
            origin,
            at,
          },
        ],
  )
  if (missed === 0) return entries
  const unseen = { stockItemId: null, stockLocationId: null, delta: String(missed), origin: null }
  return [...entries, { variantId, ...unseen, at: now }]
}

function tell(
  derivation: Derivation,
  type: 'stock:change' | 'stock:actual',
  sku: string,
  told: PiecesByPlace,
  subject: string | null,
): void {
  for (const [place, quantity] of told)
    derivation.messages.push({
      type,
      payload: stockPayload(sku, quantity, place),
      subject: subject === null || place === undefined ? subject : `${subject}@${place}`,
    })
}

function sumOf(rows: readonly ResolvedRow[]): number {
  return rows.reduce((sum, row) => sum + Number(row.delta ?? 0), 0)
}

function sumByPlace(pieces: PiecesByPlace): number {
  return [...pieces.values()].reduce((sum, each) => sum + each, 0)
}
