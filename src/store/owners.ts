import { enteredIn } from './address-book.ts'
import { CART, type Carts } from './carts.ts'
import { fieldTables, hasProductImages, mediaTable, optionLinks, taxonTables } from './catalogue-words.ts'
import type { Columns } from './columns.ts'
import type { Family, OwnerLookup } from './family.ts'
import { IMAGE_RECORDS } from './image-sql.ts'
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

type ProductOwner =
  | 'variant'
  | 'optionValue'
  | 'optionType'
  | 'taxon'
  | 'property'
  | 'productProperty'
  | 'field'
  | 'viewable'
  | 'image'
  | 'file'

export function productOwners(columns: Columns): Pick<Owners, ProductOwner> {
  const schema = quoteName(columns.schema)
  const variantsBy = (column: string): OwnerLookup => ({
    kind: 'product',
    table: null,
    sql: `
select distinct o.${column}::text as key, v.product_id::text as root
  from ${schema}.spree_option_values o
  join ${schema}.${optionLinks(columns)} vo on vo.option_value_id = o.id
  join ${schema}.spree_variants v on v.id = vo.variant_id
 where o.${column} = any($1::bigint[])
   and v.product_id is not null
   and v.deleted_at is null`,
  })
  return {
    variant: lookUp(columns, 'product', 'spree_variants', 'product_id'),
    optionValue: variantsBy('id'),
    // A product lists its types, whether or not a variant has one of their values.
    optionType: {
      kind: 'product',
      table: null,
      sql: `${variantsBy('option_type_id').sql}
 union
select option_type_id::text, product_id::text
  from ${schema}.spree_product_option_types
 where option_type_id = any($1::bigint[])
   and product_id is not null`,
    },
    taxon: filedBelow(columns),
    property: {
      kind: 'product',
      table: null,
      sql: `
select property_id::text as key, product_id::text as root
  from ${schema}.spree_product_properties
 where property_id = any($1::bigint[])
   and product_id is not null`,
    },
    productProperty: lookUp(columns, 'product', 'spree_product_properties', 'product_id'),
    field: definedFields(columns),
    ...imageOwners(columns),
  }
}

/** All that is filed under a taxon or below it: its name is in the paths of them all. */
function filedBelow(columns: Columns): OwnerLookup {
  const schema = quoteName(columns.schema)
  const { taxons, links, key } = taxonTables(columns) ?? NO_TAXONS
  return {
    kind: 'product',
    table: null,
    sql: `
with recursive below as (
  select id as key, id
    from ${schema}.${taxons}
   where id = any($1::bigint[])
   union
  select b.key, t.id
    from below b
    join ${schema}.${taxons} t on t.parent_id = b.id
)
select distinct b.key::text as key, l.product_id::text as root
  from below b
  join ${schema}.${links} l on l.${key} = b.id
 where l.product_id is not null`,
  }
}

// Of a table that the store does not have nothing is watched, and so nobody is looked up.
const NO_TAXONS = { taxons: 'spree_taxons', links: 'spree_products_taxons', key: 'taxon_id' } as const

const NO_FIELDS = { fields: 'spree_metafields', key: 'metafield_definition_id' } as const

function definedFields(columns: Columns): OwnerLookup {
  const { fields, key } = fieldTables(columns) ?? NO_FIELDS
  return {
    kind: 'product',
    table: null,
    sql: `
select ${key}::text as key, resource_id::text as root
  from ${quoteName(columns.schema)}.${fields}
 where ${key} = any($1::bigint[])
   and resource_type = 'Spree::Product'`,
  }
}

/** Images hang on variants, and from 5.4 on products too; files on images. An id that is the other's makes us look in vain. */
function imageOwners(columns: Columns): Pick<Owners, 'viewable' | 'image' | 'file'> {
  const schema = quoteName(columns.schema)
  const media = `${schema}.${mediaTable(columns)}`
  const shown = (from: string, key: string, image: string, condition: string) => `
select ${key}::text as key, v.product_id::text as root
  from ${from}
  join ${schema}.spree_variants v on v.id = ${image}.viewable_id and ${image}.viewable_type = 'Spree::Variant'
 where ${condition}
   and v.product_id is not null${
     hasProductImages(columns)
       ? `
 union
select ${key}::text, ${image}.viewable_id::text
  from ${from}
 where ${condition}
   and ${image}.viewable_type = 'Spree::Product'`
       : ''
   }`
  return {
    viewable: {
      kind: 'product',
      table: null,
      sql: `
select id::text as key, product_id::text as root
  from ${schema}.spree_variants
 where id = any($1::bigint[])
   and product_id is not null${
     hasProductImages(columns)
       ? `
 union
select id::text, id::text
  from ${schema}.spree_products
 where id = any($1::bigint[])`
       : ''
   }`,
    },
    image: {
      kind: 'product',
      table: null,
      sql: shown(`${media} i`, 'i.id', 'i', 'i.id = any($1::bigint[])'),
    },
    file: {
      kind: 'product',
      table: null,
      sql: shown(
        `${schema}.active_storage_attachments a
  join ${media} i on i.id = a.record_id and a.record_type in (${IMAGE_RECORDS})`,
        'a.blob_id',
        'i',
        'a.blob_id = any($1::bigint[])',
      ),
    },
  }
}

