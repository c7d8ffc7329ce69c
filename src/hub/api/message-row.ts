/** The three places of a message: waiting to be routed, a mapping's copy, and finished. */
export const QUEUES = ['incoming', 'accepted', 'archived'] as const
export type QueueName = (typeof QUEUES)[number]

/** A message in any of the queues, with the name of the mapping that it is a copy for. */
export type MessageRow = {
  queue: QueueName
  id: string
  key: string
  type: string
  state: string
  attempts: number
  due: Date | null
  created_at: Date
  finished_at: Date | null
  source: 'incoming' | 'accepted'
  mapping_id: string | null
  mapping_name: string | null
  parent_id: string
  origin: string | null
  aggregate: string
  last_error: string | null
  poll_url: string | null
}

/** States as the queue has them, by the names that the protocol has for them (§1.3); the others are the same. */
const WIRE_STATES: Readonly<Record<string, string>> = { waiting: 'pending', done: 'completed' }

/** A row of the listings: the 13 keys of protocol §2.10. */
export function toListed(row: MessageRow) {
  const isCopy = row.source === 'accepted'
  return {
    id: row.key,
    message: row.type,
    state: wireState(row),
    consumer: row.mapping_name ?? '',
    created_at: row.created_at,
    completed_at: row.state === 'done' ? row.finished_at : null,
    attempt_at: row.due,
    is_consumer_remote: isCopy,
    destination_name: '',
    integration_icon_url: null,
    // Workers lease lanes, not messages: no message is ever locked.
    locked_at: null,
    source: row.queue === 'archived' ? row.source : null,
    queue_name: row.queue,
  }
}

/** The consumer of a delayed message asked for time, and is asked again later (protocol §3.4). */
export function wireState({ state, poll_url }: Pick<MessageRow, 'state' | 'poll_url'>): string {
  if (state === 'failing' && poll_url !== null) return 'scheduled'
  return WIRE_STATES[state] ?? state
}

const SHARED = `m.id, m.key, m.type, m.state, m.attempts, m.created_at, m.source, m.mapping_id, m.parent_id, m.origin, m.aggregate,
           m.last_error, m.payload, m.envelope, m.store_id`

const COLUMNS: Readonly<Record<QueueName, string>> = {
  incoming: `case when m.state <> 'parked' then m.due end as due, null::timestamptz as finished_at, null as poll_url, null as answer`,
  accepted: `case when m.state <> 'parked' then m.due end as due, null::timestamptz as finished_at, m.poll_url, null as answer`,
  archived: 'null::timestamptz as due, m.finished_at, m.poll_url, m.answer',
}

/** `select` of the messages in one queue, as `m`, in the form of MessageRow and with payload, envelope and answer. */
export function selectFrom(queue: QueueName): string {
  return `select '${queue}' as queue, ${SHARED}, ${COLUMNS[queue]}, p.name as mapping_name
          from hub.${queue} m
          left join hub.mapping p on p.id = m.mapping_id`
}
