import type { Db } from '../postgres/pool.ts'
import { findCustomerTable } from './customer-table.ts'

/**
 * The tables and columns that a store has. Versions lie (upgraded stores keep leftovers, extensions add columns),
 * so whatever depends on a column asks here for that column.
 */
export type Columns = Readonly<{
  schema: string
  /** In the order of the table; empty where there is no such table. */
  of(table: string): readonly string[]
  has(table: string, column?: string): boolean
  isNullable(table: string, column: string): boolean
  /** As PostgreSQL names it, e.g. `bigint`. */
  typeOf(table: string, column: string): string | undefined
  /** The table of those who have accounts; undefined where the store has none that we can read. */
  customers: string | undefined
}>

/**
 * The schema of the search path in which the store is, else the first. Never our own, which a role named `bridge` has first
 * in its path; none that the role may not use is in the path, hence the fallback.
 */
export async function findStoreSchema(db: Db): Promise<string> {
  const { rows } = await db.query<{ schema: string }>(
    `select coalesce(
              (select s.name
                 from unnest(current_schemas(false)) with ordinality s (name, position)
                where s.name <> 'bridge'
                order by to_regclass(quote_ident(s.name) || '.spree_products') is null, s.position
                limit 1),
              'public') as schema`,
  )
  return rows[0]?.schema ?? 'public'
}

/** Reads the schema of the store. `others`: tables besides Spree's; `known`: the table of the customers, where it was found before. */
export async function readColumns(
  db: Db,
  others: readonly string[] = [],
  known?: string | undefined,
): Promise<Columns> {
  const schema = await findStoreSchema(db)
  const customers = known ?? (await findCustomerTable(db, schema))
  const { rows } = await db.query<{
    table_name: string
    column_name: string
    nullable: boolean
    type: string
  }>(
    `select c.relname as table_name, a.attname as column_name, not a.attnotnull as nullable,
            format_type(a.atttypid, null) as type
       from pg_catalog.pg_namespace n
       join pg_catalog.pg_class c on c.relnamespace = n.oid
       join pg_catalog.pg_attribute a on a.attrelid = c.oid
      where n.nspname = $1
        and c.relkind in ('r', 'p')
        and (c.relname ~ '^(spree_|friendly_id_|active_storage_)' or c.relname = any($2::text[]))
        and a.attnum > 0
        and not a.attisdropped
      order by c.relname, a.attnum`,
    [schema, [...others, ...(customers ? [customers] : [])]],
  )
  const tables = new Map<string, Map<string, Readonly<{ nullable: boolean; type: string }>>>()
  for (const row of rows) {
    const columns = tables.get(row.table_name) ?? new Map()
    tables.set(row.table_name, columns.set(row.column_name, row))
  }
  return {
    schema,
    customers,
    of: (table) => [...(tables.get(table)?.keys() ?? [])],
    has: (table, column) =>
      column === undefined ? tables.has(table) : (tables.get(table)?.has(column) ?? false),
    isNullable: (table, column) => tables.get(table)?.get(column)?.nullable ?? true,
    typeOf: (table, column) => tables.get(table)?.get(column)?.type,
  }
}
