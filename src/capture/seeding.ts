import { productNaturalKey, productPayload } from '../messages/product.ts'
import { rawOrder } from '../messages/raw-order.ts'
import type { Db } from '../postgres/pool.ts'
import type { Store } from '../store/store.ts'
import { type Baseline, seedBaselines } from './baseline.ts'
import { digestOf, SHAPE } from './digest.ts'

type SeededKind = 'product' | 'order'

const PAGE = 200

/** Kinds whose seeding is through. */
export async function readSeeded(db: Db): Promise<ReadonlySet<string>> {
  const { rows } = await db.query<{ kind: string }>(
    'select kind from bridge.seeding where finished_at is not null',
  )
  return new Set(rows.map((row) => row.kind))
}

/**
 * Day one, silently: writes the baselines of one page of aggregates that nobody has announced, as if they had been.
 * Runs in the collector's transaction, on the snapshot in which it has read the whole outbox: an aggregate with a row
 * waiting there is left out, or the change behind that row would never be told.
 * Returns true when nothing is left to seed.
 */
export async function seedPage(
  db: Db,
  store: Store,
  hasWaitingRows: (aggregate: string) => boolean,
): Promise<boolean> {
  const { rows } = await db.query<{ kind: SeededKind; last_id: string }>(
    `select kind, last_id from bridge.seeding where finished_at is null order by kind desc limit 1`,
  )
  const seeding = rows[0]
  if (!seeding) return true
  const ids = await store.roots(db, seeding.kind, seeding.last_id, PAGE)
  const idle = ids.filter((id) => !hasWaitingRows(`${seeding.kind}:${id}`))
  await seedBaselines(
    db,
    await (seeding.kind === 'product' ? productBaselines : orderBaselines)(db, store, idle),
  )
  await db.query(
    `update bridge.seeding
        set last_id = coalesce($2, last_id), finished_at = case when $3 then clock_timestamp() end
      where kind = $1`,
    [seeding.kind, ids.at(-1) ?? null, ids.length < PAGE],
  )
  return false
}

async function productBaselines(db: Db, store: Store, ids: readonly string[]): Promise<Baseline[]> {
  const products = await store.products(db, ids)
  const levels = await store.stockOfProducts(db, ids)
  const catalogue = [...products].flatMap(([id, product]) =>
    product instanceof Error
      ? []
      : [
          {
            aggregate: `product:${id}`,
            part: 'catalogue',
            digest: digestOf(productPayload(product, undefined)),
            level: null,
            naturalKey: JSON.stringify(productNaturalKey(product)),
            shape: SHAPE,
          },
        ],
  )
  const stock = [...levels.values()].map((variant) => ({
    aggregate: `product:${variant.productId}`,
    part: `stock:${variant.variantId}`,
    digest: null,
    level: String(variant.level),
    naturalKey: JSON.stringify({ sku: variant.sku }),
    shape: SHAPE,
  }))
  return [...catalogue, ...stock]
}

async function orderBaselines(db: Db, store: Store, ids: readonly string[]): Promise<Baseline[]> {
  const orders = await store.orders(db, ids)
  return [...orders].flatMap(([id, order]) =>
    order instanceof Error
      ? []
      : [
          {
            aggregate: `order:${id}`,
            part: 'order',
            digest: digestOf(rawOrder(order)),
            level: null,
            naturalKey: order.number,
            shape: SHAPE,
          },
        ],
  )
}
