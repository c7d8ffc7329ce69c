import { AT, aReturn, hasReturn, type Told, type Version, WIRE } from './old-returns.ts'
import type { Payload } from './told.ts'

/** The steps of the day in which the order comes into being that is returned later. */
export const steps: Readonly<Record<Version, readonly string[]>> = {
  'spree-2.0': [],
  'spree-2.4': [
    '01-create-product',
    '02-change-product',
    '02b-change-options',
    '03-stock-movement',
    '04-checkout',
  ],
  'spree-3.2': ['01-change-product', '02-stock-movement', '03-checkout'],
  'spree-4.7': [],
  'solidus-4': [
    '01-product-created',
    '02-price-changed',
    '03-stock-moved',
    '06-cart-only',
    '07-order-completed',
    '08-payment-captured',
    '09-shipment-shipped',
    '10-order-completed',
    '11-order-canceled',
    '12-order-backordered',
    '13-backorder-filled',
    '14-return-received',
  ],
}

/** What the day of each version leaves out. */
export function otherKinds(version: Version): Told[] {
  return [
    ...(isOldest(version) ? [aProduct(version)] : []),
    aCount(version),
    ...(version === 'solidus-4' ? [] : [...aCustomer(version), aTransfer(version)]),
    ...(hasReturn(version) ? aReturn(version) : []),
    ...aCart(version),
  ]
}

/** How many there are of the SKU that was counted, after that. */
export function levelOf(version: Version): Payload {
  return isOldest(version) ? { sku: 'CC', quantity: 5 } : { sku: 'BC-01', quantity: 57 }
}

/** The same of each place in which there are some, by the places' names. */
export function placesOf(version: Version): Payload[] {
  return isOldest(version)
    ? [{ sku: 'CC', quantity: 5, stock_location: 'default' }]
    : [
        { sku: 'BC-01', quantity: 15, stock_location: 'Kiel depot' },
        { sku: 'BC-01', quantity: 42, stock_location: 'Portland warehouse' },
      ]
}

export function isOldest(version: Version): boolean {
  return ['spree-2.0', 'spree-2.4', 'spree-3.2'].includes(version)
}

function aProduct(version: Version): Told {
  return {
    name: 'a product is made',
    statements: [
      'begin',
      `insert into spree_products (id, name, description, ${version === 'spree-2.0' ? 'permalink' : 'slug'}, created_at, updated_at)
       values (9001, 'Sea Chest', 'Oak.', 'sea-chest', '${AT}', '${AT}')`,
      `insert into spree_variants (id, sku, is_master, product_id, position) values (9101, 'SC', true, 9001, 1)`,
      `insert into spree_prices (id, variant_id, amount, currency) values (9201, 9101, 49.5, 'USD')`,
      'commit',
    ],
    tells: [
      [
        'product:new',
        {
          id: 9001,
          name: 'Sea Chest',
          description: 'Oak.',
          price: '49.5',
          available_on: null,
          permalink: 'sea-chest',
          meta_description: null,
          meta_keywords: null,
          sku: 'SC',
          currency: 'USD',
          updated_at: WIRE,
          deleted_at: null,
          variants: [],
          options: [],
          taxons: [],
          properties: {},
          images: [],
          translations: {},
        },
      ],
    ],
  }
}

function aCount(version: Version): Told {
  const [sku, item] = isOldest(version) ? ['CC', 304] : ['BC-01', 306]
  return {
    name: 'stock is counted',
    statements: [`update spree_stock_items set count_on_hand = count_on_hand + 2 where id = ${item}`],
    tells: [['stock:change', { sku, quantity: 2 }]],
  }
}

function aCustomer(version: Version): Told[] {
  const customer = {
    id: 9001,
    email: 'greta@example.com',
    login: 'greta',
    first_name: null,
    last_name: null,
    phone: null,
    created_at: WIRE,
    updated_at: WIRE,
    deleted_at: null,
    bill_address: null,
    ship_address: null,
    ...(version === 'spree-4.7' && { selected_locale: null, public_metadata: null }),
  }
  return [
    {
      name: 'a customer registers',
      statements: [
        `insert into spree_users (id, email, login, created_at, updated_at)
         values (9001, 'greta@example.com', 'greta', '${AT}', '${AT}')`,
      ],
      tells: [['user:new', customer]],
    },
    {
      name: 'a customer has another e-mail address',
      statements: [`update spree_users set email = 'holm@example.com' where id = 9001`],
      tells: [
        ['user:updated', { ...customer, email: 'holm@example.com', previous_email: 'greta@example.com' }],
      ],
    },
    {
      name: 'a customer has default addresses',
      statements: [
        `insert into spree_addresses (id, firstname, lastname, address1, address2, city, zipcode, phone, company,
                                      alternative_phone, country_id, state_name, created_at, updated_at)
         values (9401, 'Greta', 'Holm', '7 Dock Rd', 'Floor 2', 'Albany', '12201', '555-0171', 'Holm & Daughter',
                 '555-0172', 1, 'Lofoten', '${AT}', '${AT}')`,
        'update spree_users set bill_address_id = 9401, ship_address_id = 9401 where id = 9001',
      ],
      tells: [
        ['user:updated', { ...customer, email: 'holm@example.com', bill_address: HOME, ship_address: HOME }],
      ],
    },
    {
      name: 'a customer has none any more',
      statements: ['update spree_users set bill_address_id = null, ship_address_id = null where id = 9001'],
      tells: [['user:updated', { ...customer, email: 'holm@example.com' }]],
    },
  ]
}

