import { deriveAggregates } from '../capture/derive-aggregates.ts'
import type { OrderMessages } from '../capture/derive-order.ts'
import type { ResolvedRow } from '../capture/outbox-row.ts'
import { type ShapedMessages, shapeMessages } from '../capture/shape-messages.ts'
import { stockPart, variantOfSubject } from '../capture/stock-account.ts'
import { levelsByName } from '../capture/stock-places.ts'
import type { Unmapped } from '../capture/unmapped.ts'
import { aggregateKey, aggregateKindOf, type Kind } from '../messages/aggregate.ts'
import type { Message } from '../messages/message.ts'
import { isAt, parsePath, valuesAt } from '../messages/shaping/path.ts'
import { remainsOf } from '../messages/shaping/remains.ts'
import type { Shape, ShapingRules, WithheldBy } from '../messages/shaping/shape.ts'
import { stockPayload } from '../messages/stock.ts'
import { productObjects } from '../messages/wombat/as-objects.ts'
import type { Db, Pool } from '../postgres/pool.ts'
import { inTransaction } from '../postgres/transaction.ts'
import { findRoot } from '../store/find-root.ts'
import type { Store } from '../store/store.ts'

export type PreviewOptions = Readonly<{
  kind: Kind
  /** An order's number or id; a product's id, SKU or permalink, for its stock too; of all else the id. */
  name: string
  stockMessages: 'change' | 'actual'
  stockBy?: 'variant' | 'location'
  orderMessages: OrderMessages
  shape: Shape | undefined
  redact: ShapingRules['redact']
}>

export type Preview = Readonly<{
  aggregate: string
  /** In order; without payload where the configuration keeps it back. */
  messages: readonly Readonly<{ type: string; payload: unknown; withheldBy: WithheldBy | null }>[]
  /** Why no message can be made of it. */
  unmapped: string | null
  /** Paths that the configuration redacts, and that lead nowhere in these messages. */
  leadNowhere: readonly Readonly<{ type: string; path: string }>[]
  /** What such a path takes out, and where the same still stands. */
  remains: readonly Readonly<{ type: string; path: string; at: readonly string[] }>[]
}>

type Noted = Pick<Message, 'type' | 'payload'>
type Work = Readonly<{ db: Db; store: Store; id: string; aggregate: string; shape: Shape }>
type Result = Pick<ShapedMessages, 'withheld'> &
  Readonly<{ messages: readonly Readonly<{ type: string; payload: string }>[] }>

/**
 * The messages that a change of this one would send now, by the code that sends them, in a transaction that cannot write.
 * Stock by difference is told as if one piece had come in. Undefined where there is no such thing.
 */
export function previewMessages(
  pool: Pool,
  store: Store,
  options: PreviewOptions,
): Promise<Preview | undefined> {
  const { kind, name, stockMessages, stockBy, orderMessages } = options
  const root = aggregateKindOf(kind)
  return inTransaction(
    pool,
    async (db) => {
      await db.query('set transaction read only')
      const id = await findRoot(db, store, root, name)
      if (id === undefined) return undefined
      const aggregate = aggregateKey(root, id)
      const mapped: Noted[] = []
      const work = { db, store, id, aggregate, shape: noting(mapped, options.shape) }
      const result = await (kind === 'stock'
        ? shapeStock(work, stockMessages, stockBy)
        : derive(work, kind, { stockMessages, orderMessages }))
      const { messages, withheld } = 'reason' in result ? NOTHING : result
      const redacted = mapped.flatMap(({ type, payload }) =>
        (options.redact?.[type] ?? []).map((path) => ({ type, path, root: { payload } })),
      )
      return {
        aggregate,
        messages: [
          ...messages.map(({ type, payload }) => ({ type, payload: JSON.parse(payload), withheldBy: null })),
          ...withheld.map(({ type, by }) => ({ type, payload: null, withheldBy: by })),
        ],
        unmapped: 'reason' in result ? result.reason : null,
        leadNowhere: redacted
          .filter(({ path, root }) => !isAt(root, parsePath(path)))
          .map(({ type, path }) => ({ type, path })),
        remains: redacted.flatMap(({ type, path, root }) => {
          const values = valuesAt(root, parsePath(path))
          const at = messages
            .filter((message) => message.type === type)
            .flatMap(({ payload }) => remainsOf(values, JSON.parse(payload)))
          return at.length === 0 ? [] : [{ type, path, at }]
        }),
      }
    },
    'repeatable read',
  )
}

const NOTHING: Result = { messages: [], withheld: [] }

async function derive(
  { db, store, id, aggregate, shape }: Work,
  kind: Kind,
  asked: Pick<PreviewOptions, 'stockMessages' | 'orderMessages'>,
): Promise<Result | Unmapped> {
  // The request that asks for the state to be told, changed or not.
  const row: ResolvedRow = {
    id: '0',
    xid: '0',
    at: new Date(),
    kind,
    tableName: 'request',
    rowId: id,
    op: 'announce',
    parent: null,
    parentOld: null,
    delta: null,
    origin: null,
    aggregates: [aggregate],
  }
  const how = { ...asked, whole: false, seeded: undefined, shaping: { live: shape } }
  const { derivations, unmapped } = await deriveAggregates(db, store, new Map([[aggregate, [row]]]), how)
  return unmapped[0] ?? derivations.get(aggregate) ?? NOTHING
}

async function shapeStock(
  { db, store, id, aggregate, shape }: Work,
  stockMessages: 'change' | 'actual',
  stockBy: 'variant' | 'location' | undefined,
): Promise<Result | Unmapped> {
  const variants = await store.stockOfProducts(db, [id])
  const places = stockBy === 'location' ? await store.stockPlaces(db) : undefined
  const isChange = stockMessages === 'change'
  const messages = [...variants.values()]
    .filter(({ sku }) => sku !== '')
    .flatMap((variant): Message[] =>
      [...(places ? levelsByName(variant, places) : new Map([[undefined, variant.level]]))].map(
        ([place, level]) => ({
          type: isChange ? 'stock:change' : 'stock:actual',
          payload: stockPayload(variant.sku, isChange ? 1 : level, place),
          subject: stockPart(variant.variantId),
        }),
      ),
    )
  const variantOf = ({ subject }: Message) => variants.get(variantOfSubject(subject) ?? '')
  const told = store.inObjects
    ? productObjects(messages, undefined, { variantOf, places: places ?? new Map() }).messages
    : messages
  const shaped = shapeMessages(told, { live: shape })
  if (typeof shaped !== 'function') return shaped
  return shaped(async () => {}).catch((error: unknown) => ({
    aggregate,
    reason: error instanceof Error ? error.message : String(error),
  }))
}

/** Writes down each message before the configuration has its say. */
function noting(mapped: Noted[], shape: Shape | undefined): Shape {
  return (message) => {
    mapped.push(message)
    return shape?.(message) ?? { payload: message.payload, transform: undefined }
  }
}
