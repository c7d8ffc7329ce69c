import type { Columns } from './columns.ts'
import { quoteName } from './json-sql.ts'

/** Stock by variant id, and of all living variants by product id. `table` holds the levels by place. */
export function stockStatements(
  columns: Columns,
  table: 'spree_stock_items' | 'spree_stock_levels',
): Readonly<{ stock: string; stockOfProducts: string }> {
  const schema = quoteName(columns.schema)
  // A store before 2.1 deletes no stock item softly.
  const deletedAt = columns.has(table, 'deleted_at') ? 'i.deleted_at' : 'null::timestamp'
  const statement = (condition: string) => `
select v.id::text as variant_id,
       v.product_id::text as product_id,
       v.sku,
       v.deleted_at is null and p.deleted_at is null as living,
       ${columns.has('spree_variants', 'created_at') ? 'v.created_at' : 'null::timestamptz'} as created_at,
       s.level,
       s.locations,
       s.levels
  from ${schema}.spree_variants v
  join ${schema}.spree_products p on p.id = v.product_id
 cross join lateral (
   select coalesce(sum(i.count_on_hand) filter (where ${deletedAt} is null), 0)::float8 as level,
          coalesce(json_object_agg(i.id, i.stock_location_id::text), '{}') as locations,
          coalesce(json_agg(json_build_array(i.stock_location_id::text, i.count_on_hand))
                     filter (where ${deletedAt} is null and i.stock_location_id is not null), '[]') as levels
     from ${schema}.${table} i
    where i.variant_id = v.id
 ) s
 where ${condition}`
  return {
    stock: statement('v.id = any($1::bigint[])'),
    stockOfProducts: statement('v.product_id = any($1::bigint[]) and v.deleted_at is null'),
  }
}

/** Rows (id, name, living) of the places where stock is. */
export function stockPlacesStatement(columns: Columns): string {
  const living = columns.has('spree_stock_locations', 'deleted_at') ? 'l.deleted_at is null' : 'true'
  return `
select l.id::text as id, l.name, ${living} as living
  from ${quoteName(columns.schema)}.spree_stock_locations l
 where l.name is not null`
}
