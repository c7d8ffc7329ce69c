import type { Db } from '../../postgres/pool.ts'
import { ADDRESS_BOOK, defaultFlag, type Which } from '../address-book.ts'
import { quoteName } from '../json-sql.ts'
import { addressRow } from './import-address.ts'
import type { ImportedAddress } from './imported-order.ts'
import { NotApplicable } from './not-applicable.ts'
import { insertRow, NOW, updateRow } from './rows.ts'
import type { Shop } from './shop.ts'

/** An account with its two addresses as people see them, by their ids. */
export type Book = Readonly<{
  table: 'spree_users' | 'spree_customers'
  id: string
  ship: string | null
  bill: string | null
}>

type Row = Readonly<Record<string, unknown>>

/**
 * Makes an address of an account what it is said to be. One in which orders are written stays as it is, and so does every
 * one in Solidus, whose addresses are for ever: there the account gets another. Returns the id of the address.
 *
 * No recorded act of a shop changes an account's addresses: this follows from what the families allow (orders hold their
 * addresses by id; Solidus makes them read-only and keeps a book of them), and not from rows that a shop wrote.
 * @throws NotApplicable for a country or a state that the store does not know.
 */
export async function putAddress(
  db: Db,
  shop: Shop,
  book: Book,
  which: Which,
  address: ImportedAddress,
): Promise<string> {
  const row = await rowOf(db, shop, address)
  const current = book[which]
  if (current !== null && (await isEqual(db, shop, current, row))) return current
  if (keepsAddresses(shop)) return chooseAddress(db, shop, book, which, row)
  const other = which === 'ship' ? book.bill : book.ship
  if (current !== null && current !== other && !(await isWritten(db, shop, current))) {
    await updateRow(db, shop, 'spree_addresses', current, row)
    await touchOwner(db, shop, book)
    return current
  }
  const id = await insertRow(db, shop, 'spree_addresses', { ...row, ...ownerOf(shop, book) })
  await updateRow(db, shop, book.table, book.id, { [`${which}_address_id`]: id })
  return id
}

/** Solidus, whose addresses are for ever. */
export function keepsAddresses(shop: Shop): boolean {
  return shop.family === 'solidus'
}

/** As `UserAddressBook#save_in_address_book`: an equal address of the account's is taken anew, also one put aside. */
async function chooseAddress(db: Db, shop: Shop, book: Book, which: Which, row: Row): Promise<string> {
  const known = await equalOf(db, shop, book, row)
  const id = known ?? (await insertRow(db, shop, 'spree_addresses', row))
  await updateRow(db, shop, book.table, book.id, { [`${which}_address_id`]: id })
  await enterBook(db, shop, book.id, which, id)
  return id
}

async function equalOf(db: Db, shop: Shop, { table, id }: Book, row: Row): Promise<string | undefined> {
  const { same, values } = saying(shop, row)
  const entered = shop.columns.has(ADDRESS_BOOK)
    ? `or a.id in (select address_id from ${shop.table(ADDRESS_BOOK)} where user_id = $1::bigint)`
    : ''
  const { rows } = await db.query<{ id: string }>(
    `select a.id::text
       from ${shop.table('spree_addresses')} a
      where (a.id in (select unnest(array[ship_address_id, bill_address_id])
                        from ${shop.table(table)}
                       where id = $1::bigint)
             ${entered})
        and ${same}
      order by a.id
      limit 1`,
    [id, ...values],
  )
  return rows[0]?.id
}

async function rowOf(db: Db, shop: Shop, address: ImportedAddress): Promise<Row> {
  const { state, country } = address
  return addressRow(db, shop.columns, address, () => {
    throw new NotApplicable('unknown_state', `Can't find a State with name ${state}!`)
  }).catch((error: unknown) => {
    if (!(error instanceof NotApplicable) || error.code !== 'unknown_country') throw error
    throw new NotApplicable(error.code, `Can't find a country with iso name ${country}!`)
  })
}

/** Whose an address is, from 4.0 on; Solidus has a table for it. */
function ownerOf(shop: Shop, book: Book): Row {
  return shop.columns.has('spree_addresses', 'owner_type')
    ? { owner_type: 'Spree::Customer', owner_id: book.id }
    : { user_id: book.id }
}

/** Everything that the row says is said already. */
async function isEqual(db: Db, shop: Shop, id: string, row: Row): Promise<boolean> {
  const { same, values } = saying(shop, row)
  const { rows } = await db.query(
    `select from ${shop.table('spree_addresses')} a where a.id = $1::bigint and ${same}`,
    [id, ...values],
  )
  return rows.length > 0
}

/** SQL for an address `a` that says all that the row says, whose values are the parameters from the second on. */
function saying(shop: Shop, row: Row): Readonly<{ same: string; values: unknown[] }> {
  const given = Object.entries(row).filter(([name]) => shop.columns.has('spree_addresses', name))
  const same = given.map(([name], index) => `a.${name} is not distinct from $${index + 2}`)
  return { same: same.join(' and '), values: given.map(([, value]) => value) }
}

/** Whether it must stay as it is. */
async function isWritten(db: Db, shop: Shop, id: string): Promise<boolean> {
  const { rows } = await db.query<{ written: boolean }>(
    `select exists (
              select
                from ${shop.table('spree_orders')}
               where ship_address_id = $1::bigint
                  or bill_address_id = $1::bigint) as written`,
    [id],
  )
  return rows[0]?.written ?? false
}

async function touchOwner(db: Db, shop: Shop, { table, id }: Book): Promise<void> {
  await db.query(`update ${shop.table(table)} set updated_at = ${NOW} where id = $1::bigint`, [id])
}

/** In the book one is the default for each of the two. */
async function enterBook(db: Db, shop: Shop, userId: string, which: Which, addressId: string): Promise<void> {
  if (!shop.columns.has(ADDRESS_BOOK)) return
  const flag = defaultFlag(shop.columns, which)
  if (flag !== undefined)
    await db.query(
      `update ${shop.table(ADDRESS_BOOK)}
          set ${quoteName(flag)} = false, updated_at = ${NOW}
        where user_id = $1::bigint
          and address_id <> $2::bigint
          and ${quoteName(flag)}`,
      [userId, addressId],
    )
  const entry = { ...(flag === undefined ? {} : { [flag]: true }), archived: false }
  const { rows } = await db.query<{ id: string }>(
    `select id::text from ${shop.table(ADDRESS_BOOK)} where user_id = $1::bigint and address_id = $2::bigint`,
    [userId, addressId],
  )
  if (rows[0]) await updateRow(db, shop, ADDRESS_BOOK, rows[0].id, entry)
  else await insertRow(db, shop, ADDRESS_BOOK, { user_id: userId, address_id: addressId, ...entry })
}
