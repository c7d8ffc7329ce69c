import type { Columns } from './columns.ts'
import { quoteName } from './json-sql.ts'
import { type WatchedTable, watch } from './watched.ts'

/** The address book of Solidus, which says whose addresses are whose and which of them are the defaults. */
export const ADDRESS_BOOK = 'spree_user_addresses'

export type Which = 'ship' | 'bill'

/** By which the book says that an address is the default; none where it does not: before 3.0 there was one for shipping alone. */
export function defaultFlag(columns: Columns, which: Which): string | undefined {
  const flag = which === 'ship' ? 'default' : 'default_billing'
  return columns.has(ADDRESS_BOOK, flag) ? flag : undefined
}

/**
 * SQL for the id of an address of an account `u`: the default of its book, where it has one, else what the account names.
 * Solidus writes both when an order is placed, and the book alone when a person chooses another.
 */
export function accountAddress(columns: Columns, which: Which): string {
  const flag = defaultFlag(columns, which)
  if (flag === undefined) return `u.${which}_address_id`
  const archived = columns.has(ADDRESS_BOOK, 'archived') ? 'and b.archived is not true' : ''
  return `coalesce(
              (select b.address_id
                 from ${quoteName(columns.schema)}.${ADDRESS_BOOK} b
                where b.user_id = u.id
                  and b.${quoteName(flag)} ${archived}
                order by b.id
                limit 1), u.${which}_address_id)`
}

export function watchAddressBook(columns: Columns): WatchedTable[] {
  return watch(columns, ADDRESS_BOOK, {
    kind: 'customer',
    parent: 'user_id',
    only: ['user_id', 'address_id', 'default', 'default_billing', 'archived'],
  })
}

/** SQL that adds those in whose books the addresses in $1 are to who has them otherwise. */
export function enteredIn(columns: Columns): string {
  if (!columns.has(ADDRESS_BOOK)) return ''
  return `
 union
select address_id::text, user_id::text, 'customer'
  from ${quoteName(columns.schema)}.${ADDRESS_BOOK}
 where address_id = any($1::bigint[])`
}
