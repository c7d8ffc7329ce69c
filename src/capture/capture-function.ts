import type { WatchedTable } from '../store/store.ts'

/** What one watched table gets: a function of its own (dropping it takes the triggers along) and a trigger per event. */
export type Capture = Readonly<{
  /** Name within schema `bridge`. */
  functionName: string
  /** The text between the dollar quotes, as pg_proc.prosrc keeps it. */
  body: string
  createFunction: string
  triggers: readonly Readonly<{ name: string; create: string }>[]
}>

/**
 * Raised with every change of the text below. Of two releases that run side by side during a deploy the older one leaves
 * the newer one's functions alone, or the two would replace them in turns.
 */
const CAPTURE_VERSION = 1

const EVENTS = [
  { name: 'bridge_insert', operation: 'insert', referencing: 'referencing new table as n' },
  { name: 'bridge_update', operation: 'update', referencing: 'referencing old table as o new table as n' },
  { name: 'bridge_delete', operation: 'delete', referencing: 'referencing old table as o' },
] as const

/** Kinds whose later state tells all; when the fuse blows they go first, history (stock deltas, orders) last. */
export const FUSE_FACTOR = { product: 1, stock: 2, order: 2 } as const

/**
 * The trigger function and triggers of one table. Pure: the same table always gives the same text, so that the
 * installed text can be compared with the wanted one.
 *
 * The store's statement must not fail, whatever later happens to its columns. Hence:
 * - columns are read unqualified inside a lateral sub-select over the transition table, with a row of nulls of the same
 *   names (`absent`) in the scope outside: a column dropped since is then null instead of an error;
 * - rows are compared by `*<>`, the binary image, which every type has (json has no `=`);
 * - nothing is upserted, no unique key, no exception block (a subtransaction per statement overflows at 64).
 */
export function captureOf(schema: string, watched: WatchedTable): Capture {
  const functionName = `capture_${watched.table}`
  const body = functionBody(watched)
  const table = `${quoteName(schema)}.${quoteName(watched.table)}`
  const execute = `execute function bridge.${quoteName(functionName)}()`
  return {
    functionName,
    body,
    createFunction: `create or replace function bridge.${quoteName(functionName)}() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $capture$${body}$capture$`,
    triggers: [
      ...EVENTS.filter((event) => watched.operations.includes(event.operation)).map((event) => ({
        name: event.name,
        create: `create trigger ${event.name} after ${event.operation} on ${table}
${event.referencing} for each statement ${execute}`,
      })),
      {
        name: 'bridge_truncate',
        create: `create trigger bridge_truncate after truncate on ${table} for each statement ${execute}`,
      },
    ],
  }
}

/** True where a later release than this one wrote the function. */
export function isNewerCapture(body: string): boolean {
  return Number(/^-- capture version (\d+)$/m.exec(body)?.[1] ?? 0) > CAPTURE_VERSION
}

function functionBody(watched: WatchedTable): string {
  const kind = quoteText(watched.kind)
  const table = quoteText(watched.table)
  return `
#variable_conflict use_column
-- capture version ${CAPTURE_VERSION}
declare
  collector_asleep boolean;
  fuse_blown boolean;
begin
  if tg_op = 'TRUNCATE' then
    insert into bridge.gap (kind, reason, table_name) values (${kind}, 'truncate', ${table});
    return null;
  elsif tg_op = 'DELETE' then
    if not exists (select from o) then return null; end if;
  else
    if not exists (select from n) then return null; end if;
  end if;

  select p.asleep, s.last_value - p.collected_id > p.fuse_rows * ${FUSE_FACTOR[watched.kind]}
    into collector_asleep, fuse_blown
    from bridge.pulse p cross join bridge.outbox_id_seq s;
  if fuse_blown then
    insert into bridge.gap (kind, reason, table_name)
    select ${kind}, 'fuse', ${table}
     where not exists (select from bridge.gap g where g.kind = ${kind} and g.reason = 'fuse' and g.closed_at is null);
    return null;
  end if;

  if tg_op = 'INSERT' then
    insert into bridge.outbox (kind, table_name, row_id, op, parent, parent_old, delta, origin)
    select ${kind}, ${table}, changed.*, nullif(current_setting('bridge.origin', true), '')
      from ${absent(watched)}
     cross join lateral (${insertedRows(watched)}) changed;
  elsif tg_op = 'UPDATE' then
    insert into bridge.outbox (kind, table_name, row_id, op, parent, parent_old, delta, origin)
    select ${kind}, ${table}, changed.*, nullif(current_setting('bridge.origin', true), '')
      from ${absent(watched)}
     cross join lateral (${updatedRows(watched)}) changed;
  else
    insert into bridge.outbox (kind, table_name, row_id, op, parent, parent_old, delta, origin)
    select ${kind}, ${table}, changed.*, nullif(current_setting('bridge.origin', true), '')
      from ${absent(watched)}
     cross join lateral (${deletedRows(watched)}) changed;
  end if;

  if found and collector_asleep then
    perform pg_notify('bridge_outbox', '');
  end if;
  return null;
end
`
}

