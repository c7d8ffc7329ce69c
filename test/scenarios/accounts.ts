import type { Act } from './other-programs.ts'
import type { DayStore } from './told.ts'

const AT = '2026-04-01 10:00:00'
const LATER = '2026-04-01 11:00:00'

/** The life of customer 9001, whose addresses are 9401 to 9403; the payloads that follow are in `test/expected/day`. */
export function accounts(family: DayStore): Act[] {
  return { 'spree-4.10': inFour, 'spree-6.0': inSix, 'solidus-4': inSolidus }[family]
}

/** How it ends with her, the same in all that keep customers in spree_users. */
const ended: Act[] = [
  {
    name: 'a default address, mended',
    statements: [`update spree_addresses set zipcode = '5016' where id = 9402`],
  },
  {
    name: 'the account closed',
    statements: [`update spree_users set deleted_at = '${LATER}' where id = 9001`],
  },
  { name: 'the account deleted', statements: ['delete from spree_users where id = 9001'] },
]

const inFour: Act[] = [
  {
    name: 'a customer registers, and gives an address',
    statements: [
      `insert into spree_users (id, email, login, encrypted_password, password_salt, first_name, last_name,
                                selected_locale, public_metadata, private_metadata, created_at, updated_at)
       values (9001, 'greta@example.com', 'greta@example.com', 'digest', 'salt', 'Greta', 'Holm',
               'en', '{"club": true}', '{"score": 7}', '${AT}', '${AT}')`,
      `insert into spree_countries (id, iso_name, iso, iso3, name, numcode) values (9001, 'NORTHSEA', 'ZZ', 'ZZZ', 'Northsea', 999)`,
      `insert into spree_addresses (id, firstname, lastname, address1, city, zipcode, phone, state_name, country_id,
                                    user_id, created_at, updated_at)
       values (9401, 'Greta', 'Holm', 'Bryggen 5', 'Bergen', '5003', '+47 55 55 01 01', 'Vestland', 9001,
               9001, '${AT}', '${AT}')`,
      `update spree_users set bill_address_id = 9401, ship_address_id = 9401, updated_at = '${LATER}' where id = 9001`,
    ],
  },
  {
    name: 'a login, a new password, an address that is no default, an account made by mistake',
    statements: [
      `update spree_users
          set sign_in_count = 1, current_sign_in_at = '${LATER}', last_sign_in_at = '${LATER}',
              current_sign_in_ip = '203.0.113.7', last_sign_in_ip = '203.0.113.7', updated_at = '${LATER}'
        where id = 9001`,
      `update spree_users
          set encrypted_password = 'other', password_salt = 'other', spree_api_key = 'key', failed_attempts = 2,
              remember_token = 'token', remember_created_at = '${LATER}', private_metadata = '{"score": 8}'
        where id = 9001`,
      `insert into spree_addresses (id, firstname, lastname, city, user_id, created_at, updated_at)
       values (9403, 'Greta', 'Holm', 'Oslo', 9001, '${AT}', '${AT}')`,
      `update spree_addresses set city = 'Moss' where id = 9403`,
      'begin',
      `insert into spree_users (id, email, created_at, updated_at) values (9002, 'typo@example', '${AT}', '${AT}')`,
      'delete from spree_users where id = 9002',
      'commit',
    ],
  },
  {
    name: 'another e-mail address',
    statements: [
      `update spree_users set email = 'holm@example.com', login = 'holm@example.com' where id = 9001`,
    ],
  },
  {
    name: 'another default address',
    statements: [
      `insert into spree_addresses (id, firstname, lastname, address1, city, zipcode, user_id, created_at, updated_at)
       values (9402, 'Greta', 'Holm', 'Kaigaten 1', 'Bergen', '5015', 9001, '${AT}', '${AT}')`,
      'update spree_users set ship_address_id = 9402 where id = 9001',
    ],
  },
  ...ended,
]

