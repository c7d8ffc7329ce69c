import type { MessageType } from '../messages/message.ts'
import type { VariantStockSnapshot } from '../messages/snapshot.ts'
import { stockPayload } from '../messages/stock.ts'
import type { Baseline } from './baseline.ts'
import type { Derivation } from './derivation.ts'
import { SHAPE } from './digest.ts'
import { isEcho, type Told } from './echo.ts'
import { isBackfill, type ResolvedRow } from './outbox-row.ts'
import { type StockAccount, stockPart } from './stock-account.ts'
import { changedLevels, differences, levelsByName, type PiecesByPlace, type Places } from './stock-places.ts'

export type StockInput = Readonly<{
  aggregate: string
  rows: readonly ResolvedRow[]
  /** Of the variants that stock rows name; one that is missing is gone. */
  stock: ReadonlyMap<string, VariantStockSnapshot>
  baselines: ReadonlyMap<string, Baseline>
  /** Of those variants that have no baseline, or of which a row asks what is missing. */
  accounts: ReadonlyMap<string, Pick<StockAccount, 'known' | 'missed'>>
  stockMessages: 'change' | 'actual'
  /** Where each place is told by itself: their names. */
  places: Places | undefined
  told(type: MessageType): Told
  now: Date
}>

/** What follows for the stock of a product's variants, which its rows name. */
export function deriveStock(input: StockInput, derivation: Derivation): void {
  const byVariant = new Map<string, ResolvedRow[]>()
  for (const row of input.rows) {
    const variantId = row.kind === 'stock' ? (row.parent ?? row.parentOld) : null
    if (variantId === null) continue
    const rows = byVariant.get(variantId)
    if (rows) rows.push(row)
    else byVariant.set(variantId, [row])
  }
  for (const [variantId, rows] of byVariant) deriveVariantStock(input, variantId, rows, derivation)
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
  const { aggregate } = input
  const part = stockPart(variantId)
  const variant = input.stock.get(variantId)
  for (const row of rows) {
    if (row.delta === null || row.rowId === null) continue
    derivation.ledger.push({
      variantId,
      stockItemId: row.rowId,
      stockLocationId: variant?.locations.get(row.rowId) ?? null,
      delta: row.delta,
      origin: row.origin,
      at: row.at,
    })
  }
  if (!variant) {
    derivation.forgotten.push({ aggregate, part })
    return
  }
  const before = input.baselines.get(part)
  const account = input.accounts.get(variantId)
  const missed = rows.some((row) => row.op === 'compare') ? (account?.missed ?? 0) : 0
  if (missed !== 0) {
    const at = input.now
    derivation.ledger.push({
      variantId,
      stockItemId: null,
      stockLocationId: null,
      delta: String(missed),
      origin: null,
      at,
    })
  }
  const known = Number(before?.level ?? account?.known ?? 0)
  const level = known + sumOf(rows) + missed
  const { places, stockMessages } = input
  const levels = stockMessages === 'actual' && places ? levelsByName(variant, places) : undefined
  derivation.baselines.push({
    aggregate,
    part,
    digest: null,
    level: String(stockMessages === 'change' ? level : variant.level),
    naturalKey: JSON.stringify({ sku: variant.sku, ...(levels && { places: Object.fromEntries(levels) }) }),
    shape: SHAPE,
  })
  const whole = rows.some(isBackfill)
  let changes: PiecesByPlace
  if (stockMessages === 'change') changes = differences(rows, missed, variant, places)
  else if (whole) changes = levels ?? new Map([[undefined, variant.level]])
  else if (levels && places) changes = changedLevels(levels, rows, missed, before, variant, places)
  else if (Number(before?.level ?? Number.NaN) === variant.level) changes = new Map()
  else changes = new Map([[undefined, variant.level]])
  if (!variant.living || (changes.size === 0 && !whole)) {
    const delta = sumOf(rows.filter((row) => row.origin === null)) + missed
    if (delta === 0 && rows.some((row) => row.origin !== null)) derivation.silenced++
    return
  }
  if (variant.sku === '') {
    derivation.withoutSku++
    return
  }
  if (stockMessages === 'actual' && !whole && isEcho(rows, ['stock:actual'], input.told)) {
    derivation.silenced++
    return
  }
  for (const [place, quantity] of changes) {
    const payload = stockPayload(variant.sku, quantity, place)
    derivation.messages.push(
      stockMessages === 'change'
        ? { type: 'stock:change', payload, subject: null }
        : { type: 'stock:actual', payload, subject: place === undefined ? part : `${part}@${place}` },
    )
  }
  // By all that was told and not as it stands: what is under way will be told as a change of this level.
  if (whole && stockMessages === 'change')
    derivation.messages.push({
      type: 'stock:actual',
      payload: stockPayload(variant.sku, level),
      subject: null,
    })
}

function sumOf(rows: readonly ResolvedRow[]): number {
  return rows.reduce((sum, row) => sum + Number(row.delta ?? 0), 0)
}
