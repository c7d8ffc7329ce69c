import { z } from 'zod'

import type { VariantStockSnapshot } from '../messages/snapshot.ts'
import type { Baseline } from './baseline.ts'
import { isHubs, type ResolvedRow } from './outbox-row.ts'

/** Location id → name, by which the hub knows it: places of one name are one place. */
export type Places = ReadonlyMap<string, string>

/** Pieces by the name of their place; undefined is the whole, or a place that is not known. */
export type PiecesByPlace = ReadonlyMap<string | undefined, number>

const stockKeySchema = z.object({
  /** As which its pieces are counted by those who heard of it; empty where nobody does. */
  sku: z.string(),
  /** Null: nobody knows what it holds. */
  places: z.record(z.string(), z.number().nullable()).optional(),
})

/** What is noted of a variant beside its level. */
export function stockKey(key: z.infer<typeof stockKeySchema>): string {
  return JSON.stringify(key)
}

export function toldSku({ naturalKey }: Baseline): string {
  return naturalKey === null ? '' : stockKeySchema.parse(JSON.parse(naturalKey)).sku
}

/** The names under which pieces may stand with the hub, where places are told: what it moved itself it has put somewhere. */
export function toldPlaces(
  before: Baseline | undefined,
  rows: readonly ResolvedRow[],
): readonly string[] | undefined {
  const told = toldLevels(before)
  return told && [...told].flatMap(([name, level]) => (level === 0 && !rows.some(isHubs) ? [] : [name]))
}

/** What the hub was last told of each place, where places are told. */
function toldLevels(before: Baseline | undefined): ReadonlyMap<string, number | null> | undefined {
  if (before?.naturalKey == null) return undefined
  const { places } = stockKeySchema.parse(JSON.parse(before.naturalKey))
  return places && new Map(Object.entries(places))
}

/** As if no level had been told, of any place; which places and which SKU were told stays known. */
export function withoutLevels(told: Baseline): Baseline {
  const places = toldLevels(told)
  const unknown = places && Object.fromEntries([...places.keys()].map((name) => [name, null]))
  const naturalKey = stockKey({ sku: toldSku(told), ...(unknown && { places: unknown }) })
  return { ...told, level: null, naturalKey }
}

export function levelsByName({ levels }: VariantStockSnapshot, places: Places): ReadonlyMap<string, number> {
  const byName = new Map<string, number>()
  for (const [id, level] of levels) {
    const name = places.get(id)
    if (name !== undefined) byName.set(name, (byName.get(name) ?? 0) + level)
  }
  return byName
}

/**
 * By how much stock changed that was not the hub's own. Of an item that is gone, and of what no trigger saw, it is not
 * known where that was: then it is told of the whole.
 */
export function differences(
  rows: readonly ResolvedRow[],
  missed: number,
  variant: VariantStockSnapshot,
  places: Places | undefined,
): PiecesByPlace {
  const shops = rows.filter((row) => !isHubs(row))
  const sums = new Map<string | undefined, number>(missed === 0 ? [] : [[undefined, missed]])
  for (const [place, sum] of movedIn(shops, variant, places)) sums.set(place, (sums.get(place) ?? 0) + sum)
  return new Map([...sums].filter(([, sum]) => sum !== 0))
}

function movedIn(
  rows: readonly ResolvedRow[],
  variant: VariantStockSnapshot,
  places: Places | undefined,
): PiecesByPlace {
  const sums = new Map<string | undefined, number>()
  for (const row of rows) {
    if (row.delta === null) continue
    const place = places && placeOf(row, variant, places)
    sums.set(place, (sums.get(place) ?? 0) + Number(row.delta))
  }
  return sums
}

/**
 * The levels that are not what was told, or not what the hub has made of that: once places are, all of them, so that another
 * is new, or has a new name. Before that a place is taken to be known, since all that was there on day one is; unless a row is
 * about it, or pieces are missing nobody knows where.
 */
export function changedLevels(
  levels: ReadonlyMap<string, number>,
  rows: readonly ResolvedRow[],
  missed: number,
  before: Baseline | undefined,
  variant: VariantStockSnapshot,
  places: Places,
): ReadonlyMap<string, number> {
  const told = toldLevels(before)
  const touched = movedIn(rows, variant, places)
  const moved = movedIn(rows.filter(isHubs), variant, places)
  const isTold = (name: string) => told !== undefined || touched.has(name) || missed !== 0
  return new Map(
    [...withEmptied(levels, before)].filter(
      ([name, level]) => isTold(name) && (told?.get(name) !== level || (moved.get(name) ?? 0) !== 0),
    ),
  )
}

/** Whether each level is what was told of its place and what the rows moved there; undefined where no places were told. */
export function areExplained(
  levels: PiecesByPlace,
  rows: readonly ResolvedRow[],
  before: Baseline | undefined,
  variant: VariantStockSnapshot,
  places: Places,
): boolean | undefined {
  const told: ReadonlyMap<string | undefined, number | null> | undefined = toldLevels(before)
  if (told === undefined) return undefined
  const moved = movedIn(rows, variant, places)
  const was = (name: string | undefined) => (told.has(name) ? (told.get(name) ?? Number.NaN) : 0)
  return [...levels].every(([name, level]) => was(name) + (moved.get(name) ?? 0) === level)
}

/** A place whose last item is gone holds nothing any more. */
export function withEmptied(
  levels: ReadonlyMap<string, number>,
  before: Baseline | undefined,
): ReadonlyMap<string, number> {
  const told = [...(toldLevels(before)?.keys() ?? [])]
  return new Map([...told.map((name) => [name, 0] as const), ...levels])
}

/** Whether some place holds what the hub was not told, though all together hold what it was. */
export function isToldOtherwise(
  variant: VariantStockSnapshot,
  before: Baseline | undefined,
  places: Places,
): boolean {
  return changedLevels(levelsByName(variant, places), [], 0, before, variant, places).size > 0
}

function placeOf(
  { rowId }: ResolvedRow,
  { locations }: VariantStockSnapshot,
  places: Places,
): string | undefined {
  return places.get((rowId === null ? null : locations.get(rowId)) ?? '')
}
