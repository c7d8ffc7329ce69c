import type { Db } from '../postgres/pool.ts'
import type { Store } from '../store/store.ts'

/**
 * The GRANT statements that the present role lacks for `migrate`, to be run by the owner of the store's database: a
 * schema of our own (with what another role has made in it), triggers on the watched tables, reading what messages show.
 * Empty: all there. Asks by oid, since a name cannot even be looked up without usage on its schema.
 */
export async function missingGrants(db: Db, store: Store): Promise<string[]> {
  const watched = store.watched.map(({ table }) => table)
  const { rows } = await db.query<{ grant: string }>(
    `with bridge as (select oid from pg_catalog.pg_namespace where nspname = 'bridge'),
          maker as (select c.relowner as oid, r.rolsuper
                      from pg_catalog.pg_class c
                      join bridge on bridge.oid = c.relnamespace
                      join pg_catalog.pg_roles r on r.oid = c.relowner
                     where c.relname = 'schema'),
          shop as (select oid from pg_catalog.pg_namespace where nspname = $1),
          needed as (
            select c.relname,
                   array_remove(array[
                     case when not has_table_privilege(c.oid, 'select') then 'select' end,
                     case when c.relname = any($2::text[]) and not has_table_privilege(c.oid, 'trigger') then 'trigger' end
                   ], null) as privileges
              from pg_catalog.pg_class c
              join shop on shop.oid = c.relnamespace
             where c.relname = any($2::text[] || $3::text[]))
     select format('grant create on database %I to %I;', current_database(), current_user) as grant
      where not exists (select from bridge)
        and not has_database_privilege(current_database(), 'create')
      union all
     select format('grant usage, create on schema bridge to %I;', current_user)
       from bridge
      where not (has_schema_privilege(oid, 'usage') and has_schema_privilege(oid, 'create'))
        and not exists (select from maker)
      union all
     select case when rolsuper
                 then format('-- schema bridge was made by the superuser %I: run this command as that role', pg_get_userbyid(oid))
                 else format('grant %I to %I;', pg_get_userbyid(oid), current_user) end
       from maker
      where not pg_has_role(oid, 'usage')
      union all
     select format('grant usage on schema %I to %I;', $1, current_user)
       from shop
      where not has_schema_privilege(oid, 'usage')
      union all
     select format('grant %s on %I.%I to %I;', array_to_string(privileges, ', '), $1, relname, current_user)
       from needed
      where privileges <> '{}'`,
    [store.schema, watched, store.tables],
  )
  return rows.map((row) => row.grant)
}
