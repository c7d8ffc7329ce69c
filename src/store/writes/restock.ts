import type { Db } from '../../postgres/pool.ts'
import { fillBackorders, lockWaitingOrders } from './backorders.ts'
import { insertRow, NOW } from './rows.ts'
import type { Shop } from './shop.ts'
import { lockStock, makeStock, type StockLocation, type StockVariant } from './stock-place.ts'
import { touchWithStock } from './touch.ts'

export type Restocked = Readonly<{
  variant: StockVariant
  location: StockLocation
  quantity: number
  /** What the movement comes from, in the columns of the family. */
  origin: Readonly<Record<string, string | null>>
}>

/**
 * Puts pieces back on the shelf as a stock movement does: level, backorders filled, variant and product touched. What is not
 * counted stays so; where a location never had the variant it gets a row of it in Solidus and 6.x alone.
 */
export async function restock(
  db: Db,
  shop: Shop,
  { variant, location, quantity, origin }: Restocked,
): Promise<void> {
  if (!variant.tracked) return
  await lockWaitingOrders(db, shop, variant.id, location.id, quantity)
  const kept = await lockStock(db, shop, variant, location)
  if (!kept && shop.family !== 'solidus' && shop.family !== 'spree-6.0') return
  const row = kept?.id ?? (await makeStock(db, shop, variant, location))
  await insertRow(db, shop, 'spree_stock_movements', {
    [shop.movedStock]: row,
    quantity,
    kind: 'received',
    ...origin,
  })
  await db.query(
    `update ${shop.table(shop.stock)}
        set count_on_hand = count_on_hand + $2::integer, updated_at = ${NOW}
      where id = $1::bigint`,
    [row, quantity],
  )
  await fillBackorders(db, shop, variant.id, location.id, quantity)
  await touchWithStock(db, shop, [variant])
}
