import type { Db } from '../postgres/pool.ts'
import type { Store } from '../store/store.ts'

/**
 * The GRANT statements, to be run by the owner of the store's database, that the present role lacks for `migrate`:
 * a schema of our own in this database, triggers on the watched tables, reading what the messages show. Empty: all there.
 */
export async function missingGrants(db: Db, store: Store): Promise<string[]> {
  const { rows } = await db.query<{ grant: string }>(
    `with me as (select quote_ident(current_user) as role),
          wanted as (select t.name, t.watched, quote_ident($1) || '.' || quote_ident(t.name) as full_name
                       from unnest($2::text[], $3::boolean[]) t (name, watched))
     select format('grant create on database %I to %s;', current_database(), role) as grant
       from me
      where to_regnamespace('bridge') is null
        and not has_database_privilege(current_database(), 'create')
      union all
     select format('grant create on schema bridge to %s;', role)
       from me
      where to_regnamespace('bridge') is not null and not has_schema_privilege('bridge', 'create')
      union all
     select format('grant usage on schema %I to %s;', $1, role)
       from me
      where not has_schema_privilege($1, 'usage')
      union all
     select format('grant %s on %s to %s;',
                   concat_ws(', ', case when not has_table_privilege(full_name, 'select') then 'select' end,
                                   case when watched and not has_table_privilege(full_name, 'trigger') then 'trigger' end),
                   full_name, role)
       from me cross join wanted
      where not has_table_privilege(full_name, 'select')
         or (watched and not has_table_privilege(full_name, 'trigger'))`,
    [
      store.schema,
      [...new Set([...store.watched.map(({ table }) => table), ...store.tables])],
      [...new Set([...store.watched.map(({ table }) => table), ...store.tables])].map((table) =>
        store.watched.some((watched) => watched.table === table),
      ),
    ],
  )
  return rows.map((row) => row.grant)
}
