import { setImmediate } from 'node:timers/promises'

import { type AggregateKind, aggregateKey, type Kind } from '../messages/aggregate.ts'
import type { StateKind } from '../messages/state-kind.ts'
import type { Db, Pool } from '../postgres/pool.ts'
import { inTransaction } from '../postgres/transaction.ts'
import type { Store } from '../store/store.ts'
import { readBaselines } from './baseline.ts'
import {
  aggregateOf,
  compareOrder,
  compareProduct,
  compareState,
  compareStock,
  type Drift,
  nameIn,
} from './compare.ts'
import { type Asked, readNewRows, request } from './outbox.ts'
import { resolveRows } from './resolve-rows.ts'
import { readStockAccounts, stockPart } from './stock-account.ts'
import { isToldOtherwise } from './stock-places.ts'

export type WindowOptions = Readonly<{
  stockMessages: 'change' | 'actual'
  stockBy?: 'variant' | 'location'
  /** Ask the collector to tell what differs. */
  fix: boolean
}>

/** What one window of roots, or of baselines, has shown. */
export type WindowReport = Readonly<{
  compared: Readonly<Partial<Record<Kind, number>>>
  drift: readonly Drift[]
  /** Differences that changes under way account for. */
  underWay: readonly Asked[]
  /** Of which no message can be made, as is known already. */
  unmapped: readonly Asked[]
  /** False where more waits in the outbox than could be looked through: then all that differs counts as under way. */
  judged: boolean
}>

/** Rows of the outbox that are looked through where something differs. */
export const OUTBOX_LIMIT = 20_000
/** Aggregates between two turns of the event loop, in a process that does other things besides. */
const SLICE = 20

/**
 * One window, on one snapshot of the store, the baselines and the outbox: what is merely under way is in the outbox then,
 * because a change and its record, and its collection and its baseline, are of one transaction each. Requests are
 * written in the same transaction.
 */
function onOneSnapshot(
  pool: Pool,
  fix: boolean,
  look: (db: Db) => Promise<WindowReport>,
): Promise<WindowReport> {
  return inTransaction(
    pool,
    async (db) => {
      await db.query(
        `set local statement_timeout = '8s';
         set local idle_in_transaction_session_timeout = '8s';
         set local enable_seqscan = off;
         set local jit = off`,
      )
      const report = await look(db)
      if (fix)
        await request(
          db,
          'compare',
          report.drift.map(({ about }) => about),
        )
      return report
    },
    'repeatable read',
  )
}

export function compareOrders(
  pool: Pool,
  store: Store,
  ids: readonly string[],
  { fix }: WindowOptions,
): Promise<WindowReport> {
  return onOneSnapshot(pool, fix, async (db) => {
    const told = await readBaselines(
      db,
      ids.map((id) => aggregateKey('order', id)),
    )
    const returns = await store.returns(db, ids)
    const suspects: Drift[] = []
    let compared = 0
    await store.eachOrder(db, ids, (id, order) => {
      compared++
      const drift = compareOrder(id, order, returns.get(id) ?? [], told.get(aggregateKey('order', id)))
      if (drift) suspects.push(drift)
    })
    return { ...(await judge(db, store, suspects)), compared: { order: compared } }
  })
}

/** Products and the stock of their variants. */
export function compareProducts(
  pool: Pool,
  store: Store,
  ids: readonly string[],
  { fix, stockMessages, stockBy }: WindowOptions,
): Promise<WindowReport> {
  return onOneSnapshot(pool, fix, async (db) => {
    const products = await store.products(db, ids)
    const variants = [...(await store.stockOfProducts(db, ids)).values()]
    const told = await readBaselines(
      db,
      ids.map((id) => aggregateKey('product', id)),
    )
    const toldOf = (id: string, part: string) => told.get(aggregateKey('product', id))?.get(part)
    const accounts = await readStockAccounts(db, variants, ({ productId, variantId }) =>
      toldOf(productId, stockPart(variantId)),
    )
    const places =
      stockBy === 'location' && stockMessages === 'actual' ? await store.stockPlaces(db) : undefined
    const suspects = await sliced(products, ([id, product]) =>
      compareProduct(id, product, toldOf(id, 'catalogue')),
    )
    const catalogue = await judge(db, store, suspects)
    const drift: Drift[] = [...catalogue.drift]
    const underWay = [...catalogue.underWay]
    for (const variant of variants) {
      const { variantId, productId } = variant
      const account = accounts.get(variantId)
      const before = toldOf(productId, stockPart(variantId))
      const isElsewhere = places !== undefined && isToldOtherwise(variant, before, places)
      const found = account && compareStock(variant, before, account, stockMessages, isElsewhere)
      if (found === 'underWay') underWay.push({ kind: 'stock', id: productId, variantId })
      else if (found) drift.push(found)
    }
    const compared = { product: products.size, stock: variants.length }
    return { ...catalogue, drift, underWay, compared }
  })
}

