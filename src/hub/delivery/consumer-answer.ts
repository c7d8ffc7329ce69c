import { z } from 'zod'

import { deliveredAs } from '../aliases.ts'
import { messageType } from '../api/pushed.ts'

/** What a consumer's JSON answer asks of the hub (protocol §3.2-3.5); what it holds besides is kept for people only. */
export type ConsumerReply = Readonly<{
  messageId: string | undefined
  messages: readonly Produced[]
  notifications: readonly Notification[]
  parameters: readonly Parameter[]
  /** The consumer needs time: ask again at `updateUrl`, not before so many seconds. */
  delayed: Readonly<{ seconds: number; updateUrl: string }> | undefined
}>

/** A new message, to be routed like a pushed one. `envelope`: what stood beside `message` and `payload`. */
export type Produced = Readonly<{
  message: string
  payload: Readonly<Record<string, unknown>>
  envelope: Readonly<Record<string, unknown>>
}>

export type Notification = Readonly<z.infer<typeof notification>>
export type Parameter = Readonly<z.infer<typeof parameter>>

const text = z.string()
const payload = z.record(z.string(), z.unknown())
const parameter = z.looseObject({ name: text.min(1).max(255), value: z.unknown() })

const notification = z
  .looseObject({
    level: z.enum(['info', 'warn', 'warning', 'error']),
    subject: text.nullish(),
    description: text.nullish(),
  })
  .transform(({ level, subject, description }) => ({
    level: level === 'warning' ? ('warn' as const) : level,
    subject: subject ?? '',
    description: description ?? subject ?? '',
  }))

const produced = z
  .looseObject({
    message: messageType.optional(),
    key: messageType.optional(),
    payload: payload.default({}),
    parameters: z.array(z.unknown()).optional(),
  })
  .transform(({ message, key, payload, parameters, ...envelope }, context) => {
    const type = message ?? key
    if (type === undefined) {
      context.addIssue({ code: 'custom', message: 'has no message type' })
      return z.NEVER
    }
    return { message: type, payload, envelope, parameters: parameters ?? [] }
  })

const delayed = z.looseObject({ delay: z.number().nonnegative().max(604_800), update_url: text.min(1) })
const root = z.looseObject({
  message_id: text.nullish(),
  messages: z.array(z.unknown()).optional().catch([]),
  notifications: z.array(z.unknown()).optional().catch([]),
  parameters: z.array(z.unknown()).optional().catch([]),
})

/**
 * Reads an answer. Undefined where it is no JSON object: then nobody can tell whether the message was understood. An entry
 * that cannot be read is left out, because the consumer has done its work and will not do it again for a typo.
 */
export function readReply(body: string, deliveredType: string): ConsumerReply | undefined {
  const json = parseJson(body)
  const reply = root.safeParse(json)
  if (!reply.success) return undefined
  const { data } = reply
  const listed = readable(produced, data.messages ?? [])
  // The older form: a single message at the top level of the answer (§11 #27), known by its payload: many answer with a text
  // called `message`. A consumer that sends back what it was sent means nothing by it, and would be sent it for ever.
  const isInline = data.messages === undefined && 'message' in data && 'payload' in data
  const inline = readable(produced, isInline ? [data] : []).filter(
    ({ message }) => deliveredAs(message) !== deliveredType,
  )
  const all = [...listed, ...inline]
  const wait = delayed.safeParse(json)
  return {
    messageId: data.message_id ?? undefined,
    messages: all.map(({ message, payload, envelope }) => ({ message, payload, envelope })),
    notifications: readable(notification, data.notifications ?? []),
    parameters: readable(parameter, [
      ...(data.parameters ?? []),
      ...all.flatMap(({ parameters }) => parameters),
    ]),
    delayed: wait.success ? { seconds: wait.data.delay, updateUrl: wait.data.update_url } : undefined,
  }
}

function readable<T>(schema: z.ZodType<T>, entries: readonly unknown[]): T[] {
  return entries.flatMap((entry) => {
    const { success, data } = schema.safeParse(entry)
    return success ? [data] : []
  })
}

/**
 * The escapes in a JSON text, of which the groups are kept: not NUL, nor half a pair of surrogates, which PostgreSQL would
 * refuse together with the delivery that succeeded.
 */
const ESCAPES = /(\\ud[89ab][\da-f]{2}\\ud[c-f][\da-f]{2})|\\u(?:0000|d[89a-f][\da-f]{2})|(\\.)/gi

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text.replace(ESCAPES, '$1$2'))
  } catch {
    return undefined
  }
}
