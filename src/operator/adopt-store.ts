import { type Identity, readInstallation, recordInstallation } from '../postgres/installation.ts'
import type { Db, Pool } from '../postgres/pool.ts'
import { inShortTries } from '../postgres/short-locks.ts'
import { inTransaction } from '../postgres/transaction.ts'

const ATTEMPTS = 80

/**
 * Makes the database at hand the installation's own, after a copy or a restore.
 * `fresh`: what waits, and what was announced before, is dropped; the worker seeds anew, silently.
 * `keep`: all of it is taken over. The rows' transaction ids belong to another server's count and would match every
 * read, so they are rewritten to this transaction's; the order within is that of the ids.
 */
export async function adoptStore(pool: Pool, identity: Identity, how: 'fresh' | 'keep'): Promise<void> {
  await inShortTries('The inbox', ATTEMPTS, () => inTransaction(pool, (db) => adopt(db, identity, how)))
}

async function adopt(db: Db, identity: Identity, how: 'fresh' | 'keep'): Promise<void> {
  // Of the same store the hub's messages are known by the same id, whether it is said or not.
  const known = how === 'keep' ? await readInstallation(db) : undefined
  const hubStoreId = identity.hubStoreId ?? known?.hubStoreId ?? null
  await recordInstallation(db, { ...identity, hubStoreId }, true)
  // Workers of the original are no workers here.
  await db.query('delete from bridge.worker')
  if (how === 'fresh') await dropState(db)
  else {
    await db.query('update bridge.outbox set xid = pg_current_xact_id()')
    await db.query('update bridge.message set xid = pg_current_xact_id()')
  }
}

async function dropState(db: Db): Promise<void> {
  await db.query('update bridge.installation set id = gen_random_uuid()')
  for (const table of [
    'outbox',
    'message',
    'baseline',
    'acknowledged',
    'stock_ledger',
    'stock_count',
    'heard',
    'unmapped',
    'withheld',
    'shadow',
    'backfill',
    'gap',
    'tally',
    'paused',
    'alarm',
  ]) {
    await db.query(`delete from bridge.${table}`)
  }
  await db.query(
    'insert into bridge.tally (last_message) select case when is_called then last_value else 0 end from bridge.message_id_seq',
  )
  // What the fuse counts as not yet collected is gone.
  await db.query(
    `select setval('bridge.pulse_collected_id', greatest(p.last_value, s.last_value))
       from bridge.pulse_collected_id p cross join bridge.outbox_id_seq s`,
  )
  await db.query(`update bridge.seeding set last_id = '0', finished_at = null`)
}
