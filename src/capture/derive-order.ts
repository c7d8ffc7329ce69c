import { rawOrder } from '../messages/raw-order.ts'
import type { OrderSnapshot, ReturnSnapshot } from '../messages/snapshot.ts'
import type { Baseline } from './baseline.ts'
import { orderContent } from './content.ts'
import { type Derivation, emptyDerivation } from './derivation.ts'
import { deriveReturns } from './derive-returns.ts'
import { digestOf, isUnchanged, SHAPE } from './digest.ts'
import type { ResolvedRow } from './outbox-row.ts'

export type OrderInput = Readonly<{
  aggregate: string
  rows: readonly ResolvedRow[]
  /** Undefined: a cart (or gone). The triggers record a cart's children because they read no other table. */
  order: OrderSnapshot | undefined
  /** Undefined: nothing of them changed. */
  returns: readonly ReturnSnapshot[] | undefined
  baselines: ReadonlyMap<string, Baseline>
  /** True once the silent seeding of orders is through. */
  seeded: boolean
}>

/** The raw order as it stands, if anything of it changed, and its returns behind it. Orders are never silent: what was imported must reach the warehouse. */
export function deriveOrder(input: OrderInput): Derivation {
  const { aggregate, rows, order, baselines, returns } = input
  const derivation = emptyDerivation()
  if (!order) {
    // Nothing is said of an order that is gone; it is no longer one that was announced.
    derivation.forgotten.push(...[...baselines.values()].map(({ part }) => ({ aggregate, part })))
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
  const tellReturns = () => {
    if (returns) deriveReturns({ ...input, order: payload, returns }, derivation)
    return derivation
  }
  if (rows.every((row) => row.op === 'forget')) {
    write(null)
    return tellReturns()
  }
  const digest = digestOf(content)
  write(digest)

  const before = rows.some((row) => row.op === 'forget') ? undefined : baselines.get('order')
  const unchanged = isUnchanged(before, digest, content)
  const requested = rows.some((row) => row.op === 'announce')
  if (!unchanged || requested) derivation.messages.push({ type: 'order:persist', payload, subject: null })
  return tellReturns()
}
