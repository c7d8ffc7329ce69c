import { aggregateKey } from '../messages/aggregate.ts'
import type { Db } from '../postgres/pool.ts'
import { deleteBaselines, readBaselines, writeBaselines } from './baseline.ts'
import type { ResolvedRow } from './outbox-row.ts'
import { stockPart } from './stock-account.ts'

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
