import { z } from 'zod'

import type { Delivery } from '../apply/delivery.ts'
import type { JsonObject } from '../apply/dialect.ts'
import { explainIssues } from '../apply/explain-issues.ts'
import { NoMessage } from './read-body.ts'

/** A message in the hub's form (protocol §3.1). */
export type Envelope = Delivery & Readonly<{ message: string }>

const LONGEST_NAME = 255

/** Of a message, of a service, or an id. */
export const name = z
  .string()
  .min(1)
  .max(LONGEST_NAME)
  .regex(/^\P{Cc}*$/u, 'must not contain control characters')

// As it was parsed, not rebuilt key by key: a key may be called __proto__.
export const jsonObject = z.custom<JsonObject>(
  (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
  'Invalid input: expected an object',
)

export const FORM = '{message, message_id, payload}'

export const envelope = z.object(
  { message: name, message_id: name, payload: jsonObject, parameters: z.unknown().optional() },
  `Invalid input: expected an object ${FORM}`,
)

/** Other keys are ignored. @throws NoMessage 400, with the field that is wrong and why. */
export function readEnvelope(body: unknown): Envelope {
  const parsed = envelope.safeParse(body)
  if (!parsed.success) throw new NoMessage(400, explainIssues(parsed.error))
  const { message, message_id: messageId, payload, parameters } = parsed.data
  // Parameters belong into the payload; a tool once put them beside it.
  const beside = parameters !== undefined && (payload['parameters'] ?? null) === null
  return { message, messageId, payload: beside ? { ...payload, parameters } : payload }
}
