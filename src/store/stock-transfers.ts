import { currencyOf } from './catalogue-words.ts'
import type { Columns } from './columns.ts'
import { jsonRow, jsonRows, quoteName } from './json-sql.ts'
import type { StateSources } from './state-sources.ts'
import { mentionedVariantColumns } from './variant-sql.ts'
import { watch } from './watched.ts'

/** What is told of a transfer that is planned, sent and received, besides its status. */
const PROGRESS = ['notes', 'shipped_at', 'received_at', 'closed_short_at', 'deleted_at'] as const

/**
 * Stock transfers with the movements that they caused. Movements are not watched: they are written in the transaction that
 * changes their transfer, and never changed (Spree marks them read-only), while every sale writes some.
 */
export function stockTransferSource(
  columns: Columns,
  stock: Readonly<{ table: string; key: string }>,
): Pick<StateSources, 'stock_transfer'> {
  const table = 'spree_stock_transfers'
  if (!columns.has(table)) return {}
  const own = (name: string) => (columns.has(table, name) ? `t.${name}` : 'null')
  const reference = columns.has(table, 'reference') ? 't.reference' : own('reference_number')
  const advances = columns.has(table, 'status') && columns.has('spree_stock_transfer_items')
  return {
    stock_transfer: {
      table,
      watched: [
        ...watch(columns, table, {
          kind: 'stock_transfer',
          only: [
            'number',
            'reference',
            'reference_number',
            'source_location_id',
            'destination_location_id',
            'status',
            ...PROGRESS,
          ],
        }),
        ...watch(columns, 'spree_stock_transfer_items', {
          kind: 'stock_transfer',
          parent: 'stock_transfer_id',
        }),
      ],
      snapshots: `
with ${movedBy(columns, stock)}
select t.id::text as id, row_to_json(snapshot)::text as snapshot
  from ${quoteName(columns.schema)}.${table} t
 cross join lateral (
   select t.id::text as "id",
          ${own('number')} as "number",
          ${reference} as "referenceNumber",
          ${own('created_at')} as "createdAt",
          ${own('updated_at')} as "updatedAt",
          ${location(columns, 't.source_location_id')} as "sourceLocation",
          ${location(columns, 't.destination_location_id')} as "destinationLocation",
          ${movements(columns, 't.source_location_id')} as "sourceMovements",
          ${movements(columns, 't.destination_location_id')} as "destinationMovements",
          ${advances ? progress(columns, own) : 'null'} as "progress"
 ) snapshot
 where t.id = any($1::bigint[])`,
    },
  }
}

/** Read once for all transfers: old stores have no index that leads from a transfer to its movements. */
function movedBy(columns: Columns, stock: Readonly<{ table: string; key: string }>): string {
  const schema = quoteName(columns.schema)
  const ways = [
    { key: 'stock_transfer_id', condition: '' },
    { key: 'originator_id', condition: `m.originator_type = 'Spree::StockTransfer' and ` },
  ].filter(({ key }) => columns.has('spree_stock_movements', key))
  if (ways.length === 0) ways.push({ key: 'id', condition: 'false and ' })
  return `moved as materialized (
  select m.id, m.quantity, coalesce(${ways.map(({ key }) => `m.${key}`).join(', ')}) as transfer_id,
         i.id as stock_item_id, i.count_on_hand, i.backorderable, i.stock_location_id, i.variant_id
    from ${schema}.spree_stock_movements m
    join ${schema}.${stock.table} i on i.id = m.${stock.key}
   where ${ways.map(({ key, condition }) => `${condition}m.${key} = any($1::bigint[])`).join('\n      or ')}
)`
}

/** Where there are codes, countries and states have no rows. */
function location(columns: Columns, locationId: string): string {
  const schema = quoteName(columns.schema)
  const coded = columns.has('spree_stock_locations', 'country_code')
  return jsonRow(`
            select l.id::text as "id",
                   l.name,
                   l.address1,
                   l.address2,
                   l.city,
                   l.zipcode,
                   l.phone,
                   ${coded ? 'null' : 'l.country_id::text'} as "countryId",
                   ${coded ? 'null' : 'l.state_id::text'} as "stateId",
                   l.state_name as "stateName",
                   ${
                     coded
                       ? `case when l.country_code is not null
                        then json_build_object('id', null, 'isoName', null, 'iso', l.country_code,
                                               'iso3', null, 'name', null, 'numcode', null)
                   end`
                       : jsonRow(`
                     select c.id::text as "id", c.iso_name as "isoName", c.iso, c.iso3, c.name, c.numcode
                       from ${schema}.spree_countries c
                      where c.id = l.country_id`)
                   } as "country",
                   ${
                     coded
                       ? `case when l.state_code is not null
                        then json_build_object('id', null, 'name', l.state_name, 'abbr', l.state_code,
                                               'countryId', null)
                   end`
                       : jsonRow(`
                     select s.id::text as "id", s.name, s.abbr, s.country_id::text as "countryId"
                       from ${schema}.spree_states s
                      where s.id = l.state_id`)
                   } as "state"
              from ${schema}.spree_stock_locations l
             where l.id = ${locationId}`)
}

function movements(columns: Columns, locationId: string): string {
  return jsonRows(`
            select m.id::text as "id",
                   m.quantity,
                   json_build_object(
                     'id', m.stock_item_id::text,
                     'countOnHand', m.count_on_hand,
                     'backorderable', m.backorderable,
                     'stockLocationId', m.stock_location_id::text,
                     'variantId', m.variant_id::text,
                     'variant', ${variant(columns)}) as "stockItem"
              from moved m
             where m.transfer_id = t.id
               and m.stock_location_id = ${locationId}
             order by m.id`)
}

function variant(columns: Columns): string {
  const schema = quoteName(columns.schema)
  return jsonRow(`
                     select ${mentionedVariantColumns(columns, currencyOf(columns))}
                       from ${schema}.spree_variants v
                       left join ${schema}.spree_products p on p.id = v.product_id
                      where v.id = m.variant_id`)
}

function progress(columns: Columns, own: (name: (typeof PROGRESS)[number]) => string): string {
  return `json_build_object(
            'status', t.status,
            'notes', ${own('notes')},
            'shippedAt', ${own('shipped_at')},
            'receivedAt', ${own('received_at')},
            'closedShortAt', ${own('closed_short_at')},
            'deletedAt', ${own('deleted_at')},
            'items', ${jsonRows(`
              select i.id::text as "id",
                     i.variant_id::text as "variantId",
                     i.quantity_shipped as "quantityShipped",
                     i.quantity_received as "quantityReceived",
                     ${columns.has('spree_stock_transfer_items', 'quantity_rejected') ? 'i.quantity_rejected' : '0'} as "quantityRejected"
                from ${quoteName(columns.schema)}.spree_stock_transfer_items i
               where i.stock_transfer_id = t.id
               order by i.id`)})`
}
