import type { Db } from '../../postgres/pool.ts'
import { queryPrepared } from '../../postgres/prepared.ts'
import type { Store } from '../store.ts'
import { fillBackorders, lockWaitingOrders } from './backorders.ts'
import type { Shipment } from './find-shipment.ts'
import { NotApplicable } from './not-applicable.ts'
import { insertRow, NOW } from './rows.ts'
import { type Shop, shopOf } from './shop.ts'
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
  /**
   * Of an absolute quantity that is not of now: how many pieces came and went since. Asked for once the stock row is locked
   * and every movement that is in its level is committed; undefined: it is old news, and nothing is written.
   */
  since?: (place: StockPlace) => Promise<number | undefined>
}>

export type StockPlace = Readonly<{ variantId: string; productId: string; locationId: string }>

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
      ? move.since
        ? LARGEST // not known before the lock
        : move.quantity - (await readLevel(db, shop, variant, location))
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
  const place = { variantId: variant.id, productId: variant.productId, locationId: location.id }
  const since = move.since ? await move.since(place) : 0
  if (since === undefined) return { from, to: from }
  const difference = move.absolute ? move.quantity + since - from : move.quantity
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
  await queryPrepared(
    db,
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

type Promised = Readonly<{
  level: string
  variant: string
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
    `select l.id::text as level, v.id::text as variant, v.sku, l.count_on_hand as on_hand,
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
  const touched: string[] = []
  for (const { level, variant, sku, on_hand: onHand, tracked, promised } of levels) {
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
    touched.push(variant)
  }
  await touchVariants(db, shop, touched)
}
