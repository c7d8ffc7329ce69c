import { readInstallation } from '../postgres/installation.ts'
import type { Db, Pool } from '../postgres/pool.ts'
import { type Locking, withShortLocks } from '../postgres/short-locks.ts'
import type { Store, WatchedTable } from '../store/store.ts'
import { captureOf, isNewerCapture, quoteName, quoteText } from './capture-function.ts'

/** A table whose triggers are not as wanted, and the statements that make them so, for one transaction. */
export type Repair = Readonly<{
  table: string
  statements: readonly string[]
  /** True where changes go unseen at present. */
  unseen: boolean
  /** True where the triggers had been in place once: what changed meanwhile was not seen. */
  gap: boolean
}>

/** A trigger function of ours, with the triggers that call it, on whatever table they are. */
type Installed = Readonly<{ name: string; body: string; triggers: readonly Trigger[] }>
type Trigger = Readonly<{ schema: string; table: string; name: string; enabled: boolean }>

/** Whoever installs or removes triggers holds this, so that two do not write the same function at once. */
const CAPTURE_LOCK = `select pg_advisory_xact_lock(x'73706272'::int, hashtext('bridge triggers'))`

/**
 * Compares the triggers that the store's tables have with those they should have (present, enabled, on this very
 * table, calling this very function with this text). Triggers are desired state, not a migration: a table may be
 * dropped and made anew, renamed, restored, or changed by the store's own migrations at any time. With `only`, of that
 * table alone.
 */
export async function findRepairs(db: Db, store: Store, only?: string): Promise<Repair[]> {
  const isMeant = ({ table }: Readonly<{ table: string }>) => only === undefined || table === only
  const installed = await readInstalled(db, only)
  const { rows } = await db.query<{ table_name: string }>('select table_name from bridge.watched')
  const seenBefore = new Set(rows.map((row) => row.table_name))
  return [
    ...store.watched
      .filter(isMeant)
      .flatMap((watched) => repairOf(store.schema, watched, installed, seenBefore.has(watched.table))),
    ...removals(store, installed).filter(isMeant),
  ]
}

/** What a store gets that has nothing of ours yet: for `migrate --dry-run`. */
export function firstInstall(store: Store): Repair[] {
  return store.watched.flatMap((watched) => repairOf(store.schema, watched, [], false))
}

function repairOf(
  schema: string,
  watched: WatchedTable,
  installed: readonly Installed[],
  seenBefore: boolean,
): Repair[] {
  const { table, kind } = watched
  const wanted = captureOf(schema, watched)
  const isHere = (trigger: Trigger) => trigger.schema === schema && trigger.table === table
  const own = installed.find(({ name }) => name === wanted.functionName)
  // A renamed table brings along the triggers of its old name.
  const foreign = installed.filter(({ name, triggers }) => name !== own?.name && triggers.some(isHere))
  const working =
    own !== undefined &&
    own.triggers.length > 0 &&
    own.triggers.every((trigger) => isHere(trigger) && trigger.enabled)
  if (working && isNewerCapture(own.body)) return []
  const inPlace =
    working &&
    foreign.length === 0 &&
    own.triggers.length === wanted.triggers.length &&
    wanted.triggers.every(({ name }) => own.triggers.some((trigger) => trigger.name === name))
  if (inPlace && own.body === wanted.body) return []
  // A changed function text alone leaves nothing unseen: the old one worked until it was replaced.
  if (inPlace) return [{ table, statements: [wanted.createFunction], unseen: false, gap: false }]
  const statements = [
    ...[...foreign, ...(own ? [own] : [])].map(({ name }) => dropFunction(name)),
    wanted.createFunction,
    `revoke all on function bridge.${quoteName(wanted.functionName)}() from public`,
    ...wanted.triggers.map(({ create }) => create),
    `insert into bridge.watched (table_name, kind)
values (${quoteText(table)}, ${quoteText(kind)})
on conflict (table_name) do nothing`,
  ]
  if (!seenBefore) return [{ table, statements, unseen: true, gap: false }]
  return [
    { table, statements: [...statements, openGap(kind, 'triggers_missing', table)], unseen: true, gap: true },
  ]
}

/** Functions of ours that no watched table calls for: their table is gone, or is not watched any more. */
function removals(store: Store, installed: readonly Installed[]): Repair[] {
  const watched = new Set(store.watched.map(({ table }) => table))
  return installed
    .filter(({ name, body, triggers }) => {
      const isWanted = watched.has(name.slice(FUNCTION_PREFIX.length))
      const isReplaced = triggers.some(({ schema, table }) => schema === store.schema && watched.has(table))
      return !isWanted && !isReplaced && !isNewerCapture(body)
    })
    .map(({ name }) => ({
      table: name.slice(FUNCTION_PREFIX.length),
      statements: [dropFunction(name)],
      unseen: false,
      gap: false,
    }))
}

