import type { Kept, Left } from '../checker/loop-evidence.ts'
import { ORDERED_SKU } from './erp.ts'
import type { TestDatabase } from './postgres.ts'
import type { StoreFamily } from './stores.ts'

/** More than a shop sells and an ERP orders in one run. */
const PLENTY = 10_000

/** Orders from outside are refused where there is too little, which is another test. */
export async function fillShelves({ pool }: TestDatabase, family: StoreFamily): Promise<void> {
  const table = family === 'spree-4.10' ? 'spree_stock_items' : 'spree_stock_levels'
  await pool.query(
    `update ${table} s
        set count_on_hand = count_on_hand + $2
       from spree_variants v
      where v.id = s.variant_id and v.sku = $1 and s.deleted_at is null`,
    [ORDERED_SKU, PLENTY],
  )
}

/** Whether anything is on its way but what the store cannot take. The hub first: what leaves it goes to the store. */
export async function isUnderWay(store: TestDatabase, hubDatabase: TestDatabase): Promise<boolean> {
  const left = await readLeft(hubDatabase)
  const inbox = await readInbox(store)
  if (left.some(({ messageId, state }) => state !== 'failing' || inbox.get(messageId)?.state !== 'failed'))
    return true
  // What came of its last delivery has died with a hub: it is delivered once more.
  const unheard = await hubDatabase.pool.query(
    `select from hub.accepted where last_error = 'The worker that was sending it died.'`,
  )
  if (unheard.rowCount !== 0) return true
  const { rows } = await store.pool.query<{ waits: boolean }>(
    'select exists (select from bridge.outbox) or exists (select from bridge.message) as waits',
  )
  return rows[0]?.waits ?? true
}

/** What waits in the hub and why, the longest first: for whoever asks why a loop does not come to rest. */
export async function tellWaiting(hubDatabase: TestDatabase): Promise<string[]> {
  const { rows } = await hubDatabase.pool.query<{ waits: string }>(
    `select concat_ws(' ', queue, id, type, aggregate, state, 'attempts', attempts, 'due', due, 'lane of', owner, last_error) as waits
       from (select 'incoming' as queue, m.*, l.owner
               from (select id, lane, type, aggregate, state, attempts, due, last_error from hub.incoming) m
               join hub.incoming_lane l using (lane)
              union all
             select 'accepted', m.*, l.owner
               from (select id, lane, type, aggregate, state, attempts, due, last_error from hub.accepted) m
               join hub.accepted_lane l using (lane)) waiting
      where state <> 'parked'
      order by id
      limit 10`,
  )
  return rows.map(({ waits }) => waits)
}

/** By message id. */
export async function readInbox({ pool }: TestDatabase): Promise<ReadonlyMap<string, Kept>> {
  const { rows } = await pool.query<{ message_id: string; state: string; last_error: string | null }>(
    'select message_id, state, last_error from bridge.inbox',
  )
  return new Map(rows.map(({ message_id, state, last_error }) => [message_id, { state, reason: last_error }]))
}

/** All that lies in the hub's queues. */
export async function readLeft({ pool }: TestDatabase): Promise<Left[]> {
  const { rows } = await pool.query<Left>(
    `select 'incoming' as queue, type, key as "messageId", state from hub.incoming
      union all
     select 'accepted', type, key, state from hub.accepted`,
  )
  return rows
}
