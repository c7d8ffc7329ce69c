import type { Kind } from '../messages/aggregate.ts'
import type { Columns } from './columns.ts'

/** A field of messages, and the tables or columns (`table.column`) of which one at least has to be there for it. */
type Source = readonly [field: string, ...anyOf: string[]]

// What the statements of a kind ask for before they read it; without the rest a kind cannot be read.
const SOURCES: Readonly<Partial<Record<Kind, (columns: Columns) => readonly Source[]>>> = {
  product: () => [
    ['status', 'spree_products.status'],
    ['taxons', 'spree_taxons.parent_id', 'spree_categories.parent_id'],
    ['properties', 'spree_product_properties', 'spree_custom_fields', 'spree_metafields'],
    ['translations', 'spree_product_translations.spree_product_id'],
    ['images[].key', 'active_storage_blobs'],
  ],
  order: () => [
    ['channel', 'spree_orders.channel'],
    ['locked_at', 'spree_orders.locked_at'],
    ['store', 'spree_orders.store_id'],
    ['internal_note', 'spree_orders.internal_note'],
    ['metadata', 'spree_orders.metadata', 'spree_orders.public_metadata', 'spree_orders.customer_metadata'],
    ['refunds', 'spree_refunds'],
    ['payments[].payment_method.environment', 'spree_payment_methods.environment'],
    [
      'shipments[].inventory_units[].quantity',
      'spree_inventory_units.quantity',
      'spree_fulfillment_items.quantity',
    ],
  ],
  customer: ({ customers = '' }) => [
    ...['login', 'first_name', 'last_name', 'phone', 'deleted_at', 'selected_locale'].map(
      (name): Source => [name, `${customers}.${name}`],
    ),
    ['bill_address', `${customers}.bill_address_id`],
    ['ship_address', `${customers}.ship_address_id`],
    [
      'metadata',
      ...['metadata', 'public_metadata', 'customer_metadata'].map((name) => `${customers}.${name}`),
    ],
  ],
  stock_transfer: () => [
    ['number', 'spree_stock_transfers.number'],
    ['reference_number', 'spree_stock_transfers.reference', 'spree_stock_transfers.reference_number'],
    ['status', 'spree_stock_transfers.status'],
  ],
}

/** The fields of a kind's messages for which the store has no column: they are null or empty there, or not there at all. */
export function absentFields(columns: Columns, kind: Kind): string[] {
  const sources = SOURCES[kind]?.(columns) ?? []
  const isThere = (source: string) => {
    const [table = '', column] = source.split('.')
    return columns.has(table, column)
  }
  return sources.flatMap(([field, ...anyOf]) => (anyOf.some(isThere) ? [] : [field]))
}
