import type { Columns } from '../columns.ts'
import type { FamilyName } from '../detect-family.ts'
import type { Family } from '../family.ts'
import { jsonRow, jsonRows, quoteName } from '../json-sql.ts'
import { returnsAsWhole } from '../order-returns.ts'
import {
  CARTS,
  cartStatement,
  commonOrderColumns,
  isCart,
  ORDERS,
  type OrderPlace,
  orderLineItems,
  orderPayments,
  orderStatement,
} from '../order-sql.ts'
import { orderOwners, productOwners } from '../owners.ts'
import { productStatement } from '../product-sql.ts'
import { customerSource, type StateSources, watchStates } from '../state-sources.ts'
import { stockStatements } from '../stock-sql.ts'
import { stockTransferSource } from '../stock-transfers.ts'
import { watch, watchCatalogue, watchOrders, watchStock } from '../watched.ts'

/**
 * Spree 6.0: carts in a table of their own (their lines, fulfillments and payments share the order's tables, without an
 * order id), fulfillments for shipments, allocated stock, tax lines, discounts and fees for adjustments, no masters.
 */
export function spree6(columns: Columns, name: FamilyName, told: Readonly<{ carts: boolean }>): Family {
  const carts = told.carts ? 'apart' : null
  const part = { kind: 'order', parent: 'order_id', mayBeOfCart: told.carts } as const
  const states = {
    ...customerSource(columns, address),
    ...stockTransferSource(columns, { table: 'spree_stock_levels', key: 'stock_level_id' }),
    ...(told.carts && cartSource(columns)),
  }
  return {
    name,
    carts,
    watched: [
      ...watchCatalogue(columns),
      watchStock('spree_stock_levels'),
      ...watchOrders(columns, carts),
      ...watch(columns, 'spree_fulfillments', part),
      ...watch(columns, 'spree_delivery_rates', {
        kind: 'order',
        parent: 'fulfillment_id',
        owner: 'shipment',
      }),
      ...watch(columns, 'spree_fulfillment_items', {
        kind: 'order',
        parent: 'fulfillment_id',
        owner: 'shipment',
      }),
      // Owners of other types have ids of their own; one that hits a fulfillment's makes us look at that order in vain.
      ...watch(columns, 'spree_deliveries', { kind: 'order', parent: 'owner_id', owner: 'shipment' }),
      ...watch(columns, 'spree_tax_lines', part),
      ...watch(columns, 'spree_discounts', part),
      ...watch(columns, 'spree_fees', part),
      ...watch(columns, 'spree_returns', { kind: 'order', parent: 'order_id' }),
      ...watch(columns, 'spree_return_line_items', { kind: 'order', parent: 'return_id', owner: 'return' }),
      ...watchStates(states),
    ],
    owners: {
      ...productOwners(columns),
      ...orderOwners(columns, { shipments: 'spree_fulfillments', returns: 'spree_returns', carts }),
    },
    products: productStatement(columns, { deletedMasters: false }),
    orders: orderStatement(columns, orderPicture(columns, ORDERS)),
    ...stockStatements(columns, 'spree_stock_levels'),
    returns: returnsAsWhole(columns),
    states,
  }
}

function cartSource(columns: Columns): Pick<StateSources, 'cart'> {
  return {
    cart: {
      table: CARTS.table,
      condition: isCart(CARTS, 't'),
      watched: watch(columns, CARTS.table, {
        kind: 'cart',
        // What comes and goes while it is being completed.
        except: ['lock_version', 'completing_at'],
      }),
      snapshots: cartStatement(columns, CARTS, orderPicture(columns, CARTS)),
    },
  }
}

/** Payments and fulfillments of before 6.0 keep their number; later ones are numbered within their order. */
function numberWithin(alias: string, letter: string): string {
  return `coalesce(nullif(${alias}.number, ''), o.number || '-${letter}' || row_number() over (order by ${alias}.id))`
}

function orderPicture(columns: Columns, place: OrderPlace): string {
  const schema = quoteName(columns.schema)
  const [status, payment, fulfillment] =
    place === CARTS ? [`'cart'`, 'null', 'null'] : ['o.status', 'o.payment_status', 'o.fulfillment_status']
  return `
   select ${commonOrderColumns(columns, place)},
          o.customer_id::text as "userId",
          null as "state",
          null as "paymentState",
          null as "shipmentState",
          json_build_object('order', ${status}, 'payment', ${payment}, 'fulfillment', ${fulfillment}) as "statuses",
          o.delivery_total::text as "shipTotal",
          o.customer_note as "specialInstructions",
          ${address(columns, 'o.bill_address_id')} as "billAddress",
          ${address(columns, 'o.ship_address_id')} as "shipAddress",
          ${orderLineItems(columns, { optionText: 'label', media: 'spree_media' }, place)} as "lineItems",
          ${orderPayments(columns, { number: numberWithin('p', 'P'), state: 'p.status' }, place)} as "payments",
          ${fulfillments(columns, place)} as "shipments",
          ${adjustments(columns, place)} as "adjustments",
          ${jsonRows(`
            select r.id::text as "id",
                   r.number,
                   r.status,
                   ${jsonRows(`
                     select i.id::text as "id",
                            i.line_item_id::text as "lineItemId",
                            i.variant_id::text as "variantId",
                            i.quantity,
                            i.received_quantity as "receivedQuantity"
                       from ${schema}.spree_return_line_items i
                      where i.return_id = r.id
                      order by i.id`)} as "items"
              from ${schema}.spree_returns r
             where ${place === CARTS ? 'false' : 'r.order_id = o.id'}
             order by r.id`)} as "returns"`
}

