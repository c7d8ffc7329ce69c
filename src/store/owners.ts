import type { Columns } from './columns.ts'
import type { Family, OwnerLookup } from './family.ts'
import { quoteName } from './json-sql.ts'

type Owners = Family['owners']

/** A row of `table` names its aggregate in `column`. */
function lookUp(columns: Columns, kind: OwnerLookup['kind'], table: string, column: string): OwnerLookup {
  return {
    kind,
    table,
    sql: `
select id::text as key, ${column}::text as root
  from ${quoteName(columns.schema)}.${table}
 where id = any($1::bigint[])
   and ${column} is not null`,
  }
}

export function productOwners(columns: Columns): Pick<Owners, 'variant'> {
  return { variant: lookUp(columns, 'product', 'spree_variants', 'product_id') }
}

export function orderOwners(
  columns: Columns,
  tables: Readonly<{ shipments: string; returns: string }>,
): Omit<Owners, 'variant'> {
  const schema = quoteName(columns.schema)
  return {
    shipment: lookUp(columns, 'order', tables.shipments, 'order_id'),
    payment: lookUp(columns, 'order', 'spree_payments', 'order_id'),
    return: lookUp(columns, 'order', tables.returns, 'order_id'),
    address: {
      kind: 'order',
      table: null,
      sql: `
select bill_address_id::text as key, id::text as root
  from ${schema}.spree_orders
 where bill_address_id = any($1::bigint[])
   and completed_at is not null
 union
select ship_address_id::text, id::text
  from ${schema}.spree_orders
 where ship_address_id = any($1::bigint[])
   and completed_at is not null`,
    },
    card: {
      kind: 'order',
      table: null,
      sql: `
select distinct source_id::text as key, order_id::text as root
  from ${schema}.spree_payments
 where source_type = 'Spree::CreditCard'
   and source_id = any($1::bigint[])
   and order_id is not null`,
    },
  }
}
