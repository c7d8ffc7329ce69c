import { randomUUID } from 'node:crypto'
import { hostname } from 'node:os'

import type { Db } from './pool.ts'
import { queryPrepared } from './prepared.ts'

/**
 * A worker's registration is its lease: one row that it renews. Lanes and named leases belong to the row, so that they
 * fall free with it. There is no session state: all of it works through a transaction pooler.
 */
export type WorkerTable = 'bridge.worker' | 'hub.worker'

/**
 * Enters a new worker whose lease ends in `leaseMilliseconds`; returns its id.
 * @param id New for every registration; the same for another try, where the answer to the first was lost.
 */
export async function registerWorker(
  db: Db,
  table: WorkerTable,
  worker: Readonly<{ process: string; version: string }>,
  leaseMilliseconds: number,
  status: string,
  id: string = randomUUID(),
): Promise<string> {
  await db.query(
    `insert into ${table} (id, process, host, pid, version, status, expires_at)
     values ($1, $2, $3, $4, $5, $6, clock_timestamp() + make_interval(secs => $7 / 1000.0))
         on conflict (id) do update set status = excluded.status, expires_at = excluded.expires_at`,
    [id, worker.process, hostname(), process.pid, worker.version, status, leaseMilliseconds],
  )
  return id
}

/** Prolongs the lease; false where the worker was evicted meanwhile, and with it all that it owned. */
export async function renewWorker(
  db: Db,
  table: WorkerTable,
  id: string,
  leaseMilliseconds: number,
  status: string,
): Promise<boolean> {
  const { rowCount } = await db.query(
    `update ${table}
        set expires_at = clock_timestamp() + make_interval(secs => $2 / 1000.0), status = $3
      where id = $1`,
    [id, leaseMilliseconds, status],
  )
  return rowCount === 1
}

/**
 * Removes workers whose lease has run out. The row lock decides between this and a late renewal: whoever comes second
 * finds the row renewed, or gone. Returns their ids, and in how many milliseconds the next lease ends unless it is renewed:
 * undefined without one.
 */
export async function evictExpired(
  db: Db,
  table: WorkerTable,
): Promise<Readonly<{ evicted: readonly string[]; nextEndsIn: number | undefined }>> {
  const { rows } = await db.query<{ evicted: string[]; next: number | null }>(
    `with evicted as (
       delete from ${table} where expires_at < clock_timestamp() returning id
     )
     select array(select id::text from evicted) as evicted,
            (select extract(epoch from min(expires_at) - clock_timestamp())::double precision * 1000
               from ${table}
              where id not in (select id from evicted)) as next`,
  )
  return { evicted: rows[0]?.evicted ?? [], nextEndsIn: rows[0]?.next ?? undefined }
}

/** Ends a registration in order; what it owned is free at once. */
export async function releaseWorker(db: Db, table: WorkerTable, id: string): Promise<void> {
  await db.query(`delete from ${table} where id = $1`, [id])
}

/**
 * Takes a named lease that nobody else owns, under a new epoch: also one that this worker owns and no longer knows of, be it
 * that it dropped its memory or that the answer to its claim was lost. Undefined where another has it.
 */
export async function claimLease(db: Db, name: string, workerId: string): Promise<string | undefined> {
  const { rows } = await db.query<{ epoch: string }>(
    `update bridge.lease
        set owner = $2, epoch = epoch + 1
      where name = $1 and (owner is null or owner = $2)
        and exists (select from bridge.worker where id = $2)
      returning epoch`,
    [name, workerId],
  )
  return rows[0]?.epoch
}

/**
 * The last statement of a transaction that only the owner of a lease may commit: false where the lease has passed on.
 * Holds off a takeover until the commit; as the first statement it would hold it off for as long as the owner pauses.
 */
export async function fence(db: Db, name: string, workerId: string, epoch: string): Promise<boolean> {
  const { rowCount } = await queryPrepared(
    db,
    'select 1 from bridge.lease where name = $1 and owner = $2 and epoch = $3 for share',
    [name, workerId, epoch],
  )
  return rowCount === 1
}
