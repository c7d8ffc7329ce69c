import { z } from 'zod'

import { explainIssues } from './explain-issues.ts'
import type { Handler, Inbound } from './handler.ts'

export type JsonObject = Readonly<Record<string, unknown>>

/** A message as it came in; its payload as it is kept, `parameters` among it. */
export type Delivery = Readonly<{ messageId: string; payload: JsonObject }>

/** The payload is not what messages of this type have; the message says which field and why. */
export class PayloadFault extends Error {
  override readonly name = 'PayloadFault'
  readonly code = 'payload'
}

/** Names may come twice, and the last one wins; a value may be missing (protocol §3.1). */
const parameterList = z.array(z.object({ name: z.string(), value: z.unknown().optional() })).nullish()

/** @throws PayloadFault */
export function readInbound(handler: Handler<unknown>, { messageId, payload }: Delivery): Inbound<unknown> {
  const { parameters, ...content } = payload
  return {
    message: handler.message,
    messageId,
    payload: parse(handler.schema, content, ['payload']),
    parameters: new Map(
      parse(parameterList, parameters, ['payload', 'parameters'])?.map(({ name, value }) => [name, value]),
    ),
  }
}

function parse<T>(schema: z.ZodType<T>, value: unknown, at: readonly string[]): T {
  const parsed = schema.safeParse(value)
  if (parsed.success) return parsed.data
  throw new PayloadFault(explainIssues(parsed.error, at))
}
