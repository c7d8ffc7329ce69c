import type { Db } from '../postgres/pool.ts'

/** Where the last poll of a collection ended. */
export type PollCursor = Readonly<{
  /** ISO 8601, UTC. */
  time: string
  /** Of those that changed at that very moment, up to this id all were told; null: they are told again. */
  afterId: string | null
}>

export type Changed = Readonly<{ ids: readonly string[]; next: PollCursor }>

/** For so long a transaction may take to commit what it has given an earlier time than others that came before. */
const LATE_SECONDS = 30

/**
 * A page of rows in the order in which they changed, by `updated_at` (protocol §8): from the cursor on, itself included, so
 * that the last comes again; without a cursor, of the last day. The next cursor stays behind the present, as rows with an
 * earlier time may still be committed.
 * @param rows `<table> t where …`, to which conditions can be added.
 */
export async function changedSince(
  db: Db,
  rows: string,
  cursor: PollCursor | undefined,
  limit: number,
): Promise<Changed> {
  const { rows: times } = await db.query<{ horizon: string; yesterday: string }>(
    `select ${iso(`now() at time zone 'utc' - interval '${LATE_SECONDS} seconds'`)} as horizon,
            ${iso(`now() at time zone 'utc' - interval '1 day'`)} as yesterday`,
  )
  const { horizon = '', yesterday = '' } = times[0] ?? {}
  const since = cursor ?? { time: yesterday, afterId: null }
  const { rows: found } = await db.query<{ id: string; time: string }>(
    `select t.id::text, ${iso('t.updated_at')} as time
       from ${rows} t.updated_at >= $1::timestamp
        and ($2::bigint is null or (t.updated_at, t.id) > ($1::timestamp, $2::bigint))
      order by t.updated_at, t.id
      limit $3`,
    [since.time, since.afterId, limit],
  )
  return {
    ids: found.map(({ id }) => id),
    next: nextOf(found.at(-1), found.length === limit, since, horizon),
  }
}

function nextOf(
  last: Readonly<{ id: string; time: string }> | undefined,
  isFull: boolean,
  since: PollCursor,
  horizon: string,
): PollCursor {
  if (last === undefined) return since
  if (last.time <= horizon) return { time: last.time, afterId: isFull ? last.id : null }
  return since.time < horizon ? { time: horizon, afterId: null } : since
}

/** All alike, so that they can be compared as texts. */
function iso(time: string): string {
  return `to_char(${time}, 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`
}
