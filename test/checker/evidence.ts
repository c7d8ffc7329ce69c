import type { Audit, Change, StoreRows } from '../support/audit.ts'
import type { RecordedRequest } from '../support/recorded-request.ts'
import type { StoreFamily } from '../support/stores.ts'
import { type History, readHistory } from './history.ts'
import { aggregateOf, type Message, pictureOf } from './message.ts'
import { type Relations, relate } from './relations.ts'

/** A time in which the harness itself killed or stopped a sender, or took its database away. In ms since 1970. */
export type Disturbance = Readonly<{ what: string; from: number; to: number }>

/** Something that must not be. */
export type Finding = Readonly<{ rule: string; about: string; text: string }>

/** All that the rules look at. */
export type Evidence = Readonly<{
  family: StoreFamily
  seed: StoreRows
  now: StoreRows
  changes: readonly Change[]
  store: Relations
  history: History
  /** Transactions in which the bridge wrote what a hub had sent: the hub knows of them. */
  foreign: ReadonlySet<string>
  /** Every push, in order of arrival. */
  requests: readonly RecordedRequest[]
  /** Each message that the hub took, once, in the order in which it first took them. */
  messages: readonly Message[]
  disturbances: readonly Disturbance[]
}>

/** The connections of whoever applies what a hub sends; all others are the shop's own. */
const APPLYING = 'spree-bridge web'

export async function gatherEvidence(
  audit: Audit,
  heard: readonly RecordedRequest[],
  disturbances: readonly Disturbance[],
): Promise<Evidence> {
  const requests = heard.filter(({ method }) => method === 'POST') // the rest are probes
  const { changes, now } = await audit.read()
  const { family, seed } = audit
  const store = relate(seed, now, changes)
  const history = readHistory(family, seed, now, changes, store)
  const taken = new Map<string, Message>()
  for (const request of requests)
    if (request.accepted && !taken.has(request.key))
      taken.set(request.key, {
        request,
        aggregate: aggregateOf(request, store),
        picture: pictureOf(request, family, store),
      })
  return {
    family,
    seed,
    now,
    changes,
    store,
    history,
    foreign: new Set(changes.filter(({ application }) => application === APPLYING).map(({ xid }) => xid)),
    requests,
    messages: [...taken.values()],
    disturbances,
  }
}

export function byAggregate<T>(
  items: readonly T[],
  aggregateOfItem: (item: T) => string,
): ReadonlyMap<string, T[]> {
  const groups = new Map<string, T[]>()
  for (const item of items) {
    const group = groups.get(aggregateOfItem(item))
    if (group) group.push(item)
    else groups.set(aggregateOfItem(item), [item])
  }
  return groups
}

/** A message in a finding: what it is and where to look for it. */
export function nameOf(request: RecordedRequest): string {
  return `${request.type} (request ${request.sequence}, key ${request.key.slice(0, 8)})`
}
