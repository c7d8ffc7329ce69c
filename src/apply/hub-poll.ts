import type { AggregateKind } from '../messages/aggregate.ts'
import { MappingError } from '../messages/mapping-error.ts'
import type { MessageType, RawPayload } from '../messages/message.ts'
import { productPayload } from '../messages/product.ts'
import { rawOrder } from '../messages/raw-order.ts'
import { type Collection, type HubPoll, hubPollSchema } from '../messages/schemas/hub-poll.ts'
import { STATE_KINDS } from '../messages/state-kinds.ts'
import type { Db } from '../postgres/pool.ts'
import type { Store } from '../store/store.ts'
import { type Handler, NotApplicable, type Notification } from './handler.ts'
import { parameterOf } from './parameters.ts'
import { readCursor, readPerPage, withEntry, writeCursor } from './poll-cursor.ts'
import { shaped } from './shaped.ts'

const LAST_UPDATED_AT = 'collections_poll.last_updated_at'
const PER_PAGE = 'collections_poll.per_page'

/** What a collection holds, and the type by whose rules the configuration shapes it. */
const polled: Readonly<Partial<Record<Collection, { kind: AggregateKind; type: string; as: MessageType }>>> =
  {
    orders: { kind: 'order', type: 'order:persist', as: 'order:persist' },
    carts: { kind: 'cart', type: 'cart:persist', as: 'cart:updated' },
    products: { kind: 'product', type: 'product:persist', as: 'product:update' },
    stock_transfers: {
      kind: 'stock_transfer',
      type: 'stock_transfer:persist',
      as: 'stock_transfer:persist',
    },
    users: { kind: 'customer', type: 'user:persist', as: 'user:updated' },
  }

/** Protocol §7.1: what has changed of a collection since the last poll, a page at a time, and from where the next goes on. */
export const hubPoll: Handler<HubPoll> = {
  message: 'hub:poll',
  description: 'Answers with the objects of a collection that have changed since the last poll.',
  schema: hubPollSchema,
  async apply(db, store, { message, payload: { target }, parameters }, shape) {
    const [cursors, sizes] = [parameterOf(parameters, LAST_UPDATED_AT), parameterOf(parameters, PER_PAGE)]
    const perPage = readPerPage(sizes, target)
    const found = polled[target]
    const changed = found && (await store.changedSince(db, found.kind, readCursor(cursors, target), perPage))
    if (!found || !changed) throw notPolled(target)
    const notifications: Notification[] = [
      {
        level: 'info',
        subject: `Completed ${target.slice(0, -1)} poll`,
        description: `Spree endpoint successfully polled for ${target}.`,
      },
    ]
    const messages: Readonly<{ message: string; payload: RawPayload }>[] = []
    const objects = await payloadsOf(db, store, found.kind, changed.ids)
    for (const id of changed.ids) {
      const object = objects.get(id)
      const told =
        object && !(object instanceof MappingError) ? await shaped(found.as, object, shape) : object
      if (told instanceof Error)
        notifications.push({ level: 'warn', subject: message, description: `Not told: ${told.message}` })
      else if (told) messages.push({ message: found.type, payload: told })
    }
    return {
      notifications,
      details: {
        messages,
        parameters: [
          {
            name: `spree.${LAST_UPDATED_AT}`,
            value: withEntry(cursors, target, writeCursor(changed.next)),
          },
          { name: `spree.${PER_PAGE}`, value: withEntry(sizes, target, String(perPage)) },
        ],
      },
    }
  },
}

const NOT_POLLED: Readonly<Partial<Record<Collection, string>>> = {
  carts: 'carts are told nobody: set CARTS=on',
  return_authorizations:
    'returns are announced with their orders: subscribe to return_authorization:new and :updated',
  taxons: 'categories are named by their products: poll these',
}

function notPolled(target: Collection): NotApplicable {
  const why = NOT_POLLED[target] ?? 'this store has none that can be read'
  return new NotApplicable('not_polled', `The collection ${target} is not polled, as ${why}.`)
}

async function payloadsOf(
  db: Db,
  store: Store,
  kind: AggregateKind,
  ids: readonly string[],
): Promise<ReadonlyMap<string, RawPayload | MappingError>> {
  if (kind === 'order') return mapped(await store.orders(db, ids), rawOrder)
  if (kind === 'product')
    return mapped(await store.products(db, ids), (product) => productPayload(product, undefined))
  const stateKind = STATE_KINDS.find((one) => one.kind === kind)
  return stateKind ? mapped(await store.pictures(db, stateKind, ids), ({ payload }) => payload) : new Map()
}

function mapped<Read extends object>(
  objects: ReadonlyMap<string, Read | MappingError>,
  tell: (object: Read) => RawPayload,
): ReadonlyMap<string, RawPayload | MappingError> {
  return new Map(
    [...objects].map(([id, object]) => [id, object instanceof MappingError ? object : tell(object)]),
  )
}
