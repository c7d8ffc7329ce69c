import { keepsNamesInTranslations } from '../store/catalogue-words.ts'
import type { Store } from '../store/store.ts'
import { keepsAddresses } from '../store/writes/customer-address.ts'
import { type Shop, shopOf } from '../store/writes/shop.ts'
import { touchesTaxons, touchesWithStock } from '../store/writes/touch.ts'
import { translationsOf } from '../store/writes/translated.ts'

export type Privilege = 'select' | 'insert' | 'update' | 'delete'
/** By what is done with a table's rows: those that are written are read as well, unless they are only appended. */
type Rights = Readonly<Partial<Record<Privilege | 'append', readonly string[]>>>

const PRIVILEGES = {
  select: ['select'],
  append: ['insert'],
  insert: ['insert', 'select'],
  update: ['update', 'select'],
  delete: ['delete', 'select'],
} as const

/** What a service needs in a table of the store, besides reading what messages show. */
export type Needed = Readonly<{ service: string; table: string; privilege: Privilege }>

/**
 * What each service writes in this store, and looks up, and nothing else. A lock of a row needs `update`. Of tables that a
 * store lacks nothing is said.
 */
export function neededRights(store: Pick<Store, 'family' | 'columns'>): Needed[] {
  const shop = shopOf(store)
  return Object.entries(servicesIn(shop)).flatMap(([service, parts]) => {
    const all = parts.flatMap((rights) =>
      (['select', 'append', 'insert', 'update', 'delete'] as const).flatMap((act) =>
        (rights[act] ?? [])
          .filter((table) => shop.columns.has(table))
          .flatMap((table) => PRIVILEGES[act].map((privilege) => ({ service, table, privilege }))),
      ),
    )
    return [...new Map(all.map((one) => [`${one.table} ${one.privilege}`, one])).values()]
  })
}

