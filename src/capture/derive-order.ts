import { deriveGenericMessages, type LastAnnounced } from '../messages/derive-generic-messages.ts'
import { orderContent } from '../messages/order-content.ts'
import { rawOrder } from '../messages/raw-order.ts'
import type { RawOrder } from '../messages/schemas/order-message.ts'
import type { OrderSnapshot, ReturnSnapshot } from '../messages/snapshot.ts'
import type { Baseline } from './baseline.ts'
import { type Derivation, emptyDerivation } from './derivation.ts'
import { deriveReturns } from './derive-returns.ts'
import { digestOf, isUnchanged, SHAPE } from './digest.ts'
import { changedByShop, haveCrossed, isBackfill, isRootInsert, type ResolvedRow } from './outbox-row.ts'

/** How orders are told: the raw order, or what follows from it for a hub that does not derive it itself. */
export type OrderMessages = 'persist' | 'generic'

export type OrderInput = Readonly<{
  aggregate: string
  rows: readonly ResolvedRow[]
  /** Undefined: a cart (or gone). The triggers record a cart's children because they read no other table. */
  order: OrderSnapshot | undefined
  /** Undefined: nothing of them changed. */
  returns: readonly ReturnSnapshot[] | undefined
  baselines: ReadonlyMap<string, Baseline>
  /** True once the silent seeding of orders is through: from then on a missing baseline means new. */
  seeded: boolean
  orderMessages: OrderMessages
  /** False where the order may hold the effects of rows that are not among these. */
  whole: boolean
}>

/** The order as it stands, if anything of it changed, and its returns behind it. Orders are never silent: what was imported must reach the warehouse. */
export function deriveOrder(input: OrderInput): Derivation {
  const { aggregate, rows, order, baselines, returns, orderMessages } = input
  const derivation = emptyDerivation()
  const before = baselines.get('order')
  if (!order) {
    // Nothing is said of an order that is gone; it is no longer one that was announced.
    derivation.forgotten.push(...[...baselines.values()].map(({ part }) => ({ aggregate, part })))
    return derivation
  }
  const payload = rawOrder(order)
  const content = orderContent(order, payload)
  const write = (digest: string | null, told: string | null, changedAt?: Date) =>
    derivation.baselines.push({
      aggregate,
      part: 'order',
      digest,
      level: null,
      naturalKey: order.number,
      shape: SHAPE,
      told,
      changedAt,
    })
  const tellReturns = () => {
    if (returns) deriveReturns({ ...input, order: payload, returns }, derivation)
    return derivation
  }
  if (rows.every((row) => row.op === 'forget')) {
    write(null, null)
    return tellReturns()
  }
  const digest = digestOf(content)
  const isForgotten = rows.some((row) => row.op === 'forget')
  const isTold = !isForgotten && isUnchanged(before, digest, content)
  const isRequested = rows.some((row) => row.op === 'announce' || isBackfill(row))
  const crossed = haveCrossed(rows, input.whole)
  const tellsAnyway = isRequested || crossed
  const isChanged = (!isTold || crossed) && changedByShop(rows) !== undefined
  const changedAt = isChanged ? toldTime(payload) : undefined
  if (orderMessages === 'persist') {
    write(digest, null, changedAt)
    if (!isTold || tellsAnyway) derivation.messages.push({ type: 'order:persist', payload, subject: null })
    return tellReturns()
  }
  const messages =
    isTold && !tellsAnyway
      ? []
      : deriveGenericMessages(payload, lastAnnounced(input, payload, isTold, isForgotten), tellsAnyway)
  for (const { type, payload: told } of messages)
    derivation.messages.push({ type, payload: told, subject: null })
  write(digest, (messages.length === 0 && before?.told) || JSON.stringify(payload), changedAt)
  return tellReturns()
}

/**
 * What the order tells as its time comes back with what others make of it: it must not be older than this. When the row was
 * written is later than that.
 */
function toldTime({ updated_at: time }: RawOrder): Date | undefined {
  return time === null ? undefined : new Date(time)
}

/** What is not kept of an order that is as it was told needs no keeping: it is this. */
function lastAnnounced(
  { baselines, seeded, rows, order }: OrderInput,
  payload: RawOrder,
  isTold: boolean,
  isForgotten: boolean,
): LastAnnounced {
  // Whoever asks for all that there is has nothing of it.
  if (rows.some(isBackfill)) return 'never'
  const before = baselines.get('order')
  if (!before) return seeded || rows.some((row) => order && isRootInsert(row, order.id)) ? 'never' : 'unknown'
  if (!before.told || isForgotten) return isTold ? payload : 'unknown'
  return JSON.parse(before.told)
}
