import type { Sent } from '../support/erp.ts'
import type { Relayed } from '../support/relay.ts'
import type { Disturbance, Evidence } from './evidence.ts'
import { aggregateOf } from './message.ts'

/** What the bridge keeps of an inbound message. */
export type Kept = Readonly<{ state: string; reason: string | null }>

/** What a hub still holds when all is at rest. */
export type Left = Readonly<{ queue: string; type: string; messageId: string; state: string }>

/** All that the rules of the whole loop look at: the store, what everybody sent, and what arrived. */
export type LoopEvidence = Readonly<{
  /** The store, and what its bridge pushed to the hub. */
  outward: Evidence
  /** What the ERP pushed to the hub. */
  sent: readonly Sent[]
  /** What the hub delivered to the store's webhook, and to the consumer of all types. */
  toStore: readonly Relayed[]
  toConsumer: readonly Relayed[]
  /** By message id. */
  inbox: ReadonlyMap<string, Kept>
  left: readonly Left[]
  /** Of the hub. */
  disturbances: readonly Disturbance[]
  /** When the hub's database had committed and the hub did not hear of it. In ms since 1970. */
  hubCommitsUnheard: readonly number[]
}>

/** The number of the ERP's message that was delivered; undefined where it comes from elsewhere. */
export function numberOf({ payload }: Pick<Relayed, 'payload'>): number | undefined {
  return typeof payload['erp'] === 'number' ? payload['erp'] : undefined
}

/** What the ERP's message is about: what it says of one such thing it says in order. */
export function subjectOf({ payload }: Pick<Sent, 'payload'>): string {
  const order = objectOf(payload['order'])
  return order === undefined ? `sku ${payload['sku']}` : `order ${order['number']}`
}

/** What must arrive one after the other, at one receiver. */
export function orderedBy(request: Relayed, { outward }: LoopEvidence): string {
  if (request.type.startsWith('notification:')) return request.key
  if (numberOf(request) !== undefined) return `erp ${subjectOf(request)}`
  const number = orderNumberOf(request)
  return number === undefined ? aggregateOf(request, outward.store) : `order ${number}`
}

/** Of a raw order or of a message made from one. */
export function orderNumberOf({ type, payload }: Pick<Relayed, 'type' | 'payload'>): string | undefined {
  if (type === 'order:persist') return String(payload['number'])
  const order = objectOf(payload['order'])
  return order === undefined ? undefined : String(order['number'])
}

/** Each message once, as it first came. */
export function distinct(requests: readonly Relayed[]): Relayed[] {
  return [...new Map(requests.toReversed().map((request) => [request.key, request])).values()].toReversed()
}

/** The id under which the store got the ERP's message; undefined where it never did. */
export function deliveredAs({ number }: Sent, { toStore }: LoopEvidence): string | undefined {
  return toStore.find((request) => numberOf(request) === number)?.key
}

/** The store could not take it, and the bridge knows why. */
export function isKeptAsFailed(sent: Sent, evidence: LoopEvidence): boolean {
  const kept = evidence.inbox.get(deliveredAs(sent, evidence) ?? '')
  return kept?.state === 'failed' && Boolean(kept.reason)
}

export function objectOf(value: unknown): Readonly<Record<string, unknown>> | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Readonly<Record<string, unknown>>)
    : undefined
}

/** As text, without the keys that say nothing of what happened. */
export function contentOf(payload: unknown, ...without: readonly string[]): string {
  return JSON.stringify(payload, (name, value: unknown) => (without.includes(name) ? undefined : value))
}
