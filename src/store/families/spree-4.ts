import type { Columns } from '../columns.ts'
import type { FamilyName } from '../detect-family.ts'
import type { Family } from '../family.ts'
import { jsonRow, jsonRows, quoteName } from '../json-sql.ts'
import { returnsByItem } from '../order-returns.ts'
import {
  cartStatement,
  commonOrderColumns,
  isCart,
  ORDERS,
  orderLineItems,
  orderPayments,
  orderStatement,
  type ReadOnce,
} from '../order-sql.ts'
import { orderOwners, productOwners } from '../owners.ts'
import { productStatement } from '../product-sql.ts'
import { customerSource, type StateSources, watchStates } from '../state-sources.ts'
import { stockStatements } from '../stock-sql.ts'
import { stockTransferSource } from '../stock-transfers.ts'
import { type OwnerKind, watch, watchCatalogue, watchOrders, watchStock } from '../watched.ts'

/** What an order `o` and its shipments `s` say about money besides their totals, as expressions and select lists. */
type Money = Readonly<{
  taxes?: Readonly<{ included: string; additional: string }>
  shipTotal: string
  shipmentCost: string
  /** What an adjustment names as its own. */
  adjusts: Readonly<{ parent: string; owner?: OwnerKind }>
  /** Of an adjustment `a`: what made it, and whether a price says it already. */
  originator: string
  included: string
  /** The order's adjustments, as one to select from: an item `a` with its condition. */
  ofOrder(schema: string): string
}>

export const moneyInRows: Money = {
  shipTotal: 'o.shipment_total',
  shipmentCost: 's.cost',
  adjusts: { parent: 'order_id' },
  originator: 'a.source_type',
  included: 'coalesce(a.included, false)',
  ofOrder: (schema) => `${schema}.spree_adjustments a
             where a.order_id = o.id`,
}

/** What Solidus has in other columns, as items of select lists. */
export type Parts = Readonly<{
  /** Of an address `a`. */
  firstname: string
  lastname: string
  /** Of an adjustment `a`. */
  mandatory: string
  eligible: string
  /** Of a unit `u` of a shipment `s`. */
  unitOrder: string
  /** Of a shipment `s`, besides what all have. */
  shipmentExtras: readonly string[]
}>

const partsOfSpree: Parts = {
  firstname: 'a.firstname',
  lastname: 'a.lastname',
  mandatory: 'a.mandatory',
  eligible: 'coalesce(a.eligible, true) as "eligible"',
  unitOrder: 'u.order_id::text as "orderId"',
  shipmentExtras: [],
}

/**
 * Spree from 2.0 to 5.x: orders and carts in one table, masters, shipments. `money` is for those before 2.2, which keep
 * it elsewhere, `parts` for Solidus; the other differences are columns that are there or are not.
 */
export function spree4(
  columns: Columns,
  name: FamilyName,
  told: Readonly<{ carts: boolean }>,
  money = moneyInRows,
  parts = partsOfSpree,
): Family {
  const carts = told.carts ? 'among orders' : null
  const picture = orderPicture(columns, money, parts)
  const states: StateSources = {
    ...customerSource(columns, (_, addressId) => address(columns, parts, addressId)),
    ...stockTransferSource(columns, { table: 'spree_stock_items', key: 'stock_item_id' }),
    ...(told.carts && {
      cart: {
        table: ORDERS.table,
        condition: isCart(ORDERS, 't'),
        // So that nothing of a cart comes after the order that it became.
        orderedWith: 'order' as const,
        watched: [],
        snapshots: cartStatement(columns, ORDERS, picture, returnsOnce(columns)),
      },
    }),
  }
  return {
    name,
    carts,
    watched: [
      ...watchCatalogue(columns),
      watchStock('spree_stock_items'),
      ...watchOrders(columns, carts),
      ...watch(columns, 'spree_shipments', { kind: 'order', parent: 'order_id' }),
      ...watch(columns, 'spree_shipping_rates', { kind: 'order', parent: 'shipment_id', owner: 'shipment' }),
      ...watch(columns, 'spree_inventory_units', { kind: 'order', parent: 'shipment_id', owner: 'shipment' }),
      ...watch(columns, 'spree_adjustments', { kind: 'order', ...money.adjusts }),
      ...watch(columns, 'spree_return_authorizations', { kind: 'order', parent: 'order_id' }),
      // By its unit: one that comes back unasked has no authorization.
      ...watch(columns, 'spree_return_items', { kind: 'order', parent: 'inventory_unit_id', owner: 'unit' }),
      ...watch(columns, 'spree_reimbursements', { kind: 'order', parent: 'order_id' }),
      ...watchStates(states),
    ],
    owners: {
      ...productOwners(columns),
      ...orderOwners(columns, {
        shipments: 'spree_shipments',
        returns: 'spree_return_authorizations',
        carts,
      }),
    },
    products: productStatement(columns, { deletedMasters: true }),
    orders: orderStatement(columns, picture, returnsOnce(columns)),
    ...stockStatements(columns, 'spree_stock_items'),
    // Before 2.4 a return has no items.
    returns: columns.has('spree_return_items') ? returnsByItem(columns) : null,
    states,
  }
}

