import { optionLinks, word } from './catalogue-words.ts'
import type { Columns } from './columns.ts'
import { imageFile } from './image-sql.ts'
import { jsonRow, jsonRows, quoteName } from './json-sql.ts'
import { mentionedVariantColumns } from './variant-sql.ts'

/** Which names a family gives to what the line items of its orders show. */
export type LineItemWords = Readonly<{
  optionText: 'presentation' | 'label'
  media: 'spree_assets' | 'spree_media'
}>

/** Where an order `o` is kept, and the column by which its parts name it: orders, and carts where they are apart. */
export type OrderPlace = Readonly<{ table: 'spree_orders' | 'spree_carts'; key: 'order_id' | 'cart_id' }>

export const ORDERS: OrderPlace = { table: 'spree_orders', key: 'order_id' }
export const CARTS: OrderPlace = { table: 'spree_carts', key: 'cart_id' }

/** A part of orders that is read once for all of $1: old stores have no index that leads to it from an order. */
export type ReadOnce = Readonly<{ name: string; sql: string }>

/** The statement around a family's picture of an order: the placed ones of $1. */
export function orderStatement(columns: Columns, picture: string, once: readonly ReadOnce[] = []): string {
  return `${withOnce([...refundsOnce(columns, ORDERS), ...once])}
select o.id::text as id, row_to_json(snapshot)::text as snapshot
  from ${quoteName(columns.schema)}.spree_orders o
 cross join lateral (${picture}) snapshot
 where o.id = any($1::bigint[])
   and o.completed_at is not null`
}

/** Which rows of a place are carts, by its alias. Among orders one is neither in the moment of its completion. */
export function isCart(place: OrderPlace, alias: string): string {
  const isOpen = `${alias}.completed_at is null`
  return place === ORDERS ? `${isOpen} and ${alias}.state is distinct from 'complete'` : isOpen
}

/** The same statement for carts. */
export function cartStatement(
  columns: Columns,
  place: OrderPlace,
  picture: string,
  once: readonly ReadOnce[] = [],
): string {
  const table = `${quoteName(columns.schema)}.${place.table}`
  const isNumbered = columns.has(place.table, 'number')
  return `${withOnce([...refundsOnce(columns, place), ...once])}
select o.id::text as id, row_to_json(snapshot)::text as snapshot
  from ${isNumbered ? table : `(select c.*, null::text as number from ${table} c)`} o
 cross join lateral (${picture}) snapshot
 where o.id = any($1::bigint[])
   and ${isCart(place, 'o')}`
}

/** The common table expressions with which a statement begins. */
export function withOnce(once: readonly ReadOnce[]): string {
  if (once.length === 0) return ''
  return `
with ${once.map(({ name, sql }) => `${name} as materialized (${sql}\n)`).join(',\n')}`
}

/** Included and added tax of an order `o`, where its row says them. */
const taxesOfOrder = {
  included: 'coalesce(o.included_tax_total, 0)',
  additional: 'coalesce(o.additional_tax_total, 0)',
}

/** The columns of an order that bear the same name in all families, and the parts that are read alike. */
export function commonOrderColumns(columns: Columns, place = ORDERS, taxes = taxesOfOrder): string {
  const schema = quoteName(columns.schema)
  const cardName = columns.has('spree_credit_cards', 'name')
    ? 'c.name'
    : `concat_ws(' ', c.first_name, c.last_name) as "name"`
  return `
          o.id::text as "id",
          o.number,
          o.email,
          o.currency,
          ${columns.has(place.table, 'channel') ? 'o.channel' : `'spree' as "channel"`},
          o.item_total::text as "itemTotal",
          o.adjustment_total::text as "adjustmentTotal",
          ${taxes.included}::text as "includedTaxTotal",
          ${taxes.additional}::text as "additionalTaxTotal",
          o.total::text as "total",
          coalesce(o.payment_total, 0)::text as "paymentTotal",
          o.created_at as "createdAt",
          o.updated_at as "updatedAt",
          o.completed_at as "completedAt",
          ${columns.has(place.table, 'locked_at') ? 'o.locked_at' : 'null'} as "lockedAt",
          ${jsonRows(`
            select c.id::text as "id",
                   c.month::text,
                   c.year::text,
                   c.cc_type as "ccType",
                   c.last_digits as "lastDigits",
                   ${cardName}
              from ${schema}.spree_credit_cards c
             where c.id in (select p.source_id
                              from ${schema}.spree_payments p
                             where p.${place.key} = o.id and p.source_type = 'Spree::CreditCard')
             order by c.id`)} as "creditCards",
          ${refunds(columns, place)} as "refunds",
          ${orderExtras(columns, place)} as "extras"`
}

