import type { Db } from '../../postgres/pool.ts'
import { queryPrepared } from '../../postgres/prepared.ts'
import type { Store } from '../store.ts'
import { fillBackorders, lockWaitingOrders } from './backorders.ts'
import type { Shipment } from './find-shipment.ts'
import { NotApplicable } from './not-applicable.ts'
import { insertRow, NOW } from './rows.ts'
import { type Shop, shopOf } from './shop.ts'
import {
  changeLevels,
  effectOf,
  insertMovements,
  type Moved,
  requireFit,
  type StockMove,
} from './stock-move.ts'
import { findLocation, findVariant, lockStock, makeStock, readLevel } from './stock-place.ts'
import { type TouchedVariant, touchVariants, touchWithStock } from './touch.ts'

export type MovedPlace = Readonly<{ variantId: string; productId: string; locationId: string }>

/** Of pieces that may come in, as long as nobody knows how many. */
const ANY_NUMBER = 2_147_483_647

/**
 * Changes the stock of a SKU as a stock movement of Spree does, under the same lock: movement, level, backorders filled,
 * variant and product touched; what is allocated or reserved stays as it is.
 * Where nothing would change, nothing is written.
 * @param since Of an absolute quantity that is not of now: how many pieces came and went since. Asked for once the stock row
 * is locked and every movement that is in its level is committed; undefined: it is old news, and nothing is written.
 * @throws NotApplicable for an unknown or ambiguous SKU, an unknown location, a level that the column cannot hold.
 */
export async function moveStock(
  db: Db,
  store: Pick<Store, 'family' | 'columns'>,
  move: StockMove,
  since?: (place: MovedPlace) => Promise<number | undefined>,
): Promise<Moved & MovedPlace> {
  const shop = shopOf(store)
  const location = await findLocation(db, shop, move.location)
  const variant = await findVariant(db, shop, move.sku)
  if (variant.tracked || move.absolute) {
    const incoming = since
      ? ANY_NUMBER
      : move.absolute
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
  const place = { variantId: variant.id, productId: variant.productId, locationId: location.id }
  const later = since ? await since(place) : 0
  const from = row?.level ?? 0
  if (later === undefined) return { ...place, from, to: from }
  const effect = effectOf({ ...move, quantity: move.quantity + later }, variant.tracked, from)
  requireFit(move, effect)
  const { to, difference, counted } = effect
  if (difference === 0) return { ...place, from, to }

  const rowId = row?.id ?? (await makeStock(db, shop, variant, location))
  const movements = [{ rowId, difference, reason: move.reason }]
  await insertMovements(db, shop, movements)
  if (!counted) return { ...place, from, to }
  await changeLevels(db, shop, movements)
  if (difference > 0) await fillBackorders(db, shop, variant.id, location.id, difference)
  await touchWithStock(db, shop, [variant])
  return { ...place, from, to }
}

type Promised = Readonly<{
  level: string
  variant: string
  product: string
  sku: string
  on_hand: number
  tracked: boolean
  promised: number
}>

/**
 * 6.x: what a parcel holds leaves the shelf as it ships, so far as it was promised to it (`allocated_quantities`): a
 * movement for each line, the level and what is allocated of it, variant, product and lines touched. A parcel from before
 * 6.0 has no promise: its goods left the level when it was ordered.
 * @throws NotApplicable where the shelf does not have what should leave it.
 */
export async function shipStock(db: Db, shop: Shop, { id, number, order }: Shipment): Promise<void> {
  const movements = shop.table('spree_stock_movements')
  await queryPrepared(
    db,
    `select id
       from ${shop.table(shop.stock)}
      where id in (select stock_level_id from ${movements} where fulfillment_id = $1::bigint)
      order by id
        for no key update`,
    [id],
  )
  const { rows: levels } = await queryPrepared<Promised>(
    db,
    `select l.id::text as level, v.id::text as variant, v.product_id::text as product, v.sku, l.count_on_hand as on_hand,
            coalesce(v.track_inventory, true) as tracked,
            sum(case m.kind when 'allocated' then abs(m.quantity) else -abs(m.quantity) end)::integer as promised
       from ${movements} m
       join ${shop.table(shop.stock)} l on l.id = m.stock_level_id
       join ${shop.table('spree_variants')} v on v.id = l.variant_id
      where m.fulfillment_id = $1::bigint
        and m.kind in ('allocated', 'released', 'shipped')
      group by l.id, v.id
      order by l.id`,
    [id],
  )
  const { rows: lines } = await queryPrepared<{ variant: string; quantity: number }>(
    db,
    `select variant_id::text as variant, sum(coalesce(quantity, 1))::integer as quantity
       from ${shop.table(shop.units)}
      where fulfillment_id = $1::bigint
        and status = 'on_hand'
      group by variant_id, line_item_id
      order by variant_id, line_item_id`,
    [id],
  )
  const touched: TouchedVariant[] = []
  for (const { level, variant, product, sku, on_hand: onHand, tracked, promised } of levels) {
    let leaving = 0
    for (const { quantity } of lines.filter((line) => line.variant === variant)) {
      const pieces = Math.min(quantity, promised - leaving)
      if (pieces <= 0) continue
      await insertRow(db, shop, 'spree_stock_movements', {
        stock_level_id: level,
        quantity: pieces,
        kind: 'shipped',
        order_id: order.id,
        fulfillment_id: id,
      })
      leaving += pieces
    }
    if (leaving === 0 || !tracked) continue
    if (onHand < leaving)
      throw new NotApplicable(
        'insufficient_stock',
        `Shipment ${number} of order ${order.number} cannot ship: of SKU ${sku} it takes ${leaving}, and ${onHand} are on hand. ` +
          'Correct the stock, then retry.',
      )
    await queryPrepared(
      db,
      `update ${shop.table(shop.stock)}
          set count_on_hand = count_on_hand - $2::integer, allocated_count = allocated_count - $2::integer, updated_at = ${NOW}
        where id = $1::bigint`,
      [level, leaving],
    )
    touched.push({ id: variant, productId: product })
  }
  await touchVariants(db, shop, touched)
}
