import type { QueueTables } from '../queue/message.ts'

const CARRIED = ['source', 'store_id', 'mapping_id', 'parent_id', 'origin', 'envelope'] as const

/** Messages that were pushed or produced and are to be routed; by store and aggregate in order. */
export const HUB_INCOMING: QueueTables = {
  message: 'hub.incoming',
  lane: 'hub.incoming_lane',
  history: 'hub.archived',
  worker: 'hub.worker',
  carried: CARRIED,
  channel: 'hub_incoming',
}

/** Copies for mappings that are to be delivered; by mapping and aggregate in order. */
export const HUB_ACCEPTED: QueueTables = {
  message: 'hub.accepted',
  lane: 'hub.accepted_lane',
  history: 'hub.archived',
  worker: 'hub.worker',
  carried: [...CARRIED, 'poll_url'],
  channel: 'hub_accepted',
}