const inSolidus: Act[] = [
  {
    name: 'a customer registers, and gives an address',
    statements: [
      `insert into spree_users (id, email, login, encrypted_password, password_salt, customer_metadata, admin_metadata,
                                created_at, updated_at)
       values (9001, 'greta@example.com', 'greta@example.com', 'digest', 'salt', '{"club": true}', '{"score": 7}',
               '${AT}', '${AT}')`,
      `insert into spree_countries (id, iso_name, iso, iso3, name, numcode) values (9001, 'NORTHSEA', 'ZZ', 'ZZZ', 'Northsea', 999)`,
      `insert into spree_addresses (id, name, address1, city, zipcode, phone, state_name, country_id, created_at, updated_at)
       values (9401, 'Greta Holm', 'Bryggen 5', 'Bergen', '5003', '+47 55 55 01 01', 'Vestland', 9001, '${AT}', '${AT}')`,
      `insert into spree_user_addresses (user_id, address_id, "default", created_at, updated_at)
       values (9001, 9401, true, '${AT}', '${AT}')`,
      `update spree_users set bill_address_id = 9401, ship_address_id = 9401, updated_at = '${LATER}' where id = 9001`,
    ],
  },
  {
    name: 'a login, a new password, an address that is no default, an account made by mistake',
    statements: [
      `update spree_users
          set sign_in_count = 1, current_sign_in_at = '${LATER}', last_sign_in_at = '${LATER}',
              current_sign_in_ip = '203.0.113.7', last_sign_in_ip = '203.0.113.7', updated_at = '${LATER}'
        where id = 9001`,
      `update spree_users
          set encrypted_password = 'other', password_salt = 'other', spree_api_key = 'key', failed_attempts = 2,
              remember_token = 'token', remember_created_at = '${LATER}', admin_metadata = '{"score": 8}'
        where id = 9001`,
      `insert into spree_addresses (id, name, city, created_at, updated_at)
       values (9403, 'Greta Holm', 'Oslo', '${AT}', '${AT}')`,
      `insert into spree_user_addresses (user_id, address_id, created_at, updated_at)
       values (9001, 9403, '${AT}', '${AT}')`,
      'begin',
      `insert into spree_users (id, email, created_at, updated_at) values (9002, 'typo@example', '${AT}', '${AT}')`,
      'delete from spree_users where id = 9002',
      'commit',
    ],
  },
  {
    name: 'another e-mail address',
    statements: [
      `update spree_users set email = 'holm@example.com', login = 'holm@example.com' where id = 9001`,
    ],
  },
  {
    name: 'another default address',
    statements: [
      `insert into spree_addresses (id, name, address1, city, zipcode, created_at, updated_at)
       values (9402, 'Greta Holm', 'Kaigaten 1', 'Bergen', '5015', '${AT}', '${AT}')`,
      // As people choose one: what the account itself names stays as the last order left it.
      `update spree_user_addresses set "default" = false where user_id = 9001`,
      `insert into spree_user_addresses (user_id, address_id, "default", created_at, updated_at)
       values (9001, 9402, true, '${AT}', '${AT}')`,
    ],
  },
  ...ended,
]

const inSix: Act[] = [
  {
    name: 'a customer registers, and gives an address',
    statements: [
      `insert into spree_customers (id, email, password_digest, first_name, last_name, phone, selected_locale,
                                    accepts_email_marketing, metadata, created_at, updated_at)
       values (9001, 'greta@example.com', 'digest', 'Greta', 'Holm', '+47 55 55 01 01', 'en',
               true, '{"club": true}', '${AT}', '${AT}')`,
      `insert into spree_addresses (id, first_name, last_name, address1, city, postal_code, phone, state_name,
                                    country_code, state_code, owner_type, owner_id, created_at, updated_at)
       values (9401, 'Greta', 'Holm', 'Bryggen 5', 'Bergen', '5003', '+47 55 55 01 01', 'Vestland',
               'NO', '46', 'Spree::Customer', 9001, '${AT}', '${AT}')`,
      `update spree_customers set bill_address_id = 9401, ship_address_id = 9401, updated_at = '${LATER}' where id = 9001`,
    ],
  },
  {
    name: 'a login, a new password, an address that is no default, an account made by mistake',
    statements: [
      `update spree_customers set failed_attempts = 2, locked_at = '${LATER}', updated_at = '${LATER}' where id = 9001`,
      `update spree_customers
          set password_digest = 'other', failed_attempts = 0, locked_at = null, internal_note = 'calls often'
        where id = 9001`,
      `insert into spree_addresses (id, first_name, last_name, city, owner_type, owner_id, created_at, updated_at)
       values (9403, 'Greta', 'Holm', 'Oslo', 'Spree::Customer', 9001, '${AT}', '${AT}')`,
      `update spree_addresses set city = 'Moss' where id = 9403`,
      'begin',
      `insert into spree_customers (id, email, accepts_email_marketing, created_at, updated_at)
       values (9002, 'typo@example', false, '${AT}', '${AT}')`,
      'delete from spree_customers where id = 9002',
      'commit',
    ],
  },
  {
    name: 'another e-mail address',
    statements: [`update spree_customers set email = 'holm@example.com' where id = 9001`],
  },
  {
    name: 'another default address',
    statements: [
      `insert into spree_addresses (id, first_name, last_name, address1, city, postal_code, owner_type, owner_id,
                                    created_at, updated_at)
       values (9402, 'Greta', 'Holm', 'Kaigaten 1', 'Bergen', '5015', 'Spree::Customer', 9001, '${AT}', '${AT}')`,
      'update spree_customers set ship_address_id = 9402 where id = 9001',
    ],
  },
  {
    name: 'a default address, mended',
    statements: [`update spree_addresses set postal_code = '5016' where id = 9402`],
  },
  { name: 'the account deleted', statements: ['delete from spree_customers where id = 9001'] },
]
