import { rawOrder } from '../messages/raw-order.ts'
import type { OrderSnapshot } from '../messages/snapshot.ts'
import type { Baseline } from './baseline.ts'
import { orderContent } from './content.ts'
import { type Derivation, emptyDerivation } from './derivation.ts'
import { digestOf, isUnchanged, SHAPE } from './digest.ts'
import { isBackfill, type ResolvedRow } from './outbox-row.ts'

export type OrderInput = Readonly<{
  aggregate: string
  rows: readonly ResolvedRow[]
  /** Undefined: a cart (or gone). The triggers record a cart's children because they read no other table. */
  order: OrderSnapshot | undefined
  baselines: ReadonlyMap<string, Baseline>
}>

/** The raw order as it stands, if anything of it changed. Orders are never silent: what was imported must reach the warehouse. */
export function deriveOrder({ aggregate, rows, order, baselines }: OrderInput): Derivation {
  const derivation = emptyDerivation()
  if (!order) {
    // Nothing is said of an order that is gone; it is no longer one that was announced.
    if (baselines.has('order')) derivation.forgotten.push({ aggregate, part: 'order' })
    return derivation
  }
  const payload = rawOrder(order)
  const content = orderContent(order, payload)
  const write = (digest: string | null) =>
    derivation.baselines.push({
      aggregate,
      part: 'order',
      digest,
      level: null,
      naturalKey: order.number,
      shape: SHAPE,
    })
  if (rows.every((row) => row.op === 'forget')) {
    write(null)
    return derivation
  }
  const digest = digestOf(content)
  write(digest)

  const before = rows.some((row) => row.op === 'forget') ? undefined : baselines.get('order')
  const unchanged = isUnchanged(before, digest, content)
  const requested = rows.some((row) => row.op === 'announce' || isBackfill(row))
  if (!unchanged || requested) derivation.messages.push({ type: 'order:persist', payload, subject: null })
  return derivation
}