const UNITED_STATES = {
  id: 1,
  iso_name: 'UNITED STATES',
  iso: 'US',
  iso3: 'USA',
  name: 'United States',
  numcode: 840,
}
const HOME = {
  id: 9401,
  firstname: 'Greta',
  lastname: 'Holm',
  address1: '7 Dock Rd',
  address2: 'Floor 2',
  city: 'Albany',
  zipcode: '12201',
  phone: '555-0171',
  company: 'Holm & Daughter',
  alternative_phone: '555-0172',
  country_id: 1,
  state_id: null,
  state_name: 'Lofoten',
  country: UNITED_STATES,
  state: null,
}
const NOWHERE = {
  address1: null,
  address2: null,
  city: null,
  zipcode: null,
  phone: null,
  country_id: 1,
  state_id: null,
  state_name: null,
  country: UNITED_STATES,
  state: null,
}

/** Between the locations 1 and 2, of the SKU that was counted. */
function aTransfer(version: Version): Told {
  const old = isOldest(version)
  const [item, variant] = old ? [304, 104] : [306, 108]
  return {
    name: 'goods leave for another place',
    statements: [
      'begin',
      `insert into spree_stock_transfers (id, number, reference, source_location_id, destination_location_id,
                                          created_at, updated_at)
       values (9501, 'T9501', 'PO-7', 1, 2, '${AT}', '${AT}')`,
      `insert into spree_stock_movements (id, stock_item_id, quantity, originator_type, originator_id, created_at, updated_at)
       values (9601, ${item}, -1, 'Spree::StockTransfer', 9501, '${AT}', '${AT}')`,
      'commit',
    ],
    tells: [
      [
        'stock_transfer:persist',
        {
          id: 9501,
          number: 'T9501',
          reference_number: 'PO-7',
          created_at: WIRE,
          updated_at: WIRE,
          source_location: old
            ? { id: 1, name: 'default', ...NOWHERE }
            : {
                ...NOWHERE,
                id: 1,
                name: 'Portland warehouse',
                address1: '1 Commercial Street',
                city: 'Portland',
                zipcode: '04101',
                state_id: 11,
                state: { id: 11, name: 'Maine', abbr: 'ME', country_id: 1 },
              },
          source_movements: [
            {
              id: 9601,
              quantity: -1,
              stock_item_id: item,
              stock_item: {
                id: item,
                count_on_hand: old ? 5 : 42,
                backorderable: old,
                stock_location_id: 1,
                variant_id: variant,
                variant: old
                  ? {
                      id: 104,
                      name: 'Chart Case',
                      product_id: 32,
                      sku: 'CC',
                      price: '24.0',
                      weight: '1.25',
                      height: null,
                      width: null,
                      depth: null,
                      is_master: true,
                      cost_price: null,
                      permalink: 'chart-case',
                    }
                  : {
                      id: 108,
                      name: 'Brass Compass',
                      product_id: 13,
                      sku: 'BC-01',
                      price: '34.5',
                      weight: '0.2',
                      height: '8.0',
                      width: '6.5',
                      depth: '2.5',
                      is_master: true,
                      cost_price: '12.0',
                      permalink: 'brass-compass',
                    },
              },
            },
          ],
          destination_location: old
            ? { id: 2, name: 'east', ...NOWHERE }
            : {
                ...NOWHERE,
                id: 2,
                name: 'Kiel depot',
                address1: 'Am Kai 3',
                city: 'Kiel',
                zipcode: '24103',
                country_id: 2,
                state_name: 'Schleswig-Holstein',
                country: {
                  id: 2,
                  iso_name: 'GERMANY',
                  iso: 'DE',
                  iso3: 'DEU',
                  name: 'Germany',
                  numcode: 276,
                },
              },
          destination_movements: [],
        },
      ],
    ],
  }
}

/** It is an order to be, in which there is nothing yet. */
export function emptyCart(version: Version) {
  return {
    id: 9001,
    number: 'R900000001',
    user_id: null,
    email: null,
    currency: 'USD',
    channel: 'spree',
    token: null,
    last_ip_address: null,
    state: 'cart',
    payment_state: null,
    shipment_state: null,
    item_total: '0.0',
    adjustment_total: '0.0',
    ship_total: '0.0',
    tax_total: '0.0',
    included_tax_total: '0.0',
    additional_tax_total: '0.0',
    display_included_tax_total: null,
    display_additional_tax_total: null,
    total: '0.0',
    payment_total: '0.0',
    created_at: WIRE,
    updated_at: WIRE,
    completed_at: null,
    locked_at: null,
    special_instructions: null,
    promotion: null,
    campaign: null,
    bill_address: null,
    ship_address: null,
    line_items: [],
    payments: [],
    shipments: [],
    adjustments: [],
    credit_cards: [],
    refunds: [],
    return_authorizations: [],
    store: null,
    ...(version === 'spree-4.7' && { internal_note: null, public_metadata: null, private_metadata: null }),
    ...(version === 'solidus-4' && { customer_metadata: {}, admin_metadata: {} }),
  }
}

function aCart(version: Version): Told[] {
  const cart = emptyCart(version)
  return [
    {
      name: 'a cart is begun',
      statements: [
        `insert into spree_orders (id, number, state, currency, created_at, updated_at)
         values (9001, 'R900000001', 'cart', 'USD', '${AT}', '${AT}')`,
      ],
      tells: [['cart:new', { cart }]],
    },
    {
      name: 'its buyer says who it is',
      statements: [`update spree_orders set email = 'greta@example.com' where id = 9001`],
      tells: [['cart:updated', { cart: { ...cart, email: 'greta@example.com' } }]],
    },
  ]
}
