import pg from 'pg'
import type { StoreFamily } from './stores.ts'

/** A row of the store, as `to_jsonb` gives it. */
export type Row = Readonly<Record<string, unknown>>
/** Table → id → row. */
export type StoreRows = ReadonlyMap<string, ReadonlyMap<string, Row>>

/** One committed change of one row. */
export type Change = Readonly<{
  xid: string
  at: Date
  /** The `application_name` of whoever made it. */
  application: string
  table: string
  old: Row | null
  new: Row | null
}>

export type Audit = Readonly<{
  family: StoreFamily
  /** The store when the audit began: what is announced from then on are differences to this. */
  seed: StoreRows
  /** Every committed change since, and the store as it stands, from one snapshot. */
  read(): Promise<Readonly<{ changes: readonly Change[]; now: StoreRows }>>
  close(): Promise<void>
}>

const CATALOGUE = ['spree_products', 'spree_variants', 'spree_prices', 'spree_stores']
const ORDERS = ['spree_orders', 'spree_line_items', 'spree_payments', 'spree_addresses']

const TABLES: Readonly<Record<StoreFamily, readonly string[]>> = {
  'spree-4.10': [
    ...CATALOGUE,
    'spree_stock_items',
    ...ORDERS,
    'spree_users',
    'spree_shipments',
    'spree_inventory_units',
    'spree_adjustments',
  ],
  'spree-6.0': [
    ...CATALOGUE,
    'spree_stock_levels',
    ...ORDERS,
    'spree_customers',
    'spree_fulfillments',
    'spree_fulfillment_items',
    'spree_deliveries',
  ],
}

/**
 * Puts triggers of its own on the store's tables, row by row, that keep each change as old and new row. They know nothing
 * of the bridge: what they saw is what must have been announced. Start it while nobody writes.
 */
export async function startAudit(url: string, family: StoreFamily): Promise<Audit> {
  const pool = new pg.Pool({ connectionString: url, max: 2, application_name: 'audit' })
  pool.on('error', () => {}) // a server that restarts under an idle connection; the next query gets a new one
  const tables = TABLES[family]
  await pool.query(`
    create schema audit;
    create table audit.change (
      id bigint generated always as identity primary key,
      xid xid8 not null default pg_current_xact_id(),
      at timestamptz not null default clock_timestamp(),
      application text not null default current_setting('application_name'),
      table_name text not null,
      old jsonb,
      new jsonb
    );
    create function audit.record() returns trigger language plpgsql security definer as $record$
    begin
      insert into audit.change (table_name, old, new)
      values (tg_table_name,
              case when tg_op <> 'INSERT' then to_jsonb(old) end,
              case when tg_op <> 'DELETE' then to_jsonb(new) end);
      return null;
    end
    $record$;`)
  for (const table of tables)
    await pool.query(`
      create trigger audit_record after insert or update or delete on public.${table}
      for each row execute function audit.record()`)

  const read = async () => {
    const client = await pool.connect()
    try {
      await client.query('begin isolation level repeatable read read only')
      const changes = await client.query<Change>(
        'select xid::text, at, application, table_name as table, old, new from audit.change order by id',
      )
      const now = new Map<string, ReadonlyMap<string, Row>>()
      for (const table of tables) {
        const { rows } = await client.query<{ id: string; row: Row }>(
          `select id::text, to_jsonb(t) as row from public.${table} t order by t.id`,
        )
        now.set(table, new Map(rows.map(({ id, row }) => [id, row])))
      }
      await client.query('commit')
      return { changes: changes.rows, now }
    } finally {
      client.release()
    }
  }
  const { now: seed } = await read()
  return { family, seed, read, close: () => pool.end() }
}
