import type { Kind } from '../messages/aggregate.ts'
import { CART, type WatchedTable } from '../store/store.ts'

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
export const FUSE_FACTOR: Readonly<Record<Kind, number>> = {
  product: 1,
  stock: 2,
  order: 2,
  customer: 1,
  stock_transfer: 1,
  cart: 1,
}

/**
 * The trigger function and triggers of one table. Pure: the same table always gives the same text, so that the
 * installed text can be compared with the wanted one.
 *
 * The store's statement must not fail, whatever later happens to its columns. Hence:
 * - columns are read unqualified inside a lateral sub-select over the transition table, with a row of nulls of the same
 *   names (`absent`) in the scope outside: a column dropped since is then null instead of an error;
 * - rows are compared by `*=` and `*<>`, the binary image, which every type has (json has no `=`);
 * - nothing is upserted, no unique key, no exception block (a subtransaction per statement overflows at 64).
 *
 * And it must hardly wait. What a call costs is mostly the setting up of its statements, so each step and node counts:
 * - most statements of a shop touch one row: such a one is compared in one statement and recorded in a second;
 * - every name is qualified, operators too, and what looks `=` up by itself (nullif, case x when, is distinct from) is not
 *   used: a search path of the function's own would cost as much as a statement.
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
language plpgsql security definer
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
  const record = (rows: string, op = 'changed.op') => `
    insert into bridge.outbox (kind, table_name, row_id, op, parent, parent_old, delta, origin)
    select ${kind}, ${table}, changed.row_id, ${op}, changed.parent, changed.parent_old, changed.delta, ${ORIGIN}
      from ${absent(watched)}
     cross join lateral (${rows}) changed;`
  const isFuseBlown = `(${lastValue('outbox_id_seq')} ${MINUS} ${lastValue('pulse_collected_id')})
       operator(pg_catalog.>) (${FUSE_FACTOR[watched.kind]} operator(pg_catalog.*) ${lastValue('pulse_fuse_rows')})`
  return `
#variable_conflict use_column
-- capture version ${CAPTURE_VERSION}
declare
  pairs ${BIGINT};
begin
  if tg_op ${EQUALS} 'UPDATE' then
    -- Each old row beside each new one: no pair that differs is one row as it was, one pair is one row that changed.
    perform
       from ${absent(watched)}
     cross join lateral (${differingPairs(watched)}) differing
     limit 2;
    get diagnostics pairs = row_count;
    if pairs ${EQUALS} 0 then return null; end if;
    if pairs ${EQUALS} 1 and not ${isFuseBlown} then${record(oneUpdatedRow(watched), `changed.op operator(pg_catalog.||) ${NOTIFICATION}`)}
      if found then return null; end if;
    end if;
  elsif tg_op ${EQUALS} 'TRUNCATE' then
    insert into bridge.gap (kind, reason, table_name) values (${kind}, 'truncate', ${table});
    return null;
  end if;

  if ${isFuseBlown} then
    insert into bridge.gap (kind, reason, table_name)
    select ${kind}, 'fuse', ${table}
     where not exists (select from bridge.gap g
                        where g.kind ${EQUALS} ${kind} and g.reason ${EQUALS} 'fuse' and g.closed_at is null);
    return null;
  end if;

  if tg_op ${EQUALS} 'INSERT' then${record(insertedRows(watched))}
  elsif tg_op ${EQUALS} 'UPDATE' then${record(updatedRows(watched))}
  else${record(deletedRows(watched))}
  end if;
  if found and ${IS_ASLEEP} then
    perform ${NOTIFY};
  end if;
  return null;
end
`
}

const TEXT = 'pg_catalog.text'
const BIGINT = 'pg_catalog.int8'
const NUMERIC = 'pg_catalog.numeric'
const EQUALS = 'operator(pg_catalog.=)'
const MINUS = 'operator(pg_catalog.-)'
const OTHER_IMAGE = 'operator(pg_catalog.*<>)'
/** Where the shop itself writes it is null, or after a transaction that set it an empty string. */
const ORIGIN = `pg_catalog.current_setting('bridge.origin', true)`

/** Of a sequence of ours. In an expression by itself, without a plan: a tenth of what reading a row costs. */
function lastValue(sequence: string): string {
  return `pg_catalog.pg_sequence_last_value('bridge.${sequence}')`
}

const IS_ASLEEP = `${lastValue('pulse_asleep')} ${EQUALS} 1`
const NOTIFY = `pg_catalog.pg_notify('bridge_outbox', '')`
/** An empty text that notifies where it is asked for, of each row that is recorded: cheaper than a statement for one. */
const NOTIFICATION = `case when ${IS_ASLEEP} then ${NOTIFY}::${TEXT} else '' end`

/** The outer scope: every column that the function reads, as null. */
function absent(watched: WatchedTable): string {
  const names = new Set([watched.id, ...watched.columns])
  const { parent, cart, placed, level } = watched
  for (const name of [parent, cart, placed, level?.count, level?.deleted]) {
    if (name) names.add(name)
  }
  const columns = [...names]
  return `(values (${columns.map(() => `null::${TEXT}`).join(', ')})) absent (${columns.map(quoteName).join(', ')})`
}

