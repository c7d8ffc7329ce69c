import type { Db } from '../postgres/pool.ts'

/** A message of the hub as people see it, in whichever of its queues it lies. */
export type HubMessage = Readonly<{
  /** The `message_id`. */
  key: string
  /** Where it stands among all messages: a decimal text that grows. */
  id: string
  queue: 'incoming' | 'accepted' | 'archived'
  storeId: string
  mappingId: string | null
  parentKey: string
  type: string
  aggregate: string
  state: string
  attempts: number
  lastError: string | null
  answer: string | null
  /** When it is tried next; null where it is not. */
  due: Date | null
  createdAt: Date
  finishedAt: Date | null
  /** The HTTP status of the consumer's last answer. */
  code: number | null
}>

/** A message that came in, with the copies that went to mappings. */
export type HubArrival = HubMessage & Readonly<{ copies: readonly HubMessage[] }>

type MessageRow = {
  key: string
  id: string
  queue: HubMessage['queue']
  store_id: string
  mapping_id: string | null
  parent_id: string
  type: string
  aggregate: string
  state: string
  attempts: number
  last_error: string | null
  answer: string | null
  due: Date | null
  created_at: Date
  finished_at: Date | null
  code: number | null
}

const queued = (queue: 'incoming' | 'accepted') => `
  select key, id, '${queue}' as queue, store_id, mapping_id, parent_id, type, aggregate, state, attempts, last_error,
         null::text as answer, case when state = 'parked' then null else due end as due, created_at,
         null::timestamptz as finished_at, payload, envelope
    from hub.${queue}`

const ARCHIVED = `
  select key, id, 'archived' as queue, store_id, mapping_id, parent_id, type, aggregate, state, attempts, last_error,
         answer, null::timestamptz as due, created_at, finished_at, payload, envelope
    from hub.archived`

const COLUMNS = `m.key, m.id, m.queue, m.store_id, m.mapping_id, m.parent_id, m.type, m.aggregate, m.state, m.attempts,
         m.last_error, m.answer, m.due, m.created_at, m.finished_at`

const WITH_CODE = 'left join hub.result r on r.message_id = m.key'

/** What came in last, with its copies; of one store, or the last of each. */
export async function listArrivals(
  db: Db,
  page: Readonly<{ storeId?: string | undefined; before?: string | undefined; limit: number }>,
): Promise<HubArrival[]> {
  const { rows } = await db.query<MessageRow>(
    // Store by store: so are the indexes made, and no sort of a whole archive is needed.
    `select ${COLUMNS}, r.code
       from hub.store s
      cross join lateral (
        (${queued('incoming')} where store_id = s.id and ($2::bigint is null or id < $2) order by id desc limit $3)
        union all
        (${ARCHIVED} where store_id = s.id and source = 'incoming' and ($2::bigint is null or id < $2)
          order by id desc limit $3)) m
       ${WITH_CODE}
      where $1::text is null or s.id = $1
      order by m.id desc
      limit $3`,
    [page.storeId ?? null, page.before ?? null, page.limit],
  )
  const copies = await listCopies(
    db,
    rows.map(({ key }) => key),
  )
  return rows.map((row) => ({
    ...toMessage(row),
    copies: copies.filter(({ parentKey }) => parentKey === row.key),
  }))
}

/** Failing and parked messages of both queues, the latest first. */
export async function listTroubled(db: Db, limit: number): Promise<HubMessage[]> {
  const { rows } = await db.query<MessageRow>(
    `select ${COLUMNS}, r.code
       from ((${queued('incoming')} where state <> 'waiting' order by id desc limit $1)
             union all
             (${queued('accepted')} where state <> 'waiting' order by id desc limit $1)) m
       ${WITH_CODE}
      order by m.id desc
      limit $1`,
    [limit],
  )
  return rows.map(toMessage)
}

export type HubMessageInFull = HubArrival &
  Readonly<{
    payload: string
    envelope: string
    /** What the consumer answered last, success or not. */
    response: string | null
    notifications: readonly Readonly<{ level: string; subject: string; description: string }>[]
  }>

export async function showHubMessage(db: Db, key: string): Promise<HubMessageInFull | undefined> {
  const { rows } = await db.query<
    MessageRow & { payload: string; envelope: string; response: string | null }
  >(
    `select ${COLUMNS}, m.payload, m.envelope, r.code, r.response
       from (${queued('incoming')} where key = $1
             union all ${queued('accepted')} where key = $1
             union all ${ARCHIVED} where key = $1) m
       ${WITH_CODE}`,
    [key],
  )
  const row = rows[0]
  if (!row) return undefined
  const notifications = await db.query<{ level: string; subject: string; description: string }>(
    'select level, subject, description from hub.notification where message_id = $1 order by logged_on',
    [key],
  )
  return {
    ...toMessage(row),
    copies: await listCopies(db, [key]),
    payload: row.payload,
    envelope: row.envelope,
    response: row.response,
    notifications: notifications.rows,
  }
}

async function listCopies(db: Db, parents: readonly string[]): Promise<HubMessage[]> {
  const { rows } = await db.query<MessageRow>(
    `select ${COLUMNS}, r.code
       from (${queued('accepted')} where parent_id = any($1::text[])
             union all ${ARCHIVED} where parent_id = any($1::text[]) and source = 'accepted') m
       ${WITH_CODE}
      order by m.id`,
    [parents],
  )
  return rows.map(toMessage)
}

function toMessage(row: MessageRow): HubMessage {
  return {
    key: row.key,
    id: row.id,
    queue: row.queue,
    storeId: row.store_id,
    mappingId: row.mapping_id,
    parentKey: row.parent_id,
    type: row.type,
    aggregate: row.aggregate,
    state: row.state,
    attempts: row.attempts,
    lastError: row.last_error,
    answer: row.answer,
    due: row.due,
    createdAt: row.created_at,
    finishedAt: row.finished_at,
    code: row.code,
  }
}
