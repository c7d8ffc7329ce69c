import type { Db } from '../../postgres/pool.ts'
import type { Store } from '../store.ts'
import { findAwaited } from './backorders.ts'
import { NotApplicable } from './not-applicable.ts'
import { type Shop, shopOf } from './shop.ts'
import {
  changeLevels,
  type Effect,
  effectOf,
  fitsColumn,
  insertMovements,
  type StockMove,
} from './stock-move.ts'
import {
  findLocation,
  findVariants,
  lockFreeStock,
  type NamedLocation,
  placeKey,
  type StockLocation,
  type StockPlace,
  type StockRow,
} from './stock-place.ts'
import { touchWithStock } from './touch.ts'

/** A move with the place that it means; undefined where there is none. */
export type PlacedMove =
  | (StockMove & StockPlace & Readonly<{ productId: string; tracked: boolean }>)
  | undefined
/** Its row is locked, and what becomes of the level is known; undefined for one that has to go by itself. */
export type TakenMove = NonNullable<PlacedMove> & Effect & Readonly<{ rowId: string }>

/** Finds where many moves are to be made. */
export async function placeMoves(
  db: Db,
  store: Pick<Store, 'family' | 'columns'>,
  moves: readonly StockMove[],
): Promise<PlacedMove[]> {
  const shop = shopOf(store)
  const named = new Map(moves.map(({ location }) => [JSON.stringify(location), location]))
  const [variants, ...found] = await Promise.all([
    findVariants(db, shop, [...new Set(moves.map(({ sku }) => sku))]),
    ...[...named.values()].map((location) => findIfThere(db, shop, location)),
  ])
  const locations = new Map([...named.keys()].map((key, index) => [key, found[index]]))
  return moves.map((move) => {
    const variant = variants.get(move.sku)
    const location = locations.get(JSON.stringify(move.location))
    if (!variant || !location) return undefined
    const { id: variantId, productId, tracked } = variant
    // Not `{ ...move, `, here and below: see `createInbox`.
    return { variantId, productId, tracked, locationId: location.id, ...move }
  })
}

/**
 * Takes the rows of many moves, which `makeMoves` then makes as `moveStock` makes one: in the order given, and waiting for
 * nobody. Undefined stands for each that has to go by itself: because somebody is at its rows, an order waits for its
 * pieces, or its place has no row yet; or because it cannot be made, which `moveStock` says in words.
 */
export async function takeMoves(
  db: Db,
  store: Pick<Store, 'family' | 'columns'>,
  moves: readonly PlacedMove[],
): Promise<(TakenMove | undefined)[]> {
  const shop = shopOf(store)
  const placed = moves.filter((move) => move !== undefined)
  const [rows, awaited] = await Promise.all([
    lockFreeStock(db, shop, placed),
    // Behind the locks: whoever comes to wait from now on waits for this transaction first.
    findAwaited(db, shop, placed.filter(mayGrow)),
  ])
  return planMoves(moves, rows, awaited)
}

/** The writes, in one piece: no statement needs the answer to another. */
export async function makeMoves(
  db: Db,
  store: Pick<Store, 'family' | 'columns'>,
  moves: readonly TakenMove[],
): Promise<void> {
  const shop = shopOf(store)
  const made = moves.filter(({ difference }) => difference !== 0)
  const counted = made.filter((move) => move.counted)
  const touched = counted.map(({ variantId: id, productId }) => ({ id, productId }))
  await Promise.all([
    insertMovements(db, shop, made),
    changeLevels(db, shop, counted),
    touchWithStock(db, shop, touched),
  ])
}

async function findIfThere(db: Db, shop: Shop, named: NamedLocation): Promise<StockLocation | undefined> {
  try {
    return await findLocation(db, shop, named)
  } catch (error) {
    if (error instanceof NotApplicable) return undefined
    throw error
  }
}

function mayGrow({ absolute, quantity }: StockMove): boolean {
  return absolute || quantity > 0
}

function planMoves(
  moves: readonly PlacedMove[],
  rows: ReadonlyMap<string, StockRow>,
  awaited: ReadonlySet<string>,
): (TakenMove | undefined)[] {
  const levels = new Map<string, number>()
  return moves.map((move) => {
    const key = move && placeKey(move)
    const row = key && rows.get(key)
    if (!row) return undefined
    const effect = effectOf(move, move.tracked, levels.get(key) ?? row.level)
    if (!fitsColumn(effect) || (effect.difference > 0 && awaited.has(key))) return undefined
    levels.set(key, effect.to)
    return { rowId: row.id, ...effect, ...move }
  })
}
