import type { Db } from '../../postgres/pool.ts'
import { queryPrepared } from '../../postgres/prepared.ts'
import { NotApplicable } from './not-applicable.ts'
import { NOW } from './rows.ts'
import type { Shop } from './shop.ts'
import type { NamedLocation } from './stock-place.ts'

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

/** What comes of a move at a level: `difference` is what its movement tells, `counted` whether the level follows. */
export type Effect = Moved & Readonly<{ difference: number; counted: boolean }>

/**
 * A variant whose stock is not tracked gets the movement and keeps its level, as in `StockMovement`; an absolute level is
 * set all the same, as by `StockItem#set_count_on_hand`. A level may go below zero (protocol §7.6).
 */
export function effectOf({ quantity, absolute }: StockMove, tracked: boolean, from: number): Effect {
  const difference = absolute ? quantity - from : quantity
  const counted = tracked || absolute
  return { from, to: counted ? from + difference : from, difference, counted }
}

/** @throws NotApplicable for a level that the column cannot hold. */
export function requireFit({ sku }: StockMove, effect: Effect): void {
  if (fitsColumn(effect)) return
  const { from, difference } = effect
  throw new NotApplicable(
    'stock_out_of_range',
    `The stock of SKU ${sku} cannot go from ${from} to ${from + difference}: levels lie between ${SMALLEST} and ${LARGEST}.`,
  )
}

export function fitsColumn({ from, difference }: Effect): boolean {
  return [difference, from + difference].every((pieces) => pieces >= SMALLEST && pieces <= LARGEST)
}

/** A movement of a row of stock: the pieces that it brings or takes, and why. */
export type Movement = Readonly<{ rowId: string; difference: number; reason: string }>

export async function insertMovements(db: Db, shop: Shop, movements: readonly Movement[]): Promise<void> {
  const table = 'spree_stock_movements'
  const columns = Object.entries({
    [shop.movedStock]: 'moved.row_id',
    quantity: 'moved.difference',
    kind: `'adjusted'`,
    reason: 'moved.reason',
    created_at: NOW,
    updated_at: NOW,
  }).filter(([name]) => shop.columns.has(table, name))
  await queryPrepared(
    db,
    `insert into ${shop.table(table)} (${columns.map(([name]) => name).join(', ')})
     select ${columns.map(([, value]) => value).join(', ')}
       from unnest($1::bigint[], $2::integer[], $3::text[]) with ordinality moved (row_id, difference, reason, place)
      order by moved.place`,
    [
      movements.map(({ rowId }) => rowId),
      movements.map(({ difference }) => difference),
      movements.map(({ reason }) => reason),
    ],
  )
}

/** Of rows that are locked. */
export async function changeLevels(db: Db, shop: Shop, movements: readonly Movement[]): Promise<void> {
  const changes = new Map<string, number>()
  for (const { rowId, difference } of movements) changes.set(rowId, (changes.get(rowId) ?? 0) + difference)
  await queryPrepared(
    db,
    `update ${shop.table(shop.stock)} stock
        set count_on_hand = stock.count_on_hand + change.difference, updated_at = ${NOW}
       from unnest($1::bigint[], $2::bigint[]) change (row_id, difference)
      where stock.id = change.row_id`,
    [[...changes.keys()], [...changes.values()]],
  )
}
