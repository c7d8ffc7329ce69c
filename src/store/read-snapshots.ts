import { z } from 'zod'

import { MappingError } from '../messages/mapping-error.ts'
import {
  type ProductSnapshot,
  parseReturn,
  type ReturnSnapshot,
  type VariantStockSnapshot,
} from '../messages/snapshot.ts'
import type { Db } from '../postgres/pool.ts'
import { queryPrepared } from '../postgres/prepared.ts'

/** A row of a family's statement: the snapshot as JSON, and what the settings want besides. */
export type SnapshotRow = { id: string; snapshot: string; extra?: string; parts?: string }

/** The snapshot with what only objects say. */
export function withParts({ snapshot, parts }: Omit<SnapshotRow, 'id'>): string {
  return parts === undefined ? snapshot : `${snapshot.slice(0, -1)},"parts":${parts}}`
}

/** The snapshot with the shop's own columns. */
export function withValues<Snapshot extends Pick<ProductSnapshot, 'extras'>>(
  snapshot: Snapshot | MappingError,
  values: Record<string, unknown> | undefined | '',
): Snapshot | MappingError {
  if (!values || snapshot instanceof MappingError) return snapshot
  return { ...snapshot, extras: { ...snapshot.extras, ...values } }
}

/** By id; what is gone is absent, what cannot be read is the error that says why. */
export async function readSnapshots<Snapshot>(
  query: typeof queryPrepared,
  db: Db,
  statement: string,
  ids: readonly string[],
  read: (row: SnapshotRow) => Snapshot | MappingError,
): Promise<ReadonlyMap<string, Snapshot | MappingError>> {
  if (ids.length === 0) return new Map()
  const { rows } = await query<SnapshotRow>(db, statement, [ids])
  return new Map(rows.map((row) => [row.id, read(row)]))
}

/** Authorizations before the customer returns that follow from them. */
export async function readReturns(
  db: Db,
  statement: string | undefined,
  orderIds: readonly string[],
): Promise<ReadonlyMap<string, readonly ReturnSnapshot[] | MappingError>> {
  const found = new Map<string, ReturnSnapshot[] | MappingError>()
  if (statement === undefined || orderIds.length === 0) return found
  const { rows } = await db.query<SnapshotRow>(statement, [orderIds])
  for (const { id, snapshot } of rows) {
    const [parsed, sofar] = [parseReturn(id, snapshot), found.get(id) ?? []]
    if (parsed instanceof Error) found.set(id, parsed)
    else if (Array.isArray(sofar)) found.set(id, [...sofar, parsed])
  }
  for (const returns of found.values())
    if (Array.isArray(returns))
      returns.sort((a, b) => b.kind.localeCompare(a.kind) || Number(a.id) - Number(b.id))
  return found
}

const stockRow = z.object({
  variant_id: z.string(),
  product_id: z.string(),
  sku: z.string(),
  living: z.boolean(),
  created_at: z.date().nullable(),
  level: z.number(),
  locations: z.record(z.string(), z.string().nullable()),
  levels: z.array(z.tuple([z.string(), z.number()])),
})

/** By variant id; a variant that is gone is absent. */
export async function readStock(
  db: Db,
  statement: string,
  ids: readonly string[],
): Promise<ReadonlyMap<string, VariantStockSnapshot>> {
  if (ids.length === 0) return new Map()
  const { rows } = await queryPrepared(db, statement, [ids])
  const stock = stockRow.array().parse(rows)
  return new Map(
    stock.map((row) => [
      row.variant_id,
      {
        variantId: row.variant_id,
        productId: row.product_id,
        sku: row.sku,
        level: row.level,
        living: row.living,
        createdAt: row.created_at,
        locations: new Map(Object.entries(row.locations)),
        levels: summed(row.levels),
      },
    ]),
  )
}

/** Before 4.4 nothing keeps a variant from having two items in one place. */
function summed(levels: readonly (readonly [string, number])[]): ReadonlyMap<string, number> {
  const sums = new Map<string, number>()
  for (const [place, level] of levels) sums.set(place, (sums.get(place) ?? 0) + level)
  return sums
}
