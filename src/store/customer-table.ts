import type { Db } from '../postgres/pool.ts'
import { quoteName } from './json-sql.ts'

/** Tables of Spree's own, and what a shop calls its own; the surest first. */
const KNOWN_NAMES = ['spree_customers', 'spree_users', 'users', 'customers', 'accounts']
const ORDERS_LOOKED_AT = 1_000

/**
 * The table of those who have accounts, to which orders point: Spree lets a shop bring its own, while `spree_users` stays
 * behind, empty or with its staff. A foreign key tells; else the latest orders do, by the e-mail address of whom they point
 * at; else there being anybody in it. Undefined where there is none with an integer key and an e-mail address.
 */
export async function findCustomerTable(db: Db, schema: string): Promise<string | undefined> {
  const { rows: candidates } = await db.query<{
    name: string
    owner_column: string | null
    referenced: boolean
    readable: boolean
  }>(
    `with shop as (select oid from pg_catalog.pg_namespace where nspname = $1),
          orders as (
            select c.oid,
                   (select a.attname
                      from pg_catalog.pg_attribute a
                     where a.attrelid = c.oid and a.attname in ('customer_id', 'user_id') and a.atttypid in (20, 21, 23)
                     order by a.attname
                     limit 1) as owner_column
              from pg_catalog.pg_class c
              join shop on shop.oid = c.relnamespace
             where c.relname = 'spree_orders'),
          people as (
            select c.oid, c.relname, o.owner_column, o.oid as orders,
                   exists (select from pg_catalog.pg_constraint f
                             join pg_catalog.pg_attribute a on a.attrelid = o.oid and a.attnum = any(f.conkey)
                            where f.contype = 'f' and f.conrelid = o.oid and f.confrelid = c.oid
                              and a.attname = o.owner_column) as referenced
              from pg_catalog.pg_class c
              join shop on shop.oid = c.relnamespace
              left join orders o on true
             where c.relkind in ('r', 'p'))
     select p.relname as name, p.owner_column, p.referenced,
            has_schema_privilege($1, 'usage') and has_table_privilege(p.oid, 'select')
              and has_table_privilege(p.orders, 'select') as readable
       from people p
      where (p.referenced or p.relname = any($2::text[]))
        and exists (select from pg_catalog.pg_attribute a
                     where a.attrelid = p.oid and a.attname = 'id' and a.atttypid in (20, 21, 23))
        and exists (select from pg_catalog.pg_attribute a
                     where a.attrelid = p.oid and a.attname = 'email' and not a.attisdropped)
      order by p.referenced desc, array_position($2::text[], p.relname::text)`,
    [schema, KNOWN_NAMES],
  )
  const [first, ...others] = candidates
  if (!first || first.referenced || others.length === 0 || !first.owner_column) return first?.name
  const readable = candidates.filter((candidate) => candidate.readable)
  if (readable.length < candidates.length) return first.name
  const { rows } = await db.query<{ name: string }>(
    `with recent as materialized (
       select ${quoteName(first.owner_column)} as owner, email
         from ${quoteName(schema)}.spree_orders
        order by id desc
        limit ${ORDERS_LOOKED_AT})
     select name
       from (${candidates
         .map(
           ({ name }, position) => `
         select ${position} as position, '${name}' as name,
                (select count(*)
                   from recent r
                   join ${quoteName(schema)}.${quoteName(name)} u on u.id = r.owner and lower(u.email) = lower(r.email)) as orders,
                exists (select from ${quoteName(schema)}.${quoteName(name)}) as inhabited`,
         )
         .join('\n          union all')}) candidate
      order by orders desc, inhabited desc, position
      limit 1`,
  )
  return rows[0]?.name
}
