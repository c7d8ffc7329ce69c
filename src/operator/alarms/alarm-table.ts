import type { Db } from '../../postgres/pool.ts'
import { CALM_SECONDS, type Cause, GRACE_SECONDS, type Trouble } from './trouble.ts'

/** Where the state of the alarms is kept: so that each change is told once, whoever sees it and whoever restarts. */
export type AlarmTable = 'bridge.alarm' | 'hub.alarm'

export const CHANNELS = ['webhook', 'mail'] as const
export type ChannelName = (typeof CHANNELS)[number]

/** An alarm that is on. `lastError`: why it could not be sent; null where it was, or where nobody wants it sent. */
export type OpenAlarm = Readonly<{
  cause: Cause
  subject: string
  text: string
  raisedAt: Date
  lastError: string | null
}>

export type AlarmState = 'raised' | 'recovered'

/** An alarm to be told of, taken by one process for a minute. */
export type Untold = Readonly<{
  cause: Cause
  subject: string
  text: string
  state: AlarmState
  raisedAt: Date
  recoveredAt: Date | null
  attempts: number
  /** The channels that have not told its state yet. */
  by: readonly ChannelName[]
}>

/** Notes what is the matter now; raises what has lasted, and closes what has been over for a while. */
export async function noteTroubles(db: Db, table: AlarmTable, troubles: readonly Trouble[]): Promise<void> {
  if (troubles.length > 0)
    await db.query(
      `insert into ${table} as known (cause, subject, text)
       select * from unnest($1::text[], $2::text[], $3::text[])
           on conflict (cause, subject) do update
          set text = excluded.text,
              last_seen_at = clock_timestamp(),
              recovered_at = null,
              next_try_at = case when known.recovered_at is null then known.next_try_at else clock_timestamp() end`,
      [
        troubles.map(({ cause }) => cause),
        troubles.map(({ subject }) => subject),
        troubles.map(({ text }) => text),
      ],
    )
  await db.query(
    `update ${table} a
        set raised_at = clock_timestamp(), next_try_at = clock_timestamp()
       from unnest($1::text[], $2::float8[]) grace (cause, seconds)
      where a.cause = grace.cause
        and a.raised_at is null
        and a.last_seen_at - a.first_seen_at >= make_interval(secs => grace.seconds)`,
    [Object.keys(GRACE_SECONDS), Object.values(GRACE_SECONDS)],
  )
  await db.query(
    `with over as (
       select cause, subject
         from ${table}
        where recovered_at is null and last_seen_at < clock_timestamp() - make_interval(secs => $1)
     ), passed as (
       delete from ${table} where (cause, subject) in (select cause, subject from over) and raised_at is null
     )
     update ${table}
        set recovered_at = clock_timestamp(), attempts = 0, next_try_at = clock_timestamp()
      where (cause, subject) in (select cause, subject from over) and raised_at is not null`,
    [CALM_SECONDS],
  )
}

const STATE = `case when recovered_at is null then 'raised' else 'recovered' end`

/** Takes one alarm of which a channel has not told the present state; nobody else gets it for a minute. */
export async function claimUntold(
  db: Db,
  table: AlarmTable,
  channels: readonly ChannelName[],
): Promise<Untold | undefined> {
  if (channels.length === 0) return undefined
  const untold = (channel: ChannelName) => `${channel}_told is distinct from ${STATE}`
  const { rows } = await db.query<{
    cause: Cause
    subject: string
    text: string
    state: AlarmState
    raised_at: Date
    recovered_at: Date | null
    attempts: number
    by: ChannelName[]
  }>(
    `update ${table} a
        set attempts = a.attempts + 1, next_try_at = clock_timestamp() + interval '1 minute'
       from (select cause, subject, ${STATE} as state,
                    array_remove(array[${channels.map((channel) => `case when ${untold(channel)} then '${channel}' end`).join(', ')}], null) as by
               from ${table}
              where raised_at is not null
                and next_try_at <= clock_timestamp()
                and (${channels.map(untold).join(' or ')})
              order by next_try_at
              limit 1
                for update skip locked) next
      where a.cause = next.cause and a.subject = next.subject
     returning a.cause, a.subject, a.text, next.state, a.raised_at, a.recovered_at, a.attempts, next.by`,
  )
  const row = rows[0]
  return row && { ...row, raisedAt: row.raised_at, recoveredAt: row.recovered_at }
}

/** What has come of telling: which channels have told the state, and why another has not. */
export async function noteTold(
  db: Db,
  table: AlarmTable,
  { cause, subject, state }: Untold,
  told: readonly ChannelName[],
  failure: Readonly<{ reason: string; seconds: number }> | undefined,
): Promise<void> {
  await db.query(
    `update ${table}
        set ${CHANNELS.map((channel) => `${channel}_told = case when '${channel}' = any($3::text[]) then $4 else ${channel}_told end`).join(', ')},
            last_error = $5,
            next_try_at = clock_timestamp() + make_interval(secs => $6)
      where cause = $1 and subject = $2`,
    [cause, subject, told, state, failure?.reason ?? null, failure?.seconds ?? 0],
  )
}

/** Forgets what is over and told, or could not be told for a week. */
export async function forgetTold(db: Db, table: AlarmTable, channels: readonly ChannelName[]): Promise<void> {
  const told = channels.map((channel) => `${channel}_told is not distinct from 'recovered'`)
  await db.query(
    `delete from ${table}
      where recovered_at is not null
        and (${['true', ...told].join(' and ')} or recovered_at < clock_timestamp() - interval '7 days')`,
  )
}

export async function listAlarms(db: Db, table: AlarmTable): Promise<OpenAlarm[]> {
  const { rows } = await db.query<{
    cause: Cause
    subject: string
    text: string
    raised_at: Date
    last_error: string | null
  }>(
    `select cause, subject, text, raised_at, last_error
       from ${table}
      where raised_at is not null and recovered_at is null
      order by raised_at`,
  )
  return rows.map(({ raised_at: raisedAt, last_error: lastError, ...row }) => ({
    ...row,
    raisedAt,
    lastError,
  }))
}
