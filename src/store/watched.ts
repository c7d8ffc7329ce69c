import type { Kind } from '../messages/aggregate.ts'
import type { Carts } from './carts.ts'
import {
  fieldTables,
  hasTranslations,
  keepsNamesInTranslations,
  mediaTable,
  optionLinks,
  taxonTables,
} from './catalogue-words.ts'
import type { Columns } from './columns.ts'

/** What the parent column of a row (or its id, where there is none) names, and so the way to its aggregate. */
export type OwnerKind =
  | 'root'
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
  | 'shipment'
  | 'payment'
  | 'return'
  | 'unit'
  | 'address'
  | 'card'
  | 'adjustable'
  | 'carton'

export type Operation = 'insert' | 'update' | 'delete'

/** A table of the store whose changes are recorded. */
export type WatchedTable = Readonly<{
  /** As named in the store. */
  table: string
  kind: Kind
  operations: readonly Operation[]
  /** Column of the primary key. */
  id: string
  /** Column that leads to the aggregate; null where the id does. */
  parent: string | null
  /** Column that names the cart of a row that is of no order, where such are told: recorded with `CART` before it. */
  cart: string | null
  owner: OwnerKind
  /** Orders only: rows in which this column is null before and after are carts, and not recorded unless these are told. */
  placed: string | null
  carts: boolean
  /** Stock only: what a row adds to the level of its variant while it is not deleted. */
  level: Readonly<{ count: string; deleted: string }> | null
  /** The columns in which a difference is a change. */
  columns: readonly string[]
}>

type Watch = Readonly<{
  kind: Kind
  parent?: string
  /** Its parent may be a cart that is apart. */
  mayBeOfCart?: boolean
  owner?: OwnerKind
  operations?: readonly Operation[]
  placed?: string
  carts?: boolean
  /** Columns whose changes say nothing, besides `updated_at`. */
  except?: readonly string[]
  /** The only columns whose changes say something. */
  only?: readonly string[]
}>

/** A watched table, with its columns as the store has them; none where the store has no such table. */
export function watch(columns: Columns, table: string, watched: Watch): WatchedTable[] {
  if (!columns.has(table)) return []
  const silent = new Set(['updated_at', ...(watched.except ?? [])])
  return [
    {
      table,
      kind: watched.kind,
      operations: watched.operations ?? ['insert', 'update', 'delete'],
      // A join table of before 3.1 has none; its rows come and go.
      id: columns.has(table, 'id') ? 'id' : (watched.parent ?? 'id'),
      parent: watched.parent ?? null,
      cart: watched.mayBeOfCart && columns.has(table, 'cart_id') ? 'cart_id' : null,
      owner: watched.owner ?? 'root',
      placed: watched.placed ?? null,
      carts: watched.carts ?? false,
      level: null,
      columns: columns.of(table).filter((name) => watched.only?.includes(name) ?? !silent.has(name)),
    },
  ]
}

/** The table of stock levels. Allocated, reserved and incoming counts say nothing. */
export function watchStock(table: string): WatchedTable {
  return {
    table,
    kind: 'stock',
    operations: ['insert', 'update', 'delete'],
    id: 'id',
    parent: 'variant_id',
    cart: null,
    owner: 'variant',
    placed: null,
    carts: false,
    level: { count: 'count_on_hand', deleted: 'deleted_at' },
    columns: ['count_on_hand', 'deleted_at', 'variant_id', 'stock_location_id'],
  }
}

/** The catalogue's tables, the same in all families. */
export function watchCatalogue(columns: Columns): WatchedTable[] {
  return [
    // What a sale counts up in its product is no change of the product.
    ...watch(columns, 'spree_products', {
      kind: 'product',
      except: ['revenue', ...counters(columns, 'spree_products')],
    }),
    ...watch(columns, 'spree_variants', {
      kind: 'product',
      parent: 'product_id',
      except: counters(columns, 'spree_variants'),
    }),
    ...watch(columns, 'spree_prices', { kind: 'product', parent: 'variant_id', owner: 'variant' }),
    ...watch(columns, optionLinks(columns), {
      kind: 'product',
      parent: 'variant_id',
      owner: 'variant',
    }),
    // As addresses below: a new one is of no product yet. Their order is in no message, what people read in objects alone.
    ...watch(columns, 'spree_option_values', {
      kind: 'product',
      owner: 'optionValue',
      operations: ['update'],
      only: ['name', 'option_type_id'],
    }),
    ...watch(columns, 'spree_option_types', {
      kind: 'product',
      owner: 'optionType',
      operations: ['update'],
      only: ['name'],
    }),
    ...watchContent(columns),
    ...watchImages(columns),
    ...(keepsNamesInTranslations(columns) ? watchNames(columns) : []),
  ]
}

