import { aggregateKey } from '../messages/aggregate.ts'
import { timeOfChange } from '../messages/time-of-change.ts'
import { endedMeanwhile } from '../postgres/new-rows.ts'
import type { Db } from '../postgres/pool.ts'
import type { Store } from '../store/store.ts'
import type { ProductContent } from '../store/writes/product-content.ts'
import { changeProduct, type Put } from '../store/writes/put-product.ts'
import { shopOf } from '../store/writes/shop.ts'

// An update that bears a time is held against what is newer in the store: the last change by the shop itself, whether the
// collector has noted it with what was told last, or it still waits in the outbox; and the last update that was applied.

/** Who changed something later than an update tells, and when. */
type NewerChange = Readonly<{ by: 'shop' | 'hub'; at: Date }>

/** As `changeProduct`; where what the store has is newer than `updatedAt`, `stays` says why it does. */
export async function changeUnlessNewer(
  db: Db,
  store: Store,
  content: ProductContent,
  updatedAt: string | null | undefined,
): Promise<Put & Readonly<{ stays?: string }>> {
  if (!updatedAt) return changeProduct(db, store, content)
  const found: { newer?: NewerChange | undefined; aggregate?: string; snapshot?: string } = {}
  const put = await changeProduct(db, store, content, async (productId) => {
    found.aggregate = aggregateKey('product', productId)
    // Asked again behind the writes, only what was not there before is looked at: the product bears our own time by then.
    const earlier = found.snapshot
    found.snapshot = await currentSnapshot(db)
    const waiting = await productChangeWaiting(db, store, productId, updatedAt, earlier)
    found.newer = await newerChange(db, updatedAt, [found.aggregate], {
      aggregate: found.aggregate,
      waiting,
    })
    return found.newer !== undefined
  })
  if (found.newer)
    return { ...put, stays: staysAsItIs(`Product ${content.sku ?? put.slug}`, updatedAt, found.newer) }
  if (found.aggregate) await noteHeard(db, found.aggregate, updatedAt)
  return put
}

/** A value that an update sets: an older update must not overwrite one that was set since. */
export type Mark = Readonly<{
  field: string
  held: string | null
  given: string
  /** It overwrites nothing, whatever was said of it since. */
  regardless?: boolean
}>

/** Of a row that is locked: why a value stays as it is; undefined where it is to be set. */
export type Guard = (mark: Mark) => Promise<string | undefined>

/** By what the outbox names a change of what an update of an order, or of a parcel, writes: `$1` is the id. */
const ROWS = {
  order: `table_name = 'spree_orders' and row_id = $1`,
  // In 6.x the tracking is in the deliveries.
  shipment: `(table_name in ('spree_shipments', 'spree_fulfillments') and row_id = $1
          or table_name = 'spree_deliveries' and $1 in (parent, parent_old))`,
} as const

/**
 * The guard of an order or a parcel, asked for before its row is locked: the outbox may be long, and the shop's checkout must
 * not wait for the end of it. Updates tell some fields and not others: what was told of one says nothing of another.
 */
export async function guardOf(
  db: Db,
  { kind, id, number }: Readonly<{ kind: 'order' | 'shipment'; id: string; number: string }>,
  updatedAt: string | null | undefined,
): Promise<Guard> {
  if (!updatedAt) return async () => undefined
  const snapshot = await currentSnapshot(db)
  const before = await lastWaiting(db, ROWS[kind], id)
  // Earlier versions note under it what they hear of any field.
  const aggregate = `${kind}:${id}`
  return async ({ field, held, given, regardless }) => {
    const key = `${aggregate}:${field}`
    if (!regardless && held !== given) {
      // Where nothing is held, nothing of the shop's is overwritten; but what a later update said may have been taken out.
      const newer = held
        ? await newerChange(db, updatedAt, [key, aggregate], {
            aggregate,
            waiting: (await lastWaiting(db, ROWS[kind], id, snapshot)) ?? before,
          })
        : await newerChange(db, updatedAt, [key])
      if (newer) return staysAsItIs(`The ${field} of ${kind} ${number}`, updatedAt, newer)
    }
    await noteHeard(db, key, updatedAt)
    return undefined
  }
}

function staysAsItIs(what: string, updatedAt: string, { by, at }: NewerChange): string {
  const why = by === 'shop' ? 'the shop changed it at' : 'a later update was applied, of'
  return `${what} stays as it is: what was sent is of ${updatedAt}, and ${why} ${at.toISOString()}`
}

/**
 * What is newer than an update: a later update, heard under any of these keys, or a change `byShop`: one that `waiting` in
 * the outbox tells, or one that was collected. What waits is to be looked for first: in between the collector may take it,
 * and note it.
 */
