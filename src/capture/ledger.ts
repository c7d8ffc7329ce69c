import type { Db } from '../postgres/pool.ts'
import { queryPrepared } from '../postgres/prepared.ts'
import type { LedgerEntry } from './derivation.ts'

/** Keeps each stock delta for later: inbound levels "as of" a time re-apply what came after it. */
export async function writeLedger(db: Db, entries: readonly LedgerEntry[]): Promise<void> {
  if (entries.length === 0) return
  await queryPrepared(
    db,
    `insert into bridge.stock_ledger (variant_id, stock_item_id, stock_location_id, delta, origin, at)
     select * from unnest($1::text[], $2::text[], $3::text[], $4::numeric[], $5::text[], $6::timestamptz[])`,
    [
      entries.map((entry) => entry.variantId),
      entries.map((entry) => entry.stockItemId),
      entries.map((entry) => entry.stockLocationId),
      entries.map((entry) => entry.delta),
      entries.map((entry) => entry.origin),
      entries.map((entry) => entry.at),
    ],
  )
}