const FUNCTION_PREFIX = 'capture_'

/** With `only`: the function of that table, and those that tables of that name call. */
async function readInstalled(db: Db, only?: string): Promise<Installed[]> {
  const { rows } = await db.query<{ name: string; body: string; triggers: Trigger[] }>(
    `select p.proname as name,
            p.prosrc as body,
            coalesce(
              json_agg(json_build_object('schema', s.nspname, 'table', c.relname, 'name', t.tgname,
                                         'enabled', t.tgenabled in ('O', 'A')))
                filter (where t.oid is not null),
              '[]') as triggers
       from pg_catalog.pg_proc p
       join pg_catalog.pg_namespace b on b.oid = p.pronamespace
       left join pg_catalog.pg_trigger t on t.tgfoid = p.oid
       left join pg_catalog.pg_class c on c.oid = t.tgrelid
       left join pg_catalog.pg_namespace s on s.oid = c.relnamespace
      where b.nspname = 'bridge'
        and p.proname like 'capture\\_%'
      group by p.oid, p.proname, p.prosrc
     having $1::text is null or p.proname = 'capture_' || $1 or $1 = any(array_agg(c.relname))
      order by p.proname`,
    [only ?? null],
  )
  return rows
}

function dropFunction(name: string): string {
  return `drop function if exists bridge.${quoteName(name)}() cascade`
}

/** One open gap for each cause is enough, however often it happens before somebody reconciles. */
function openGap(kind: string, reason: string, table: string): string {
  const [k, r, t] = [kind, reason, table].map(quoteText)
  return `insert into bridge.gap (kind, reason, table_name)
select ${k}, ${r}, ${t}
 where not exists (select from bridge.gap where kind = ${k} and reason = ${r} and table_name = ${t} and closed_at is null)`
}

/** Forgets a table that is watched no more, and notes the gap that begins. */
function unwatch(table: string): string {
  const t = quoteText(table)
  return `with freed as (delete from bridge.watched where table_name = ${t} returning kind)
insert into bridge.gap (kind, reason, table_name)
select kind, 'uninstalled', ${t}
  from freed
 where not exists (
   select from bridge.gap g
    where g.kind = freed.kind and g.reason = 'uninstalled' and g.table_name = ${t} and g.closed_at is null)`
}

/**
 * Makes every table's triggers as they should be, each table in a transaction of its own, never two at once. One that
 * stays locked does not keep the others from their repair. Returns what was done.
 * @throws DatabaseError `locked` after all others are done.
 */
export async function repairTriggers(pool: Pool, store: Store, attempts: number): Promise<Repair[]> {
  const done: Repair[] = []
  const failures: unknown[] = []
  for (const { table } of await findRepairs(pool, store)) {
    try {
      done.push(...(await withShortLocks(pool, `Table ${table}`, attempts, (db) => repair(db, store, table))))
    } catch (error) {
      failures.push(error)
    }
  }
  if (failures.length > 0) throw failures[0]
  return done
}

/** Looks again under the lock: another process may have been quicker, or somebody uninstalls. */
async function repair(db: Db, store: Store, table: string): Promise<Locking<Repair[]>> {
  await db.query(CAPTURE_LOCK)
  if ((await readInstallation(db))?.installed === false) return { statements: [], result: [] }
  const repairs = await findRepairs(db, store, table)
  return { statements: repairs.flatMap(({ statements }) => statements), result: repairs }
}

/**
 * Removes every trigger of ours from the store, table by table, by dropping its function: the only way open to a role
 * that owns the function but not the table, and the quick one. Changes from now on are a gap in every kind.
 * Workers that still run find the mark and do not put the triggers back. Returns the tables freed.
 */
export async function removeCapture(pool: Pool, attempts: number): Promise<string[]> {
  await withShortLocks(pool, 'Schema bridge', attempts, async () => ({
    statements: [CAPTURE_LOCK, 'update bridge.installation set installed = false'],
    result: undefined,
  }))
  const installed = await readInstalled(pool)
  for (const { name } of installed) {
    const table = name.slice(FUNCTION_PREFIX.length)
    await withShortLocks(pool, `Table ${table}`, attempts, async () => ({
      statements: [CAPTURE_LOCK, dropFunction(name), unwatch(table)],
      result: undefined,
    }))
  }
  return installed.map(({ name }) => name.slice(FUNCTION_PREFIX.length))
}

/** Drops the schema with all it holds; `removeCapture` comes first, else every table of the store is locked at once. */
export async function purgeSchema(pool: Pool, attempts: number): Promise<void> {
  await withShortLocks(pool, 'Schema bridge', attempts, async () => ({
    statements: ['drop schema if exists bridge cascade'],
    result: undefined,
  }))
}
