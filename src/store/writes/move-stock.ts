import type { Db } from '../../postgres/pool.ts'
import type { Store } from '../store.ts'
import { fillBackorders, lockWaitingOrders } from './backorders.ts'
import { NotApplicable } from './not-applicable.ts'
import { insertRow, NOW } from './rows.ts'
import { shopOf } from './shop.ts'
import {
  findLocation,
  findVariant,
  lockStock,
  makeStock,
  type NamedLocation,
  readLevel,
} from './stock-place.ts'
import { touchVariants } from './touch.ts'

/** Of the columns that hold levels and quantities. */
const LARGEST = 2_147_483_647
const SMALLEST = -2_147_483_648

export type StockMove = Readonly<{
  sku: string
  location: NamedLocation
  /** Pieces: by how many, or to how many. */
  quantity: number
  absolute: boolean
  /** Why, for the shop's own ledger where it has a column for it (6.x demands one of an adjustment). */
  reason: string
  /** Is one that has never been at the location refused? Else it gets its row there. */
  onlyWhereKept?: boolean
}>

/** The level at the location before and after. */
export type Moved = Readonly<{ from: number; to: number }>

/**
 * Changes the stock of a SKU as a stock movement of Spree does, under the same lock: movement, level, backorders filled,
 * variant and product touched; what is allocated or reserved stays as it is. A level may go below zero (protocol §7.6).
 * A variant whose stock is not tracked gets the movement and keeps its level, as in `StockMovement`; an absolute level is
 * set all the same, as by `StockItem#set_count_on_hand`. Where nothing would change, nothing is written.
 * @throws NotApplicable for an unknown or ambiguous SKU, an unknown location, a level that the column cannot hold.
 */
export async function moveStock(
  db: Db,
  store: Pick<Store, 'family' | 'columns'>,
  move: StockMove,
): Promise<Moved> {
  const shop = shopOf(store)
  const location = await findLocation(db, shop, move.location)
  const variant = await findVariant(db, shop, move.sku)
  if (variant.tracked || move.absolute) {
    const incoming = move.absolute
      ? move.quantity - (await readLevel(db, shop, variant, location))
      : move.quantity
    await lockWaitingOrders(db, shop, variant.id, location.id, incoming)
  }
  const row = await lockStock(db, shop, variant, location)
  if (row === undefined && move.onlyWhereKept)
    throw new NotApplicable(
      'not_kept_there',
      `SKU ${move.sku} is not kept at that location: give it a row there.`,
    )
  const from = row?.level ?? 0
  const difference = move.absolute ? move.quantity - from : move.quantity
  const to = from + difference
  if (to > LARGEST || to < SMALLEST || difference > LARGEST || difference < SMALLEST) {
    throw new NotApplicable(
      'stock_out_of_range',
      `The stock of SKU ${move.sku} cannot go from ${from} to ${to}: levels lie between ${SMALLEST} and ${LARGEST}.`,
    )
  }
  if (difference === 0) return { from, to }

  const rowId = row?.id ?? (await makeStock(db, shop, variant, location))
  await insertRow(db, shop, 'spree_stock_movements', {
    [shop.movedStock]: rowId,
    quantity: difference,
    kind: 'adjusted',
    reason: move.reason,
  })
  if (!variant.tracked && !move.absolute) return { from, to: from }
  await db.query(
    `update ${shop.table(shop.stock)}
        set count_on_hand = count_on_hand + $2::integer, updated_at = ${NOW}
      where id = $1::bigint`,
    [rowId, difference],
  )
  if (difference > 0) await fillBackorders(db, shop, variant.id, location.id, difference)
  // In 2.0 stock touches nothing.
  if (shop.columns.has('spree_variants', 'updated_at')) await touchVariants(db, shop, [variant.id])
  return { from, to }
}