async function newerChange(
  db: Db,
  updatedAt: string,
  heardAs: readonly string[],
  byShop?: Readonly<{ aggregate: string; waiting: Date | undefined }>,
): Promise<NewerChange | undefined> {
  const { rows } = await db.query<NewerChange>(
    `select 'shop' as by, changed_at as at
       from bridge.baseline
      where aggregate = $1
        and changed_at is not null
      union all
     select 'hub', updated_at
       from bridge.heard
      where aggregate = any($2::text[])`,
    [byShop?.aggregate ?? null, heardAs],
  )
  return [...rows, ...(byShop?.waiting ? [{ by: 'shop', at: byShop.waiting } as const] : [])]
    .filter(({ at }) => isLater(at, updatedAt))
    .sort((one, other) => other.at.getTime() - one.at.getTime())[0]
}

/** Times in whole seconds are of those who know no finer ones: within that second nothing is later. */
function isLater(at: Date, updatedAt: string): boolean {
  const unit = updatedAt.includes('.') ? 1 : 1000
  return Math.floor(at.getTime() / unit) * unit > Date.parse(updatedAt)
}

/** The time of an update that is applied: an older one is not, from then on. */
async function noteHeard(db: Db, key: string, updatedAt: string): Promise<void> {
  await db.query(
    `insert into bridge.heard as h (aggregate, updated_at)
     values ($1, least($2::timestamptz, clock_timestamp()))
         on conflict (aggregate) do update set updated_at = greatest(h.updated_at, excluded.updated_at)`,
    [key, updatedAt],
  )
}

/** Of the statements that follow: what they see beyond this, they are the first to see. */
async function currentSnapshot(db: Db): Promise<string> {
  const { rows } = await db.query<{ snapshot: string }>('select pg_current_snapshot()::text as snapshot')
  return rows[0]?.snapshot ?? ''
}

/**
 * Of the outbox, what an earlier snapshot could not see, given in `parameter`: rows of transactions that began after it, and
 * of those that were in progress and have ended. Not all since the first of these: one that stays open may be hours old.
 */
function committedAfter(parameter: string): string {
  const snapshot = `${parameter}::pg_snapshot`
  return `(xid >= pg_snapshot_xmax(${snapshot})
          or xid = any(${endedMeanwhile(`array(select pg_snapshot_xip(${snapshot}))`)}))`
}

/**
 * Reads the outbox with what `select` makes of a further condition: none, or that a row was not seen at an earlier snapshot. Then
 * it goes by index, whatever the statistics say of a table that is empty most of the time; what follows is planned as ever.
 */
async function readOutbox<R extends Record<string, unknown>>(
  db: Db,
  earlier: string | undefined,
  values: readonly string[],
  select: (andNotSeen: string) => string,
): Promise<R[]> {
  if (earlier === undefined) return (await db.query<R>(select(''), values)).rows
  const [, { rows }] = await Promise.all([
    db.query('set local enable_seqscan = off'),
    db.query<R>(select(`and ${committedAfter(`$${values.length + 1}`)}`), [...values, earlier]),
    db.query('set local enable_seqscan to default'),
  ])
  return rows
}

/** When the shop last wrote such a row that the collector has not taken yet, where that was not seen at an earlier snapshot. */
async function lastWaiting(db: Db, rows: string, id: string, earlier?: string): Promise<Date | undefined> {
  const [last] = await readOutbox<{ at: Date | null }>(
    db,
    earlier,
    [id],
    (andNotSeen) => `
     select max(at) as at
       from bridge.outbox
      where kind = 'order'
        and ${rows}
        and coalesce(origin, '') = ''
        ${andNotSeen}`,
  )
  return last?.at ?? undefined
}

/** The same of a product; of its last change that is later than `updatedAt`. */
async function productChangeWaiting(
  db: Db,
  store: Store,
  productId: string,
  updatedAt: string,
  earlier?: string,
): Promise<Date | undefined> {
  const shop = shopOf(store)
  const rows = await readOutbox<{
    id: string
    tableName: string
    rowId: string | null
    parent: string | null
    parentOld: string | null
    at: Date
    told: Date | null
  }>(
    db,
    earlier,
    [productId, updatedAt],
    (andNotSeen) => `
     with own as (
       select $1::text as id
        union all
       select v.id::text from ${shop.table('spree_variants')} v where v.product_id = $1::text::bigint
     )
     select o.id::text, o.table_name as "tableName", o.row_id as "rowId", o.parent, o.parent_old as "parentOld", o.at,
            (select p.updated_at at time zone 'UTC'
               from ${shop.table('spree_products')} p
              where p.id = $1::text::bigint) as told
       from bridge.outbox o
      where o.kind = 'product'
        and o.table_name <> 'request'
        and coalesce(o.origin, '') = ''
        and o.at > $2::timestamptz
        and exists (select from own where own.id in (o.row_id, o.parent, o.parent_old))
        ${andNotSeen}
      order by o.at desc`,
  )
  const later = rows
    .map((row) => ({ ...row, at: timeOfChange(row.at, row.told ?? undefined) }))
    .filter(({ at }) => isLater(at, updatedAt))
  if (later.length === 0) return undefined
  const aggregate = aggregateKey('product', productId)
  const aggregates = await store.resolve(db, later)
  return later.find(({ id }) => aggregates.get(id)?.includes(aggregate))?.at
}
