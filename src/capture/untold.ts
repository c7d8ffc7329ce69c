import type { Baseline } from './baseline.ts'
import { type Derivation, emptyDerivation } from './derivation.ts'
import { deriveStock, type StockInput } from './derive-stock.ts'
import { isForget, isHubs, type ResolvedRow } from './outbox-row.ts'
import { stockPart, variantOfSubject } from './stock-account.ts'
import { withoutLevels } from './stock-places.ts'

/**
 * What follows where no message can be made: nothing was told, so the baselines stay, but for what was to be forgotten; and
 * for what the hub wrote, since it does not have what it was told any more, and its rows are taken.
 */
export function untold({ rows, baselines }: Pick<StockInput, 'rows' | 'baselines'>): Derivation {
  const unknown = rows.filter((row) => isForget(row) || isHubs(row))
  const levels = new Set(unknown.filter(({ kind }) => kind === 'stock').map(partOf))
  const isStates = unknown.some(({ kind }) => kind !== 'stock')
  const forgotten = [...baselines.values()].flatMap((known) => {
    if (variantOfSubject(known.part) !== undefined)
      return levels.has(known.part) ? [withoutLevels(known)] : []
    return isStates ? [{ ...known, digest: null, told: null }] : []
  })
  return { ...emptyDerivation(), baselines: forgotten }
}

/**
 * The same of a product. But of stock that the hub moved itself it must never be told, and the rows that know it are taken:
 * by that much the level is known. The shop's own pieces are missing from then on, until somebody compares.
 */
export function untoldStock(input: Omit<StockInput, 'wasTold' | 'isCounted'>): Derivation {
  const tellsLevels = input.stockMessages === 'actual'
  const rows = tellsLevels ? input.rows : input.rows.filter(({ kind }) => kind !== 'stock')
  const forgotten = untold({ ...input, rows }).baselines
  const derivation = emptyDerivation()
  deriveStock({ ...input, wasTold: () => true, isCounted: () => false }, derivation)
  const moved = tellsLevels ? [] : derivation.baselines.flatMap((known) => withoutOwn(known, input))
  return {
    ...emptyDerivation(),
    // Those without a stock item are what somebody has found missing: it still is.
    ledger: derivation.ledger.filter(({ stockItemId }) => stockItemId !== null),
    baselines: [...forgotten, ...moved],
  }
}

function withoutOwn(
  known: Baseline,
  { rows, baselines }: Pick<StockInput, 'rows' | 'baselines'>,
): Baseline[] {
  const own = rows.filter((row) => row.kind === 'stock' && known.part === partOf(row))
  // One that asks what is missing brings no delta that could be taken out again.
  if (known.level === null || own.length === 0 || own.some(({ op }) => op === 'compare')) return []
  const pieces = own
    .filter(({ origin }) => origin === null)
    .reduce((sum, { delta }) => sum + Number(delta ?? 0), 0)
  // They are counted under the SKU under which they were told.
  const { naturalKey } = baselines.get(known.part) ?? known
  return [{ ...known, naturalKey, level: String(Number(known.level) - pieces) }]
}

function partOf({ parent, parentOld }: ResolvedRow): string {
  return stockPart(parent ?? parentOld ?? '')
}
