import type { Baseline } from './baseline.ts'
import { type Derivation, emptyDerivation } from './derivation.ts'
import { deriveStock, type StockInput } from './derive-stock.ts'
import { stockPart } from './stock-account.ts'

/**
 * What is left of a product whose messages could not be made: nothing was told, so the baselines stay. But of stock that the
 * hub moved itself it must never be told, and the rows that know it are taken: by that much the level is known. The shop's
 * own pieces are missing from then on, until somebody compares. What was to be forgotten is.
 */
export function untoldStock(input: Omit<StockInput, 'wasTold' | 'isCounted'>): Derivation {
  const derivation = emptyDerivation()
  deriveStock({ ...input, wasTold: () => true, isCounted: () => false }, derivation)
  return {
    ...emptyDerivation(),
    // Those without a stock item are what somebody has found missing: it still is.
    ledger: derivation.ledger.filter(({ stockItemId }) => stockItemId !== null),
    baselines:
      input.stockMessages === 'actual'
        ? derivation.baselines.filter(({ level }) => level === null)
        : derivation.baselines.flatMap((known) => withoutOwn(known, input)),
  }
}

function withoutOwn(
  known: Baseline,
  { rows, baselines }: Pick<StockInput, 'rows' | 'baselines'>,
): Baseline[] {
  const own = rows.filter(
    ({ kind, parent, parentOld }) => kind === 'stock' && known.part === stockPart(parent ?? parentOld ?? ''),
  )
  // One that asks what is missing brings no delta that could be taken out again.
  if (known.level === null || own.length === 0 || own.some(({ op }) => op === 'compare')) return []
  const pieces = own
    .filter(({ origin }) => origin === null)
    .reduce((sum, { delta }) => sum + Number(delta ?? 0), 0)
  // They are counted under the SKU under which they were told.
  const { naturalKey } = baselines.get(known.part) ?? known
  return [{ ...known, naturalKey, level: String(Number(known.level) - pieces) }]
}
