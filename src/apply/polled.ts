import type { AggregateKind } from '../messages/aggregate.ts'
import { MappingError } from '../messages/mapping-error.ts'
import type { MessageType, RawPayload } from '../messages/message.ts'
import { orderReturn } from '../messages/order-return.ts'
import { productPayload } from '../messages/product.ts'
import { rawOrder } from '../messages/raw-order.ts'
import type { Collection } from '../messages/schemas/hub-poll.ts'
import { STATE_KINDS } from '../messages/state-kinds.ts'
import type { Db } from '../postgres/pool.ts'
import type { PollCursor } from '../store/changed-since.ts'
import { changedReturns, changedTaxons } from '../store/polled-rows.ts'
import type { Store } from '../store/store.ts'

/** A page of a collection, in the order in which its objects changed. */
export type Page = Readonly<{
  /** The type of their messages. */
  type: string
  /** By whose rules the configuration shapes them; absent where it has none. */
  as?: MessageType
  objects: readonly (RawPayload | MappingError)[]
  next: PollCursor
}>

type Objects = ReadonlyMap<string, RawPayload | MappingError>

const AGGREGATES: Readonly<
  Partial<Record<Collection, { kind: AggregateKind; type: string; as: MessageType }>>
> = {
  orders: { kind: 'order', type: 'order:persist', as: 'order:persist' },
  carts: { kind: 'cart', type: 'cart:persist', as: 'cart:updated' },
  products: { kind: 'product', type: 'product:persist', as: 'product:update' },
  stock_transfers: { kind: 'stock_transfer', type: 'stock_transfer:persist', as: 'stock_transfer:persist' },
  users: { kind: 'customer', type: 'user:persist', as: 'user:updated' },
}

/** Undefined of a collection that this store does not have. */
export async function readPage(
  db: Db,
  store: Store,
  collection: Collection,
  cursor: PollCursor | undefined,
  limit: number,
): Promise<Page | undefined> {
  if (collection === 'return_authorizations') {
    const changed = await changedReturns(db, store, cursor, limit)
    const objects = changed && (await returnsOf(db, store, changed.rows))
    return changed && objects && page(changed, objects, RETURNS)
  }
  if (collection === 'taxons') {
    const changed = await changedTaxons(db, store, cursor, limit)
    return changed && page(changed, changed.rows, { type: 'taxon:persist' })
  }
  const source = AGGREGATES[collection]
  const changed = source && (await store.changedSince(db, source.kind, cursor, limit))
  if (!source || !changed) return undefined
  return page(changed, await payloadsOf(db, store, source.kind, changed.ids), source)
}

const RETURNS = { type: 'return_authorization:persist', as: 'return_authorization:updated' } as const

/** One that is gone since its id was read is left out. */
function page(
  { ids, next }: Readonly<{ ids: readonly string[]; next: PollCursor }>,
  objects: Objects,
  { type, as }: Pick<Page, 'type' | 'as'>,
): Page {
  return {
    type,
    ...(as && { as }),
    objects: ids.map((id) => objects.get(id)).filter((object) => object !== undefined),
    next,
  }
}

async function payloadsOf(
  db: Db,
  store: Store,
  kind: AggregateKind,
  ids: readonly string[],
): Promise<Objects> {
  if (kind === 'order') return mapped(await store.orders(db, ids), rawOrder)
  if (kind === 'product')
    return mapped(await store.products(db, ids), (product) => productPayload(product, undefined))
  const stateKind = STATE_KINDS.find((one) => one.kind === kind)
  return stateKind ? mapped(await store.pictures(db, stateKind, ids), ({ payload }) => payload) : new Map()
}

/** With their orders, as they are announced: by their own ids. */
async function returnsOf(
  db: Db,
  store: Store,
  orderIds: ReadonlyMap<string, string>,
): Promise<ReadonlyMap<string, RawPayload | MappingError>> {
  const ids = [...new Set(orderIds.values())]
  const orders = await store.orders(db, ids)
  const returns = await store.returns(db, ids)
  const objects = new Map<string, RawPayload | MappingError>()
  for (const [id, orderId] of orderIds) {
    const [order, found] = [orders.get(orderId), returns.get(orderId)]
    if (order instanceof MappingError) objects.set(id, order)
    else if (found instanceof MappingError) objects.set(id, found)
    else {
      const own = found?.find((one) => one.kind === 'return_authorization' && one.id === id)
      if (order && own) objects.set(id, orderReturn(own, rawOrder(order)).payload)
    }
  }
  return objects
}

function mapped<Read extends object>(
  objects: ReadonlyMap<string, Read | MappingError>,
  tell: (object: Read) => RawPayload,
): Objects {
  return new Map(
    [...objects].map(([id, object]) => [id, object instanceof MappingError ? object : tell(object)]),
  )
}
