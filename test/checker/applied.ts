import type { Row } from '../support/audit.ts'
import { ERP_SKUS, type Sent } from '../support/erp.ts'
import { byAggregate, type Evidence, type Finding } from './evidence.ts'
import { deliveredAs, isKeptAsFailed, type LoopEvidence, objectOf, subjectOf } from './loop-evidence.ts'
import { decimal } from './picture.ts'
import { levelOf, tablesOfStock } from './stock.ts'

/** Every message is accepted, under one id however often it is pushed, and no two under the same. */
export function findUnaccepted({ sent }: LoopEvidence): Finding[] {
  const taken = new Map<string, Sent>()
  return sent.flatMap((message) => {
    const [first, ...others] = message.accepted
    if (first === undefined) return [finding('accepted', message, 'was never accepted')]
    const other = taken.get(first)
    taken.set(first, message)
    if (other) return [finding('accepted', message, `has the id of message ${other.number}`)]
    if (others.every((id) => id === first)) return []
    return [finding('accepted', message, `was accepted under several ids: ${message.accepted.join(', ')}`)]
  })
}

/** Every accepted message is applied exactly once, or kept as failed with a reason; and nobody else's is. */
export function findMisapplied(evidence: LoopEvidence): Finding[] {
  const wanted = evidence.sent.filter((message) => !isKeptAsFailed(message, evidence))
  return [
    ...findUnsettled(wanted, evidence),
    ...findWrongMoves(wanted, evidence),
    ...findWrongPrices(wanted, evidence),
    ...findWrongOrders(wanted, evidence),
  ]
}

function findUnsettled(wanted: readonly Sent[], evidence: LoopEvidence): Finding[] {
  return wanted.flatMap((message) => {
    const id = deliveredAs(message, evidence)
    if (id === undefined) return [finding('applied', message, 'never came to the store')]
    const kept = evidence.inbox.get(id)
    if (kept?.state === 'applied') return []
    return [finding('applied', message, `is ${kept?.state ?? 'not'} in the inbox, for '${kept?.reason}'`)]
  })
}

/** Stock that the bridge moved, transaction by transaction, but for that of imported orders. */
function findWrongMoves(wanted: readonly Sent[], { outward }: LoopEvidence): Finding[] {
  const imports = new Set(ordersMade(outward).map(({ xid }) => xid))
  const moves = new Map<string, number>()
  for (const { xid, table, old, new: later } of outward.changes) {
    if (!tablesOfStock.includes(table) || !outward.foreign.has(xid) || imports.has(xid)) continue
    const key = `${xid} ${skuOf((later ?? old)?.['variant_id'], outward)}`
    moves.set(key, (moves.get(key) ?? 0) + levelOf(later) - levelOf(old))
  }
  const done = [...moves].map(([key, quantity]) => `${key.slice(key.indexOf(' ') + 1)} by ${quantity}`)
  const asked = wanted
    .filter(({ type }) => type === 'stock:change')
    .map(({ payload }) => `${payload['sku']} by ${payload['quantity']}`)
  return compareCounts('applied', 'moved', asked, done)
}

/** The ERP's prices are its own: one SKU's are set in the order in which they were said, each once. */
function findWrongPrices(wanted: readonly Sent[], { outward }: LoopEvidence): Finding[] {
  const asked = byAggregate(
    wanted.filter(({ type }) => type === 'product:update'),
    ({ payload }) => String(payload['sku']),
  )
  const set = new Map<string, (string | null)[]>()
  for (const { xid, table, new: later } of outward.changes) {
    if (table !== 'spree_prices' || !outward.foreign.has(xid)) continue
    const sku = skuOf(later?.['variant_id'], outward)
    set.set(sku, [...(set.get(sku) ?? []), decimal(later?.['amount'])])
  }
  return [...new Set([...asked.keys(), ...set.keys()])].flatMap((sku) => {
    const said = (asked.get(sku) ?? []).map(({ payload }) => decimal(payload['price']))
    const done = set.get(sku) ?? []
    if (said.join() === done.join()) return []
    return [
      {
        rule: 'applied',
        about: `price of ${sku}`,
        text: `was set to ${done.join(', ')} instead of ${said.join(', ')}`,
      },
    ]
  })
}

