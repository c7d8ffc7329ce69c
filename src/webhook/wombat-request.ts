import { z } from 'zod'

import type { Delivery } from '../apply/delivery.ts'
import { explainIssues } from '../apply/explain-issues.ts'
import { jsonObject, name } from './envelope.ts'
import { NoMessage } from './read-body.ts'

export const WOMBAT_FORM = '{request_id, <object>, parameters}'

/** An object with what it is for, and the request's id (protocol §9.2). Handlers look into the object. */
export const wombatRequest = z.looseObject(
  { request_id: name, parameters: z.unknown().optional() },
  `Invalid input: expected an object ${WOMBAT_FORM}`,
)

/** @throws NoMessage 400, with the field that is wrong and why. */
export function readWombatRequest(body: unknown): Delivery {
  const parsed = wombatRequest.safeParse(body)
  if (!parsed.success) throw new NoMessage(400, explainIssues(parsed.error))
  const { request_id: _, ...payload } = jsonObject.parse(body)
  return { messageId: parsed.data.request_id, payload }
}

/** The request's id, to be said in an answer even to what is no request. */
export function requestIdOf(body: unknown): string | null {
  const parsed = z.object({ request_id: name }).safeParse(body)
  return parsed.success ? parsed.data.request_id : null
}
