import { type Handlers, handlerOf } from '../apply/handlers.ts'
import { createInbox } from '../apply/inbox.ts'
import { showInbox } from '../apply/inbox-messages.ts'
import type { Log } from '../observe/log.ts'
import type { Pool } from '../postgres/pool.ts'
import type { Store } from '../store/store.ts'

export type InboundOptions = Readonly<{ pool: Pool; store: Store; handlers: Handlers; log: Log }>

/** Applies one kept message through the very code of the webhook; tells whether it is applied now. */
export async function retryInbound(
  { pool, store, handlers, log }: InboundOptions,
  id: string,
): Promise<boolean> {
  const message = await showInbox(pool, id)
  const handler = message && handlerOf(handlers, message.type)
  if (!handler) return false
  const { hub, messageId, payload } = message
  const { outcome } = await createInbox({ pool, store, hub: () => hub, log }).receive(handler, {
    messageId,
    payload: JSON.parse(payload),
  })
  return outcome === 'applied' || outcome === 'repeated'
}