function findWrongOrders(wanted: readonly Sent[], { outward }: LoopEvidence): Finding[] {
  const asked = wanted
    .filter(({ type }) => type === 'order:import')
    .map(({ payload }) => String(objectOf(payload['order'])?.['number']))
  const made = ordersMade(outward).map(({ number }) => number)
  const standing = [...(outward.now.get('spree_orders')?.values() ?? [])].map((row) => String(row['number']))
  return [
    ...compareCounts('applied', 'order', asked, made),
    ...asked.flatMap((number) => {
      const count = standing.filter((each) => each === number).length
      if (count === 1) return []
      return [{ rule: 'applied', about: `order ${number}`, text: `is in the store ${count} times` }]
    }),
  ]
}

function ordersMade({ changes, foreign }: Evidence): { xid: string; number: string }[] {
  return changes
    .filter(({ table, old, xid }) => table === 'spree_orders' && old === null && foreign.has(xid))
    .map(({ xid, new: row }) => ({ xid, number: String(row?.['number']) }))
}

/** Per SKU the level is that of the beginning, what the shop itself did, and what the ERP has said, and nothing more. */
export function findWrongLevels(evidence: LoopEvidence): Finding[] {
  const { outward, sent } = evidence
  const applied = sent.filter((message) => !isKeptAsFailed(message, evidence))
  return ERP_SKUS.flatMap((sku) => {
    const [start, end] = [levelOfSku(sku, outward.seed, outward), levelOfSku(sku, outward.now, outward)]
    const shop = movedByShop(sku, outward)
    const erp = applied.reduce((sum, message) => sum + movedBy(message, sku, outward.family), 0)
    if (end === start + shop + erp) return []
    const text = `stands at ${end} after ${start}, ${shop} by the shop and ${erp} by the ERP`
    return [{ rule: 'level', about: sku, text }]
  })
}

/** An imported order takes its goods where the family counts them down when it is placed. */
function movedBy({ type, payload }: Sent, sku: string, family: Evidence['family']): number {
  if (type === 'stock:change') return payload['sku'] === sku ? Number(payload['quantity']) : 0
  if (type !== 'order:import' || family !== 'spree-4.10') return 0
  const items = objectOf(payload['order'])?.['line_items'] as readonly Row[]
  return -items.filter((item) => item['sku'] === sku).reduce((sum, item) => sum + Number(item['quantity']), 0)
}

/** Pieces by which the shop itself has changed the stock of a SKU. */
export function movedByShop(sku: string, evidence: Evidence): number {
  return evidence.changes
    .filter(({ table, xid }) => tablesOfStock.includes(table) && !evidence.foreign.has(xid))
    .filter(({ old, new: later }) => skuOf((later ?? old)?.['variant_id'], evidence) === sku)
    .reduce((sum, { old, new: later }) => sum + levelOf(later) - levelOf(old), 0)
}

function levelOfSku(sku: string, rows: Evidence['now'], evidence: Evidence): number {
  return tablesOfStock
    .flatMap((table) => [...(rows.get(table)?.values() ?? [])])
    .filter((row) => skuOf(row['variant_id'], evidence) === sku)
    .reduce((sum, row) => sum + levelOf(row), 0)
}

function skuOf(variant: unknown, { now }: Evidence): string {
  return String(now.get('spree_variants')?.get(String(variant))?.['sku'])
}

/** Each of `wanted` as often in `found`, and nothing else. */
export function compareCounts(
  rule: string,
  what: string,
  wanted: readonly string[],
  found: readonly string[],
): Finding[] {
  const count = (items: readonly string[], item: string) => items.filter((each) => each === item).length
  return [...new Set([...wanted, ...found])].flatMap((item) => {
    const [asked, done] = [count(wanted, item), count(found, item)]
    if (asked === done) return []
    return [{ rule, about: `${what} ${item}`, text: `came about ${done} times instead of ${asked}` }]
  })
}

function finding(rule: string, message: Sent, text: string): Finding {
  return { rule, about: `ERP ${message.number}: ${message.type} of ${subjectOf(message)}`, text }
}
