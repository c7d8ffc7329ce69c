import { aggregateKey } from '../messages/aggregate.ts'
import type { Db } from '../postgres/pool.ts'
import { deleteBaselines, readBaselines, writeBaselines } from './baseline.ts'
import type { ResolvedRow } from './outbox-row.ts'
import { stockPart } from './stock-account.ts'

/** That a variant went from one product to another. */
export type Move = Readonly<{ id: string; variantId: string; from: string; to: string }>

export function movesIn(rows: readonly ResolvedRow[]): Move[] {
  return rows.flatMap(({ id, tableName, rowId, parent, parentOld }) =>
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
}

/**
 * What was told of the stock of a variant stands among what was told of its product: it goes along to another one, since by
 * its SKU the pieces are those that they were.
 */
export async function followMoves(db: Db, rows: ReadonlyMap<string, readonly ResolvedRow[]>): Promise<void> {
  // A move is among the rows of both products: the second time there is nothing left to take along.
  const moves = [...rows.values()].flatMap(movesIn).sort((one, other) => Number(one.id) - Number(other.id))
  for (const { variantId, from, to } of moves) {
    const told = (await readBaselines(db, [from])).get(from)?.get(stockPart(variantId))
    if (!told) continue
    await writeBaselines(db, [{ ...told, aggregate: to }])
    await deleteBaselines(db, [told])
  }
}