/** The outer scope: every column that the function reads, as null. */
function absent(watched: WatchedTable): string {
  const names = new Set([watched.id, ...watched.columns])
  for (const name of [watched.parent, watched.placed, watched.level?.count, watched.level?.deleted]) {
    if (name) names.add(name)
  }
  const columns = [...names]
  return `(values (${columns.map(() => 'null::text').join(', ')})) absent (${columns.map(quoteName).join(', ')})`
}

function insertedRows(watched: WatchedTable): string {
  return `
      select row_id, 'insert', parent, null, level
        from (${readRows(watched, 'n')}) new
       where ${watched.placed ? 'placed is not null' : 'true'}`
}

function deletedRows(watched: WatchedTable): string {
  return `
      select row_id, 'delete', null, parent, -level
        from (${readRows(watched, 'o')}) old
       where ${watched.placed ? 'placed is not null' : 'true'}`
}

/**
 * Rows in which something changed. A changed primary key has no partner: it is a delete and an insert.
 * An order that becomes placed enters the watched set: an insert. A stock row that moves to another variant is
 * taken from the one and given to the other.
 */
function updatedRows(watched: WatchedTable): string {
  const pairs = `
        from (${readRows(watched, 'n')}) new
        full join (${readRows(watched, 'o')}) old on old.row_id = new.row_id`
  const changed = `
       where (new.row_id is null or old.row_id is null or new.content operator(pg_catalog.*<>) old.content)`
  if (watched.level) {
    // One row as a rule (part 1); a second one (part 2) takes the pieces from the variant that the row has left.
    return `
      select coalesce(new.row_id, old.row_id), 'update', case part when 1 then new.parent else old.parent end, null,
             case when part = 2 then -old.level
                  when new.parent is not distinct from old.parent then new.level - coalesce(old.level, 0)
                  else new.level end${pairs}
       cross join (values (1), (2)) side (part)${changed}
         and case part when 1 then new.row_id is not null
                    else old.row_id is not null and (new.row_id is null or new.parent is distinct from old.parent) end`
  }
  const op = watched.placed
    ? `case when new.row_id is null then 'delete' when old.placed is null then 'insert' else 'update' end`
    : `case when new.row_id is null then 'delete' when old.row_id is null then 'insert' else 'update' end`
  return `
      select coalesce(new.row_id, old.row_id), ${op}, new.parent, old.parent, null::numeric${pairs}${changed}${
        watched.placed ? '\n         and (new.placed is not null or old.placed is not null)' : ''
      }`
}

/** One side's rows in our words. `level` is what the row adds to the stock of its variant. */
function readRows(watched: WatchedTable, transitionTable: 'n' | 'o'): string {
  const column = (name: string | null) => (name ? `${quoteName(name)}::text` : 'null::text')
  const level = watched.level
    ? `case when ${quoteName(watched.level.deleted)}::text is null
                    then coalesce(${quoteName(watched.level.count)}::text::numeric, 0) else 0 end`
    : 'null::numeric'
  return `
             select ${column(watched.id)} as row_id, ${column(watched.parent)} as parent,
                    ${column(watched.placed)} as placed, ${level} as level,
                    row(${watched.columns.map(quoteName).join(', ')}) as content
               from ${transitionTable}`
}

export function quoteName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

export function quoteText(text: string): string {
  return `'${text.replaceAll("'", "''")}'`
}
