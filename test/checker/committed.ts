import { byAggregate, type Evidence, type Finding, nameOf } from './evidence.ts'
import type { History, Version } from './history.ts'
import { isComparable, type Message } from './message.ts'
import { describeLie, type Fields, type Picture, tells } from './picture.ts'

/**
 * What a message says of an aggregate must be one committed state of it, and not an older one than the message before
 * said: per row the states are in order, so each message moves every row forward or leaves it. And what one transaction
 * changed in two rows is told together or not at all.
 */
export function findUncommitted(evidence: Evidence): Finding[] {
  const told = byAggregate(evidence.messages, ({ aggregate }) => aggregate)
  return [...told.values()].flatMap((messages) => followAggregate(messages, evidence.history))
}

/** The states of one row that what is shown may be: from the earliest possible to the latest. */
type Reach = Readonly<{ from: number; to: number }>

function followAggregate(messages: readonly Message[], history: History): Finding[] {
  const findings: Finding[] = []
  const reached = new Map<string, number>()
  for (const { request, aggregate, picture } of messages) {
    if (!picture) continue
    const reaches = new Map<string, Reach>()
    for (const key of new Set([...picture.keys(), ...(history.keysOf.get(aggregate) ?? [])])) {
      if (!isComparable(key, picture)) continue
      const states = history.versions.get(key) ?? []
      const possible = states.flatMap((state, index) =>
        isTold(state, aggregate, key, picture.get(key)) ? [index] : [],
      )
      const floor = reached.get(key) ?? 0
      const from = possible.find((index) => index >= floor)
      const to = possible.at(-1)
      if (from !== undefined && to !== undefined) {
        reached.set(key, from)
        reaches.set(key, { from, to })
        continue
      }
      const text =
        to === undefined
          ? `shows what was never committed: ${describeLie(key, picture.get(key), states.at(-1)?.fields ?? undefined)}`
          : `goes back: ${key} is told as it stood before what an earlier message had said`
      findings.push({ rule: 'committed', about: aggregate, text: `${nameOf(request)} ${text}` })
    }
    const torn = findTorn(reaches, history)
    if (torn) findings.push({ rule: 'committed', about: aggregate, text: `${nameOf(request)} ${torn}` })
  }
  return findings
}

function isTold(
  { xid, owners, fields }: Version,
  aggregate: string,
  key: string,
  shown: Fields | undefined,
): boolean {
  // A row that was deleted for good is told as removed, by what was known of it.
  if (key === aggregate && fields === null && xid !== null) return shown?.['deleted'] === 'yes'
  return tells(shown, fields && owners.includes(aggregate) ? fields : undefined)
}

/** A transaction of which one row is told as after it and another as before it. */
function findTorn(reaches: ReadonlyMap<string, Reach>, history: History): string | null {
  const after = new Map<string, string>()
  const before = new Map<string, string>()
  for (const [key, { from, to }] of reaches)
    history.versions.get(key)?.forEach(({ xid }, index) => {
      if (xid === null) return
      if (from >= index) after.set(xid, key)
      if (to < index) before.set(xid, key)
    })
  for (const [xid, key] of after)
    if (before.has(xid))
      return `tells half of transaction ${xid}: ${key} as after it, ${before.get(xid)} as before it`
  return null
}

/** Two messages of one aggregate in a row, with keys of their own, that say the same: nothing had changed in between. */
export function findAnnouncedTwice({ messages, history }: Evidence): Finding[] {
  const findings: Finding[] = []
  const told = byAggregate(
    messages.filter(({ picture }) => picture !== null),
    ({ aggregate }) => aggregate,
  )
  for (const [aggregate, ofAggregate] of told)
    for (const [index, message] of ofAggregate.entries()) {
      const previous = ofAggregate[index - 1]
      if (!previous || !message.picture || contentOf(previous) !== contentOf(message)) continue
      if (wentAndCameBack(aggregate, message.picture, history)) continue
      findings.push({
        rule: 'announced twice',
        about: aggregate,
        text: `${nameOf(message.request)} says what ${nameOf(previous.request)} had said`,
      })
    }
  return findings
}

function contentOf({ request }: Message): string {
  return JSON.stringify(request.payload, (name, value: unknown) =>
    name === 'updated_at' ? undefined : value,
  )
}

/** A to B to A: the message about B may have been superseded, and the second A is news. */
function wentAndCameBack(aggregate: string, picture: Picture, history: History): boolean {
  return [...picture.keys()].some((key) => {
    const told = (history.versions.get(key) ?? []).map((state) =>
      isTold(state, aggregate, key, picture.get(key)),
    )
    return told.slice(told.indexOf(true), told.lastIndexOf(true)).includes(false)
  })
}

/** A product made during the run is first told by its one `product:new`, before any stock of it; a known one never is. */
export function findMisintroduced({ messages, history }: Evidence): Finding[] {
  const findings: Finding[] = []
  for (const [aggregate, ofAggregate] of byAggregate(messages, (message) => message.aggregate)) {
    if (!aggregate.startsWith('product:')) continue
    const known = history.seed.get(aggregate)?.has(aggregate) ?? false
    for (const [index, { request }] of ofAggregate.entries())
      if ((request.type === 'product:new') !== (!known && index === 0))
        if (request.type === 'product:new' || index === 0)
          findings.push({
            rule: 'introduced',
            about: aggregate,
            text: `${nameOf(request)} is message ${index + 1} of a product that was ${known ? 'known' : 'new'}`,
          })
  }
  return findings
}
