import { aggregateKey } from '../messages/aggregate.ts'
import type { Db } from '../postgres/pool.ts'
import { type Baseline, deleteBaselines, readBaselines, writeBaselines } from './baseline.ts'
import { SHAPE } from './digest.ts'
import type { ResolvedRow } from './outbox-row.ts'
import { knownKey } from './regrouped.ts'
import { stockPart } from './stock-account.ts'
import { stockKey } from './stock-places.ts'

type Baselines = ReadonlyMap<string, ReadonlyMap<string, Baseline>>

/** That a variant went from one product to another. */
export type Move = Readonly<{ id: string; variantId: string; from: string; to: string }>

/** In the order in which they were made. */
export function movesIn(rows: readonly ResolvedRow[]): Move[] {
  const moves = rows.flatMap(({ id, tableName, rowId, parent, parentOld }) =>
    tableName === 'spree_variants' &&
    rowId !== null &&
    parent !== null &&
    parentOld !== null &&
    parent !== parentOld
      ? [
          {
            id,
            variantId: rowId,
            from: aggregateKey('product', parentOld),
            to: aggregateKey('product', parent),
          },
        ]
      : [],
  )
  return moves.sort((one, other) => Number(one.id) - Number(other.id))
}

/**
 * What was told of the stock of a variant stands among what was told of its product: it goes along to another one, since by
 * its SKU the pieces are those that they were.
 */
export async function followMoves(db: Db, rows: ReadonlyMap<string, readonly ResolvedRow[]>): Promise<void> {
  // A move is among the rows of both products: the second time there is nothing left to take along.
  for (const { variantId, from, to } of movesIn([...rows.values()].flat())) {
    const told = (await readBaselines(db, [from])).get(from)?.get(stockPart(variantId))
    if (!told) continue
    await writeBaselines(db, [{ ...told, aggregate: to }])
    await deleteBaselines(db, [told])
  }
}

/**
 * Where nothing is noted of its stock, what was told of its former product still says under which SKU its pieces are counted:
 * that goes along as well.
 */
export function withSkusOfMoved(
  baselines: Baselines,
  rows: ReadonlyMap<string, readonly ResolvedRow[]>,
): Baselines {
  const isNoted = (part: string) => [...baselines.values()].some((parts) => parts.has(part))
  const moves = movesIn([...rows.values()].flat()).filter(({ variantId }) => !isNoted(stockPart(variantId)))
  if (moves.length === 0) return baselines
  const all = new Map([...baselines].map(([aggregate, parts]) => [aggregate, new Map(parts)]))
  for (const { variantId, from, to } of moves) {
    const part = stockPart(variantId)
    const told = all.get(from)?.get(part) ?? toldWith(baselines.get(from), variantId)
    if (!told || all.get(to)?.has(part)) continue
    all.get(from)?.delete(part)
    all.set(to, new Map([...(all.get(to) ?? []), [part, { ...told, aggregate: to, part }]]))
  }
  return all
}

function toldWith(
  baselines: ReadonlyMap<string, Baseline> | undefined,
  variantId: string,
): Omit<Baseline, 'aggregate' | 'part'> | undefined {
  const variant = knownKey(baselines)?.variants.find(({ id }) => id === variantId)
  return variant && { digest: null, level: null, naturalKey: stockKey({ sku: variant.sku }), shape: SHAPE }
}
