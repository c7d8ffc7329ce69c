import type { Db } from '../../postgres/pool.ts'
import { queryPrepared } from '../../postgres/prepared.ts'
import type { Columns } from '../columns.ts'
import { quoteName } from '../json-sql.ts'
import { living, ofStore, type Variant } from './import-references.ts'
import type { ImportWords } from './import-words.ts'

/** A place that is in use; its names are those by which it may be called, in small letters. */
export type Location = Readonly<{
  id: string
  name: string
  names: readonly string[]
  backorderable: boolean
}>
type Level = { id: string | null; free: number; readonly backorderable: boolean }
export type Wanted = Readonly<{ variant: Variant; quantity: number }>

/** What is free of each variant in each place, while it is being given out. */
export class StockLevels {
  readonly #levels = new Map<string, Level>()

  set(locationId: string, variantId: string, level: Level): void {
    this.#levels.set(`${locationId} ${variantId}`, level)
  }

  at(locationId: string, variantId: string): Level {
    const level = this.#levels.get(`${locationId} ${variantId}`)
    if (!level) throw new Error(`Stock of variant ${variantId} in location ${locationId} was not read.`)
    return level
  }

  /** Whether a place keeps the variant, so that the shop's own code would choose it; where none of the places does, each. */
  keeps({ id }: Location, variant: Variant, places: readonly Location[]): boolean {
    const hasRow = (place: string) => this.at(place, variant.id).id !== null
    return hasRow(id) || !places.some((one) => hasRow(one.id))
  }

  free({ id }: Location, variant: Variant): number {
    return variant.tracked ? this.at(id, variant.id).free : Number.POSITIVE_INFINITY
  }

  has(location: Location, { variant, quantity }: Wanted): boolean {
    return quantity <= this.free(location, variant)
  }

  mayOwe({ id }: Location, { variant }: Pick<Wanted, 'variant'>): boolean {
    return this.at(id, variant.id).backorderable
  }

  /** @returns how many of `quantity` are there; the others are owed. */
  take({ id }: Location, variant: Variant | undefined, quantity: number): number {
    if (!variant?.tracked) return quantity
    const level = this.at(id, variant.id)
    const onHand = Math.min(quantity, Math.max(level.free, 0))
    level.free -= quantity
    return onHand
  }
}

/** Those of the store, the default one before the others. */
export async function readLocations(db: Db, columns: Columns, storeId: string | null): Promise<Location[]> {
  const adminName = columns.has('spree_stock_locations', 'admin_name') ? 'lower(l.admin_name)' : 'null'
  const byDefault = columns.has('spree_stock_locations', 'default') ? 'l."default" desc, ' : ''
  const { rows } = await queryPrepared<Location>(
    db,
    `select l.id::text,
            l.name,
            array_remove(array[lower(l.name), ${adminName}], null) as names,
            coalesce(l.backorderable_default, false) as backorderable
       from ${quoteName(columns.schema)}.spree_stock_locations l
      where coalesce(l.active, true)
        ${living(columns, 'spree_stock_locations', 'l')}
        ${ofStore(columns, 'spree_stock_locations', 'l', '$1')}
      order by ${byDefault}l.id`,
    [storeId],
  )
  return rows
}

/** Locks the levels of some variants in all places, in the order of their ids. */
export async function lockLevels(
  db: Db,
  columns: Columns,
  words: ImportWords,
  locations: readonly Location[],
  variants: readonly Variant[],
): Promise<StockLevels> {
  const levels = new StockLevels()
  for (const location of locations) {
    for (const { id } of variants) {
      levels.set(location.id, id, { id: null, free: 0, backorderable: location.backorderable })
    }
  }
  const { rows } = await queryPrepared<Level & { locationId: string; variantId: string }>(
    db,
    `select l.id::text,
            l.stock_location_id::text as "locationId",
            l.variant_id::text as "variantId",
            ${words.free} as free,
            coalesce(l.backorderable, false) as backorderable
       from ${quoteName(columns.schema)}.${words.levels} l
      where l.variant_id = any($1::bigint[])
        and l.stock_location_id = any($2::bigint[])
        ${living(columns, words.levels, 'l')}
      order by l.id
        for update`,
    [variants.map(({ id }) => id), locations.map(({ id }) => id)],
  )
  for (const { locationId, variantId, ...level } of rows) {
    // Before 4.4 nothing forbids two: the oldest counts, as for all who move stock.
    if (levels.at(locationId, variantId).id === null) levels.set(locationId, variantId, level)
  }
  return levels
}
