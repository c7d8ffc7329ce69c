import { AT, type Told, WIRE } from './old-returns.ts'

const NEW_YORK = { id: 1, name: 'New York', abbr: 'NY', country_id: 1 }
const UNITED_STATES = {
  id: 1,
  iso_name: 'UNITED STATES',
  iso: 'US',
  iso3: 'USA',
  name: 'United States',
  numcode: 840,
}
const home = {
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
  state_id: 1,
  state_name: null,
  country: UNITED_STATES,
  state: NEW_YORK,
}
const pier = {
  ...home,
  id: 9402,
  address1: '8 Pier Rd',
  address2: null,
  phone: null,
  company: null,
  alternative_phone: null,
  country_id: null,
  state_id: null,
  state_name: 'Vestland',
  country: null,
  state: null,
}
const greta = {
  id: 9001,
  email: 'greta@example.com',
  login: 'greta',
  first_name: null,
  last_name: null,
  phone: null,
  created_at: WIRE,
  updated_at: WIRE,
  deleted_at: null,
  bill_address: home,
  ship_address: home,
}
const renamed = { ...greta, email: 'holm@example.com', previous_email: 'greta@example.com' }
const { previous_email: _, ...holm } = renamed
const moved = { ...holm, ship_address: pier }

const mug = {
  id: 5,
  name: 'Ruby Mug',
  product_id: 2,
  sku: 'RUB-MUG',
  price: '13.99',
  weight: '0.0',
  height: null,
  width: null,
  depth: null,
  is_master: true,
  cost_price: '8.39',
  permalink: 'ruby-mug',
}
const movement = (id: number, quantity: number, item: number, place: number, count_on_hand: number) => ({
  id,
  quantity,
  stock_item_id: item,
  stock_item: {
    id: item,
    count_on_hand,
    backorderable: place === 1,
    stock_location_id: place,
    variant_id: 5,
    variant: mug,
  },
})
const transfer = {
  id: 9501,
  number: 'T9501',
  reference_number: 'PO-7',
  created_at: WIRE,
  updated_at: WIRE,
  source_location: {
    id: 1,
    name: 'default',
    address1: '1 Dock Rd',
    address2: null,
    city: 'Albany',
    zipcode: '12201',
    phone: null,
    country_id: 1,
    state_id: 1,
    state_name: null,
    country: UNITED_STATES,
    state: NEW_YORK,
  },
  source_movements: [movement(9601, -3, 9, 1, 6)],
  destination_location: {
    id: 2,
    name: 'east',
    address1: null,
    address2: null,
    city: 'Boston',
    zipcode: '02101',
    phone: null,
    country_id: 1,
    state_id: null,
    state_name: null,
    country: UNITED_STATES,
    state: null,
  },
  destination_movements: [movement(9602, 3, 10, 2, 7)],
}

/** The lives of a customer and of a stock transfer in the real store of 2.4: by hand, as its own code writes them. */
export const ACCOUNTS_AND_TRANSFERS: readonly Told[] = [
  {
    name: 'a customer registers, and gives an address',
    statements: [
      `insert into spree_users (id, email, login, encrypted_password, created_at, updated_at)
       values (9001, 'greta@example.com', 'greta', 'digest', '${AT}', '${AT}')`,
      `insert into spree_addresses (id, firstname, lastname, address1, address2, city, zipcode, phone, company,
                                    alternative_phone, state_id, country_id, created_at, updated_at)
       values (9401, 'Greta', 'Holm', '7 Dock Rd', 'Floor 2', 'Albany', '12201', '555-0171', 'Holm & Daughter', '555-0172',
               1, 1, '${AT}', '${AT}')`,
      'update spree_users set bill_address_id = 9401, ship_address_id = 9401 where id = 9001',
    ],
    tells: [['user:new', greta]],
  },
  {
    name: 'a login, a new password, an address that is no default',
    statements: [
      `update spree_users
          set sign_in_count = 1, current_sign_in_at = '${AT}', current_sign_in_ip = '203.0.113.7',
              encrypted_password = 'other', spree_api_key = 'key', remember_token = 'token', updated_at = now()
        where id = 9001`,
      `update spree_users set updated_at = '${AT}' where id = 9001`,
      `insert into spree_addresses (id, firstname, lastname, address1, city, zipcode, state_name, created_at, updated_at)
       values (9402, 'Greta', 'Holm', '8 Pier Rd', 'Albany', '12202', 'Vestland', '${AT}', '${AT}')`,
    ],
    tells: [],
  },
  {
    name: 'another e-mail address',
    statements: [`update spree_users set email = 'holm@example.com' where id = 9001`],
    tells: [['user:updated', renamed]],
  },
  {
    name: 'another default address',
    statements: ['update spree_users set ship_address_id = 9402 where id = 9001'],
    tells: [['user:updated', { ...moved, ship_address: { ...pier, zipcode: '12202' } }]],
  },
  {
    name: 'a default address, mended',
    statements: [`update spree_addresses set zipcode = '12201' where id = 9402`],
    tells: [['user:updated', moved]],
  },
  {
    name: 'the account closed',
    statements: [`update spree_users set deleted_at = '${AT}' where id = 9001`],
    tells: [['user:updated', { ...moved, deleted_at: WIRE }]],
  },
  {
    name: 'the account deleted',
    statements: ['delete from spree_users where id = 9001'],
    tells: [
      [
        'user:updated',
        {
          ...moved,
          created_at: null,
          updated_at: null,
          deleted_at: '<now>',
          bill_address: null,
          ship_address: null,
        },
      ],
    ],
  },
  {
    name: 'goods go from one place to another',
    statements: [
      'begin',
      `insert into spree_stock_transfers (id, number, reference, source_location_id, destination_location_id,
                                          created_at, updated_at)
       values (9501, 'T9501', 'PO-7', 1, 2, '${AT}', '${AT}')`,
      `insert into spree_stock_movements (id, stock_item_id, quantity, originator_type, originator_id, created_at, updated_at)
       values (9601, 9, -3, 'Spree::StockTransfer', 9501, '${AT}', '${AT}')`,
      'update spree_stock_items set count_on_hand = count_on_hand - 3 where id = 9',
      `insert into spree_stock_movements (id, stock_item_id, quantity, originator_type, originator_id, created_at, updated_at)
       values (9602, 10, 3, 'Spree::StockTransfer', 9501, '${AT}', '${AT}')`,
      'update spree_stock_items set count_on_hand = count_on_hand + 3 where id = 10',
      'commit',
    ],
    tells: [['stock_transfer:persist', transfer]],
  },
  {
    name: 'a sale, and another reference of the transfer',
    statements: [
      'update spree_stock_items set count_on_hand = count_on_hand - 1 where id = 10',
      `update spree_stock_transfers set reference = 'PO-8' where id = 9501`,
    ],
    tells: [
      ['stock:change', { sku: 'RUB-MUG', quantity: -1 }],
      [
        'stock_transfer:persist',
        { ...transfer, reference_number: 'PO-8', destination_movements: [movement(9602, 3, 10, 2, 6)] },
      ],
    ],
  },
  {
    name: 'the transfer is removed, of which the protocol has no word',
    statements: [
      'delete from spree_stock_movements where originator_id = 9501',
      'delete from spree_stock_transfers where id = 9501',
    ],
    tells: [],
  },
]
