import { createHash } from 'node:crypto'
import { z } from 'zod'

import { invalidObject, parseObject } from './api-error.ts'
import { readJsonText, writeMembers } from './json-text.ts'
import type { JsonBody } from './request-body.ts'

/** A type as it may be: any name of one word, since custom types are a feature (protocol §2.2). */
export const messageType = z
  .string("has to be a string, such as 'stock:change'")
  .regex(/^[^\s\p{C}]{1,255}$/u, 'has to be one word of at most 255 characters, such as stock:change')

export const pushed = z.object({
  message: messageType,
  payload: z.record(z.string(), z.unknown(), 'has to be an object; it may be empty'),
  origin: z.string('has to be a string').max(255, 'has to have at most 255 characters').nullish(),
})

/** A pushed message, its parts as they were written. */
export type Pushed = Readonly<{
  type: string
  payload: string
  content: Readonly<Record<string, unknown>>
  origin: string | null
  /** The text of an object of what else was submitted. */
  envelope: string
  /** The answer: everything submitted, and the id. */
  echo(messageId: string): string
}>

/**
 * Reads the body of a push (protocol §2.2). The testing tool of 2013 sent the whole message as `message`: it is unwrapped,
 * and gets its `id` as well.
 * @throws ApiError 422 with what is wrong with which field
 */
export function readPushed({ value, text }: JsonBody): Pushed {
  const outer = z.record(z.string(), z.unknown()).safeParse(value)
  if (!outer.success) throw invalidObject({ base: ['has to be an object with message and payload'] })
  const inner = z.record(z.string(), z.unknown()).safeParse(outer.data['message'])
  const members = new Map(text.members)
  if (inner.success) {
    for (const [name, part] of readJsonText(text.members.get('message') ?? '').members)
      members.set(name, part)
  }
  const { message, payload, origin } = parseObject(pushed, { ...outer.data, ...inner.data })
  const rest = new Map(members)
  for (const name of ['message', 'payload', 'origin']) rest.delete(name)
  return {
    type: message,
    payload: members.get('payload') ?? '{}',
    content: payload,
    origin: origin ?? null,
    envelope: writeMembers(rest),
    echo: (messageId) => {
      const id = JSON.stringify(messageId)
      members.set('message_id', id)
      if (inner.success) members.set('id', id)
      return writeMembers(members)
    },
  }
}

/**
 * What makes two pushes the same message: type and payload. The bridge names itself in `payload.source` until it knows
 * whose hub this is, so a repeat may have it where the first push had not, or the other way round.
 */
export function fingerprintOf({ type, payload }: Pushed): Buffer {
  const parts = [...readJsonText(payload).members].filter(
    ([name, text]) => name !== 'source' || !text.startsWith('"spree-bridge:'),
  )
  return createHash('sha256').update(JSON.stringify(type)).update(writeMembers(parts)).digest()
}
