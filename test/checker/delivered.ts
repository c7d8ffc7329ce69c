import { ERP_SKUS, type Sent } from '../support/erp.ts'
import type { RecordedRequest } from '../support/recorded-request.ts'
import type { Relayed } from '../support/relay.ts'
import { compareCounts, movedByShop } from './applied.ts'
import { byAggregate, type Finding, nameOf } from './evidence.ts'
import {
  contentOf,
  distinct,
  isKeptAsFailed,
  type LoopEvidence,
  numberOf,
  objectOf,
  orderNumberOf,
  subjectOf,
} from './loop-evidence.ts'
import { aggregateOf } from './message.ts'

/** What is written into a payload on its way. */
const ADDED = ['parameters', 'source']
/** What tells a state as a whole: a newer one closes it unsent. */
const SUPERSEDED_BY_NEWER = ['product:update', 'user:updated']
const MADE_FROM_AN_ORDER = ['order:new', 'order:updated', 'order:canceled']

/** What the store has said never comes back to it. */
export function findReturned({ toStore }: LoopEvidence): Finding[] {
  return toStore
    .filter((request) => numberOf(request) === undefined)
    .map((request) => ({
      rule: 'returned',
      about: request.key,
      text: `${nameOf(request)} came to the store`,
    }))
}

/** All that the bridge pushed reached the consumer, each message under one id, in order. */
export function findUndelivered(evidence: LoopEvidence): Finding[] {
  const { store, messages } = evidence.outward
  const received = fromStore(evidence).filter(({ type }) => !isMadeFromOrder(type))
  const taken = takenUnheard(evidence, new Set(received.map(said)))
  const pushed = byAggregate(
    [...messages.map(({ request }) => request), ...taken].toSorted(
      (one, other) => one.sequence - other.sequence,
    ),
    (request) => aggregateOf(request, store),
  )
  const got = byAggregate(received, (request) => aggregateOf(request, store))
  return compareSequences(
    'delivered',
    new Map([...pushed].map(([about, each]) => [about, each.map(said)])),
    new Map([...got].map(([about, each]) => [about, each.map(said)])),
  )
}

/**
 * The hub died with the answer, or did not hear that its database had committed (a wire lost that, or the database was taken
 * away from it) and answered that it had failed; and before the bridge asked again newer news had superseded the message.
 * Whether the hub has it, only what it delivered can tell.
 */
function takenUnheard(
  { outward: { requests, messages }, hubCommitsUnheard, disturbances }: LoopEvidence,
  delivered: ReadonlySet<string>,
): RecordedRequest[] {
  const known = new Set(messages.map(({ request }) => request.key))
  const unheard = [...hubCommitsUnheard.map((at) => ({ from: at, to: at })), ...disturbances]
  const isUnheard = ({ arrivedAt, endedAt, status }: RecordedRequest) =>
    status === null ||
    unheard.some(({ from, to }) => status >= 500 && arrivedAt <= to && from <= (endedAt ?? from))
  const unanswered = requests.filter(
    (request) => SUPERSEDED_BY_NEWER.includes(request.type) && isUnheard(request) && !known.has(request.key),
  )
  const once = new Map(unanswered.toReversed().map((request) => [request.key, request]))
  return [...once.values()].filter((request) => delivered.has(said(request)))
}

/** What the ERP said reached the store and the consumer, each message under one id at each, in order. */
export function findUnpassed(evidence: LoopEvidence): Finding[] {
  const wanted = groupSent(evidence.sent)
  return [evidence.toStore, evidence.toConsumer].flatMap((receiver) => {
    const got = byAggregate(
      distinct(receiver).filter((request) => numberOf(request) !== undefined),
      subjectOf,
    )
    return compareSequences(
      'delivered',
      wanted,
      new Map([...got].map(([about, each]) => [about, each.map(said)])),
    )
  })
}

function groupSent(sent: readonly Sent[]): ReadonlyMap<string, string[]> {
  const groups = byAggregate(sent, subjectOf)
  return new Map([...groups].map(([about, each]) => [about, each.map(said)]))
}

function said({ type, payload }: Pick<Relayed, 'type' | 'payload'>): string {
  return `${type} ${contentOf(payload, ...ADDED)}`
}

/**
 * Of each raw order the consumer got what follows from it, in order: the first time order:new, then order:updated for what
 * changed or order:canceled; behind each of them a shipment:ready for each shipment that is ready.
 */
export function findUnderived(evidence: LoopEvidence): Finding[] {
  const raw = byAggregate(
    evidence.outward.messages.map(({ request }) => request).filter(({ type }) => type === 'order:persist'),
    (request) => String(orderNumberOf(request)),
  )
  const got = byAggregate(
    fromStore(evidence).filter(({ type }) => isMadeFromOrder(type)),
    (request) => String(orderNumberOf(request)),
  )
  const wanted = new Map(
    [...raw].map(([number, pushes]) => {
      const states = pushes.map(({ payload }) => payload)
      return [number, states.flatMap((state, index) => wordsOf(state, states[index - 1]))]
    }),
  )
  const heard = new Map(
    [...got].map(([number, each]) => [
      number,
      each.map(({ type, payload }) => `${type} ${contentOf(payload['original'], ...ADDED, 'updated_at')}`),
    ]),
  )
  return compareSequences('derived', wanted, heard)
}

