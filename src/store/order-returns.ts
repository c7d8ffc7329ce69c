import type { Columns } from './columns.ts'
import { jsonRow, jsonRows, quoteName } from './json-sql.ts'

/** How the returns of orders are read. */
export type ReturnSource = Readonly<{
  /** The watched tables in which they change. */
  tables: readonly string[]
  /** Rows (order id, snapshot as JSON text) for the orders in $1, one for each return, in their order. */
  sql: string
}>

/** Of families whose returns go item by item: authorized, received by a customer return, reimbursed. */
export function returnsByItem(columns: Columns): ReturnSource {
  const schema = quoteName(columns.schema)
  const [reasons, reasonId] = columns.has('spree_return_authorizations', 'return_reason_id')
    ? ['spree_return_reasons', 'return_reason_id']
    : ['spree_return_authorization_reasons', 'return_authorization_reason_id']
  const [ofOrder, viaShipment] = columns.has('spree_inventory_units', 'order_id')
    ? ['u.order_id', '']
    : ['s.order_id', `\n      join ${schema}.spree_shipments s on s.id = u.shipment_id`]
  return {
    tables: ['spree_return_authorizations', 'spree_return_items', 'spree_reimbursements'],
    sql: `
select r.order_id::text as id, row_to_json(snapshot)::text as snapshot
  from ${schema}.spree_return_authorizations r
 cross join lateral (
   select 'return_authorization' as "kind",
          'spree_return_authorizations' as "table",
          r.id::text as "id",
          r.number,
          r.order_id::text as "orderId",
          r.state,
          null as "status",
          r.memo,
          ${jsonRow(`
            select n.id::text as "id", n.name
              from ${schema}.${reasons} n
             where n.id = r.${reasonId}`)} as "reason",
          ${stockLocation(columns, 'r.stock_location_id')} as "stockLocation",
          r.created_at as "createdAt",
          r.updated_at as "updatedAt",
          ${stagedItems(columns, 'i.return_authorization_id = r.id')} as "items",
          '[]'::json as "reimbursements"
 ) snapshot
 where r.order_id = any($1::bigint[])
 union all
select c.order_id::text, row_to_json(snapshot)::text
  from (
    select distinct ${ofOrder}, r.*
      from ${schema}.spree_inventory_units u${viaShipment}
      join ${schema}.spree_return_items i on i.inventory_unit_id = u.id
      join (select id, number, stock_location_id, created_at, updated_at from ${schema}.spree_customer_returns) r
        on r.id = i.customer_return_id
     where ${ofOrder} = any($1::bigint[])
  ) c
 cross join lateral (
   select 'customer_return' as "kind",
          'spree_customer_returns' as "table",
          c.id::text as "id",
          c.number,
          c.order_id::text as "orderId",
          null as "state",
          null as "status",
          null as "memo",
          null as "reason",
          ${stockLocation(columns, 'c.stock_location_id')} as "stockLocation",
          c.created_at as "createdAt",
          c.updated_at as "updatedAt",
          ${stagedItems(columns, 'i.customer_return_id = c.id')} as "items",
          ${jsonRows(`
            select b.id::text as "id", b.number, b.reimbursement_status as "status", b.total::text
              from ${schema}.spree_reimbursements b
             where b.customer_return_id = c.id
             order by b.id`)} as "reimbursements"
 ) snapshot`,
  }
}

/** Of families in which a return is authorized, received and refunded as a whole. In the old words it is one of three. */
export function returnsAsWhole(columns: Columns): ReturnSource {
  const schema = quoteName(columns.schema)
  return {
    tables: ['spree_returns', 'spree_return_line_items'],
    sql: `
select r.order_id::text as id, row_to_json(snapshot)::text as snapshot
  from ${schema}.spree_returns r
 cross join lateral (
   select 'return_authorization' as "kind",
          'spree_returns' as "table",
          r.id::text as "id",
          r.number,
          r.order_id::text as "orderId",
          case r.status
            when 'canceled' then 'canceled'
            when 'received' then 'received'
            when 'refunded' then 'received'
            else 'authorized'
          end as "state",
          r.status,
          r.memo,
          ${jsonRow(`
            select n.id::text as "id", n.name
              from ${schema}.spree_return_reasons n
             where n.id = r.reason_id`)} as "reason",
          ${stockLocation(columns, 'r.stock_location_id')} as "stockLocation",
          r.created_at as "createdAt",
          r.updated_at as "updatedAt",
          ${jsonRows(`
            select i.id::text as "id",
                   i.fulfillment_item_id::text as "inventoryUnitId",
                   i.pre_tax_amount::text as "preTaxAmount",
                   i.included_tax_total::text as "includedTaxTotal",
                   i.additional_tax_total::text as "additionalTaxTotal",
                   i.resellable,
                   null as "stages",
                   json_build_object('lineItemId', i.line_item_id::text, 'variantId', i.variant_id::text,
                                     'quantity', i.quantity, 'receivedQuantity', i.received_quantity) as "pieces"
              from ${schema}.spree_return_line_items i
             where i.return_id = r.id
             order by i.id`)} as "items",
          '[]'::json as "reimbursements"
 ) snapshot
 where r.order_id = any($1::bigint[])`,
  }
}

function stockLocation(columns: Columns, locationId: string): string {
  return jsonRow(`
            select l.id::text as "id", l.name
              from ${quoteName(columns.schema)}.spree_stock_locations l
             where l.id = ${locationId}`)
}

function stagedItems(columns: Columns, condition: string): string {
  const own = (name: string, otherwise: string) =>
    columns.has('spree_return_items', name) ? `i.${name}` : otherwise
  // In Solidus what is given back has the tax in it that the price had.
  const preTax = columns.has('spree_return_items', 'amount')
    ? '(i.amount - i.included_tax_total)'
    : 'i.pre_tax_amount'
  return jsonRows(`
            select i.id::text as "id",
                   i.inventory_unit_id::text as "inventoryUnitId",
                   ${preTax}::text as "preTaxAmount",
                   ${own('included_tax_total', '0')}::text as "includedTaxTotal",
                   ${own('additional_tax_total', '0')}::text as "additionalTaxTotal",
                   ${own('resellable', 'null')} as "resellable",
                   json_build_object('returnAuthorizationId', i.return_authorization_id::text,
                                     'customerReturnId', i.customer_return_id::text,
                                     'reimbursementId', i.reimbursement_id::text,
                                     'receptionStatus', i.reception_status,
                                     'acceptanceStatus', i.acceptance_status) as "stages",
                   null as "pieces"
              from ${quoteName(columns.schema)}.spree_return_items i
             where ${condition}
             order by i.id`)
}
