import type { Db } from '../postgres/pool.ts'
import { queryPrepared } from '../postgres/prepared.ts'
import type { Store } from '../store/store.ts'
import { type MovedPlace, moveStock } from '../store/writes/move-stock.ts'
import { shopOf } from '../store/writes/shop.ts'
import type { Moved, StockMove } from '../store/writes/stock-move.ts'
import type { StockPlace } from '../store/writes/stock-place.ts'
import { NotApplicable, type StockMoved } from './handler.ts'
import { laterPieces, type Movement } from './later-movements.ts'
import { CLOCK_SKEW_MILLISECONDS, sayOfStock } from './origin.ts'

/**
 * Sets a level that was so at a time, with what moved since on top, which the triggers wrote down.
 * @throws NotApplicable as `moveStock`, and where nobody can tell what moved since, or the time is to come.
 */
export async function setLevel(db: Db, store: Store, move: StockMove, asOf: string): Promise<StockMoved> {
  await sayOfStock(db, '@')
  let told: Told = {}
  const moved = await moveStock(db, store, move, async (place) => {
    told = await movedSince(db, store, move.sku, place, asOf)
    return told.since
  })
  return { ...moved, ...told }
}

type Told = Pick<StockMoved, 'since' | 'newer'>

/** The ledger is kept for thirty days, and dropped by the day. */
const LEDGER_IS_WHOLE = '29 days'

/**
 * Every delta is in the outbox or, from when it is collected, in the ledger: in one snapshot exactly once. With the stock
 * row locked those are all that made its level what it is, so it does not matter how far the collector has come.
 */
async function movedSince(
  db: Db,
  store: Store,
  sku: string,
  { variantId, productId, locationId }: MovedPlace,
  asOf: string,
): Promise<Told> {
  const shop = shopOf(store)
  const { rows } = await queryPrepared<{
    now: Date
    counted: Date | null
    known_since: Date | null
    unrecorded: boolean
    movements: Movement[]
  }>(
    db,
    `select clock_timestamp() as now,
            (select c.as_of
               from bridge.stock_count c
              where c.variant_id = $1 and c.stock_location_id = $2 and c.as_of > $3::timestamptz) as counted,
            (select greatest(w.installed_at, i.adopted_at, clock_timestamp() - interval '${LEDGER_IS_WHOLE}')
               from bridge.watched w cross join bridge.installation i
              where w.table_name = '${shop.stock}') as known_since,
            exists (select from bridge.gap g
                     where g.kind = 'stock' and (g.closed_at is null or g.closed_at > $3::timestamptz))
              or exists (select from bridge.unmapped u where u.aggregate = 'product:' || $4)
              or exists (select from bridge.outbox o where o.kind = 'stock' and o.op = 'compare' and o.parent = $1)
              as unrecorded,
            (select coalesce(json_agg(later), '[]')
               from (select m.origin, sum(m.delta)::float8 as pieces, max(m.at) as at, l.location is not null as known
                       from (select o.row_id, null as location, o.delta, nullif(o.origin, '') as origin, o.at
                               from bridge.outbox o
                              where o.kind = 'stock' and coalesce(o.parent, o.parent_old) = $1 and o.at > $3::timestamptz
                              union all
                             select s.stock_item_id, s.stock_location_id, s.delta, s.origin, s.at
                               from bridge.stock_ledger s
                              where s.variant_id = $1 and s.at > $3::timestamptz) m
                       left join ${shop.table(shop.stock)} i on i.id = m.row_id::bigint
                      cross join lateral (select coalesce(m.location, i.stock_location_id::text) as location) l
                      where m.delta <> 0
                        and coalesce(l.location, $2) = $2
                      group by m.origin, known) later) as movements`,
    [variantId, locationId, asOf, productId],
  )
  const [found] = rows
  if (!found) throw new Error('a select without a table returned no row')
  const { now, counted, known_since: knownSince, unrecorded, movements } = found
  const time = new Date(asOf)
  if (time.getTime() > now.getTime() + CLOCK_SKEW_MILLISECONDS)
    throw new NotApplicable(
      'as_of_in_future',
      `The level of SKU ${sku} is said to be as of ${asOf}, and here it is ${now.toISOString()}: correct the time, or the clock of the sender, then send it again.`,
    )
  if (counted) return { newer: counted.toISOString() }
  const later = laterPieces(movements, time)
  if (typeof later === 'object') return later
  const why =
    knownSince === null
      ? 'the stock of this store is not watched'
      : time < knownSince
        ? `movements are known since ${knownSince.toISOString()}`
        : unrecorded
          ? 'changes of stock went unrecorded after it'
          : later === 'unknown'
            ? 'of some pieces it is not known when or where they moved'
            : undefined
  if (why !== undefined || later === 'unknown')
    throw new NotApplicable(
      'as_of_unknown',
      `What moved of SKU ${sku} since ${asOf} cannot be told: ${why}. Send the level as of a later time.`,
    )
  await queryPrepared(
    db,
    `insert into bridge.stock_count (variant_id, stock_location_id, as_of)
     values ($1, $2, least($3::timestamptz, clock_timestamp()))
     on conflict (variant_id, stock_location_id) do update set as_of = excluded.as_of`,
    [variantId, locationId, asOf],
  )
  return { since: later }
}

/**
 * Levels that were told without a time are of when they were written, which their movements say. Of those that find the
 * stock right, and move nothing, it is noted: an older one that comes later is old news all the same.
 */
export async function noteFoundRight(db: Db, moves: readonly (Moved & StockPlace)[]): Promise<void> {
  const right = moves.filter(({ from, to }) => from === to)
  if (right.length === 0) return
  await queryPrepared(
    db,
    `insert into bridge.stock_count (variant_id, stock_location_id, as_of)
     select distinct right_at.variant_id, right_at.location_id, statement_timestamp()
       from unnest($1::text[], $2::text[]) right_at (variant_id, location_id)
     on conflict (variant_id, stock_location_id) do update set as_of = excluded.as_of`,
    [right.map(({ variantId }) => variantId), right.map(({ locationId }) => locationId)],
  )
}
