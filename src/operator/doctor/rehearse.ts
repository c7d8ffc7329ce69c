import type { AggregateKind } from '../../messages/aggregate.ts'
import { MappingError } from '../../messages/mapping-error.ts'
import { orderReturn } from '../../messages/order-return.ts'
import { productPayload } from '../../messages/product.ts'
import { rawOrder } from '../../messages/raw-order.ts'
import { STATE_KINDS } from '../../messages/state-kinds.ts'
import type { Db } from '../../postgres/pool.ts'
import type { Store } from '../../store/store.ts'
import { Differences, type FieldDifference } from './differences.ts'

export type Side = Readonly<{ db: Db; store: Store }>

/** What of one kind would be announced otherwise. Ids are those of the rows, the same in a store and its copy. */
export type KindRehearsal = Readonly<{
  kind: AggregateKind | 'stock' | 'return'
  compared: number
  /** Announced from here, and not from there. */
  missing: readonly string[]
  /** Cannot be mapped there, and why. */
  unmappable: readonly string[]
  /** Why the kind cannot be read at all from there; then nothing was compared. */
  unreadable: string | null
  fields: readonly FieldDifference[]
}>

export type Rehearsal = Readonly<{ here: string; there: string; kinds: readonly KindRehearsal[] }>

const PAGE = 100
const MOST_NAMED = 10

/**
 * What would be announced of the same rows from another database, as of a copy of the store that was upgraded: a rehearsal
 * of the upgrade. Both are only read. `limit`: so many of each kind, from the first on; stock and returns are those of these
 * products and orders.
 */
export async function rehearse(here: Side, there: Side, limit: number): Promise<Rehearsal> {
  const compare = (kind: KindRehearsal['kind'], of: AggregateKind, read: Read) =>
    compareKind(here, there, limit, { kind, of, read })
  const kinds = [
    await compare('product', 'product', ({ db, store }, ids) =>
      payloadsOf(store.products(db, ids), (product) => productPayload(product, undefined)),
    ),
    await compare('stock', 'product', stockOf),
    await compare('order', 'order', ({ db, store }, ids) => payloadsOf(store.orders(db, ids), rawOrder)),
    await compare('return', 'order', returnsOf),
  ]
  for (const state of STATE_KINDS.filter(({ kind }) => here.store.kinds.includes(kind)))
    kinds.push(
      await compare(state.kind, state.kind, ({ db, store }, ids) =>
        payloadsOf(store.pictures(db, state, ids), ({ payload }) => payload),
      ),
    )
  return { here: here.store.family, there: there.store.family, kinds }
}

/** By id: a payload, or why there is none. */
type Payloads = ReadonlyMap<string, unknown>
type Read = (side: Side, ids: readonly string[]) => Promise<Payloads>

async function compareKind(
  here: Side,
  there: Side,
  limit: number,
  { kind, of, read }: Readonly<{ kind: KindRehearsal['kind']; of: AggregateKind; read: Read }>,
): Promise<KindRehearsal> {
  const differences = new Differences()
  const missing: string[] = []
  const unmappable: string[] = []
  let compared = 0
  let after = '0'
  for (let left = limit; left > 0; ) {
    const ids = await here.store.roots(here.db, of, after, Math.min(PAGE, left))
    const last = ids.at(-1)
    if (last === undefined) break
    after = last
    left -= ids.length
    const ours = await read(here, ids)
    const theirs = await read(there, ids).catch((error: Error) => error)
    if (theirs instanceof Error)
      return { kind, compared: 0, missing: [], unmappable: [], unreadable: theirs.message, fields: [] }
    for (const [id, payload] of ours) {
      const other = theirs.get(id)
      if (payload instanceof Error) continue
      compared++
      if (other === undefined) missing.push(id)
      else if (other instanceof Error) unmappable.push(`${id}: ${other.message}`)
      else differences.compare(`${kind} ${id}`, payload, other)
    }
  }
  return { kind, compared, missing, unmappable, unreadable: null, fields: differences.list() }
}

async function payloadsOf<Snapshot extends object>(
  snapshots: Promise<ReadonlyMap<string, Snapshot | MappingError>>,
  map: (snapshot: Snapshot) => object,
): Promise<Payloads> {
  return new Map(
    [...(await snapshots)].map(([id, snapshot]) => [
      id,
      snapshot instanceof Error ? snapshot : map(snapshot),
    ]),
  )
}

/** Of the living variants of some products: SKU and level. */
async function stockOf({ db, store }: Side, productIds: readonly string[]): Promise<Payloads> {
  const stock = await store.stockOfProducts(db, productIds)
  return new Map([...stock].map(([id, { sku, level }]) => [`variant ${id}`, { sku, quantity: level }]))
}

/** Returns by what they are and their id, without the order that goes along: how that changes is said of orders. */
async function returnsOf({ db, store }: Side, orderIds: readonly string[]): Promise<Payloads> {
  const returns = await store.returns(db, orderIds)
  const orders = await store.orders(db, [...returns.keys()])
  const payloads = new Map<string, unknown>()
  for (const [orderId, some] of returns) {
    const order = orders.get(orderId)
    if (some instanceof MappingError) payloads.set(`of order ${orderId}`, some)
    else if (order && !(order instanceof MappingError))
      for (const one of some) {
        const { order: _, inventory_units: __, ...payload } = orderReturn(one, rawOrder(order)).payload
        payloads.set(`${one.kind} ${one.id}`, payload)
      }
  }
  return payloads
}

/** Whether all would be announced there as it is here. */
export function isSame({ kinds }: Rehearsal): boolean {
  return kinds.every(
    ({ fields, missing, unmappable, unreadable }) =>
      unreadable === null && fields.length + missing.length + unmappable.length === 0,
  )
}

/** As lines for a terminal. */
export function formatRehearsal(rehearsal: Rehearsal): string {
  const lines = [`here ${rehearsal.here}, there ${rehearsal.there}`]
  for (const { kind, compared, missing, unmappable, unreadable, fields } of rehearsal.kinds) {
    const troubles = [
      ...(unreadable === null ? [] : [`cannot be read there: ${unreadable}`]),
      ...listed(missing, 'would not be announced there'),
      ...listed(unmappable, 'cannot be mapped there'),
      ...fields.map(
        ({ path, how, count, example: { of, here, there } }) =>
          `${path} ${how} in ${count}, as in ${of}: ${show(here)} → ${show(there)}`,
      ),
    ]
    lines.push(
      `${kind}: ${compared} compared${troubles.length === 0 ? ', all would be announced the same' : ''}`,
    )
    lines.push(...troubles.map((text) => `  ${text}`))
  }
  return lines.join('\n')
}

function listed(ids: readonly string[], what: string): string[] {
  if (ids.length === 0) return []
  const more = ids.length > MOST_NAMED ? ` and ${ids.length - MOST_NAMED} more` : ''
  return [`${ids.length} ${what}: ${ids.slice(0, MOST_NAMED).join(', ')}${more}`]
}

const LONGEST_VALUE = 60

function show(value: unknown): string {
  const text = value === undefined ? 'absent' : JSON.stringify(value)
  return text.length > LONGEST_VALUE ? `${text.slice(0, LONGEST_VALUE)}…` : text
}