function insertedRows(watched: WatchedTable): string {
  return `
      select key::${TEXT} as row_id, 'insert' as op, parent::${TEXT}, null as parent_old, level as delta
        from (${readRows(watched, 'n')}) new
       where ${onlyPlaced(watched) ? 'placed is not null' : 'true'}`
}

function deletedRows(watched: WatchedTable): string {
  return `
      select key::${TEXT} as row_id, 'delete' as op, null as parent, parent::${TEXT} as parent_old, ${MINUS} level as delta
        from (${readRows(watched, 'o')}) old
       where ${onlyPlaced(watched) ? 'placed is not null' : 'true'}`
}

/** Carts are told only where that is asked for. */
function onlyPlaced({ placed, carts }: WatchedTable): boolean {
  return placed !== null && !carts
}

/**
 * Of a single row the pair of its two versions, if they differ. A pair of two different rows counts always, so that of a bulk
 * update two are found at once: without that, a bulk update of carts would look at every pair there is.
 */
function differingPairs(watched: WatchedTable): string {
  const eitherPlaced = onlyPlaced(watched) ? ' and (new.placed is not null or old.placed is not null)' : ''
  return `
      select
        from (${readRows(watched, 'n')}) new
       cross join (${readRows(watched, 'o')}) old
       where (old.key ${EQUALS} new.key) is not true
          or new.content ${OTHER_IMAGE} old.content${eitherPlaced}`
}

/** Of a statement that changed one row: that row, while it kept its key; else it is for `updatedRows`. */
function oneUpdatedRow(watched: WatchedTable): string {
  const [op, parentOld, delta] = watched.level
    ? [`'update'`, 'null', `new.level ${MINUS} old.level`]
    : [
        watched.placed ? `case when ${isPlacing(watched)} then 'insert' else 'update' end` : `'update'`,
        `old.parent::${TEXT}`,
        `null::${NUMERIC}`,
      ]
  return `
      select new.key::${TEXT} as row_id, ${op} as op, new.parent::${TEXT}, ${parentOld} as parent_old, ${delta} as delta
        from (${readRows(watched, 'n')}) new
       cross join (${readRows(watched, 'o')}) old
       where ${partners(watched)}`
}

/** Of two versions of an order's row: is it placed by this? */
function isPlacing(watched: WatchedTable): string {
  return onlyPlaced(watched) ? 'old.placed is null' : 'old.placed is null and new.placed is not null'
}

/** What makes two rows the same one, before and after. */
function partners(watched: WatchedTable): string {
  const key = `old.key ${EQUALS} new.key`
  return watched.level ? `${key} and old.parent ${EQUALS} new.parent` : key
}

/**
 * Rows in which something changed. A changed primary key has no partner: it is a delete and an insert.
 * An order that becomes placed enters the watched set: an insert. A stock row that moves to another variant has no
 * partner either: its pieces are taken from the one and given to the other.
 */
function updatedRows(watched: WatchedTable): string {
  const pairs = `
        from (${readRows(watched, 'n')}) new
        full join (${readRows(watched, 'o')}) old on ${partners(watched)}
       where (new.key is null or old.key is null or new.content ${OTHER_IMAGE} old.content)`
  if (watched.level) {
    return `
      select coalesce(new.key, old.key)::${TEXT} as row_id, 'update' as op,
             coalesce(new.parent, old.parent)::${TEXT} as parent, null as parent_old,
             coalesce(new.level, 0) ${MINUS} coalesce(old.level, 0) as delta${pairs}`
  }
  const isNew = watched.carts
    ? `old.key is null or (${isPlacing(watched)})`
    : `${watched.placed ? 'old.placed' : 'old.key'} is null`
  const eitherPlaced = onlyPlaced(watched)
    ? '\n         and (new.placed is not null or old.placed is not null)'
    : ''
  return `
      select coalesce(new.key, old.key)::${TEXT} as row_id,
             case when new.key is null then 'delete' when ${isNew} then 'insert' else 'update' end as op,
             new.parent::${TEXT}, old.parent::${TEXT} as parent_old, null::${NUMERIC} as delta${pairs}${eitherPlaced}`
}

/** One side's rows in our words. `level` is what the row adds to the stock of its variant. */
function readRows(watched: WatchedTable, transitionTable: 'n' | 'o'): string {
  const column = (name: string | null) => (name ? quoteName(name) : `null::${TEXT}`)
  const parent = watched.cart
    ? `coalesce(${column(watched.parent)}::${TEXT}, '${CART}' operator(pg_catalog.||) ${column(watched.cart)}::${TEXT})`
    : column(watched.parent)
  const level = watched.level
    ? `case when ${quoteName(watched.level.deleted)} is null
                    then coalesce(${quoteName(watched.level.count)}::${NUMERIC}, 0) else 0 end`
    : `null::${NUMERIC}`
  return `
             select ${column(watched.id)} as key, ${parent} as parent,
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
