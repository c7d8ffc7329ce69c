import type { Filter } from '../../messages/shaping/filter.ts'
import type { Db } from '../../postgres/pool.ts'
import { ACCEPTED_WAITS_SINCE } from '../waiting.ts'
import { type HubArrival, type HubMessage, listArrivals, listTroubled } from './page-queries.ts'

/** `scheduled`: the consumer has asked for time. */
type Counts = Readonly<{ waiting: number; scheduled: number; failing: number; parked: number }>

/** All that the hub's page shows at a glance; nothing in it changes with the mere passing of time. */
export type HubOverview = Readonly<{
  stores: readonly Readonly<{
    id: string
    name: string
    incoming: number
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

export async function readHubOverview(db: Db, leaseSeconds: number): Promise<HubOverview> {
  const stores = await db.query<{ id: string; name: string; incoming: number; archived: number }>(
    `select s.id, s.name,
            (select count(*)::integer from hub.incoming i where i.store_id = s.id) as incoming,
            (select count(*)::integer
               from (select from hub.archived a where a.store_id = s.id limit $1) counted) as archived
       from hub.store s
      order by s.name, s.id`,
    [ARCHIVED_COUNTED],
  )
  const mappings = await db.query<{
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
  const accepted = await db.query<{
    store_id: string
    mapping_id: string
    state: keyof Counts
    count: number
  }>(
    `select store_id, mapping_id, count(*)::integer as count,
            case when state = 'failing' and poll_url is not null then 'scheduled' else state end as state
       from hub.accepted
      group by 1, 2, 4`,
  )
  const workers = await db.query<{
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
  const oldest = await db.query<{ at: Date | null }>(
    `select min(since) as at
       from (select created_at as since from hub.incoming where state <> 'parked'
              union all
             select ${ACCEPTED_WAITS_SINCE} from hub.accepted where state <> 'parked') waiting
      where since <= clock_timestamp()`,
  )
  const sum = (counts: typeof accepted.rows): Counts => {
    const of = (state: keyof Counts) =>
      counts.filter((row) => row.state === state).reduce((total, { count }) => total + count, 0)
    return {
      waiting: of('waiting'),
      scheduled: of('scheduled'),
      failing: of('failing'),
      parked: of('parked'),
    }
  }
  return {
    stores: stores.rows.map((store) => ({
      ...store,
      accepted: sum(accepted.rows.filter((row) => row.store_id === store.id)),
    })),
    mappings: mappings.rows.map(({ store_id, is_store, ...mapping }) => ({
      ...mapping,
      storeId: store_id,
      isStore: is_store,
      counts: sum(accepted.rows.filter((row) => row.mapping_id === mapping.id)),
    })),
    workers: workers.rows.map(({ heartbeat_at, ...worker }) => ({ ...worker, heartbeatAt: heartbeat_at })),
    oldestWaitingAt: oldest.rows[0]?.at ?? null,
    troubled: await listTroubled(db, SHOWN),
    arrivals: await listArrivals(db, { limit: SHOWN }),
  }
}