type Raw = Relayed['payload']

function wordsOf(state: Raw, before: Raw | undefined): string[] {
  const content = contentOf(state, ...ADDED, 'updated_at')
  if (before && contentOf(before, ...ADDED, 'updated_at') === content) return []
  const isCanceled = state['state'] === 'canceled'
  const isNewlyCanceled = isCanceled && before?.['state'] !== 'canceled'
  const type = isNewlyCanceled ? 'order:canceled' : before ? 'order:updated' : 'order:new'
  const shipments = (state['shipments'] as readonly Raw[]).filter((shipment) => shipment['state'] === 'ready')
  const ready = isCanceled ? [] : shipments.map(() => 'shipment:ready')
  return [type, ...ready].map((word) => `${word} ${content}`)
}

/** An imported order is in the store once and told as new once: the store itself tells it. */
export function findUntoldImports(evidence: LoopEvidence): Finding[] {
  const imported = evidence.sent
    .filter((message) => message.type === 'order:import' && !isKeptAsFailed(message, evidence))
    .map(({ payload }) => String(objectOf(payload['order'])?.['number']))
  const told = fromStore(evidence)
    .filter(({ type }) => type === 'order:new')
    .map((request) => String(orderNumberOf(request)))
  return compareCounts(
    'imported',
    'order:new of',
    imported,
    told.filter((number) => imported.includes(number)),
  )
}

/** Of the SKUs that the ERP moves too, the store told what the shop did and not what the ERP had said. */
export function findEchoes(evidence: LoopEvidence): Finding[] {
  return ERP_SKUS.flatMap((sku) => {
    const told = fromStore(evidence)
      .filter(({ type, payload }) => type === 'stock:change' && payload['sku'] === sku)
      .reduce((sum, { payload }) => sum + Number(payload['quantity']), 0)
    const moved = movedByShop(sku, evidence.outward)
    if (told === moved) return []
    return [{ rule: 'echo', about: sku, text: `the store told of ${told}, its shop had moved ${moved}` }]
  })
}

/** What the store's webhook has to say to people became one message each, however often it said so. */
export function findUntoldNotifications({ toStore, toConsumer }: LoopEvidence): Finding[] {
  const said = toStore
    .filter(({ delivered }) => delivered)
    .flatMap(({ key, answer }) => notificationsIn(answer).map((text) => `${key} ${text}`))
  const wanted = [...new Set(said)].map((text) => text.slice(text.indexOf(' ') + 1))
  const got = distinct(toConsumer)
    .filter(({ type }) => type.startsWith('notification:'))
    .map(({ type, payload }) => `${type} ${payload['subject']}: ${payload['description']}`)
  return compareCounts('notified', '', wanted, got)
}

function notificationsIn(answer: string): string[] {
  const { notifications = [] } = JSON.parse(answer) as { notifications?: Record<string, string>[] }
  return notifications.map(
    ({ level, subject, description }) => `notification:${level} ${subject}: ${description}`,
  )
}

/** At rest a hub holds nothing but what the store cannot take. */
export function findLeft({ left, inbox }: LoopEvidence): Finding[] {
  return left
    .filter(({ queue, state, messageId }) => {
      const kept = inbox.get(messageId)
      return !(queue === 'accepted' && state === 'failing' && kept?.state === 'failed' && kept.reason)
    })
    .map(({ queue, type, messageId, state }) => ({
      rule: 'left',
      about: messageId,
      text: `${type} is still ${state} in ${queue}`,
    }))
}

/** Each once, as it first came. */
function fromStore({ toConsumer }: LoopEvidence): Relayed[] {
  return distinct(toConsumer).filter(
    (request) => numberOf(request) === undefined && !request.type.startsWith('notification:'),
  )
}

function isMadeFromOrder(type: string): boolean {
  return MADE_FROM_AN_ORDER.includes(type) || type === 'shipment:ready'
}

function compareSequences(
  rule: string,
  wanted: ReadonlyMap<string, readonly string[]>,
  got: ReadonlyMap<string, readonly string[]>,
): Finding[] {
  return [...new Set([...wanted.keys(), ...got.keys()])].flatMap((about) => {
    const [should, did] = [wanted.get(about) ?? [], got.get(about) ?? []]
    const at = Array.from({ length: Math.max(should.length, did.length) }).findIndex(
      (_, index) => should[index] !== did[index],
    )
    if (at < 0) return []
    const [one, other] = [should[at] ?? 'nothing', did[at] ?? 'nothing'].map((text) => text.slice(0, 120))
    return [
      {
        rule,
        about,
        text: `message ${at + 1} of ${should.length} should be ${one}, of ${did.length} that came it is ${other}`,
      },
    ]
  })
}