export function orderOwners(
  columns: Columns,
  { shipments, returns, carts }: Readonly<{ shipments: string; returns: string; carts: Carts | null }>,
): Omit<Owners, ProductOwner> {
  const schema = quoteName(columns.schema)
  const isApart = carts === 'apart'
  // Of a cart that is apart, the cart.
  const [orderId, hasOrder] = isApart
    ? [`coalesce(order_id::text, '${CART}' || cart_id::text)`, 'coalesce(order_id, cart_id) is not null']
    : ['order_id::text', 'order_id is not null']
  const shipment = lookUp(columns, 'order', shipments, 'order_id')
  const ofPlaced = carts === 'among orders' ? '' : '\n   and completed_at is not null'
  return {
    shipment: isApart
      ? {
          ...shipment,
          sql: `
select id::text as key, ${orderId} as root
  from ${schema}.${shipments}
 where id = any($1::bigint[])
   and ${hasOrder}`,
        }
      : shipment,
    payment: lookUp(columns, 'order', 'spree_payments', 'order_id'),
    return: lookUp(columns, 'order', returns, 'order_id'),
    // What is recorded of a unit that is deleted names its shipment, not its order.
    unit: unitOwner(columns),
    address: {
      kind: 'order',
      table: null,
      sql: `
select bill_address_id::text as key, id::text as root, 'order' as kind
  from ${schema}.spree_orders
 where bill_address_id = any($1::bigint[])${ofPlaced}
 union
select ship_address_id::text, id::text, 'order'
  from ${schema}.spree_orders
 where ship_address_id = any($1::bigint[])${ofPlaced}${isApart ? cartsWith(schema) : ''}${customersWith(columns)}`,
    },
    // Of Solidus: a box may hold pieces of several shipments.
    carton: {
      kind: 'order',
      table: null,
      sql: `
select distinct u.carton_id::text as key, s.order_id::text as root
  from ${schema}.spree_inventory_units u
  join ${schema}.spree_shipments s on s.id = u.shipment_id
 where u.carton_id = any($1::bigint[])
   and s.order_id is not null`,
    },
    // Before 2.2 an adjustment names an order or one of its lines. An id that is the other's makes us look in vain.
    adjustable: {
      kind: 'order',
      table: null,
      sql: `
select id::text as key, id::text as root
  from ${schema}.spree_orders
 where id = any($1::bigint[])${ofPlaced}
 union
select id::text, order_id::text
  from ${schema}.spree_line_items
 where id = any($1::bigint[])
   and order_id is not null`,
    },
    card: {
      kind: 'order',
      table: null,
      sql: `
select distinct source_id::text as key, ${orderId} as root
  from ${schema}.spree_payments
 where source_type = 'Spree::CreditCard'
   and source_id = any($1::bigint[])
   and ${hasOrder}`,
    },
  }
}

function unitOwner(columns: Columns): OwnerLookup {
  const ofOrder = lookUp(columns, 'order', 'spree_inventory_units', 'order_id')
  if (columns.has('spree_inventory_units', 'order_id')) return { ...ofOrder, table: null }
  const schema = quoteName(columns.schema)
  return {
    kind: 'order',
    table: null,
    sql: `
select u.id::text as key, s.order_id::text as root
  from ${schema}.spree_inventory_units u
  join ${schema}.spree_shipments s on s.id = u.shipment_id
 where u.id = any($1::bigint[])
   and s.order_id is not null`,
  }
}

/** The open carts that have the addresses in $1, likewise. */
function cartsWith(schema: string): string {
  return ['bill_address_id', 'ship_address_id']
    .map(
      (column) => `
 union
select ${column}::text, '${CART}' || id::text, 'order'
  from ${schema}.spree_carts
 where ${column} = any($1::bigint[])
   and completed_at is null`,
    )
    .join('')
}

/** Whose default the addresses in $1 are or may be, to be added to the orders that have them. */
function customersWith(columns: Columns): string {
  const table = columns.customers
  if (table === undefined) return ''
  const named = ['bill_address_id', 'ship_address_id']
    .filter((column) => columns.has(table, column))
    .map(
      (column) => `
 union
select ${column}::text, id::text, 'customer'
  from ${quoteName(columns.schema)}.${quoteName(table)}
 where ${column} = any($1::bigint[])`,
    )
  return [...named, enteredIn(columns)].join('')
}
