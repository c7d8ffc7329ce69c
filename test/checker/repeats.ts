import type { RecordedRequest } from '../support/recorded-request.ts'
import { byAggregate, type Disturbance, type Evidence, type Finding, nameOf } from './evidence.ts'

/** All that one program sent to another. */
export type Link = Readonly<{
  requests: readonly RecordedRequest[]
  /** The status of yes: 201 of a hub, 200 of whoever a hub delivers to. */
  yes: number
  /** The sender hears nothing that comes later. */
  patienceMs: number
  aggregateOf(request: RecordedRequest): string
  /** True where this refused message holds nothing of its aggregate: it comes when a person puts it back. */
  isSetAside(request: RecordedRequest): boolean
  /** Of the sender. */
  disturbances: readonly Disturbance[]
}>

/**
 * Answers are settled in batches: what was answered this long before a kill may not have been, where many processes share a
 * machine. Of the kill its parent hears some time later.
 */
const UNSETTLED_MS = 2500
/** What a sender had in flight when it was stopped may still come this long after it woke. */
const LATE_MS = 3000
/** A sender that gives up closes its end first, but the hub may hear of the next request before that. */
const HEARING_MS = 100

/** A bridge names itself until it knows that the hub is ours, and once more after each of its starts. */
const NAMED = /,?"source":"spree-bridge:[^"]*"/

/** Every request carries what the protocol and the promises ask of it, and a key stands for one text. */
export function findMalformed({ requests }: Evidence): Finding[] {
  const bodies = new Map<string, string>()
  return requests.flatMap((request) => {
    const { key } = request
    const body = request.body.replace(NAMED, '')
    const wrong: string[] = []
    if (!/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(key)) wrong.push(`has no UUID as Idempotency-Key`)
    else if ((bodies.get(key) ?? body) !== body) wrong.push('has another body than the same key had before')
    bodies.set(key, bodies.get(key) ?? body)
    if (!String(request.headers['content-type']).startsWith('application/json'))
      wrong.push('is not sent as JSON')
    if (request.origin !== 'store') wrong.push('does not say that it comes from the store')
    return wrong.map((text) => ({ rule: 'form', about: key, text: `${nameOf(request)} ${text}` }))
  })
}

/** A message is sent again only where its answer was lost or was no. */
export function findNeedlessRepeats(link: Link): Finding[] {
  return [...byAggregate(link.requests, ({ key }) => key).values()].flatMap((sent) =>
    sent.flatMap((request, index) => {
      const previous = sent[index - 1]
      const heard =
        previous?.delivered &&
        previous.status === link.yes &&
        previous.messageId !== null &&
        (previous.endedAt ?? 0) - previous.arrivedAt < link.patienceMs - HEARING_MS
      if (!heard || isDisturbed(previous, link)) return []
      const text = `${nameOf(request)} repeats ${nameOf(previous)}, whose ${link.yes} had reached the sender`
      return [{ rule: 'repeated', about: request.key, text: `${text}${timeBeforeTrouble(previous, link)}` }]
    }),
  )
}

function timeBeforeTrouble({ endedAt }: RecordedRequest, { disturbances }: Link): string {
  const next = disturbances.find(({ to }) => to >= (endedAt ?? 0))
  return next ? `, ${next.from - (endedAt ?? 0)} ms before ${next.what}` : ''
}

/** One at a time and in order: no two requests of an aggregate at once, and none of a message that was already passed. */
export function findDisorder(link: Link): Finding[] {
  const sent = byAggregate(link.requests, link.aggregateOf)
  return [...sent].flatMap(([aggregate, requests]) => [
    ...findOverlaps(aggregate, requests, link),
    ...findOvertaken(aggregate, requests, link),
  ])
}

function findOverlaps(about: string, requests: readonly RecordedRequest[], link: Link): Finding[] {
  const findings: Finding[] = []
  for (const [index, request] of requests.entries())
    for (const earlier of requests.slice(0, index)) {
      const heardOf = earlier.delivered
        ? earlier.endedAt
        : (earlier.endedAt ?? Number.POSITIVE_INFINITY) - HEARING_MS
      const overlaps = heardOf === null || heardOf > request.arrivedAt
      if (!overlaps || isDisturbed(earlier, link) || isDisturbed(request, link)) continue
      findings.push({
        rule: 'order',
        about,
        text: `${nameOf(request)} came while ${nameOf(earlier)} was open`,
      })
    }
  return findings
}

/**
 * What a killed sender had not settled is sent again, in order, and so after later ones that it had not settled either.
 * And what was set aside comes whenever it is put back: then its order counts from there.
 */
function findOvertaken(about: string, requests: readonly RecordedRequest[], link: Link): Finding[] {
  const places = new Map<string, number>()
  const backAt = new Map<string, number>()
  return requests.flatMap((request, index) => {
    const place = places.get(request.key) ?? places.size
    places.set(request.key, place)
    if (place === places.size - 1) return []
    const before = requests.slice(0, index)
    const earlier = before.filter(({ key }) => key === request.key)
    if (earlier.slice(-1).some((sent) => link.isSetAside(sent))) backAt.set(request.key, index)
    const since = before.slice(backAt.get(request.key) ?? 0)
    if (since.every(({ key }) => (places.get(key) ?? 0) <= place)) return []
    if ([...earlier, request].some((sent) => isDisturbed(sent, link))) return []
    const answers = earlier.map(({ status }) => status ?? 'nothing').join(', ')
    return [
      {
        rule: 'order',
        about,
        text: `${nameOf(request)} came after a later message of its aggregate; it had been answered ${answers}`,
      },
    ]
  })
}

function isDisturbed({ arrivedAt, endedAt }: RecordedRequest, { disturbances }: Link): boolean {
  return disturbances.some(
    ({ from, to }) =>
      arrivedAt <= to + LATE_MS && (endedAt ?? Number.POSITIVE_INFINITY) >= from - UNSETTLED_MS,
  )
}
