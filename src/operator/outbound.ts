import { type Asked, request } from '../capture/outbox.ts'
import { variantOfSubject } from '../capture/stock-account.ts'
import { listUnmapped, type Unmapped } from '../capture/unmapped.ts'
import { splitAggregate } from '../messages/aggregate.ts'
import type { Db, Pool } from '../postgres/pool.ts'
import { inTransaction } from '../postgres/transaction.ts'
import type { MessageFilter } from '../queue/look.ts'
import { BRIDGE_QUEUE } from '../queue/message.ts'
import {
  type Act,
  type Acted,
  type Batch,
  countConcerned,
  discardMessages,
  parkMessages,
  retryMessages,
  type Unsent,
} from '../queue/operate.ts'

/** One transaction each, so that a million messages hold up neither the store nor the workers. */
const PER_BATCH = 1_000

/** What a person would decide about: how many, and up to which id, so that nothing is meant that comes later. */
export type Concerned = Readonly<{ count: number; upTo: string }>

/** For `retry` without ids or types also what could not be made into a message. */
export async function concernedOutbound(db: Db, act: Act, filter: MessageFilter): Promise<Concerned> {
  const { count, upTo } = await countConcerned(db, BRIDGE_QUEUE, act, filter)
  const unmapped = act === 'retry' ? await unmappedIn(db, filter) : []
  return { count: count + unmapped.length, upTo }
}

/**
 * Does it to all that match up to that id, at most `most` of them, the oldest first; returns their number.
 * `retry`: parked and failing messages are due at once, and what could not be made into a message is tried anew.
 * `discard`: closed unsent; what they announced is forgotten, so the next change tells anew.
 */
export async function decideOutbound(
  pool: Pool,
  act: Act,
  filter: MessageFilter,
  upTo: string,
  most = Number.POSITIVE_INFINITY,
): Promise<number> {
  let count = act === 'retry' ? await announceUnmapped(pool, filter, most) : 0
  let after = '0'
  while (count < most) {
    const batch = { after, upTo, limit: Math.min(PER_BATCH, most - count) }
    const acted = await inTransaction(pool, (db) => ACTS[act](db, filter, batch))
    if (acted.last === null) break
    count += acted.count
    after = acted.last
  }
  return count
}

const ACTS: Readonly<Record<Act, (db: Db, filter: MessageFilter, batch: Batch) => Promise<Acted>>> = {
  retry: (db, filter, batch) => retryMessages(db, BRIDGE_QUEUE, filter, batch),
  park: (db, filter, batch) => parkMessages(db, BRIDGE_QUEUE, filter, batch),
  async discard(db, filter, batch) {
    const discarded = await discardMessages(db, BRIDGE_QUEUE, filter, batch)
    await request(db, 'forget', distinct(discarded.about.flatMap(toForget)))
    return discarded
  },
}

/** The level of a variant, or the state of an aggregate: a difference of stock is told once or never. */
function toForget({ aggregate, type, subject }: Unsent): readonly Asked[] {
  const of = splitAggregate(aggregate)
  const variantId = variantOfSubject(subject)
  if (of && variantId !== undefined) return [{ kind: 'stock', id: of.id, variantId }]
  return of && !type.startsWith('stock:') ? [of] : []
}

function distinct(asked: readonly Asked[]): Asked[] {
  return [...new Map(asked.map((about) => [JSON.stringify(about), about])).values()]
}

async function announceUnmapped(db: Db, filter: MessageFilter, most: number): Promise<number> {
  const unmapped = (await unmappedIn(db, filter)).slice(0, most)
  await request(db, 'announce', ofTheStore(unmapped.map(({ aggregate }) => aggregate)))
  return unmapped.length
}

function ofTheStore(aggregates: readonly string[]) {
  return aggregates.flatMap((aggregate) => splitAggregate(aggregate) ?? [])
}

/** It has no message: no id, and no type. */
async function unmappedIn(
  db: Db,
  { ids, types, states, aggregate, since, until, error }: MessageFilter,
): Promise<readonly Unmapped[]> {
  if (ids || types || (states && !states.includes('parked'))) return []
  return (await listUnmapped(db)).filter(
    (entry) =>
      (aggregate === undefined || entry.aggregate === aggregate) &&
      (since === undefined || entry.at >= since) &&
      (until === undefined || entry.at < until) &&
      (error === undefined || entry.reason.toLowerCase().includes(error.toLowerCase())),
  )
}
