import type { Filter } from '../../messages/shaping/filter.ts'
import type { Pool } from '../../postgres/pool.ts'
import { countMessages } from '../../queue/look.ts'
import { HUB_ACCEPTED, HUB_INCOMING } from '../queues.ts'
import { readOldestWaiting } from '../waiting.ts'
import { type HubArrival, type HubMessage, listArrivals, listTroubled } from './page-queries.ts'

/** `waiting`: null where too many do to be counted in time. `scheduled`: the consumer has asked for time. */
type Counts = Readonly<{ waiting: number | null; scheduled: number; failing: number; parked: number }>

/** All that the hub's page shows at a glance; nothing in it changes with the mere passing of time. */
export type HubOverview = Readonly<{
  stores: readonly Readonly<{
    id: string
    name: string
    /** Null where too many wait to be counted in time. */
    incoming: number | null
    accepted: Counts
    /** Counted up to ARCHIVED_COUNTED. */
    archived: number
  }>[]
  mappings: readonly Readonly<{
    id: string
    storeId: string
    name: string
    url: string
    messages: readonly string[]
    /** All have to hold of what it gets. */
    filters: readonly Filter[]
    enabled: boolean
    isStore: boolean
    counts: Counts
  }>[]
  workers: readonly Readonly<{ id: string; host: string; pid: number; heartbeatAt: Date; alive: boolean }>[]
  oldestWaitingAt: Date | null
  troubled: readonly HubMessage[]
  arrivals: readonly HubArrival[]
}>

const SHOWN = 40
/** The archive is too large to be counted every second. */
const ARCHIVED_COUNTED = 10_000

export async function readHubOverview(
  pool: Pool,
  leaseSeconds: number,
  countWithinMilliseconds?: number,
): Promise<HubOverview> {
  const stores = await pool.query<{ id: string; name: string; archived: number }>(
    `select s.id, s.name,
            (select count(*)::integer
               from (select from hub.archived a where a.store_id = s.id limit $1) counted) as archived
       from hub.store s
      order by s.name, s.id`,
    [ARCHIVED_COUNTED],
  )
  const mappings = await pool.query<{
    id: string
    store_id: string
    name: string
    url: string
    messages: string[]
    filters: Filter[]
    enabled: boolean
    is_store: boolean
  }>(
    'select id, store_id, name, url, messages, filters, enabled, is_store from hub.mapping order by store_id, name, id',
  )
  const incoming = await countMessages<Readonly<{ store_id: string }>>(
    pool,
    HUB_INCOMING,
    ['store_id'],
    countWithinMilliseconds,
  )
  const accepted = await countMessages<
    Readonly<{ store_id: string; mapping_id: string; state: keyof Counts }>
  >(
    pool,
    HUB_ACCEPTED,
    [
      'store_id',
      'mapping_id',
      `case when state = 'failing' and poll_url is not null then 'scheduled' else state end as state`,
    ],
    countWithinMilliseconds,
  )
  const workers = await pool.query<{
    id: string
    host: string
    pid: number
    heartbeat_at: Date
    alive: boolean
  }>(
    `select id, host, pid, expires_at - make_interval(secs => $1) as heartbeat_at,
            expires_at > clock_timestamp() as alive
       from hub.worker
      order by started_at`,
    [leaseSeconds],
  )
  const oldest = await readOldestWaiting(pool)
  const sum = (counts: typeof accepted.counts): Counts => {
    const of = (state: keyof Counts) => total(counts.filter((row) => row.state === state))
    return {
      waiting: accepted.waitingCounted ? of('waiting') : null,
      scheduled: of('scheduled'),
      failing: of('failing'),
      parked: of('parked'),
    }
  }
  return {
    stores: stores.rows.map((store) => ({
      ...store,
      incoming: incoming.waitingCounted
        ? total(incoming.counts.filter(({ store_id }) => store_id === store.id))
        : null,
      accepted: sum(accepted.counts.filter((row) => row.store_id === store.id)),
    })),
    mappings: mappings.rows.map(({ store_id, is_store, ...mapping }) => ({
      ...mapping,
      storeId: store_id,
      isStore: is_store,
      counts: sum(accepted.counts.filter((row) => row.mapping_id === mapping.id)),
    })),
    workers: workers.rows.map(({ heartbeat_at, ...worker }) => ({ ...worker, heartbeatAt: heartbeat_at })),
    oldestWaitingAt: oldest.at,
    troubled: await listTroubled(pool, SHOWN),
    arrivals: await listArrivals(pool, { limit: SHOWN }),
  }
}

function total(counts: readonly Readonly<{ count: number }>[]): number {
  return counts.reduce((sum, { count }) => sum + count, 0)
}
