import { type InboxMessage, listInbox } from '../apply/inbox-messages.ts'
import type { Pool } from '../postgres/pool.ts'
import { type ListedMessage, listMessages, type MessagePage } from '../queue/look.ts'
import { BRIDGE_QUEUE } from '../queue/message.ts'
import { readStatus, type Status } from './show-status.ts'

/** A message with what people know its aggregate by: an order's number, a product's SKU or name; null where none is known, or only a personal one. */
export type NamedMessage = ListedMessage & Readonly<{ about: string | null }>

/** All that the dashboard shows at a glance; nothing in it changes with the mere passing of time. */
export type Overview = Omit<
  Status,
  'oldestChangeSeconds' | 'oldestMessageSeconds' | 'failing' | 'perMinute' | 'workers'
> &
  Readonly<{
    workers: readonly Omit<Status['workers'][number], 'heartbeatAgeSeconds'>[]
    /** Failing and parked messages, the oldest trouble last. */
    troubled: readonly NamedMessage[]
    outbound: readonly NamedMessage[]
    failedInboundCount: number
    failedInbound: readonly InboxMessage[]
    inbound: readonly InboxMessage[]
  }>

const SHOWN = 40

export async function readOverview(pool: Pool, leaseSeconds: number): Promise<Overview> {
  const {
    oldestChangeSeconds: _,
    oldestMessageSeconds: __,
    // Which message fails stands among those in trouble.
    failing: ___,
    perMinute: ____,
    workers,
    ...status
  } = await readStatus(pool, leaseSeconds)
  const failed = await pool.query<{ count: number }>(
    `select count(*)::integer as count from bridge.inbox where state = 'failed'`,
  )
  return {
    ...status,
    workers: workers.map(({ heartbeatAgeSeconds: _, ...worker }) => worker),
    troubled: await listNamed(pool, { states: ['failing', 'parked'], limit: SHOWN }),
    outbound: await listNamed(pool, { limit: SHOWN }),
    failedInboundCount: failed.rows[0]?.count ?? 0,
    failedInbound: await listInbox(pool, { states: ['failed'], limit: SHOWN }),
    inbound: await listInbox(pool, { limit: SHOWN }),
  }
}

export async function listNamed(pool: Pool, page: MessagePage): Promise<NamedMessage[]> {
  return nameMessages(pool, await listMessages(pool, BRIDGE_QUEUE, page))
}

/**
 * Names by what was last announced: the collector remembers an order's number and a product's SKUs for hard deletes. A
 * message about stock names the SKU itself.
 */
export async function nameMessages<Message extends ListedMessage>(
  pool: Pool,
  messages: readonly Message[],
): Promise<(Message & Readonly<{ about: string | null }>)[]> {
  const { rows } = await pool.query<{ aggregate: string; about: string | null }>(
    `select aggregate,
            case part
              when 'order' then natural_key
              else coalesce(nullif(natural_key::jsonb ->> 'sku', ''),
                            nullif(natural_key::jsonb #>> '{variants,0,sku}', ''),
                            natural_key::jsonb ->> 'name')
            end as about
       from bridge.baseline
      where aggregate = any($1::text[]) and position(':' in part) = 0`,
    [[...new Set(messages.map(({ aggregate }) => aggregate))]],
  )
  const names = new Map(rows.map(({ aggregate, about }) => [aggregate, about]))
  const skus = await readSkus(
    pool,
    messages.filter(({ type }) => type.startsWith('stock:')).map(({ id }) => id),
  )
  return messages.map((message) => ({
    ...message,
    about: skus.get(message.id) ?? names.get(message.aggregate) ?? null,
  }))
}

async function readSkus(pool: Pool, ids: readonly string[]): Promise<ReadonlyMap<string, string | null>> {
  if (ids.length === 0) return new Map()
  const { rows } = await pool.query<{ id: string; sku: string | null }>(
    `select id, payload::json ->> 'sku' as sku from bridge.message where id = any($1::bigint[])
      union all
     select id, payload::json ->> 'sku' from bridge.history where id = any($1::bigint[])`,
    [ids],
  )
  return new Map(rows.map(({ id, sku }) => [id, sku]))
}
