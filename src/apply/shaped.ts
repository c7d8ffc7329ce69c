import type { MessageType, RawPayload } from '../messages/message.ts'
import type { Shape } from '../messages/shaping/shape.ts'
import type { Db } from '../postgres/pool.ts'

/**
 * An object of an answer as the configuration has it; undefined where it keeps it back, the error where it fails. The server
 * ends a transaction in which it hears nothing for a while, and many objects may take longer than one expression may.
 */
export async function shaped(
  db: Db,
  type: MessageType,
  payload: RawPayload,
  shape: Shape | undefined,
): Promise<RawPayload | Error | undefined> {
  const outcome = shape?.({ type, payload }) ?? { payload, transform: undefined }
  if (!('payload' in outcome)) return undefined
  if (outcome.transform === undefined) return outcome.payload
  await db.query('select')
  return outcome
    .transform(outcome.payload)
    .catch((error: unknown) => (error instanceof Error ? error : new Error(String(error))))
}
