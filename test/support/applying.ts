import type { Applied, Handler } from '../../src/apply/handler.ts'
import { originOf } from '../../src/apply/origin.ts'
import type { Db } from '../../src/postgres/pool.ts'
import type { Store } from '../../src/store/store.ts'

/** Applies a payload as the inbox does: parsed by the handler's schema, and in the caller's transaction. */
export async function applyMessage<Payload>(
  db: Db,
  store: Store,
  handler: Handler<Payload>,
  payload: unknown,
  parameters: Readonly<Record<string, unknown>> = {},
  origin: Readonly<{ madeAt?: Date; messageId?: string }> = {},
): Promise<Applied> {
  const messageId = origin.messageId ?? '523c677763e2990205000007'
  const madeAt = origin.madeAt ?? new Date()
  const says = /[+=@]?:/.exec(originOf(messageId, madeAt, handler.message))?.[0]
  await db.query(`select set_config('bridge.origin', $1, true)`, [`${madeAt.getTime()}${says}${messageId}`])
  return handler.apply(db, store, {
    message: handler.message,
    messageId,
    payload: handler.schema.parse(payload),
    parameters: new Map(Object.entries(parameters)),
  })
}
