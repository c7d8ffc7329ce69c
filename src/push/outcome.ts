import { z } from 'zod'

/** What happened to one push. `text` is for people (`last_error`): it never holds a token, but may quote the hub. */
export type Outcome = SentOutcome | Foreign

/** What became of one that was sent. */
export type SentOutcome = Accepted | AnswerOutcome | FaultOutcome

/** It is of the other dialect, and was not sent. */
type Foreign = Readonly<{ kind: 'foreign'; text: string }>

/**
 * 201 with the hub's id of the message: the only outcome that means the hub has it. Of objects 202, and for their id the
 * status, since such a hub gives none.
 */
type Accepted = Readonly<{ kind: 'accepted'; messageId: string }>

/** An answer that accepts nothing. */
type AnswerOutcome =
  /** Another 2xx, or 201 without a `message_id`: whether the hub has the message is unknown. */
  | Readonly<{ kind: 'unconfirmed'; status: number; text: string }>
  /** A final 1xx or a 3xx, which is never followed: the URL is not the hub's. */
  | Readonly<{ kind: 'misdirected'; status: number; text: string }>
  /** 4xx; of objects also the 500 with which Cangaroo says that they break its schema. */
  | Readonly<{ kind: 'refused'; status: number; text: string; retryAfterSeconds?: number }>
  /** 5xx. */
  | Readonly<{ kind: 'failed'; status: number; text: string; retryAfterSeconds?: number }>

/** No whole answer. Except with `unreachable`, whether the hub has the message is unknown. */
export type FaultOutcome =
  /** No connection came about, so nothing was sent. */
  | Readonly<{ kind: 'unreachable'; code: string; text: string }>
  /** The connection broke after the request was begun. */
  | Readonly<{ kind: 'reset'; code: string; text: string }>
  /** The time limit passed. */
  | Readonly<{ kind: 'timedOut'; text: string }>
  /** The answer was longer than any hub has reason to give, and cut off unread. */
  | Readonly<{ kind: 'tooLarge'; text: string }>
  /** The caller's signal ended it. */
  | Readonly<{ kind: 'aborted'; text: string }>

/** What a probe found: the hub knows store and token, or what a push would have met. */
export type ProbeOutcome = Reachable | AnswerOutcome | FaultOutcome

export type Reachable = Readonly<{
  kind: 'reachable'
  /** The message types that it names as available (protocol §2.4). */
  types: readonly string[]
  /** By its `X-Hub` header. */
  isOurs: boolean
  /** When it answered, by its own clock, to the second; undefined where it does not say so. */
  date: Date | undefined
}>

/** The parts of an HTTP answer that decide what it means. */
export type Answer = Readonly<{
  status: number
  body: string
  contentType?: string | undefined
  retryAfter?: string | undefined
  location?: string | undefined
  hub?: string | undefined
  date?: string | undefined
}>

/** What our hub puts into `X-Hub` of every answer. */
export const OUR_HUB = 'spree-bridge'

const acceptance = z.object({ message_id: z.string().min(1).max(200) })
// With nothing escaped between its quotes, a final `"message_id":"…"}` of a JSON text can only be a key of the root.
const acceptanceAtTheEnd = /"message_id"\s*:\s*"([^"\\\p{Cc}]{1,200})"\s*\}\s*$/u
const messageTypes = z.array(z.string())
const refusal = z.object({
  error: z.unknown().optional(),
  errors: z.unknown().optional(),
  summary: z.unknown().optional(),
})
const httpDate = /^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/
/** A media type and an address without user or query: of what a hub fills in, all that can hold nothing of a message. */
const oursOfAnAnswer =
  /^The hub answered \d+(?: without a message_id\.|: not JSON but (?:of no stated type|[\w.+-]+\/[\w.+-]+(?:; ?charset=[\w-]+)?)|, a redirect to (?:https?:\/\/[\w.:[\]-]+)?(?:\/[^\s@]*)?\.)$/
const controlCharacters = /[\p{Cc}\p{Cf}\s]+/gu

/** 500 where objects break the schema. */
const OF_CONTENT: ReadonlySet<number> = new Set([400, 413, 422, 500])
/** The text of the validator that Cangaroo uses. */
const SCHEMA_VIOLATION = /^The property '#\//

const LONGEST_TEXT = 500
const LONGEST_RETRY_AFTER_SECONDS = 3_600

/** What the hub's answer to a push means. `secret` is the token, which a hub may repeat and `text` may not. */
export function readAnswer(answer: Answer, secret: string): Accepted | AnswerOutcome {
  if (answer.status !== 201) return readStatus(answer, secret)
  const messageId = readMessageId(answer.body)
  if (messageId !== undefined) return { kind: 'accepted', messageId }
  return { kind: 'unconfirmed', status: 201, text: 'The hub answered 201 without a message_id.' }
}

