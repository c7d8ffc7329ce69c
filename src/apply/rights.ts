import type { Db } from '../postgres/pool.ts'
import type { Store } from '../store/store.ts'
import { type Needed, neededRights } from './needed-rights.ts'

/** What the present role lacks to apply messages. */
export type MissingRights = Readonly<{
  /** Those that cannot be applied, or not always. */
  services: readonly string[]
  /** GRANT statements, to be run by the owner of the store's tables. */
  grants: readonly string[]
}>

type Missing = Readonly<{ service: string; object: string; privilege: string; role: string }>

/**
 * Asks the server for each right that the services need, to the table, and for the sequences from which ids are drawn. What
 * reading the store needs besides is told by `missingGrants`. By oid, since a name cannot be looked up without usage on its
 * schema.
 */
export async function missingWriteGrants(
  db: Db,
  store: Pick<Store, 'schema' | 'family' | 'columns'>,
  needed: readonly Needed[] = neededRights(store),
): Promise<MissingRights> {
  const { rows } = await db.query<Missing>(
    `with needed as (
       select n.service, n.privilege, c.oid, c.relname
         from unnest($2::text[], $3::text[], $4::text[]) n (service, name, privilege)
         join pg_catalog.pg_class c on c.relname = n.name
        where c.relnamespace = (select oid from pg_catalog.pg_namespace where nspname = $1)
     )
     select service, format('%I.%I', $1, relname) as object, privilege, format('%I', current_user) as role
       from needed
      where not has_table_privilege(oid, privilege)
      union all
     select n.service, format('sequence %I.%I', $1, s.relname), 'usage', format('%I', current_user)
       from needed n
       join pg_catalog.pg_depend d on d.refobjid = n.oid and d.classid = 'pg_catalog.pg_class'::regclass
       join pg_catalog.pg_class s on s.oid = d.objid
      where n.privilege = 'insert'
        and case s.relkind when 'S' then not has_sequence_privilege(s.oid, 'usage') end`,
    [
      store.schema,
      needed.map(({ service }) => service),
      needed.map(({ table }) => table),
      needed.map(({ privilege }) => privilege),
    ],
  )
  const privileges = new Map<string, Set<string>>()
  for (const { object, privilege } of rows)
    privileges.set(object, (privileges.get(object) ?? new Set()).add(privilege))
  return {
    services: [...new Set(rows.map(({ service }) => service))],
    grants: [...privileges]
      .sort(([one], [other]) => one.localeCompare(other))
      .map(([object, lacks]) => `grant ${inOrder(lacks)} on ${object} to ${rows[0]?.role};`),
  }
}

function inOrder(privileges: ReadonlySet<string>): string {
  return ['select', 'insert', 'update', 'delete', 'usage'].filter((one) => privileges.has(one)).join(', ')
}
