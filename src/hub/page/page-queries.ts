import { z } from 'zod'
import { readJson } from '../../http/read-json.ts'
import type { Db } from '../../postgres/pool.ts'
import { type MessageRow, QUEUES, type QueueName, selectFrom } from '../api/message-row.ts'

/** A message of the hub as people see it, in whichever of its queues it lies. */
export type HubMessage = Readonly<{
  /** The `message_id`. */
  key: string
  /** Where it stands among all messages: a decimal text that grows. */
  id: string
  queue: QueueName
  storeId: string
  /** A copy for a mapping; what came in otherwise. */
  isCopy: boolean
  /** Of a copy: the mapping that it is for, and its name where it is still there. */
  mappingId: string | null
  mapping: string | null
  parentKey: string
  type: string
  /** What it is about: `order:R123456789`, `sku:…`; null where the payload does not tell. */
  about: string | null
  /** As in the queue; `scheduled` where the consumer has asked for time. */
  state: string
  attempts: number
  lastError: string | null
  /** In trouble: what the consumer's own error notification says. */
  said: string | null
  /** When it is tried next; null where it is not. */
  due: Date | null
  createdAt: Date
  finishedAt: Date | null
  /** The HTTP status of the consumer's last answer. */
  code: number | null
}>

/** A message that came in, with the copies that went to mappings. */
export type HubArrival = HubMessage & Readonly<{ copies: readonly HubMessage[] }>

type Row = MessageRow & { store_id: string; code: number | null; product: string | null; said: string | null }

/** All that a row shows. The payload only where it tells a SKU, and the aggregate just the store's own number of a product. */
const LINE = `case when m.aggregate ~ '/product:[0-9]+$' and length(m.payload) < 50000 then m.payload end as product, m.queue, m.id, m.key, m.type, m.state, m.attempts, m.due, m.created_at, m.finished_at, m.source, m.mapping_id,
            m.mapping_name, m.parent_id, m.origin, m.aggregate, m.last_error, m.poll_url, m.store_id,
            -- Of a success the answer is kept, and the result of a failure before it.
            case when m.answer <> '' then 200 else r.code end as code,
            case when m.state in ('failing', 'parked') then (
              select n.description
                from hub.notification n
               where n.message_id = m.key and n.level = 'error'
               order by n.last_update desc
               limit 1) end as said`

const WITH_RESULT = 'left join hub.result r on r.message_id = m.key'

/** What came in last, with its copies; of one store, or of all. */
export async function listArrivals(
  db: Db,
  page: Readonly<{ storeId?: string | undefined; before?: string | undefined; limit: number }>,
): Promise<HubArrival[]> {
  const ofStore = (queue: QueueName) =>
    `(${selectFrom(queue)}
        where m.store_id = s.id and m.source = 'incoming' and ($2::bigint is null or m.id < $2)
        order by m.id desc
        limit $3)`
  const { rows } = await db.query<Row>(
    // Store by store: so are the indexes made, and no sort of a whole archive is needed.
    `select ${LINE}
       from hub.store s
      cross join lateral (${ofStore('incoming')} union all ${ofStore('archived')}) m
       ${WITH_RESULT}
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
  const { rows } = await db.query<Row>(
    `select ${LINE}
       from ((${selectFrom('incoming')} where m.state <> 'waiting' order by m.id desc limit $1)
             union all
             (${selectFrom('accepted')}
               where m.state <> 'waiting' and (m.state = 'parked' or m.poll_url is null)
               order by m.id desc
               limit $1)) m
       ${WITH_RESULT}
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
    /** The consumer's answer to a successful delivery, in its wrapper; empty or null where there was none. */
    answer: string | null
    /** What the consumer answered to the last delivery that failed. */
    response: string | null
    notifications: readonly Readonly<{ level: string; subject: string; description: string }>[]
  }>

export async function showHubMessage(db: Db, key: string): Promise<HubMessageInFull | undefined> {
  const { rows } = await db.query<
    Row & { payload: string; envelope: string; answer: string | null; response: string | null }
  >(
    `select ${LINE}, m.payload, m.envelope, m.answer, r.response
       from (${QUEUES.map((queue) => `${selectFrom(queue)} where m.key = $1`).join(' union all ')}) m
       ${WITH_RESULT}`,
    [key],
  )
  const row = rows[0]
  if (!row) return undefined
  const notifications = await db.query<{ level: string; subject: string; description: string }>(
    'select level, subject, description from hub.notification where message_id = $1 order by logged_on',
    [key],
  )
  const { payload, envelope, answer, response } = row
  const copies = await listCopies(db, [key])
  return { ...toMessage(row), copies, payload, envelope, answer, response, notifications: notifications.rows }
}

async function listCopies(db: Db, parents: readonly string[]): Promise<HubMessage[]> {
  const { rows } = await db.query<Row>(
    `select ${LINE}
       from (${selectFrom('accepted')} where m.parent_id = any($1::text[])
             union all
             ${selectFrom('archived')} where m.parent_id = any($1::text[]) and m.source = 'accepted') m
       ${WITH_RESULT}
      order by m.id`,
    [parents],
  )
  return rows.map(toMessage)
}

function toMessage(row: Row): HubMessage {
  return {
    key: row.key,
    id: row.id,
    queue: row.queue,
    storeId: row.store_id,
    isCopy: row.source === 'accepted',
    mappingId: row.mapping_id,
    mapping: row.mapping_name,
    parentKey: row.parent_id,
    type: row.type,
    about: aboutOf(row),
    state: row.state === 'failing' && row.poll_url !== null ? 'scheduled' : row.state,
    attempts: row.attempts,
    lastError: row.last_error,
    said: row.said,
    due: row.due,
    createdAt: row.created_at,
    finishedAt: row.finished_at,
    code: row.code,
  }
}

/** An aggregate is `<store or mapping>/<what it is about>`, or ends in the message's own key where that is not known. */
function aboutOf({ aggregate, product }: Row): string | null {
  const told = withSku.safeParse(product === null ? undefined : readJson(product))
  if (told.success) return `product:${told.data.sku}`
  const about = aggregate.slice(aggregate.indexOf('/') + 1)
  return about.includes(':') ? about : null
}

const withSku = z.object({ sku: z.string().min(1) })
