import { setTimeout as pause } from 'node:timers/promises'

import { isTransient } from '../postgres/errors.ts'
import type { Db, Pool } from '../postgres/pool.ts'
import { inTransaction } from '../postgres/transaction.ts'
import type { Store, WatchedTable } from '../store/store.ts'
import { type Capture, captureOf } from './capture-function.ts'

/** A table whose triggers are not as wanted, and the statements that make them so. */
export type Repair = Readonly<{
  watched: WatchedTable
  statements: readonly string[]
  /** True where the triggers had been in place once: what changed meanwhile was not seen. */
  gap: boolean
}>

type Installed = Readonly<{ body: string; triggers: ReadonlyMap<string, boolean> }>

/**
 * Compares the triggers that the store's tables have with those they should have (present, enabled, on this very
 * table, calling this very function with this text). Triggers are desired state, not a migration: a table may be
 * dropped and made anew, restored, or changed by the store's own migrations at any time.
 */
export async function findRepairs(db: Db, store: Store): Promise<Repair[]> {
  const installed = await readInstalled(db, store.schema)
  const { rows } = await db.query<{ table_name: string }>('select table_name from bridge.watched')
  const seenBefore = new Set(rows.map((row) => row.table_name))
  return store.watched.flatMap((watched) => {
    const statements = repairStatements(captureOf(store.schema, watched), installed.get(watched.table))
    if (statements.length === 0) return []
    // A changed function text alone leaves nothing unseen: the old one worked until it was replaced.
    const gap = seenBefore.has(watched.table) && statements.length > 1
    return [{ watched, statements, gap }]
  })
}

/** The statements that install everything on a store that has nothing yet: for `migrate --dry-run`. */
export function installStatements(store: Store): string[] {
  return store.watched.flatMap((watched) => repairStatements(captureOf(store.schema, watched), undefined))
}

function repairStatements(wanted: Capture, installed: Installed | undefined): string[] {
  const inPlace =
    installed !== undefined && wanted.triggers.every(({ name }) => installed.triggers.get(name) === true)
  if (inPlace && installed.body === wanted.body) return []
  if (inPlace) return [wanted.createFunction]
  return [
    `drop function if exists bridge."${wanted.functionName}"() cascade`,
    wanted.createFunction,
    `revoke all on function bridge."${wanted.functionName}"() from public`,
    ...wanted.triggers.map(({ create }) => create),
  ]
}

async function readInstalled(db: Db, schema: string): Promise<ReadonlyMap<string, Installed>> {
  const { rows } = await db.query<{ table_name: string; body: string; triggers: Record<string, boolean> }>(
    `select c.relname as table_name,
            p.prosrc as body,
            json_object_agg(t.tgname, t.tgenabled in ('O', 'A')) as triggers
       from pg_trigger t
       join pg_class c on c.oid = t.tgrelid
       join pg_namespace s on s.oid = c.relnamespace
       join pg_proc p on p.oid = t.tgfoid
       join pg_namespace b on b.oid = p.pronamespace
      where s.nspname = $1
        and b.nspname = 'bridge'
        and p.proname = 'capture_' || c.relname
      group by c.relname, p.prosrc`,
    [schema],
  )
  return new Map(
    rows.map((row) => [row.table_name, { body: row.body, triggers: new Map(Object.entries(row.triggers)) }]),
  )
}

/**
 * Makes each repair in a transaction of its own, never two tables at once, waiting at most 200 ms for the table's lock
 * (writers queue behind us while we wait), with jittered repeats. Where changes went unseen a gap is recorded with it.
 */
export async function applyRepairs(pool: Pool, repairs: readonly Repair[]): Promise<void> {
  for (const { watched, statements, gap } of repairs) {
    await patiently(() =>
      inTransaction(pool, async (db) => {
        await db.query(`set local lock_timeout = '200ms'`)
        for (const statement of statements) await db.query(statement)
        await db.query(
          `insert into bridge.watched (table_name, kind) values ($1, $2) on conflict (table_name) do nothing`,
          [watched.table, watched.kind],
        )
        if (gap) await recordGap(db, watched.kind, 'triggers_missing', watched.table)
      }),
    )
  }
}

/**
 * Removes every trigger of ours from the store, table by table, by dropping its function: the only way open to a role
 * that owns the function but not the table, and the quick one. Changes from now on are a gap in every kind.
 */
export async function removeCapture(pool: Pool): Promise<string[]> {
  const { rows } = await pool.query<{ name: string; table_name: string }>(
    `select p.proname as name, substr(p.proname, length('capture_') + 1) as table_name
       from pg_proc p
       join pg_namespace b on b.oid = p.pronamespace
      where b.nspname = 'bridge' and p.proname like 'capture\\_%'
      order by 1`,
  )
  for (const { name, table_name } of rows) {
    await patiently(() =>
      inTransaction(pool, async (db) => {
        await db.query(`set local lock_timeout = '200ms'`)
        await db.query(`drop function if exists bridge."${name.replaceAll('"', '""')}"() cascade`)
        await db.query(
          `with removed as (delete from bridge.watched where table_name = $1 returning kind, table_name)
           insert into bridge.gap (kind, reason, table_name) select kind, 'uninstalled', table_name from removed`,
          [table_name],
        )
      }),
    )
  }
  return rows.map((row) => row.table_name)
}

/** Drops the schema with all it holds; `removeCapture` comes first, else every table of the store is locked at once. */
export async function purgeSchema(pool: Pool): Promise<void> {
  await patiently(() =>
    inTransaction(pool, async (db) => {
      await db.query(`set local lock_timeout = '200ms'`)
      await db.query('drop schema if exists bridge cascade')
    }),
  )
}

export async function recordGap(db: Db, kind: string, reason: string, table: string): Promise<void> {
  await db.query(
    `insert into bridge.gap (kind, reason, table_name)
     select $1, $2, $3
      where not exists (select from bridge.gap where kind = $1 and reason = $2 and table_name = $3 and closed_at is null)`,
    [kind, reason, table],
  )
}

async function patiently(work: () => Promise<void>): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work()
    } catch (error) {
      if (attempt >= 200 || !isTransient(error)) throw error
      await pause(50 + Math.random() * 250)
    }
  }
}
