import type { MessageType } from '../messages/message.ts'
import { orderReturn } from '../messages/order-return.ts'
import type { RawOrder } from '../messages/schemas/order-message.ts'
import type { ReturnSnapshot } from '../messages/snapshot.ts'
import type { Baseline } from './baseline.ts'
import type { Derivation } from './derivation.ts'
import { digestOf, isUnchanged, SHAPE } from './digest.ts'
import type { ResolvedRow } from './outbox-row.ts'

const TYPES: Readonly<Record<ReturnSnapshot['kind'], Readonly<{ first: MessageType; later: MessageType }>>> =
  {
    return_authorization: { first: 'return_authorization:new', later: 'return_authorization:updated' },
    customer_return: { first: 'customer_return:new', later: 'customer_return:updated' },
  }

/**
 * The returns of an order, each with a baseline of its own among the order's, told behind the order itself. As orders, they
 * are never silent.
 */
export function deriveReturns(
  input: Readonly<{
    aggregate: string
    rows: readonly ResolvedRow[]
    order: RawOrder
    returns: readonly ReturnSnapshot[]
    baselines: ReadonlyMap<string, Baseline>
    /** True once the silent seeding of orders is through. */
    seeded: boolean
  }>,
  derivation: Derivation,
): void {
  const { aggregate, rows, baselines } = input
  const onlyForgets = rows.every(({ op }) => op === 'forget')
  const forgets = rows.some(({ op }) => op === 'forget')
  const requested = rows.some(({ op }) => op === 'announce')
  for (const snapshot of input.returns) {
    const baseline = returnBaseline(aggregate, snapshot, input.order)
    derivation.baselines.push(onlyForgets ? { ...baseline, digest: null } : baseline)
    if (onlyForgets) continue
    const before = baselines.get(baseline.part)
    const { payload, content } = orderReturn(snapshot, input.order)
    if (!requested && !forgets && isUnchanged(before, baseline.digest, content)) continue
    const isNew = before === undefined && (input.seeded || rows.some((row) => isInsertOf(snapshot, row)))
    const { first, later } = TYPES[snapshot.kind]
    derivation.messages.push({ type: isNew ? first : later, payload, subject: null })
  }
  const present = new Set(input.returns.map(returnPart))
  for (const { part } of baselines.values())
    if (part.includes(':') && !present.has(part)) derivation.forgotten.push({ aggregate, part })
}

/** What is noted of a return that is announced as it stands. */
export function returnBaseline(
  aggregate: string,
  snapshot: ReturnSnapshot,
  order: RawOrder,
): Baseline & Readonly<{ digest: string }> {
  return {
    aggregate,
    part: returnPart(snapshot),
    digest: digestOf(orderReturn(snapshot, order).content),
    level: null,
    naturalKey: null,
    shape: SHAPE,
  }
}

/** Are the returns of an order as they were told? One that is gone is nothing to tell. */
export function areReturnsTold(
  returns: readonly ReturnSnapshot[],
  order: RawOrder,
  baselines: ReadonlyMap<string, Baseline> | undefined,
): boolean {
  return returns.every((snapshot) => {
    const { content } = orderReturn(snapshot, order)
    return isUnchanged(baselines?.get(returnPart(snapshot)), digestOf(content), content)
  })
}

function returnPart({ kind, id }: ReturnSnapshot): string {
  return `${kind}:${id}`
}

function isInsertOf({ table, id }: ReturnSnapshot, row: ResolvedRow): boolean {
  return row.op === 'insert' && row.tableName === table && row.rowId === id
}
