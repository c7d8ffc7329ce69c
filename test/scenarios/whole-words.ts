import { AT, type Told, type Version, WIRE } from './old-returns.ts'
import { isOldest } from './other-kinds.ts'
import type { Payload } from './told.ts'

/** What the small shop of the oldest versions lacks, as those versions have it. */
export const CATALOGUE_TABLES = `
create table spree_taxons (
  id serial primary key, parent_id integer, position integer default 0, name varchar(255) not null, permalink varchar(255),
  taxonomy_id integer, lft integer, rgt integer, description text, created_at timestamp, updated_at timestamp
);
create table spree_products_taxons (id serial primary key, product_id integer, taxon_id integer, position integer);
create table spree_properties (
  id serial primary key, name varchar(255), presentation varchar(255) not null, created_at timestamp, updated_at timestamp
);
create table spree_product_properties (
  id serial primary key, value varchar(255), product_id integer, property_id integer, created_at timestamp,
  updated_at timestamp, position integer default 0
);`

/** A product of the oldest with all that it may have, and its SKU changed. */
export function wholeProduct(version: Version): Told[] {
  const links = version === 'spree-3.2' ? 'spree_option_value_variants' : 'spree_option_values_variants'
  const picture = (id: number, file: string, title: string) => ({
    id,
    url: `/spree/products/${id}/original/${file}`,
    position: 1,
    title,
    type: 'original',
    dimensions: { height: 600, width: 800 },
    content_type: 'image/jpeg',
    file_name: file,
    key: null,
  })
  const product = {
    id: 9011,
    name: 'Chart Table',
    description: 'Teak.',
    price: '240.0',
    available_on: '2026-03-01T00:00:00.000Z',
    permalink: 'chart-table',
    meta_description: 'A table for charts',
    meta_keywords: 'chart, table',
    sku: 'CT',
    currency: 'USD',
    updated_at: WIRE,
    deleted_at: null,
    variants: [
      {
        id: 9112,
        sku: 'CT-F',
        price: '260.0',
        cost_price: '120.5',
        options: { 'chart-size': 'folio' },
        position: 2,
        weight: '31.5',
        height: '80.0',
        width: '120.0',
        depth: '60.25',
        deleted_at: null,
        images: [picture(9052, 'folio-table.jpg', 'With a folio')],
      },
    ],
    options: ['chart-size'],
    taxons: [['Furniture', 'Tables']],
    properties: { material: 'teak' },
    images: [picture(9051, 'table.jpg', 'The table')],
    translations: {},
  }
  return [
    {
      name: 'a product with all that it may have',
      statements: [
        'begin',
        `insert into spree_taxons (id, parent_id, name, created_at, updated_at)
         values (9031, null, 'Furniture', '${AT}', '${AT}'), (9032, 9031, 'Tables', '${AT}', '${AT}')`,
        `insert into spree_properties (id, name, presentation) values (9041, 'material', 'Material')`,
        `insert into spree_products (id, name, description, ${version === 'spree-2.0' ? 'permalink' : 'slug'}, available_on,
                                     meta_description, meta_keywords, created_at, updated_at)
         values (9011, 'Chart Table', 'Teak.', 'chart-table', '2026-03-01', 'A table for charts', 'chart, table', '${AT}', '${AT}')`,
        `insert into spree_variants (id, sku, is_master, product_id, position, cost_price, weight, height, width, depth)
         values (9111, 'CT', true, 9011, 1, 100, 30, 80, 100, 60), (9112, 'CT-F', false, 9011, 2, 120.5, 31.5, 80, 120, 60.25)`,
        `insert into spree_prices (id, variant_id, amount, currency) values (9211, 9111, 240, 'USD'), (9212, 9112, 260, 'USD')`,
        'insert into spree_product_option_types (id, product_id, option_type_id, position) values (9061, 9011, 5, 1)',
        `insert into ${links} (variant_id, option_value_id) values (9112, 21)`,
        'insert into spree_products_taxons (product_id, taxon_id, position) values (9011, 9032, 1)',
        `insert into spree_product_properties (product_id, property_id, value) values (9011, 9041, 'teak')`,
        `insert into spree_assets (id, viewable_type, viewable_id, attachment_width, attachment_height,
                                   attachment_content_type, attachment_file_name, type, position, alt)
         values (9051, 'Spree::Variant', 9111, 800, 600, 'image/jpeg', 'table.jpg', 'Spree::Image', 1, 'The table'),
                (9052, 'Spree::Variant', 9112, 800, 600, 'image/jpeg', 'folio-table.jpg', 'Spree::Image', 1, 'With a folio')`,
        'commit',
      ],
      tells: [['product:new', product]],
    },
    {
      name: 'its SKU is another',
      statements: [`update spree_variants set sku = 'CT-2' where id = 9111`],
      tells: [['product:update', { ...product, sku: 'CT-2', previous_sku: 'CT' }]],
    },
  ]
}