function servicesIn(shop: Shop): Readonly<Record<string, readonly Rights[]>> {
  const isSix = shop.family === 'spree-6.0'
  const { stock, units, shipments } = shop
  const customers = shop.columns.customers ?? []
  const orders: Rights = { update: ['spree_orders'] }
  /** The times that tell the shop's caches. */
  const touchProduct: Rights = {
    update: ['spree_products', ...(touchesTaxons(shop) ? ['spree_taxons', 'spree_taxonomies'] : [])],
  }
  const touch: Rights = {
    update: [
      'spree_variants',
      ...(touchProduct.update ?? []),
      ...(shop.isSpree5 ? ['spree_line_items'] : []),
    ],
  }
  const touchWithStock: Rights = touchesWithStock(shop) ? touch : {}
  const stockRow: Rights = {
    insert: [stock],
    update: shop.columns.has('spree_variants', 'stock_items_count') ? ['spree_variants'] : [],
  }
  /** Of several pieces in one some may become a unit of their own. */
  const splitUnits = shop.columns.has(units, 'quantity') ? [units] : []
  const restock: Rights = {
    insert: [...splitUnits, ...(isSix ? [] : ['spree_state_changes'])],
    update: [stock, 'spree_stock_locations', 'spree_orders', shipments, units],
  }
  const move: readonly Rights[] = [{ append: ['spree_stock_movements'] }, restock, touchWithStock]
  const ship: Rights = {
    insert: isSix ? ['spree_deliveries'] : ['spree_cartons', 'spree_state_changes'],
    update: ['spree_orders', shipments, units, 'spree_cartons'],
  }
  const track: Rights = { update: isSix ? ['spree_deliveries'] : [] }
  const serials: Rights = { insert: shop.columns.has(units, 'serial_number') ? splitUnits : [] }
  const leave: readonly Rights[] = isSix
    ? [touch, { insert: ['spree_stock_movements'], update: [stock] }]
    : []
  const capture: Rights = {
    insert: ['spree_payment_capture_events', ...(isSix ? [] : ['spree_log_entries', 'spree_state_changes'])],
    update: ['spree_orders', 'spree_payments', shipments],
  }
  const place: Rights = {
    select: [
      'spree_countries',
      'spree_states',
      'spree_markets',
      'spree_channels',
      'spree_tax_categories',
      'spree_payment_methods_stores',
      ...(shop.family === 'solidus'
        ? ['spree_calculators', 'spree_tax_rates', 'spree_tax_rate_tax_categories', 'spree_zone_members']
        : []),
    ],
    insert: [
      'spree_orders',
      'spree_addresses',
      'spree_line_items',
      'spree_payments',
      'spree_tokenized_permissions',
      'spree_stock_movements',
      shipments,
      units,
      ...(isSix
        ? ['spree_delivery_rates', 'spree_tax_lines', 'spree_discounts', 'spree_fees']
        : ['spree_shipping_rates', 'spree_shipping_rate_taxes', 'spree_adjustments', 'spree_state_changes']),
    ],
    update: [stock, 'spree_stock_locations'],
  }
  const pack: Rights = {
    select: [
      'spree_countries',
      'spree_states',
      'spree_payments',
      'spree_refunds',
      isSix ? 'spree_delivery_methods' : 'spree_shipping_methods',
    ],
    insert: [
      ...(shop.columns.has(shipments, 'address_id') ? ['spree_addresses'] : []),
      'spree_stock_movements',
      shipments,
      units,
      isSix ? 'spree_delivery_rates' : 'spree_shipping_rates',
    ],
    update: [stock],
  }
  const takeBack: Rights = isSix
    ? {
        insert: [
          'spree_returns',
          'spree_return_line_items',
          'spree_number_sequences',
          'spree_stock_movements',
        ],
        update: ['spree_returns', 'spree_return_line_items', 'spree_number_sequences'],
      }
    : {
        select: ['spree_return_authorizations', 'spree_adjustments', 'spree_payments', 'spree_refunds'],
        insert: [
          'spree_customer_returns',
          'spree_return_items',
          'spree_reimbursements',
          'spree_stock_movements',
        ],
        update: ['spree_return_items'],
      }
  const links = ['spree_option_value_variants', 'spree_option_values_variants']
  /** In 6.x the tables of taxonomies are there still, and nothing is in them. */
  const taxons = isSix ? ['spree_categories'] : ['spree_taxons', 'spree_taxonomies']
  const named = [
    'spree_products',
    'spree_option_types',
    'spree_option_values',
    'spree_properties',
    'spree_product_properties',
    ...taxons,
  ]
  const translations = keepsNamesInTranslations(shop.columns) ? named.map(translationsOf) : []
  /** A product, new or not, with all that hangs on it. */
  const product: Rights = {
    select: ['spree_markets'],
    insert: [
      'friendly_id_slugs',
      'spree_variants',
      'spree_prices',
      'spree_price_histories',
      'spree_option_types',
      'spree_option_values',
      ...links,
      'spree_product_option_types',
      'spree_properties',
      'spree_product_properties',
      ...taxons,
      ...translations,
      'spree_products_taxons',
      'spree_product_categories',
      'spree_shipping_categories',
    ],
    update: ['spree_variants', 'spree_prices', ...taxons],
    delete: [...links, ...(shop.isSpree5 && shop.masters ? ['spree_prices', stock] : [])],
  }
  const isPublished = shop.columns.has('spree_product_publications')
  const created: Rights = {
    select: [
      ...(shop.writesDefaultTax ? ['spree_tax_categories'] : []),
      'spree_channels',
      'spree_delivery_profiles',
    ],
    // What is published in channels is not entered in stores as well.
    insert: ['spree_products', ...(isPublished ? ['spree_product_publications'] : ['spree_products_stores'])],
    update: !isPublished && shop.columns.has('spree_products_stores') ? ['spree_stores'] : [],
  }
  const filedUnder = ['spree_products_taxons', 'spree_product_categories']
  /** One that is there already, if only to see that it differs. */
  const changed: Rights = {
    update: [
      ...filedUnder.filter((table) => shop.columns.has(table, 'position')),
      ...translations.filter((table) => table === 'spree_product_translations'),
    ],
    delete: filedUnder,
  }
  const customer: Rights = {
    select: ['spree_countries', 'spree_states'],
    insert: ['spree_addresses', 'spree_user_addresses'],
    update: [customers, 'spree_user_addresses'].flat(),
  }
  return {
    'stock:change': [...move, stockRow],
    'stock:actual': [...move, stockRow],
    'product:new': [product, created, changed, stockRow, touch],
    'product:update': [product, changed, stockRow, touch],
    'order:import': [place, stockRow, touchWithStock],
    'shipment:confirm': [ship, track, serials, ...leave],
    'order:ship': [orders],
    'order:capture': [capture],
    'hub:poll': [],
    set_inventory: move,
    add_order: [place, stockRow, touchWithStock],
    add_shipment: [ship, pack, touch, ...leave],
    add_customer_return: [
      takeBack,
      restock,
      touch,
      // Elsewhere a place that has never had it does not get it.
      ...(isSix || shop.family === 'solidus' ? [stockRow] : []),
    ],
    set_price: [
      {
        select: ['spree_markets'],
        insert: ['spree_prices', 'spree_price_histories'],
        update: ['spree_prices'],
      },
      touch,
    ],
    add_product: [product, created, stockRow, touchProduct],
    update_product: [product, changed, stockRow, touch],
    update_order: [orders],
    update_shipment: [ship, track, ...leave],
    add_customer: [customer, { insert: [customers].flat() }],
    update_customer: [customer, { update: keepsAddresses(shop) ? [] : ['spree_addresses'] }],
  }
}
