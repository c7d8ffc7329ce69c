import type { JsonObject } from './dialect.ts'
import { dialectOf } from './dialects.ts'
import type { Handler, Inbound } from './handler.ts'
import { parsePayload } from './payload-fault.ts'

/** A message as it came in, or a request with its object: the id under which it is known, and what is kept of it. */
export type Delivery = Readonly<{ messageId: string; payload: JsonObject }>

/** @throws PayloadFault */
export function readInbound(handler: Handler<unknown>, { messageId, payload }: Delivery): Inbound<unknown> {
  const { content, parameters, at } = dialectOf(handler).read(payload)
  return {
    message: handler.message,
    messageId,
    payload: parsePayload(handler.schema, content, at),
    parameters,
  }
}
