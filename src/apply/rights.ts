import type { Db } from '../postgres/pool.ts'
import type { Store } from '../store/store.ts'

/** What messages write besides the tables that are watched, where the store has them. */
const WRITTEN_BESIDES = [
  'friendly_id_slugs',
  'spree_log_entries',
  'spree_number_sequences',
  'spree_payment_capture_events',
  'spree_state_changes',
  'spree_stock_movements',
]

/**
 * The GRANT statements that the present role lacks to apply messages, to be run by the owner of the store's database. What
 * a message touches depends on the shop (categories, stores, histories of slugs and prices), so it needs what the shop's
 * own role may do. Empty: it may write all that messages write, and draw the ids.
 */
export async function missingWriteGrants(
  db: Db,
  store: Pick<Store, 'schema' | 'watched' | 'columns'>,
): Promise<string[]> {
  const besides = WRITTEN_BESIDES.filter((table) => store.columns.has(table))
  const { rows } = await db.query<{ grant: string }>(
    `with shop as (
       select c.oid, c.relkind
         from pg_catalog.pg_class c
         join pg_catalog.pg_namespace n on n.oid = c.relnamespace
        where n.nspname = $1
          and (c.relname = any($2::text[])
               or c.oid in (select pg_get_serial_sequence(format('%I.%I', $1::text, t.name), 'id')::regclass
                              from unnest($3::text[]) t (name)
                             where has_table_privilege(format('%I.%I', $1::text, t.name), 'select')))
     )
     select format('grant select, insert, update, delete on all tables in schema %I to %I;', $1::text, current_user) as grant
      where exists (select from shop
                     where relkind <> 'S'
                       and not (has_table_privilege(oid, 'select')
                                and has_table_privilege(oid, 'insert')
                                and has_table_privilege(oid, 'update')))
      union all
     select format('grant usage on all sequences in schema %I to %I;', $1::text, current_user)
      where exists (select from shop where case relkind when 'S' then not has_sequence_privilege(oid, 'usage') end)`,
    [
      store.schema,
      [...store.watched.map(({ table }) => table), ...besides],
      [...store.watched.filter(({ id }) => id === 'id').map(({ table }) => table), ...besides],
    ],
  )
  return rows.map((row) => row.grant)
}
