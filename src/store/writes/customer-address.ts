import type { Db } from '../../postgres/pool.ts'
import { addressRow } from './import-address.ts'
import type { ImportedAddress } from './imported-order.ts'
import { NotApplicable } from './not-applicable.ts'
import { insertRow, NOW, updateRow } from './rows.ts'
import type { Shop } from './shop.ts'

/** An account with its two addresses, by their ids. */
export type Book = Readonly<{
  table: 'spree_users' | 'spree_customers'
  id: string
  ship: string | null
  bill: string | null
}>

type Which = 'ship' | 'bill'
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
  const other = which === 'ship' ? book.bill : book.ship
  if (current !== null && current !== other && !(await isWritten(db, shop, current))) {
    await updateRow(db, shop, 'spree_addresses', current, row)
    await touchOwner(db, shop, book)
    return current
  }
  const shared =
    keepsAddresses(shop) && other !== null && (await isEqual(db, shop, other, row)) ? other : undefined
  const id = shared ?? (await insertRow(db, shop, 'spree_addresses', { ...row, ...ownerOf(shop, book) }))
  await db.query(
    `update ${shop.table(book.table)} set ${which}_address_id = $2::bigint, updated_at = ${NOW} where id = $1::bigint`,
    [book.id, id],
  )
  await enterBook(db, shop, book.id, which, id)
  return id
}

/** Solidus, whose addresses are for ever. */
export function keepsAddresses(shop: Shop): boolean {
  return shop.family === 'solidus'
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
  const given = Object.entries(row).filter(([name]) => shop.columns.has('spree_addresses', name))
  const same = given.map(([name], index) => `${name} is not distinct from $${index + 2}`)
  const { rows } = await db.query(
    `select from ${shop.table('spree_addresses')} where id = $1::bigint and ${same.join(' and ')}`,
    [id, ...given.map(([, value]) => value)],
  )
  return rows.length > 0
}

/** Whether it must stay as it is. */
async function isWritten(db: Db, shop: Shop, id: string): Promise<boolean> {
  if (keepsAddresses(shop)) return true
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

/** Solidus: the book of addresses, in which one is the default for each of the two. */
async function enterBook(db: Db, shop: Shop, userId: string, which: Which, addressId: string): Promise<void> {
  if (!keepsAddresses(shop) || !shop.columns.has('spree_user_addresses')) return
  const table = shop.table('spree_user_addresses')
  const column =
    which === 'bill' && shop.columns.has('spree_user_addresses', 'default_billing')
      ? 'default_billing'
      : '"default"'
  await db.query(
    `update ${table}
        set ${column} = false, updated_at = ${NOW}
      where user_id = $1::bigint
        and address_id <> $2::bigint
        and ${column}`,
    [userId, addressId],
  )
  const { rowCount } = await db.query(
    `update ${table} set ${column} = true, updated_at = ${NOW} where user_id = $1::bigint and address_id = $2::bigint`,
    [userId, addressId],
  )
  if (rowCount === 0)
    await insertRow(db, shop, 'spree_user_addresses', {
      user_id: userId,
      address_id: addressId,
      [column.replaceAll('"', '')]: true,
    })
}
