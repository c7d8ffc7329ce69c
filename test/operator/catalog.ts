import type { Pool } from '../../src/postgres/pool.ts'

/** Everything that the catalogs tell of triggers, functions, schemas, tables and rights, as comparable lines. */
export async function readCatalog(pool: Pool): Promise<string[]> {
  const { rows } = await pool.query<{ line: string }>(`
    select 'trigger ' || pg_get_triggerdef(oid) || ' ' || tgenabled::text as line from pg_trigger where not tgisinternal
    union all
    select 'function ' || pg_get_functiondef(p.oid) || coalesce(proacl::text, '')
      from pg_proc p join pg_namespace n on n.oid = pronamespace
     where nspname not in ('pg_catalog', 'information_schema') and prokind = 'f'
    union all
    select 'schema ' || nspname || ' ' || coalesce(nspacl::text, '') from pg_namespace where nspname !~ '^pg_'
    union all
    select 'relation ' || nspname || '.' || relname || ' ' || relkind::text || ' ' || coalesce(reloptions::text, '') || ' '
           || coalesce(pg_get_partkeydef(c.oid), '') || ' ' || coalesce(pg_get_expr(relpartbound, c.oid), '') || ' '
           || coalesce(obj_description(c.oid, 'pg_class'), '') || ' ' || coalesce(relacl::text, '')
      from pg_class c join pg_namespace n on n.oid = relnamespace
     where nspname not in ('pg_catalog', 'information_schema') and nspname !~ '^pg_'
    union all
    select 'column ' || nspname || '.' || relname || '.' || attname || ' ' || format_type(atttypid, atttypmod) || ' ' || attnotnull::text
           || ' ' || attidentity::text || coalesce(to_jsonb(a) ->> 'attcompression', '') || ' ' || coalesce(pg_get_expr(adbin, adrelid), '')
      from pg_attribute a
      join pg_class c on c.oid = attrelid
      join pg_namespace n on n.oid = relnamespace
      left join pg_attrdef d on adrelid = attrelid and adnum = attnum
     where nspname not in ('pg_catalog', 'information_schema') and nspname !~ '^pg_' and attnum > 0 and not attisdropped
    union all
    select 'index ' || pg_get_indexdef(indexrelid)
      from pg_index i join pg_class c on c.oid = i.indrelid join pg_namespace n on n.oid = relnamespace
     where nspname not in ('pg_catalog', 'information_schema') and nspname !~ '^pg_'
    union all
    select 'constraint ' || nspname || '.' || relname || ' ' || conname || ' ' || pg_get_constraintdef(k.oid)
      from pg_constraint k join pg_class c on c.oid = conrelid join pg_namespace n on n.oid = relnamespace
    order by 1`)
  return rows.map(({ line }) => line)
}
