import { type Asked, request } from '../capture/outbox.ts'
import { listUnmapped } from '../capture/unmapped.ts'
import type { Pool } from '../postgres/pool.ts'
import { inTransaction } from '../postgres/transaction.ts'
import { BRIDGE_QUEUE } from '../queue/message.ts'
import { discardMessages, type MessageFilter, retryMessages } from '../queue/operate.ts'

/**
 * Parked and failing messages that match are due at once; without ids also every aggregate of which no message could be
 * made is tried anew. Returns their number.
 */
export function retryOutbound(pool: Pool, filter: MessageFilter): Promise<number> {
  return inTransaction(pool, async (db) => {
    const unmapped = filter.ids === undefined ? await listUnmapped(db) : []
    await request(
      db,
      'announce',
      unmapped.map(({ aggregate }) => splitAggregate(aggregate)),
    )
    return (await retryMessages(db, BRIDGE_QUEUE, filter)) + unmapped.length
  })
}

/** Closes matching messages unsent; what was announced of their aggregates is forgotten, so the next change tells anew. */
export function discardOutbound(pool: Pool, filter: MessageFilter): Promise<number> {
  return inTransaction(pool, async (db) => {
    const aggregates = await discardMessages(db, BRIDGE_QUEUE, filter)
    await request(db, 'forget', [...new Set(aggregates)].map(splitAggregate))
    return aggregates.length
  })
}

function splitAggregate(aggregate: string): Asked {
  const [kind, id = ''] = aggregate.split(':')
  return { kind: kind === 'order' ? 'order' : 'product', id }
}
