import { type AggregateKind, aggregateKey } from '../messages/aggregate.ts'
import { orderContent } from '../messages/order-content.ts'
import { productNaturalKey, productPayload } from '../messages/product.ts'
import { rawOrder } from '../messages/raw-order.ts'
import type { VariantStockSnapshot } from '../messages/snapshot.ts'
import type { StateKind } from '../messages/state-kind.ts'
import { STATE_KINDS } from '../messages/state-kinds.ts'
import type { Db } from '../postgres/pool.ts'
import type { Store } from '../store/store.ts'
import { type Baseline, seedBaselines } from './baseline.ts'
import { productContent } from './content.ts'
import { returnBaseline } from './derive-returns.ts'
import { stateBaseline } from './derive-state.ts'
import { digestOf, SHAPE } from './digest.ts'
import { isRootInsert, type OutboxRow } from './outbox-row.ts'
import { stockPart } from './stock-account.ts'
import { stockKey } from './stock-places.ts'

const PAGE = 500

/** Kinds whose seeding is through. */
export async function readSeeded(db: Db): Promise<ReadonlySet<string>> {
  const { rows } = await db.query<{ kind: string }>(
    'select kind from bridge.seeding where finished_at is not null',
  )
  return new Set(rows.map((row) => row.kind))
}

/**
 * Day one, silently: writes the baselines of one page of aggregates that nobody has announced, as if they had been.
 * Runs in the collector's transaction, on the snapshot in which it has read the whole outbox. An aggregate with rows
 * waiting there must still be told: of a product that was there before only its keys are noted, so that it will be told
 * as changed, not as new. With `keepsOrders` the orders themselves are kept, since messages will tell what they were. Returns
 * the kinds that are through, among those that the store has.
 */
export async function seedPage(
  db: Db,
  store: Store,
  waitingRows: (aggregate: string) => readonly OutboxRow[],
  keepsOrders: boolean,
): Promise<ReadonlySet<string>> {
  const [, { rows }] = await Promise.all([
    // A kind that this release is the first to know, or that the store did not have before.
    db.query('insert into bridge.seeding (kind) select unnest($1::text[]) on conflict (kind) do nothing', [
      store.kinds,
    ]),
    db.query<{ kind: AggregateKind; last_id: string }>(
      `select kind, last_id
         from bridge.seeding
        where finished_at is null
          and kind = any($1::text[])
        order by kind desc
        limit 1`,
      [store.kinds],
    ),
  ])
  const seeding = rows[0]
  if (!seeding) return readSeeded(db)
  const { kind } = seeding
  const ids = await store.roots(db, kind, seeding.last_id, PAGE)
  const ended = ids.length < PAGE
  // What waits of a product's stock leaves its catalogue as it was.
  const toTell = (id: string) => waitingRows(aggregateKey(kind, id)).filter((row) => row.kind !== 'stock')
  const idle = ids.filter((id) => toTell(id).length === 0)
  const changing = ids.filter((id) => {
    const waiting = toTell(id)
    return waiting.length > 0 && !waiting.some((row) => isRootInsert(row, id))
  })
  const about = STATE_KINDS.find((state) => state.kind === kind)
  const noted = (of: readonly string[]) =>
    about ? stateBaselines(db, store, about, of) : catalogueBaselines(db, store, of)
  const waiting = (variant: VariantStockSnapshot) =>
    waitingRows(aggregateKey('product', variant.productId)).filter(
      (row) => row.kind === 'stock' && (row.parent ?? row.parentOld) === variant.variantId,
    )
  const baselines =
    kind === 'order'
      ? await orderBaselines(db, store, idle, keepsOrders)
      : [
          ...(await noted(idle)),
          ...(await noted(changing)).map((known) => ({ ...known, digest: null })),
          ...(kind === 'product' ? await stockBaselines(db, store, [...idle, ...changing], waiting) : []),
        ]
  const lastVariant = ended && kind === 'product' ? await store.lastVariant(db) : null
  const [, , seeded] = await Promise.all([
    seedBaselines(db, baselines),
    db.query(
      `update bridge.seeding
          set last_id = coalesce($2, last_id), finished_at = case when $3 then clock_timestamp() end, last_variant = $4
        where kind = $1`,
      [kind, ids.at(-1) ?? null, ended, lastVariant],
    ),
    readSeeded(db),
  ])
  return seeded
}

/** Levels less what waits of them: that is still to be told. */
async function stockBaselines(
  db: Db,
  store: Store,
  productIds: readonly string[],
  waiting: (variant: VariantStockSnapshot) => readonly OutboxRow[],
): Promise<Baseline[]> {
  const levels = await store.stockOfProducts(db, productIds)
  return [...levels.values()].map((variant) => ({
    aggregate: aggregateKey('product', variant.productId),
    part: stockPart(variant.variantId),
    digest: null,
    level: String(waiting(variant).reduce((level, { delta }) => level - Number(delta ?? 0), variant.level)),
    naturalKey: stockKey({ sku: variant.living ? variant.sku : '' }),
    shape: SHAPE,
  }))
}

async function catalogueBaselines(db: Db, store: Store, ids: readonly string[]): Promise<Baseline[]> {
  const products = await store.products(db, ids)
  return [...products].flatMap(([id, product]) =>
    product instanceof Error
      ? []
      : [
          {
            aggregate: aggregateKey('product', id),
            part: 'catalogue',
            digest: digestOf(productContent(productPayload(product, undefined), product.parts)),
            level: null,
            naturalKey: JSON.stringify(productNaturalKey(product)),
            shape: SHAPE,
          },
        ],
  )
}

async function stateBaselines(
  db: Db,
  store: Store,
  about: StateKind,
  ids: readonly string[],
): Promise<Baseline[]> {
  const pictures = await store.pictures(db, about, ids)
  return [...pictures].flatMap(([id, picture]) =>
    picture instanceof Error ? [] : [stateBaseline(aggregateKey(about.kind, id), about, picture)],
  )
}

async function orderBaselines(
  db: Db,
  store: Store,
  ids: readonly string[],
  keepsOrders: boolean,
): Promise<Baseline[]> {
  const baselines: Baseline[] = []
  const returns = await store.returns(db, ids)
  await store.eachOrder(db, ids, (id, order) => {
    if (order instanceof Error) return
    const aggregate = aggregateKey('order', id)
    const raw = rawOrder(order)
    const own = returns.get(id) ?? []
    if (!(own instanceof Error)) baselines.push(...own.map((each) => returnBaseline(aggregate, each, raw)))
    baselines.push({
      aggregate,
      part: 'order',
      digest: digestOf(orderContent(order, raw)),
      level: null,
      naturalKey: order.number,
      shape: SHAPE,
      told: keepsOrders ? JSON.stringify(raw) : null,
    })
  })
  return baselines
}