/** What an answer to a batch of objects means (protocol §9.1): 202 alone is success, whatever the body says. */
export function readObjectsAnswer(answer: Answer, secret: string): Accepted | AnswerOutcome {
  if (answer.status === 202) return { kind: 'accepted', messageId: '202' }
  const outcome = readStatus(answer, secret)
  const breaksSchema = answer.status === 500 && SCHEMA_VIOLATION.test(readReason(answer) ?? '')
  return breaksSchema ? { kind: 'refused', status: 500, text: outcome.text } : outcome
}

/**
 * An outcome's text for logs and alarms: the hub's own words may repeat what it was sent. What we say of its answer stays:
 * it is what mends a wrong HUB_URL.
 */
export function withoutQuotation(text: string): string {
  const answered = /^The hub answered \d+/.exec(text)
  return !answered || oursOfAnAnswer.test(text) ? text : `${answered[0]}.`
}

/** Whether it is what was sent that is refused, and not we or the moment. */
export function refusesContent(outcome: SentOutcome): boolean {
  return outcome.kind === 'refused' && OF_CONTENT.has(outcome.status)
}

/** What the hub's answer to a probe means: the list of message types, or what a push would have met. */
export function readProbe(answer: Answer, secret: string): ProbeOutcome {
  const types = messageTypes.safeParse(parseJson(answer.body))
  if (answer.status !== 200 || !types.success) return readStatus(answer, secret)
  return { kind: 'reachable', types: types.data, isOurs: answer.hub === OUR_HUB, date: dateOf(answer) }
}

function dateOf({ date }: Answer): Date | undefined {
  return date !== undefined && httpDate.test(date) ? new Date(date) : undefined
}

function readStatus(answer: Answer, secret: string): AnswerOutcome {
  const { status } = answer
  const text = describeAnswer(answer, secret)
  if (status >= 200 && status < 300) return { kind: 'unconfirmed', status, text }
  if (status < 400) return { kind: 'misdirected', status, text }

  const retryAfterSeconds = parseRetryAfter(answer.retryAfter, Date.now())
  const wait = retryAfterSeconds === undefined ? {} : { retryAfterSeconds }
  return { kind: status < 500 ? 'refused' : 'failed', status, text, ...wait }
}

/** `Retry-After` as seconds from `now`: a count or an HTTP date, never negative, never more than an hour. */
export function parseRetryAfter(value: string | undefined, now: number): number | undefined {
  if (value === undefined) return undefined
  const seconds = /^\d+$/.test(value) ? Number(value) : readHttpDate(value, now)
  if (seconds === undefined) return undefined
  return Math.min(Math.max(0, Math.ceil(seconds)), LONGEST_RETRY_AFTER_SECONDS)
}

function readHttpDate(value: string, now: number): number | undefined {
  if (!httpDate.test(value)) return undefined
  const time = Date.parse(value)
  return Number.isNaN(time) ? undefined : (time - now) / 1_000
}

/** A hub answers with all that was submitted and the id last; parsing that whole would cost a quarter of a push. */
function readMessageId(body: string): string | undefined {
  if (body.startsWith('{')) {
    const atTheEnd = acceptanceAtTheEnd.exec(body.slice(-300))
    if (atTheEnd?.[1] !== undefined) return atTheEnd[1]
  }
  const parsed = acceptance.safeParse(parseJson(body))
  return parsed.success ? parsed.data.message_id : undefined
}

function describeAnswer(answer: Answer, secret: string): string {
  const { status, location } = answer
  if (status >= 300 && status < 400 && location !== undefined) {
    return clean(`The hub answered ${status}, a redirect to ${withoutQuery(location)}.`, secret)
  }
  const reason = readReason(answer)
  return clean(
    reason === undefined ? `The hub answered ${status}.` : `The hub answered ${status}: ${reason}`,
    secret,
  )
}

function readReason({ body, contentType }: Answer): string | undefined {
  if (body === '') return undefined
  const json = parseJson(body)
  if (json === undefined) return `not JSON but ${contentType ?? 'of no stated type'}`
  const parsed = refusal.safeParse(json)
  if (!parsed.success) return undefined
  const said = [parsed.data.error, parsed.data.errors, parsed.data.summary].filter((part) => part != null)
  if (said.length === 0) return undefined
  return said.map((part) => (typeof part === 'string' ? part : JSON.stringify(part))).join(' ')
}

function withoutQuery(location: string): string {
  return location.split(/[?#]/, 1)[0] ?? ''
}

/** One line that Postgres, a terminal and a log can take. */
function clean(text: string, secret: string): string {
  return text.replaceAll(secret, '[token]').replace(controlCharacters, ' ').trim().slice(0, LONGEST_TEXT)
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
