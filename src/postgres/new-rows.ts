import type { QueryResult } from 'pg'
import type { Db } from './pool.ts'

/**
 * What a transaction could see, as `pg_current_snapshot()` tells it: everything below `xmin`, nothing from `xmax` on,
 * and of those between all but `inProgress`. Ids are decimal texts of xid8.
 */
export type Snapshot = Readonly<{ xmin: string; xmax: string; inProgress: ReadonlySet<string> }>

/** Which rows a later snapshot can see that an earlier one could not, by the xid of the transaction that wrote them. */
export type Unseen = Readonly<{
  /** All transactions from this one on. */
  fromXid: string
  /** Earlier ones that were in progress then and are not now: they committed (or rolled back) meanwhile. */
  lateXids: readonly string[]
}>

/** Reads the text form `xmin:xmax:xip,xip…`. */
export function parseSnapshot(text: string): Snapshot {
  const [, xmin, xmax, list] = /^(\d+):(\d+):([\d,]*)$/.exec(text) ?? []
  if (xmin === undefined || xmax === undefined || list === undefined) {
    throw new Error(`not a snapshot: ${JSON.stringify(text)}`)
  }
  return { xmin, xmax, inProgress: new Set(list === '' ? [] : list.split(',')) }
}

export function formatSnapshot({ xmin, xmax, inProgress }: Snapshot): string {
  return `${xmin}:${xmax}:${[...inProgress].join(',')}`
}

/**
 * Ids commit out of order, so no id is a cursor. But each transaction is either seen by a snapshot or not, for good:
 * unseen by `previous` are those from its xmax on and those that were in progress. Of the latter, the ones still
 * running are left out: they have nothing to show, and a long import would make the list of ids costly.
 */
export function unseenSince(previous: Snapshot, current: Snapshot): Unseen {
  return {
    fromXid: previous.xmax,
    lateXids: [...previous.inProgress].filter((xid) => !current.inProgress.has(xid)),
  }
}

/**
 * Begins the transaction in which rows and the returned snapshot are one. It must not write before its first read (a
 * snapshot does not list its own xid), reads by index whatever the statistics say (those of an emptied table flip the
 * plan from 0.06 to 31 ms), and ends by itself if the process stops in its midst.
 */
export async function openWindow(connection: Db, timeoutMilliseconds: number): Promise<Snapshot> {
  const answer: unknown = await connection.query(
    `begin isolation level repeatable read;
     set local enable_seqscan = off;
     set local idle_in_transaction_session_timeout = ${Math.round(timeoutMilliseconds)};
     set local statement_timeout = ${Math.round(timeoutMilliseconds)};
     select pg_current_snapshot()::text as snapshot`,
  )
  // Of several statements pg gives several results, which its types do not know.
  const results = answer as readonly QueryResult<{ snapshot: string }>[]
  const snapshot = results.at(-1)?.rows[0]?.snapshot
  if (snapshot === undefined) throw new Error('pg_current_snapshot() returned no row')
  return parseSnapshot(snapshot)
}
