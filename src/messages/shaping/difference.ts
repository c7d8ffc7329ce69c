import type { RawPayload } from '../message.ts'
import type { WithheldBy } from './shape.ts'

/** What a shape has made of one message. */
export type Outcome =
  | Readonly<{ payload: RawPayload }>
  | Readonly<{ withheldBy: WithheldBy }>
  | Readonly<{ failed: string }>

/** Where two shapes disagree, and about what, without a value that is sent: it may be a customer's. */
export type Difference = Readonly<{ path: string; live: string; shadow: string }>

/** The message as a whole, where one shape sends it and the other does not. */
const MESSAGE = 'message'
/** A mapping that shares nothing with another one differs everywhere: these are enough to tell. */
const MOST = 50

/** One for each path, elements of lists under `*`; none where the outcomes are the same. */
export function differencesOf(live: Outcome, shadow: Outcome): Difference[] {
  if (!('payload' in live) || !('payload' in shadow)) {
    const words = [live, shadow].map(wordsFor)
    return words[0] === words[1] ? [] : [{ path: MESSAGE, live: words[0] ?? '', shadow: words[1] ?? '' }]
  }
  const found = new Map<string, Difference>()
  compare('payload', wired(live.payload), wired(shadow.payload), found)
  return [...found.values()]
}

function wordsFor(outcome: Outcome): string {
  if ('payload' in outcome) return 'sent'
  return 'failed' in outcome ? `fails: ${outcome.failed}` : `kept back by ${outcome.withheldBy}`
}

/** As it is sent: a key without a value is none. */
function wired(payload: RawPayload): unknown {
  return JSON.parse(JSON.stringify(payload))
}

function compare(path: string, live: unknown, shadow: unknown, found: Map<string, Difference>): void {
  if (live === shadow || found.size === MOST) return
  if (Array.isArray(live) && Array.isArray(shadow) && live.length === shadow.length)
    for (const [index, element] of live.entries()) compare(`${path}.*`, element, shadow[index], found)
  else if (isMapping(live) && isMapping(shadow))
    for (const key of new Set([...Object.keys(live), ...Object.keys(shadow)]))
      compare(`${path}.${key}`, Reflect.get(live, key), Reflect.get(shadow, key), found)
  else {
    const [one, other] = [kindOf(live), kindOf(shadow)]
    found.set(path, { path, live: one, shadow: one === other ? `another ${other}` : other })
  }
}

function isMapping(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function kindOf(value: unknown): string {
  if (value === undefined) return 'nothing'
  if (value === null) return 'null'
  if (Array.isArray(value)) return `list of ${value.length}`
  return typeof value === 'string' ? 'text' : typeof value
}