/** What a product's message says of others, or in other words. Where a product stands among its like is in no message. */
function watchContent(columns: Columns): WatchedTable[] {
  const filing = taxonTables(columns)
  const own = fieldTables(columns)
  return [
    ...watch(columns, 'spree_product_option_types', {
      kind: 'product',
      parent: 'product_id',
      only: ['product_id', 'option_type_id', 'position'],
    }),
    ...(filing
      ? [
          ...watch(columns, filing.links, {
            kind: 'product',
            parent: 'product_id',
            only: ['product_id', filing.key],
          }),
          ...watch(columns, filing.taxons, {
            kind: 'product',
            owner: 'taxon',
            operations: ['update'],
            only: ['name', 'parent_id'],
          }),
        ]
      : []),
    ...watch(columns, 'spree_product_properties', {
      kind: 'product',
      parent: 'product_id',
      only: ['product_id', 'property_id', 'value'],
    }),
    ...watch(columns, 'spree_properties', {
      kind: 'product',
      owner: 'property',
      operations: ['update'],
      only: ['name'],
    }),
    ...(own
      ? [
          // A field of an order, say, leads to the product with its id: we look in vain.
          ...watch(columns, own.fields, {
            kind: 'product',
            parent: 'resource_id',
            only: ['resource_type', 'resource_id', own.key, 'value'],
          }),
          ...watch(columns, own.definitions, {
            kind: 'product',
            owner: 'field',
            operations: ['update'],
            only: ['namespace', 'key'],
          }),
        ]
      : []),
    ...(hasTranslations(columns)
      ? watch(columns, 'spree_product_translations', {
          kind: 'product',
          parent: 'spree_product_id',
          except: ['created_at', 'meta_title'],
        })
      : []),
  ]
}

/** Images and their files. What is measured of a file is written later, by a job. */
function watchImages(columns: Columns): WatchedTable[] {
  return [
    ...watch(columns, mediaTable(columns), {
      kind: 'product',
      parent: 'viewable_id',
      owner: 'viewable',
      except: ['created_at', 'attachment_updated_at', 'attachment_file_size'],
    }),
    ...watch(columns, 'spree_variant_media', { kind: 'product', parent: 'variant_id', owner: 'variant' }),
    ...watch(columns, 'active_storage_attachments', {
      kind: 'product',
      parent: 'record_id',
      owner: 'image',
      only: ['name', 'record_type', 'record_id', 'blob_id'],
    }),
    ...watch(columns, 'active_storage_blobs', {
      kind: 'product',
      owner: 'file',
      operations: ['update'],
      only: ['key', 'filename', 'content_type', 'metadata'],
    }),
  ]
}

/** What the shop counts for itself. */
function counters(columns: Columns, table: string): string[] {
  return columns.of(table).filter((name) => /^[a-z_]+_count$/.test(name))
}

/** The translations, where they hold the only names there are. */
function watchNames(columns: Columns): WatchedTable[] {
  return [
    ...watch(columns, 'spree_taxon_translations', {
      kind: 'product',
      parent: 'spree_taxon_id',
      owner: 'taxon',
      only: ['name', 'locale'],
    }),
    ...watch(columns, 'spree_product_property_translations', {
      kind: 'product',
      parent: 'spree_product_property_id',
      owner: 'productProperty',
      only: ['value', 'locale'],
    }),
    ...watch(columns, 'spree_option_value_translations', {
      kind: 'product',
      parent: 'spree_option_value_id',
      owner: 'optionValue',
      only: ['name', 'locale'],
    }),
    ...watch(columns, 'spree_option_type_translations', {
      kind: 'product',
      parent: 'spree_option_type_id',
      owner: 'optionType',
      only: ['name', 'locale'],
    }),
  ]
}

/** The tables of an order that all families have. */
export function watchOrders(columns: Columns, carts: Carts | null): WatchedTable[] {
  const isApart = carts === 'apart'
  return [
    ...watch(columns, 'spree_orders', {
      kind: 'order',
      placed: 'completed_at',
      carts: carts === 'among orders',
    }),
    ...watch(columns, 'spree_line_items', { kind: 'order', parent: 'order_id', mayBeOfCart: isApart }),
    ...watch(columns, 'spree_payments', { kind: 'order', parent: 'order_id', mayBeOfCart: isApart }),
    ...watch(columns, 'spree_refunds', { kind: 'order', parent: 'payment_id', owner: 'payment' }),
    // Rows that other rows point at: they matter once they are pointed at, and then only their updates do.
    ...watch(columns, 'spree_addresses', { kind: 'order', owner: 'address', operations: ['update'] }),
    ...watch(columns, 'spree_credit_cards', {
      kind: 'order',
      owner: 'card',
      operations: ['update'],
      only: ['month', 'year', 'cc_type', 'last_digits', 'name', 'first_name', 'last_name'],
    }),
  ]
}
