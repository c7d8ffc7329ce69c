import { type Handlers, handlerOf } from '../apply/handlers.ts'
import { createInbox } from '../apply/inbox.ts'
import { type InboxFilter, type InboxMessage, listFailed, showInbox } from '../apply/inbox-messages.ts'
import type { Shape } from '../messages/shaping/shape.ts'
import type { Log } from '../observe/log.ts'
import type { Pool } from '../postgres/pool.ts'
import type { Store } from '../store/store.ts'

export type InboundOptions = Readonly<{
  pool: Pool
  store: Store
  handlers: Handlers
  shape?: Shape | undefined
  log: Log
}>

/** Applies one kept message through the very code of the webhook; tells whether it is applied now. */
export async function retryInbound(
  { pool, store, handlers, shape, log }: InboundOptions,
  id: string,
): Promise<boolean> {
  const message = await showInbox(pool, id)
  const handler = message && handlerOf(handlers, message.type)
  if (!handler) return false
  const { hub, messageId, payload } = message
  const { outcome } = await createInbox({ pool, store, hub, shape, log }).receive(handler, {
    messageId,
    payload: JSON.parse(payload),
  })
  return outcome === 'applied' || outcome === 'repeated'
}

export type Deciding = Readonly<{ filter: InboxFilter; upTo: string; most: number | undefined }>

const PER_BATCH = 500

/** Walks through the failed messages that match, in the order in which they came; returns for how many `act` says yes. */
export async function decideInbound(
  pool: Pool,
  { filter, upTo, most = Number.POSITIVE_INFINITY }: Deciding,
  act: (messages: readonly InboxMessage[]) => Promise<number>,
): Promise<Readonly<{ seen: number; count: number }>> {
  let [seen, count, after] = [0, 0, '0']
  while (seen < most) {
    const batch = { after, upTo, limit: Math.min(PER_BATCH, most - seen) }
    const messages = await listFailed(pool, filter, batch)
    const last = messages.at(-1)
    if (!last) break
    count += await act(messages)
    seen += messages.length
    after = last.id
  }
  return { seen, count }
}
