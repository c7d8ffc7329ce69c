import { readInstallation } from '../postgres/installation.ts'
import type { Db, Pool } from '../postgres/pool.ts'
import { withShortLocks } from '../postgres/short-locks.ts'
import type { Store, WatchedTable } from '../store/store.ts'
import { captureOf, captureVersion, quoteName, quoteText } from './capture-function.ts'
import { type InstalledFunction, readInstalled } from './installed-triggers.ts'

/** A table whose triggers are not as wanted, and the statements that make them so, for one transaction. */
export type Repair = Readonly<{
  table: string
  statements: readonly string[]
  /** True where the triggers had been in place once: what changed meanwhile was not seen. */
  gap: boolean
}>

/** Whoever installs or removes triggers holds this, so that two do not write the same function at once. */
const CAPTURE_LOCK = `select pg_advisory_xact_lock(x'73706272'::int, hashtext('bridge triggers'))`

/**
 * Compares the triggers that the store's tables have with those they should have (present, enabled, on this very
 * table, calling this very function with this text). Triggers are desired state, not a migration: a table may be
 * dropped and made anew, renamed, restored, or changed by the store's own migrations at any time.
 */
export async function findRepairs(db: Db, store: Store): Promise<Repair[]> {
  const installed = await readInstalled(db)
  const { rows } = await db.query<{ table_name: string }>('select table_name from bridge.watched')
  const seenBefore = new Set(rows.map((row) => row.table_name))
  return [
    ...store.watched.flatMap((watched) =>
      repairOf(store.schema, watched, installed, seenBefore.has(watched.table)),
    ),
    ...strays(store, installed),
  ]
}

/** What a store gets that has nothing of ours yet: for `migrate --dry-run`. */
export function firstInstall(store: Store): Repair[] {
  return store.watched.flatMap((watched) => repairOf(store.schema, watched, [], false))
}

function repairOf(
  schema: string,
  watched: WatchedTable,
  installed: readonly InstalledFunction[],
  seenBefore: boolean,
): Repair[] {
  const { table, kind } = watched
  const wanted = captureOf(schema, watched)
  const own = installed.find(({ name }) => name === wanted.functionName)
  const isHere = (trigger: { schema: string; table: string }) =>
    trigger.schema === schema && trigger.table === table
  // A renamed table brings along the triggers of its old name.
  const foreign = installed.filter(({ name, triggers }) => name !== own?.name && triggers.some(isHere))
  const inPlace =
    own !== undefined &&
    foreign.length === 0 &&
    own.triggers.length > 0 &&
    own.triggers.every((trigger) => isHere(trigger) && trigger.enabled)
  if (inPlace && isNewer(own, wanted.body)) return []

  const sameTriggers =
    inPlace &&
    own.triggers.length === wanted.triggers.length &&
    wanted.triggers.every(({ name }) => own.triggers.some((trigger) => trigger.name === name))
  if (sameTriggers && own.body === wanted.body) return []
  // A changed function text alone leaves nothing unseen: the old one worked until it was replaced.
  if (sameTriggers) return [{ table, statements: [wanted.createFunction], gap: false }]
  return [
    {
      table,
      gap: seenBefore,
      statements: [
        ...foreign.map(({ name }) => dropFunction(name)),
        dropFunction(wanted.functionName),
        wanted.createFunction,
        `revoke all on function bridge.${quoteName(wanted.functionName)}() from public`,
        ...wanted.triggers.map(({ create }) => create),
        `insert into bridge.watched (table_name, kind) values (${quoteText(table)}, ${quoteText(kind)}) on conflict (table_name) do nothing`,
        ...(seenBefore ? [openGap(kind, 'triggers_missing', table)] : []),
      ],
    },
  ]
}

/** Functions of ours that no watched table calls for: their table is gone, or is not watched any more. */
function strays(store: Store, installed: readonly InstalledFunction[]): Repair[] {
  const watched = new Set(store.watched.map(({ table }) => table))
  return installed
    .filter(
      ({ name, body, triggers }) =>
        !store.watched.some((table) => captureOf(store.schema, table).functionName === name) &&
        !triggers.some(({ schema, table }) => schema === store.schema && watched.has(table)) &&
        (captureVersion(body) ?? 0) <= OWN_VERSION,
    )
    .map(({ name, triggers }) => ({
      table: triggers[0]?.table ?? name,
      statements: [dropFunction(name)],
      gap: false,
    }))
}
