import { keepsNamesInTranslations } from '../store/catalogue-words.ts'
import type { Store } from '../store/store.ts'
import { keepsAddresses } from '../store/writes/customer-address.ts'
import { type Shop, shopOf } from '../store/writes/shop.ts'
import { touchesTaxons } from '../store/writes/touch.ts'
import { translationsOf } from '../store/writes/translated.ts'

export type Privilege = 'select' | 'insert' | 'update' | 'delete'
type Rights = Readonly<Partial<Record<Privilege, readonly string[]>>>

/** What a service needs in a table of the store, besides reading what messages show. */
export type Needed = Readonly<{ service: string; table: string; privilege: Privilege }>

/**
 * What each service writes in this store, and looks up. A lock of a row needs `update`, a row that is written `select`. Of
 * tables that a store lacks nothing is said.
 */
export function neededRights(store: Pick<Store, 'family' | 'columns'>): Needed[] {
  const shop = shopOf(store)
  return Object.entries(servicesIn(shop)).flatMap(([service, parts]) => {
    const all = parts.flatMap((rights) =>
      (['select', 'insert', 'update', 'delete'] as const).flatMap((privilege) =>
        (rights[privilege] ?? [])
          .filter((table) => shop.columns.has(table))
          .flatMap((table) => [
            { service, table, privilege },
            { service, table, privilege: 'select' as const },
          ]),
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
  const touch: Rights = {
    update: [
      'spree_variants',
      'spree_products',
      ...(shop.isSpree5 ? ['spree_line_items'] : []),
      ...(touchesTaxons(shop) ? ['spree_taxons', 'spree_taxonomies'] : []),
    ],
  }
  const stockRow: Rights = { insert: [stock], update: ['spree_variants'] }
  const move: Rights = {
    insert: ['spree_stock_movements', units, ...(isSix ? [] : ['spree_state_changes'])],
    update: [stock, 'spree_stock_locations', 'spree_orders', shipments, units],
  }
  const ship: Rights = {
    insert: [units, ...(isSix ? ['spree_deliveries'] : ['spree_cartons', 'spree_state_changes'])],
    update: ['spree_orders', shipments, units, isSix ? 'spree_deliveries' : 'spree_cartons'],
  }
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
      'spree_addresses',
      'spree_stock_movements',
      shipments,
      isSix ? 'spree_delivery_rates' : 'spree_shipping_rates',
    ],
    update: [stock],
  }
  const takeBack: Rights = isSix
    ? {
        select: ['spree_payments', 'spree_refunds'],
        insert: ['spree_returns', 'spree_return_line_items', 'spree_number_sequences'],
        update: ['spree_returns', 'spree_return_line_items', 'spree_number_sequences'],
      }
    : {
        select: ['spree_return_authorizations', 'spree_adjustments', 'spree_payments', 'spree_refunds'],
        insert: ['spree_customer_returns', 'spree_return_items', 'spree_reimbursements'],
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
    update: [
      'spree_prices',
      ...taxons,
      ...translations.filter((table) => table === 'spree_product_translations'),
    ],
    delete: [...links, ...(shop.isSpree5 && shop.masters ? ['spree_prices', stock] : [])],
  }
  const isPublished = shop.columns.has('spree_product_publications')
  const created: Rights = {
    select: ['spree_tax_categories', 'spree_channels', 'spree_delivery_profiles'],
    // What is published in channels is not entered in stores as well.
    insert: ['spree_products', ...(isPublished ? ['spree_product_publications'] : ['spree_products_stores'])],
    update: !isPublished && shop.columns.has('spree_products_stores') ? ['spree_stores'] : [],
  }
  const filedUnder = ['spree_products_taxons', 'spree_product_categories']
  const refiled: Rights = {
    update: filedUnder.filter((table) => shop.columns.has(table, 'position')),
    delete: filedUnder,
  }
  const customer: Rights = {
    select: ['spree_countries', 'spree_states'],
    insert: ['spree_addresses', 'spree_user_addresses'],
    update: [customers, 'spree_user_addresses'].flat(),
  }
  return {
    'stock:change': [move, stockRow, touch],
    'stock:actual': [move, stockRow, touch],
    'product:new': [product, created, stockRow, touch],
    'product:update': [product, refiled, stockRow, touch],
    'order:import': [place, stockRow, touch],
    'shipment:confirm': [ship, ...leave],
    'order:ship': [orders],
    'order:capture': [capture],
    'hub:poll': [],
    set_inventory: [move, touch],
    add_order: [place, stockRow, touch],
    add_shipment: [ship, pack, touch, ...leave],
    add_customer_return: [takeBack, move, stockRow, touch],
    set_price: [{ insert: ['spree_prices', 'spree_price_histories'], update: ['spree_prices'] }, touch],
    add_product: [product, created, stockRow, touch],
    update_product: [product, refiled, stockRow, touch],
    update_order: [orders],
    update_shipment: [ship, ...leave],
    add_customer: [customer, { insert: [customers].flat() }],
    update_customer: [customer, { update: keepsAddresses(shop) ? [] : ['spree_addresses'] }],
  }
}
