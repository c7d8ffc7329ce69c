import type { Db } from '../../postgres/pool.ts'
import { accountAddress } from '../address-book.ts'
import type { Store } from '../store.ts'
import { type Book, putAddress } from './customer-address.ts'
import { namesBeside } from './import-address.ts'
import type { Place, SaidNames } from './imported-order.ts'
import { NotApplicable } from './not-applicable.ts'
import { insertRow, updateRow } from './rows.ts'
import { type Shop, shopOf } from './shop.ts'
import { takeTurns } from './take-turns.ts'

/** An account; its names are those of both addresses, too. */
export type CustomerContent = SaidNames &
  Readonly<{
    email: string
    shippingAddress: Place
    billingAddress: Place
  }>

type Writable = Pick<Store, 'family' | 'columns'>

/**
 * Makes an account without a password, which its owner asks for, and its two addresses. Returns its id.
 * @throws NotApplicable where there is one with this e-mail address, however it is written, or a place is unknown.
 */
export async function addCustomer(db: Db, store: Writable, content: CustomerContent): Promise<string> {
  const shop = shopOf(store)
  const table = await prepare(db, shop, content)
  if (await find(db, shop, table, content.email, true))
    throw new NotApplicable('customer_exists', `There is a customer ${content.email} already.`)
  const { firstname, lastname } = content
  const email = content.email.trim().toLowerCase()
  const id = await insertRow(db, shop, table, {
    email,
    // From 5.0 on the address alone is what people log in by.
    login: shop.isSpree5 ? null : email,
    first_name: firstname ?? '',
    last_name: lastname ?? '',
    ...(table === 'spree_customers' ? noConsent() : {}),
  })
  await putAddresses(db, shop, { table, id, ship: null, bill: null }, content)
  return id
}

/** 6.x: nobody has asked them. */
function noConsent() {
  return {
    accepts_email_marketing: false,
    email_marketing_consent_source: 'unknown',
    email_marketing_consent_updated_at: new Date().toISOString(),
    failed_attempts: 0,
    metadata: '{}',
  }
}

/**
 * Makes names and addresses of an account what `content` says; names that it does not say stay. Returns its id.
 * @throws NotApplicable where there is none with this e-mail address, or a place is unknown.
 */
export async function changeCustomer(db: Db, store: Writable, content: CustomerContent): Promise<string> {
  const shop = shopOf(store)
  const table = await prepare(db, shop, content)
  const found = await find(db, shop, table, content.email, false)
  if (!found) throw new NotApplicable('unknown_customer', `There is no customer ${content.email}.`)
  const { firstname, lastname } = content
  await updateRow(db, shop, table, found.id, {
    ...(firstname === null ? {} : { first_name: firstname }),
    ...(lastname === null ? {} : { last_name: lastname }),
  })
  await putAddresses(db, shop, { table, ...found }, content)
  return found.id
}

type Table = Book['table']

/** Whose table of accounts is the shop's own, only the shop knows what an account needs. */
async function prepare(db: Db, shop: Shop, { email }: CustomerContent): Promise<Table> {
  const table = shop.columns.customers
  if (table === 'spree_users' || table === 'spree_customers') {
    await takeTurns(db, [`customer ${email.trim().toLowerCase()}`])
    return table
  }
  throw new NotApplicable(
    'own_customers',
    `This store keeps its customers in a table of its own${table === undefined ? '' : `, ${table}`}: change them in the shop.`,
  )
}

async function find(
  db: Db,
  shop: Shop,
  table: Table,
  email: string,
  deletedToo: boolean,
): Promise<Omit<Book, 'table'> | undefined> {
  const living = !deletedToo && shop.columns.has(table, 'deleted_at') ? 'and deleted_at is null' : ''
  const { rows } = await db.query<Omit<Book, 'table'>>(
    `select u.id::text as id,
            ${accountAddress(shop.columns, 'ship')}::text as ship,
            ${accountAddress(shop.columns, 'bill')}::text as bill
       from ${shop.table(table)} u
      where lower(u.email) = lower($1)
        ${living}
      order by u.id
      limit 1
        for no key update`,
    [email.trim()],
  )
  return rows[0]
}

async function putAddresses(db: Db, shop: Shop, book: Book, content: CustomerContent): Promise<void> {
  const ofShip = await namesBeside(db, shop.columns, book.ship, content)
  const ofBill = await namesBeside(db, shop.columns, book.bill, content)
  const ship = await putAddress(db, shop, book, 'ship', { ...content.shippingAddress, ...ofShip })
  await putAddress(db, shop, { ...book, ship }, 'bill', { ...content.billingAddress, ...ofBill })
}
