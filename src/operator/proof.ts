import { tookTooLong } from '../postgres/errors.ts'
import type { Pool } from '../postgres/pool.ts'
import { inTransaction } from '../postgres/transaction.ts'

/**
 * What became of all that came, as the tables tell it in one snapshot. The sides of each equation were counted by different
 * hands: rows that the database took out of the outbox against what the collector says of them, messages that it says it made
 * against the queue and its history, attempts against their outcomes.
 */
export type Proof = Readonly<{
  /** Changes of the store: `captured = told + silent + unmapped + underWay`. What is under way is what waits in the outbox, on both sides. */
  changes: Readonly<{ captured: number; told: number; silent: number; unmapped: number; underWay: number }>
  /** Messages made of them: `made = done + superseded + discarded + waiting + failing + parked`. */
  messages: Readonly<{
    made: number
    done: number
    superseded: number
    discarded: number
    waiting: number
    failing: number
    parked: number
  }>
  /** Deliveries of the hub that are still remembered: `applied = received - repeated - failed`. */
  inbound: Readonly<{ applied: number; received: number; repeated: number; failed: number }>
  /** Since when changes and messages are counted. */
  since: Date | null
  /** What does not add up, in words; empty where all does. */
  broken: readonly string[]
}>

/** @param withinMilliseconds For each of its statements, which read all of the inbox and of the history; null where that was too little. */
export async function readProof(pool: Pool, withinMilliseconds?: number): Promise<Proof | null> {
  try {
    return await countAll(pool, withinMilliseconds)
  } catch (error) {
    if (tookTooLong(error)) return null
    throw error
  }
}

function countAll(pool: Pool, withinMilliseconds: number | undefined): Promise<Proof> {
  return inTransaction(
    pool,
    async (db) => {
      if (withinMilliseconds !== undefined)
        await db.query(`set local statement_timeout = ${withinMilliseconds}`)
      const tally = await db.query<{
        since: Date | null
        floor: string | null
        taken: number
        told: number
        silent: number
        unmapped: number
        made: number
        waiting: number
      }>(
        `with base as (select at, last_message from bridge.tally order by at limit 1)
         select (select at from base) as since,
                (select last_message from base) as floor,
                coalesce(sum(changes), 0)::float8 as taken,
                coalesce(sum(told), 0)::float8 as told,
                coalesce(sum(silent), 0)::float8 as silent,
                coalesce(sum(unmapped), 0)::float8 as unmapped,
                coalesce(sum(messages), 0)::float8 as made,
                (select count(*) from bridge.outbox)::float8 as waiting
           from bridge.tally
          where at > (select at from base)`,
      )
      const counted = tally.rows[0]
      if (!counted) throw new Error('an aggregate returned no row')
      const messages = await db.query<{ state: string; count: number }>(
        `select state, sum(count)::float8 as count
           from (select 'waiting' as state, count(*) from bridge.message where id > $1
                  union all
                 select 'waiting', -count(*) from bridge.message where state <> 'waiting' and id > $1
                  union all
                 select state, count(*) from bridge.message where state <> 'waiting' and id > $1 group by state
                  union all
                 select 'done', count(*) from bridge.history where id > $1
                  union all
                 select 'done', -count(*) from bridge.history where state <> 'done' and id > $1
                  union all
                 select state, count(*) from bridge.history where state <> 'done' and id > $1 group by state) counts
          group by state`,
        // Without a beginning nothing is counted.
        [counted.floor ?? String(Number.MAX_SAFE_INTEGER)],
      )
      const inState = new Map(messages.rows.map(({ state, count }) => [state, count]))
      const inbox = await db.query<{ applied: number; received: number; repeated: number; failed: number }>(
        `select count(*) filter (where state = 'applied')::float8 as applied,
                coalesce(sum(attempts + repeats), 0)::float8 as received,
                coalesce(sum(repeats), 0)::float8 as repeated,
                coalesce(sum(failures), 0)::float8 as failed
           from bridge.inbox`,
      )
      const inbound = inbox.rows[0]
      if (!inbound) throw new Error('an aggregate returned no row')
      return prove({
        changes: {
          captured: counted.taken + counted.waiting,
          told: counted.told,
          silent: counted.silent,
          unmapped: counted.unmapped,
          underWay: counted.waiting,
        },
        messages: {
          made: counted.made,
          done: inState.get('done') ?? 0,
          superseded: inState.get('superseded') ?? 0,
          discarded: inState.get('discarded') ?? 0,
          waiting: inState.get('waiting') ?? 0,
          failing: inState.get('failing') ?? 0,
          parked: inState.get('parked') ?? 0,
        },
        inbound,
        since: counted.since,
      })
    },
    'repeatable read',
  )
}

function prove(counts: Omit<Proof, 'broken'>): Proof {
  const { changes, messages, inbound } = counts
  const { captured, ...became } = changes
  const { made, ...are } = messages
  const applied = inbound.received - inbound.repeated - inbound.failed
  return {
    ...counts,
    broken: [
      ...differ(`${captured} changes were captured`, captured, 'of them are accounted for', sum(became)),
      ...differ(`${made} messages were made`, made, 'are found', sum(are)),
      ...differ(
        `${inbound.applied} inbound messages are applied`,
        inbound.applied,
        'follow from what was received, repeated and failed',
        applied,
      ),
    ],
  }
}

function differ(what: string, count: number, other: string, otherCount: number): string[] {
  return count === otherCount ? [] : [`${what}, but ${otherCount} ${other}`]
}

function sum(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((total, count) => total + count, 0)
}

/** The proof as lines for a terminal. */
export function formatProof(proof: Proof | null): string[] {
  if (proof === null) return ['          what became of all that came took too long to be counted']
  const { changes, messages, inbound, since, broken } = proof
  return [
    `changes   ${changes.captured} captured = ${changes.told} told + ${changes.silent} silent + ${changes.unmapped} without a message + ${changes.underWay} under way`,
    `messages  ${messages.made} made = ${messages.done} done + ${messages.superseded} superseded + ${messages.discarded} discarded + ${messages.waiting} waiting + ${messages.failing} failing + ${messages.parked} parked`,
    `inbound   ${inbound.applied} applied = ${inbound.received} received - ${inbound.repeated} repeated - ${inbound.failed} failed`,
    ...(since
      ? [`          counted since ${since.toISOString()}, inbound as far back as the inbox goes`]
      : []),
    ...broken.map((text) => `BROKEN    ${text}`),
  ]
}