function orderPicture(columns: Columns, money: Money, parts: Parts): string {
  const schema = quoteName(columns.schema)
  const number = columns.has('spree_payments', 'number') ? 'p.number' : 'p.identifier'
  return `
   select ${commonOrderColumns(columns, ORDERS, money.taxes)},
          o.user_id::text as "userId",
          o.state,
          o.payment_state as "paymentState",
          o.shipment_state as "shipmentState",
          null as "statuses",
          ${money.shipTotal}::text as "shipTotal",
          o.special_instructions as "specialInstructions",
          ${address(columns, parts, 'o.bill_address_id')} as "billAddress",
          ${address(columns, parts, 'o.ship_address_id')} as "shipAddress",
          ${orderLineItems(columns, { optionText: 'presentation', media: 'spree_assets' })} as "lineItems",
          ${orderPayments(columns, { number, state: 'p.state' })} as "payments",
          ${shipments(columns, money.shipmentCost, parts)} as "shipments",
          ${jsonRows(`
            select a.id::text as "id",
                   a.amount::text,
                   a.label,
                   ${parts.mandatory},
                   ${parts.eligible},
                   ${money.included} as "included",
                   ${money.originator} as "originatorType",
                   a.adjustable_type as "adjustableType"
              from ${money.ofOrder(schema)}
             order by a.id`)} as "adjustments",
          ${jsonRows(`
            select r.id::text as "id",
                   r.number,
                   r.state,
                   ${returnItems(columns)} as "items"
              from authorized r
             where r.order_id = o.id
             order by r.id`)} as "returnAuthorizations"`
}

function returnsOnce(columns: Columns): ReadOnce[] {
  const schema = quoteName(columns.schema)
  const authorized = {
    name: 'authorized',
    sql: `
  select r.id, r.number, r.state, r.order_id
    from ${schema}.spree_return_authorizations r
   where r.order_id = any($1::bigint[])`,
  }
  if (!columns.has('spree_return_items')) return [authorized]
  const items = {
    name: 'authorized_items',
    sql: `
  select i.id, i.inventory_unit_id, i.reception_status, i.acceptance_status, i.return_authorization_id
    from ${schema}.spree_return_items i
   where i.return_authorization_id = any(array(select a.id from authorized a))`,
  }
  return [authorized, items]
}

/** None before 2.4: there the units themselves say to which return they belong. */
function returnItems(columns: Columns): string {
  if (!columns.has('spree_return_items')) return `'[]'::json`
  return jsonRows(`
                     select i.id::text as "id",
                            i.inventory_unit_id::text as "inventoryUnitId",
                            i.reception_status as "receptionStatus",
                            i.acceptance_status as "acceptanceStatus"
                       from authorized_items i
                      where i.return_authorization_id = r.id
                      order by i.id`)
}

function address(columns: Columns, parts: Parts, addressId: string): string {
  const schema = quoteName(columns.schema)
  return jsonRow(`
            select a.id::text as "id",
                   ${parts.firstname},
                   ${parts.lastname},
                   a.address1,
                   a.address2,
                   a.city,
                   a.zipcode,
                   a.phone,
                   a.company,
                   a.alternative_phone as "alternativePhone",
                   a.state_name as "stateName",
                   a.country_id::text as "countryId",
                   a.state_id::text as "stateId",
                   ${jsonRow(`
                     select c.id::text as "id", c.iso_name as "isoName", c.iso, c.iso3, c.name, c.numcode
                       from ${schema}.spree_countries c
                      where c.id = a.country_id`)} as "country",
                   ${jsonRow(`
                     select s.id::text as "id", s.name, s.abbr, s.country_id::text as "countryId"
                       from ${schema}.spree_states s
                      where s.id = a.state_id`)} as "state"
              from ${schema}.spree_addresses a
             where a.id = ${addressId}`)
}

function shipments(columns: Columns, cost: string, parts: Parts): string {
  const schema = quoteName(columns.schema)
  const code = columns.has('spree_shipping_methods', 'code') ? 'm.code' : 'null as "code"'
  // Where a unit has no quantity it is one piece.
  const quantity = columns.has('spree_inventory_units', 'quantity')
    ? `,
                            coalesce(u.quantity, 1) as "quantity"`
    : ''
  return jsonRows(`
            select s.id::text as "id",
                   s.number,
                   s.state,
                   null as "status",
                   s.tracking,
                   ${cost}::text as "cost",
                   s.shipped_at as "shippedAt",
                   l.name as "stockLocationName",
                   s.stock_location_id::text as "stockLocationId",
                   ${jsonRows(`
                     select r.id::text as "id",
                            r.cost::text,
                            coalesce(r.selected, false) as "selected",
                            r.shipping_method_id::text as "methodId"
                       from ${schema}.spree_shipping_rates r
                      where r.shipment_id = s.id
                      order by r.id`)} as "rates",
                   ${jsonRow(`
                     select m.name, ${code}, m.tracking_url as "trackingUrl"
                       from ${schema}.spree_shipping_rates r
                       join ${schema}.spree_shipping_methods m on m.id = r.shipping_method_id
                      where r.shipment_id = s.id
                        and r.selected
                      order by r.id
                      limit 1`)} as "method",
                   ${jsonRows(`
                     select u.id::text as "id",
                            u.state,
                            u.variant_id::text as "variantId",
                            ${parts.unitOrder}${quantity}
                       from ${schema}.spree_inventory_units u
                      where u.shipment_id = s.id
                      order by u.id`)} as "units"${parts.shipmentExtras
                     .map(
                       (extra) => `,
                   ${extra}`,
                     )
                     .join('')}
              from ${schema}.spree_shipments s
              left join ${schema}.spree_stock_locations l on l.id = s.stock_location_id
             where s.order_id = o.id
             order by s.id`)
}
