import type { AggregateKind } from '../messages/aggregate.ts'
import type { StateKindName } from '../messages/state-kind.ts'
import { accountAddress, type Which, watchAddressBook } from './address-book.ts'
import type { Columns } from './columns.ts'
import { quoteName } from './json-sql.ts'
import { type WatchedTable, watch } from './watched.ts'

/** Where a store keeps what is announced as one state: see `messages/state-kind.ts`. */
export type StateSource = Readonly<{
  /** The table whose rows are the aggregates, by their integer key. */
  table: string
  /** What holds of those among its rows, as `t`, that are such aggregates; absent where all are. */
  condition?: string
  /** The kind with whose messages those of the same id are put into one order; absent: with none. */
  orderedWith?: AggregateKind
  watched: readonly WatchedTable[]
  /** Rows (id, snapshot as JSON text) for the ids in $1. */
  snapshots: string
}>

/** Kinds that a store does not have are absent. */
export type StateSources = Readonly<Partial<Record<StateKindName, StateSource>>>

export function watchStates(states: StateSources): WatchedTable[] {
  return Object.values(states).flatMap(({ watched }) => watched)
}

/** What is said of a customer under the names of the columns. */
const CUSTOMER_EXTRAS = [
  'selected_locale',
  'accepts_email_marketing',
  'public_metadata',
  'customer_metadata',
  'metadata',
]

/**
 * Customers, whatever their table is called: a shop may have its own. Only what is told is read and watched, so that a login,
 * which counts, notes its time and renews tokens, is no change.
 * @param address The family's expression for the address whose id a given expression names.
 */
export function customerSource(
  columns: Columns,
  address: (columns: Columns, addressId: string) => string,
): Pick<StateSources, 'customer'> {
  const table = columns.customers
  if (table === undefined) return {}
  const own = (name: string) => (columns.has(table, name) ? `u.${name}` : 'null')
  const addressOf = (which: Which) =>
    columns.has(table, `${which}_address_id`) ? address(columns, accountAddress(columns, which)) : 'null'
  const extras = CUSTOMER_EXTRAS.filter((name) => columns.has(table, name))
  return {
    customer: {
      table,
      watched: [
        ...watch(columns, table, {
          kind: 'customer',
          only: [
            'email',
            'login',
            'first_name',
            'last_name',
            'phone',
            'deleted_at',
            'bill_address_id',
            'ship_address_id',
            ...CUSTOMER_EXTRAS,
          ],
        }),
        ...watchAddressBook(columns),
      ],
      snapshots: `
select u.id::text as id, row_to_json(snapshot)::text as snapshot
  from ${quoteName(columns.schema)}.${quoteName(table)} u
 cross join lateral (
   select u.id::text as "id",
          u.email,
          ${own('login')} as "login",
          ${own('first_name')} as "firstName",
          ${own('last_name')} as "lastName",
          ${own('phone')} as "phone",
          ${own('created_at')} as "createdAt",
          ${own('updated_at')} as "updatedAt",
          ${own('deleted_at')} as "deletedAt",
          ${addressOf('bill')} as "billAddress",
          ${addressOf('ship')} as "shipAddress",
          json_build_object(${extras.map((name) => `'${name}', u.${name}`).join(', ')}) as "extras"
 ) snapshot
 where u.id = any($1::bigint[])`,
    },
  }
}