/** Where a thing of the shop goes, with every line that an address may have. */
const address = (id: number, own: Payload) => ({
  id,
  firstname: 'Inga',
  lastname: 'Berg',
  address1: '1 Wharf Street',
  address2: 'Floor 3',
  city: 'Portland',
  zipcode: '04101',
  phone: '555-0181',
  company: 'Berg & Son',
  alternative_phone: '555-0182',
  country_id: null,
  state_id: null,
  state_name: null,
  country: null,
  state: null,
  ...own,
})

/** Of order 9002 at the end of its life: what its buyer says besides, a card, and what is given back. */
export function wordsOfOrder(version: Version, order: Payload): Told {
  const state = isOldest(version)
    ? { id: 1, name: 'New York', abbr: 'NY', country_id: 1 }
    : { id: 11, name: 'Maine', abbr: 'ME', country_id: 1 }
  const country = {
    id: 1,
    iso_name: 'UNITED STATES',
    iso: 'US',
    iso3: 'USA',
    name: 'United States',
    numcode: 840,
  }
  const names = version === 'solidus-4' ? ['name', `'Inga Berg'`] : ['firstname, lastname', `'Inga', 'Berg'`]
  const card = version === 'spree-2.0' ? ['first_name, last_name', `'Inga', 'Berg'`] : ['name', `'Inga Berg'`]
  const hasRefunds = version !== 'spree-2.0'
  const number = version === 'spree-2.0' ? 'identifier' : 'number'
  const [paid] = order['payments'] as readonly [Payload]
  const at = `'${AT}', '${AT}'`
  return {
    name: 'an order says what its buyer says besides, a card, and what was given back',
    statements: [
      'begin',
      `insert into spree_addresses (id, ${names[0]}, address1, address2, city, zipcode, phone, company, alternative_phone,
                                    state_id, country_id, state_name, created_at, updated_at)
       values (9411, ${names[1]}, '1 Wharf Street', 'Floor 3', 'Portland', '04101', '555-0181', 'Berg & Son', '555-0182',
               ${state.id}, 1, null, ${at}),
              (9412, ${names[1]}, '1 Wharf Street', 'Floor 3', 'Portland', '04101', '555-0181', 'Berg & Son', '555-0182',
               null, 1, 'Lofoten', ${at})`,
      `insert into spree_credit_cards (id, ${card[0]}, month, year, cc_type, last_digits, gateway_customer_profile_id,
                                       gateway_payment_profile_id, created_at, updated_at)
       values (9021, ${card[1]}, '7', '2030', 'visa', '4242', 'cus_1', 'pay_1', ${at})`,
      `insert into spree_payments (id, ${number}, amount, state, order_id, payment_method_id, source_type, source_id,
                                   created_at, updated_at)
       values (9022, 'P9022', 2, 'void', 9002, 1, 'Spree::CreditCard', 9021, ${at})`,
      ...(hasRefunds
        ? [
            `insert into spree_refunds (id, payment_id, amount, transaction_id, refund_reason_id, created_at, updated_at)
             values (9023, 9005, 1.5, 'T-1', 1, ${at})`,
          ]
        : []),
      `update spree_orders
          set user_id = 7, special_instructions = 'Ring twice', bill_address_id = 9411, ship_address_id = 9412,
              last_ip_address = '203.0.113.7'
        where id = 9002`,
      'commit',
    ],
    tells: [
      [
        'order:persist',
        {
          ...order,
          user_id: 7,
          special_instructions: 'Ring twice',
          bill_address: address(9411, { country_id: 1, country, state_id: state.id, state }),
          ship_address: address(9412, { country_id: 1, country, state_name: 'Lofoten' }),
          payments: [
            paid,
            {
              id: 9022,
              number: 'P9022',
              amount: '2.0',
              state: 'void',
              payment_method_id: 1,
              payment_method: paid['payment_method'],
            },
          ],
          credit_cards: [
            {
              id: 9021,
              month: '7',
              year: '2030',
              cc_type: 'visa',
              last_digits: '4242',
              first_name: 'Inga',
              last_name: 'Berg',
              gateway_customer_profile_id: null,
              gateway_payment_profile_id: null,
            },
          ],
          refunds: hasRefunds
            ? [
                {
                  id: 9023,
                  payment_id: 9005,
                  amount: '1.5',
                  transaction_id: 'T-1',
                  reason: 'Return processing',
                  created_at: WIRE,
                },
              ]
            : [],
        },
      ],
    ],
  }
}
