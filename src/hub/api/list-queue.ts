import { z } from 'zod'

import type { Db } from '../../postgres/pool.ts'
import { type MessageRow, type QueueName, selectFrom } from './message-row.ts'

const PAGE_SIZE = 25

const word = z.string('has to be given once').regex(/^[^\p{C}]{1,255}$/u, 'has to be one line of text')

/** With an offset; where a client forgot to encode its `+`, a space has come instead. */
const time = z
  .string('has to be given once')
  .transform((text) => text.trim().replace(/ (?=\d{2}:?\d{2}$)/, '+'))
  .pipe(z.iso.datetime({ offset: true, error: 'has to be a time such as 2013-11-10T17:17:34+00:00' }))

/** The protocol's states by what they are in the queues; `running` is shown by clients and never stored. */
const STATES = {
  pending: ['waiting'],
  failing: ['failing'],
  scheduled: ['failing'],
  parked: ['parked'],
  completed: ['done'],
  discarded: ['discarded'],
  superseded: ['superseded'],
  never_processed: null,
  running: [],
} as const

/** What takes more than the state to tell. */
const SPLIT_STATES: ReadonlySet<string> = new Set(['failing', 'scheduled', 'never_processed'])

const state = z.enum(Object.keys(STATES) as (keyof typeof STATES)[], {
  error: `has to be one of ${Object.keys(STATES).join(', ')}`,
})

const page = z.string('has to be given once').regex(/^[1-9]\d{0,6}$/, 'has to be a number from 1 on')

/** The query of a listing. What it does not name, clients send for other hubs; what is blank, from empty form fields. */
export const queueFilter = z.preprocess(
  withoutBlanks,
  z.object({
    page: page.transform(Number).default(1),
    message: word.optional(),
    state: state.optional(),
    filter_state: state.optional(),
    start_date: time.optional(),
    end_date: time.optional(),
    message_id: word.optional(),
    mapping_id: word.optional(),
    source: z.enum(['incoming', 'accepted'], 'has to be incoming or accepted').optional(),
  }),
)

function withoutBlanks(query: unknown): unknown {
  return Object.fromEntries(Object.entries(query ?? {}).filter(([, value]) => value !== ''))
}

export type QueueFilter = Readonly<z.output<typeof queueFilter>>

export type QueuePage = Readonly<{ rows: readonly MessageRow[]; hasMore: boolean }>

/**
 * One page of a store's messages in a queue, the newest first. The archive shows what was delivered, unless `source` asks for
 * all that came from one of the other queues (protocol §2.10).
 */
export async function listQueue(
  db: Db,
  storeId: string,
  queue: QueueName,
  filter: QueueFilter,
): Promise<QueuePage> {
  const wanted = filter.state ?? filter.filter_state
  const byDefault = queue === 'archived' && filter.source === undefined
  const states = wanted === undefined ? (byDefault ? ['done'] : null) : STATES[wanted]
  const source = queue === 'archived' ? (filter.source ?? 'accepted') : null
  const { rows } = await db.query<MessageRow>(
    `select queue, id, key, type, state, attempts, due, created_at, finished_at, source, mapping_id, mapping_name, parent_id,
            origin, aggregate, last_error, poll_url
       from (${selectFrom(queue)}
              where m.store_id = $1
                and ($2::text is null or m.type = $2)
                and ($3::text[] is null or m.state = any($3::text[]))
                and ($4::timestamptz is null or m.created_at > $4)
                and ($5::timestamptz is null or m.created_at < $5)
                and ($6::text is null or m.key = $6)
                and ($7::text is null or m.mapping_id = $7)
                and ($8::text is null or m.source = $8)) found
      where ($9::text is null or $9 = 'failing' and poll_url is null or $9 = 'scheduled' and poll_url is not null
             or $9 = 'never_processed' and attempts = 0)
      order by id desc
      limit ${PAGE_SIZE + 1} offset $10`,
    [
      storeId,
      filter.message ?? null,
      states,
      filter.start_date ?? null,
      filter.end_date ?? null,
      filter.message_id ?? null,
      filter.mapping_id ?? null,
      source,
      wanted && SPLIT_STATES.has(wanted) ? wanted : null,
      (filter.page - 1) * PAGE_SIZE,
    ],
  )
  return { rows: rows.slice(0, PAGE_SIZE), hasMore: rows.length > PAGE_SIZE }
}

export type QueueCounts = Readonly<
  Record<'incoming' | 'archived' | 'pending' | 'failing' | 'scheduled' | 'parked', number>
>

/** How many messages of a store lie where; the accepted queue by state (protocol §1.3). */
export async function countQueues(db: Db, storeId: string): Promise<QueueCounts> {
  const { rows } = await db.query<QueueCounts>(
    `select (select count(*)::integer from hub.incoming where store_id = $1) as incoming,
            (select count(*)::integer from hub.archived where store_id = $1) as archived,
            count(*) filter (where state = 'waiting')::integer as pending,
            count(*) filter (where state = 'failing' and poll_url is null)::integer as failing,
            count(*) filter (where state = 'failing' and poll_url is not null)::integer as scheduled,
            count(*) filter (where state = 'parked')::integer as parked
       from hub.accepted
      where store_id = $1`,
    [storeId],
  )
  const [counts] = rows
  if (!counts) throw new Error('an aggregate without group by returned no row')
  return counts
}