/** None before 2.4: there money went back as a negative payment. */
function refunds(columns: Columns, { key }: OrderPlace): string {
  if (!columns.has('spree_refunds')) return `'[]'::json`
  return jsonRows(`
            select r.id::text as "id",
                   r.payment_id::text as "paymentId",
                   r.amount::text,
                   r.transaction_id as "transactionId",
                   r.refund_reason_id::text as "reasonId",
                   reason.name as "reason",
                   r.created_at as "createdAt"
              from refunded r
              left join ${quoteName(columns.schema)}.spree_refund_reasons reason on reason.id = r.refund_reason_id
             where r.${key} = o.id
             order by r.id`)
}

function refundsOnce(columns: Columns, { key }: OrderPlace): ReadOnce[] {
  if (!columns.has('spree_refunds')) return []
  const schema = quoteName(columns.schema)
  return [
    {
      name: 'refunded',
      sql: `
  select p.${key}, r.id, r.payment_id, r.amount, r.transaction_id, r.refund_reason_id, r.created_at
    from ${schema}.spree_payments p
    join ${schema}.spree_refunds r on r.payment_id = p.id
   where p.${key} = any($1::bigint[])`,
    },
  ]
}

/** What an order says beyond the common words, under the names of its columns. */
function orderExtras(columns: Columns, { table }: OrderPlace): string {
  const own = [
    'status',
    'payment_status',
    'fulfillment_status',
    'internal_note',
    'metadata',
    'public_metadata',
    'private_metadata',
    'customer_metadata',
    'admin_metadata',
  ].filter((name) => columns.has(table, name))
  const store = columns.has(table, 'store_id')
    ? jsonRow(`
              select s.id, s.code, ${word(columns, 'spree_stores', 's', 'name')} as "name"
                from ${quoteName(columns.schema)}.spree_stores s
               where s.id = o.store_id`)
    : 'null'
  return `json_build_object(
            'store', ${store}${own.map((name) => `,\n            '${name}', o.${name}`).join('')})`
}

export function orderLineItems(columns: Columns, words: LineItemWords, { key } = ORDERS): string {
  const schema = quoteName(columns.schema)
  return jsonRows(`
            select l.id::text as "id",
                   l.quantity,
                   l.price::text,
                   l.variant_id::text as "variantId",
                   l.created_at as "createdAt",
                   l.updated_at as "updatedAt",
                   ${jsonRow(`
                     select ${mentionedVariantColumns(columns, 'o.currency')},
                            ${optionValues(columns, words)} as "optionValues",
                            ${images(columns, words)} as "images"
                       from ${schema}.spree_variants v
                       left join ${schema}.spree_products p on p.id = v.product_id
                      where v.id = l.variant_id`)} as "variant"
              from ${schema}.spree_line_items l
             where l.${key} = o.id
             order by l.id`)
}

function optionValues(columns: Columns, { optionText }: LineItemWords): string {
  const schema = quoteName(columns.schema)
  const ofValue = (name: string) => word(columns, 'spree_option_values', 'ov', name)
  const ofType = (name: string) => word(columns, 'spree_option_types', 't', name)
  return jsonRows(`
                     select ov.id::text as "id",
                            ${ofValue('name')} as "name",
                            ${ofValue(optionText)} as "presentation",
                            t.id::text as "typeId",
                            ${ofType('name')} as "typeName",
                            ${ofType(optionText)} as "typePresentation"
                       from ${schema}.${optionLinks(columns)} vo
                       join ${schema}.spree_option_values ov on ov.id = vo.option_value_id
                       join ${schema}.spree_option_types t on t.id = ov.option_type_id
                      where vo.variant_id = v.id
                      order by t.position, t.id, ov.id`)
}

/** The variant's own images. */
function images(columns: Columns, { media }: LineItemWords): string {
  const file = imageFile(columns)
  return jsonRows(`
                     select distinct on (i.id)
                            i.id::text as "id",
                            i.position,
                            ${file.contentType} as "contentType",
                            ${file.fileName} as "fileName",
                            i.type,
                            ${file.updatedAt} as "updatedAt",
                            ${file.width} as "width",
                            ${file.height} as "height",
                            i.alt,
                            i.viewable_type as "viewableType",
                            i.viewable_id::text as "viewableId"
                       from ${quoteName(columns.schema)}.${media} i${file.joins}
                      where i.viewable_type = 'Spree::Variant'
                        and i.viewable_id = v.id
                      order by i.id${file.first}`)
}

/** Payments of the order. `number` and `state` are the expressions of the family over a payment `p`. */
export function orderPayments(
  columns: Columns,
  words: Readonly<{ number: string; state: string }>,
  { key } = ORDERS,
): string {
  const schema = quoteName(columns.schema)
  const environment = columns.has('spree_payment_methods', 'environment') ? 'm.environment' : 'null'
  return jsonRows(`
            select p.id::text as "id",
                   ${words.number} as "number",
                   p.amount::text,
                   ${words.state} as "state",
                   p.payment_method_id::text as "paymentMethodId",
                   ${jsonRow(`
                     select m.id::text as "id", m.name, ${environment} as "environment"
                       from ${schema}.spree_payment_methods m
                      where m.id = p.payment_method_id`)} as "paymentMethod"
              from ${schema}.spree_payments p
             where p.${key} = o.id
             order by p.id`)
}