/** Of a kind that is announced as one state. */
export function compareStates(
  pool: Pool,
  store: Store,
  about: StateKind,
  ids: readonly string[],
  { fix }: WindowOptions,
): Promise<WindowReport> {
  return onOneSnapshot(pool, fix, async (db) => {
    const pictures = await store.pictures(db, about, ids)
    const told = await readBaselines(
      db,
      ids.map((id) => aggregateKey(about.kind, id)),
    )
    const suspects = await sliced(pictures, ([id, picture]) =>
      compareState(about, id, picture, told.get(aggregateKey(about.kind, id))?.get(partOf(about.kind))),
    )
    return { ...(await judge(db, store, suspects)), compared: { [about.kind]: pictures.size } }
  })
}

/** What was announced once and is in the store no more; `aggregates` are keys of baselines. */
export function compareGone(
  pool: Pool,
  store: Store,
  kind: AggregateKind,
  aggregates: readonly string[],
  { fix }: WindowOptions,
): Promise<WindowReport> {
  return onOneSnapshot(pool, fix, async (db) => {
    const ids = aggregates.map((aggregate) => aggregate.slice(kind.length + 1))
    const present = await store.present(db, kind, ids)
    const gone = ids.filter((id) => !present.has(id))
    const told = await readBaselines(
      db,
      gone.map((id) => aggregateKey(kind, id)),
    )
    // Forgotten since the page was read: then there is nothing to say any more.
    const suspects = gone.flatMap((id): Drift[] => {
      const baseline = told.get(aggregateKey(kind, id))?.get(partOf(kind))
      return baseline
        ? [{ about: { kind, id }, outcome: 'gone', name: nameIn(kind, baseline.naturalKey) }]
        : []
    })
    return { ...(await judge(db, store, suspects)), compared: {} }
  })
}

/** Under which part of an aggregate its own baseline stands. */
export function partOf(kind: AggregateKind): string {
  return kind === 'product' ? 'catalogue' : kind
}

/** Of what differs: what the outbox accounts for, what is parked already, and the rest, which is drift. */
async function judge(
  db: Db,
  store: Store,
  suspects: readonly Drift[],
): Promise<Omit<WindowReport, 'compared'>> {
  if (suspects.length === 0) return { drift: [], underWay: [], unmapped: [], judged: true }
  const rows = await readNewRows(db, undefined, OUTBOX_LIMIT + 1)
  if (rows.length > OUTBOX_LIMIT)
    return { drift: [], underWay: suspects.map(({ about }) => about), unmapped: [], judged: false }
  const relevant = rows.filter(({ kind }) => kind !== 'stock')
  const moving = new Set((await resolveRows(db, store, relevant)).flatMap(({ aggregates }) => aggregates))
  const parked = await readParked(db, suspects)
  const drift: Drift[] = []
  const underWay: Asked[] = []
  const unmapped: Asked[] = []
  for (const suspect of suspects) {
    if (moving.has(aggregateOf(suspect))) underWay.push(suspect.about)
    else if (suspect.outcome === 'unmappable' && parked.has(aggregateOf(suspect)))
      unmapped.push(suspect.about)
    else drift.push(suspect)
  }
  return { drift, underWay, unmapped, judged: true }
}

async function readParked(db: Db, suspects: readonly Drift[]): Promise<ReadonlySet<string>> {
  const { rows } = await db.query<{ aggregate: string }>(
    'select aggregate from bridge.unmapped where aggregate = any($1::text[])',
    [suspects.map(aggregateOf)],
  )
  return new Set(rows.map(({ aggregate }) => aggregate))
}

async function sliced<Item>(
  items: Iterable<Item>,
  compare: (item: Item) => Drift | undefined,
): Promise<Drift[]> {
  const found: Drift[] = []
  let done = 0
  for (const item of items) {
    const drift = compare(item)
    if (drift) found.push(drift)
    if (++done % SLICE === 0) await setImmediate()
  }
  return found
}