/** Countries and states are codes; there are no rows for them any more. */
function address(columns: Columns, addressId: string): string {
  return jsonRow(`
            select a.id::text as "id",
                   a.first_name as "firstname",
                   a.last_name as "lastname",
                   a.address1,
                   a.address2,
                   a.city,
                   a.postal_code as "zipcode",
                   a.phone,
                   a.company,
                   a.alternative_phone as "alternativePhone",
                   a.state_name as "stateName",
                   null as "countryId",
                   null as "stateId",
                   case when a.country_code is not null
                        then json_build_object('id', null, 'isoName', null, 'iso', a.country_code,
                                               'iso3', null, 'name', null, 'numcode', null)
                   end as "country",
                   case when a.state_code is not null
                        then json_build_object('id', null, 'name', a.state_name, 'abbr', a.state_code,
                                               'countryId', null)
                   end as "state"
              from ${quoteName(columns.schema)}.spree_addresses a
             where a.id = ${addressId}`)
}

function fulfillments(columns: Columns, { key }: OrderPlace): string {
  const schema = quoteName(columns.schema)
  return jsonRows(`
            select f.id::text as "id",
                   ${numberWithin('f', 'F')} as "number",
                   null as "state",
                   f.status,
                   coalesce(
                     (select d.tracking_number
                        from ${schema}.spree_deliveries d
                       where d.owner_type = 'Spree::Fulfillment'
                         and d.owner_id = f.id
                       order by d.id
                       limit 1), f.tracking) as "tracking",
                   f.cost::text,
                   f.fulfilled_at as "shippedAt",
                   l.name as "stockLocationName",
                   f.stock_location_id::text as "stockLocationId",
                   ${jsonRows(`
                     select r.id::text as "id",
                            r.cost::text,
                            coalesce(r.selected, false) as "selected",
                            r.delivery_method_id::text as "methodId"
                       from ${schema}.spree_delivery_rates r
                      where r.fulfillment_id = f.id
                      order by r.id`)} as "rates",
                   ${jsonRow(`
                     select coalesce(m.name, r.name) as "name", m.code, m.tracking_url as "trackingUrl"
                       from ${schema}.spree_delivery_rates r
                       left join ${schema}.spree_delivery_methods m on m.id = r.delivery_method_id
                      where r.fulfillment_id = f.id
                        and r.selected
                      order by r.id
                      limit 1`)} as "method",
                   ${jsonRows(`
                     select i.id::text as "id",
                            i.status as "state",
                            i.variant_id::text as "variantId",
                            i.order_id::text as "orderId",
                            coalesce(i.quantity, 1) as "quantity"
                       from ${schema}.spree_fulfillment_items i
                      where i.fulfillment_id = f.id
                      order by i.id`)} as "units",
                   ${jsonRows(`
                     select d.id::text as "id",
                            d.tracking_number as "trackingNumber",
                            d.tracking_url as "trackingUrl",
                            d.carrier,
                            d.service,
                            d.status,
                            d.delivered_at as "deliveredAt"
                       from ${schema}.spree_deliveries d
                      where d.owner_type = 'Spree::Fulfillment'
                        and d.owner_id = f.id
                      order by d.id`)} as "deliveries"
              from ${schema}.spree_fulfillments f
              left join ${schema}.spree_stock_locations l on l.id = f.stock_location_id
             where f.${key} = o.id
             order by f.id`)
}

/** Tax lines of returns, claims and exchanges give tax back; they are no part of the order's totals. */
function adjustments(columns: Columns, { key }: OrderPlace): string {
  const schema = quoteName(columns.schema)
  const ofTheSale = ['return_line_item_id', 'claim_line_item_id', 'exchange_line_item_id']
    .filter((name) => columns.has('spree_tax_lines', name))
    .map((name) => `and a.${name} is null`)
    .join(' ')
  const rowsOf = (table: string, className: string, included: string, condition: string) => `
            select a.id, a.amount, a.label, ${included} as included, '${className}' as class,
                   a.line_item_id, a.fulfillment_id
              from ${schema}.${table} a
             where a.${key} = o.id ${condition}`
  return jsonRows(`
            select a.id::text as "id",
                   a.amount::text,
                   a.label,
                   null as "mandatory",
                   true as "eligible",
                   a.included,
                   a.class as "originatorType",
                   case when a.line_item_id is not null then 'Spree::LineItem'
                        when a.fulfillment_id is not null then 'Spree::Fulfillment'
                        else 'Spree::Order'
                   end as "adjustableType"
              from (${[
                rowsOf('spree_tax_lines', 'Spree::TaxLine', 'a.included', ofTheSale),
                rowsOf('spree_discounts', 'Spree::Discount', 'false', ''),
                rowsOf('spree_fees', 'Spree::Fee', 'false', ''),
              ].join('\n             union all')}
              ) a
             order by a.class, a.id`)
}
