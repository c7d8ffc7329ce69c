import type { Connection, Db } from './pool.ts'

/**
 * What a transaction could see, as `pg_current_snapshot()` tells it: everything below `xmin`, nothing from `xmax` on,
 * and of those between all but `inProgress`. Ids are decimal texts of xid8.
 */
export type Snapshot = Readonly<{ xmin: string; xmax: string; inProgress: ReadonlySet<string> }>

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

/** A snapshot, and by `performance.now()` a time at which the connection that it was read over still stood. */
export type Seen = Readonly<{ snapshot: Snapshot; at: number }>

/**
 * May the server have crashed since, and give out ids again that were seen before? They are lost with it where nothing was
 * written under them, or where what was written was not waited for. A crash ends all connections; a pooler may hide that.
 */
export function mayHaveCrashed(seen: Seen, connection: Connection, snapshot: Snapshot): boolean {
  return connection.openedAt > seen.at || BigInt(snapshot.xmax) < BigInt(seen.snapshot.xmax)
}

/**
 * Ids commit out of order, so no id is a cursor. But each transaction is either seen by a snapshot or not, for good: what a
 * later one sees and `previous` did not are the rows of transactions from its xmax on, and of those that were in progress.
 * This is SQL for the ids of the latter, as xid8[]; `parameter` brings them in the same form. The ones that still run are
 * left out: they have nothing to show, and a long import would make the list of ids costly.
 */
export function endedMeanwhile(parameter: string): string {
  return `array(select late.xid
                  from unnest(${parameter}::xid8[]) late (xid)
                 where pg_visible_in_snapshot(late.xid, pg_current_snapshot())
                 order by late.xid)`
}

/**
 * Begins the transaction in which rows and the returned snapshot are one. It must not write before its first read (a
 * snapshot does not list its own xid), reads by index whatever the statistics say (those of an emptied table flip the
 * plan from 0.06 to 31 ms; of a small one an order would read all, again and again), and ends by itself if the process
 * stops in its midst.
 */
export async function openWindow(connection: Db, timeoutMilliseconds: number): Promise<Snapshot> {
  const [, { rows }] = await Promise.all([
    connection.query(
      `begin isolation level repeatable read;
       set local enable_seqscan = off;
       set local jit = off;
       set local idle_in_transaction_session_timeout = ${Math.round(timeoutMilliseconds)};
       set local statement_timeout = ${Math.round(timeoutMilliseconds)}`,
    ),
    connection.query<{ snapshot: string }>('select pg_current_snapshot()::text as snapshot'),
  ])
  if (!rows[0]) throw new Error('pg_current_snapshot() returned no row')
  return parseSnapshot(rows[0].snapshot)
}
