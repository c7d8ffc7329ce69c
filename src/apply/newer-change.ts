import { aggregateKey } from '../messages/aggregate.ts'
import type { Db } from '../postgres/pool.ts'
import type { Store } from '../store/store.ts'
import type { ProductContent } from '../store/writes/product-content.ts'
import { changeProduct, type Put } from '../store/writes/put-product.ts'
import { shopOf } from '../store/writes/shop.ts'

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
  const found: { newer?: NewerChange | undefined; aggregate?: string } = {}
  let since = updatedAt
  const put = await changeProduct(db, store, content, async (productId) => {
    found.aggregate = aggregateKey('product', productId)
    // Before the baseline: in between the collector may take what is found here, and note it there.
    const waiting = await changesWaiting(db, store, productId, since)
    found.newer = await newerChange(db, found.aggregate, since, waiting)
    if (found.newer && since === updatedAt && (await isAsOf(db, store, productId, updatedAt))) {
      since = new Date(found.newer.at.getTime() + 1).toISOString()
      found.newer = undefined
    }
    return found.newer !== undefined
  })
  if (found.newer)
    return { ...put, stays: staysAsItIs(`Product ${content.sku ?? put.slug}`, updatedAt, found.newer) }
  if (found.aggregate) await noteHeard(db, found.aggregate, updatedAt)
  return put
}

/**
 * Is that the very time that the product bears, maybe in whole seconds? Then it comes back as it was told: that its rows were
 * written a moment later than the shop says makes nothing of it old news.
 */
async function isAsOf(db: Db, store: Store, productId: string, updatedAt: string): Promise<boolean> {
  const { rowCount } = await db.query(
    `select
       from ${shopOf(store).table('spree_products')} p
      where p.id = $1::bigint
        and $2::timestamptz at time zone 'UTC' in (date_trunc('milliseconds', p.updated_at), date_trunc('second', p.updated_at))`,
    [productId, updatedAt],
  )
  return rowCount === 1
}

/**
 * Of a row that is locked, and which alone an update writes: why it stays as it is, because the store has something newer of
 * it than `updatedAt`. Of an order that is what its messages told last; of its parts what was not collected yet.
 */
export async function whyItStays(
  db: Db,
  {
    kind,
    table,
    id,
    number,
  }: Readonly<{ kind: 'order' | 'shipment'; table: string; id: string; number: string }>,
  updatedAt: string | null | undefined,
): Promise<string | undefined> {
  if (!updatedAt) return undefined
  const { rows } = await db.query<{ at: Date }>(
    `select at
       from bridge.outbox
      where kind = 'order'
        and table_name = $1
        and row_id = $2
        and coalesce(origin, '') = ''
        and at > $3::timestamptz
      order by at desc
      limit 1`,
    [table, id, updatedAt],
  )
  const aggregate = `${kind}:${id}`
  const newer = await newerChange(db, aggregate, updatedAt, rows[0]?.at)
  if (newer) return staysAsItIs(`${kind === 'order' ? 'Order' : 'Shipment'} ${number}`, updatedAt, newer)
  await noteHeard(db, aggregate, updatedAt)
  return undefined
}

function staysAsItIs(what: string, updatedAt: string, { by, at }: NewerChange): string {
  const why = by === 'shop' ? 'the shop changed it at' : 'a later update was applied, of'
  return `${what} stays as it is: what was sent is of ${updatedAt}, and ${why} ${at.toISOString()}`
}

/**
 * What is newer of an aggregate than `since`: a change by the shop itself, whether or not it was collected yet, or a later
 * update that was applied.
 */
async function newerChange(
  db: Db,
  aggregate: string,
  since: string,
  waiting: Date | undefined,
): Promise<NewerChange | undefined> {
  const { rows } = await db.query<{ by: NewerChange['by']; at: Date }>(
    `select newer.by, newer.at
       from (select 'shop' as by, b.changed_at as at
               from bridge.baseline b
              where b.aggregate = $1
              union all
             select 'hub', h.updated_at from bridge.heard h where h.aggregate = $1) newer
      where newer.at > $2::timestamptz
      order by newer.at desc
      limit 1`,
    [aggregate, since],
  )
  const [known] = rows
  return waiting && !(known && known.at > waiting) ? { by: 'shop', at: waiting } : known
}

/** The time of an update that is applied: an older one is not, from then on. */
async function noteHeard(db: Db, aggregate: string, updatedAt: string): Promise<void> {
  await db.query(
    `insert into bridge.heard (aggregate, updated_at)
     values ($1, least($2::timestamptz, clock_timestamp()))
         on conflict (aggregate) do update set updated_at = excluded.updated_at`,
    [aggregate, updatedAt],
  )
}

/** When the shop last wrote what the collector has not taken yet. */
async function changesWaiting(
  db: Db,
  store: Store,
  productId: string,
  since: string,
): Promise<Date | undefined> {
  const { rows } = await db.query<{
    id: string
    tableName: string
    rowId: string | null
    parent: string | null
    parentOld: string | null
    at: Date
  }>(
    `with own as (
       select $1::text as id
        union all
       select v.id::text from ${shopOf(store).table('spree_variants')} v where v.product_id = $1::text::bigint
     )
     select o.id::text, o.table_name as "tableName", o.row_id as "rowId", o.parent, o.parent_old as "parentOld", o.at
       from bridge.outbox o
      where o.kind = 'product'
        and o.table_name <> 'request'
        and coalesce(o.origin, '') = ''
        and o.at > $2::timestamptz
        and exists (select from own where own.id in (o.row_id, o.parent, o.parent_old))
      order by o.at desc`,
    [productId, since],
  )
  if (rows.length === 0) return undefined
  const aggregate = aggregateKey('product', productId)
  const aggregates = await store.resolve(db, rows)
  return rows.find(({ id }) => aggregates.get(id)?.includes(aggregate))?.at
}
