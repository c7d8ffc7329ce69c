import { readFileSync } from 'node:fs'

import type { Applied, Handler } from '../../src/apply/handler.ts'
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
  await db.query(`select set_config('bridge.origin', $1, true)`, [`${madeAt.getTime()}:${messageId}`])
  return handler.apply(db, store, {
    message: handler.message,
    messageId,
    payload: handler.schema.parse(payload),
    parameters: new Map(Object.entries(parameters)),
  })
}

/** Of a store in which nothing of the bridge is installed: the inbox, in which some look for what came before. */
export async function makeInbox(db: Db): Promise<void> {
  await db.query('create schema bridge')
  await db.query(readFileSync(new URL('../../migrations/bridge/0002_inbox.sql', import.meta.url), 'utf8'))
}
