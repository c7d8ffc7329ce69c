import type { Db } from '../postgres/pool.ts'
import { readColumns } from './columns.ts'
import { quoteName } from './json-sql.ts'

/** What of a store belongs to who has an e-mail address: ids as text. */
export type Owned = Readonly<{
  accounts: readonly string[]
  orders: readonly Readonly<{ id: string; number: string | null }>[]
}>

/** The accounts with this address, whatever its case, and the orders that were placed with it or by them. */
export async function ownedBy(db: Db, email: string): Promise<Owned> {
  const { schema, customers, has } = await readColumns(db)
  const table = (name: string) => `${quoteName(schema)}.${quoteName(name)}`
  const accounts = customers
    ? (
        await db.query<{ id: string }>(
          `select id::text from ${table(customers)} where lower(email) = lower($1)`,
          [email],
        )
      ).rows
    : []
  if (!has('spree_orders', 'email')) return { accounts: accounts.map(({ id }) => id), orders: [] }
  const owner = ['customer_id', 'user_id'].find((column) => has('spree_orders', column))
  const { rows: orders } = await db.query<{ id: string; number: string | null }>(
    `select id::text, number
       from ${table('spree_orders')}
      where lower(email) = lower($1) or ${owner ? `${owner}::text` : 'null'} = any($2::text[])`,
    [email, accounts.map(({ id }) => id)],
  )
  return { accounts: accounts.map(({ id }) => id), orders }
}

/** Whether the store has an account with this id: one that was closed, by which its address became nobody's, is none. */
export async function hasAccount(db: Db, id: string): Promise<boolean> {
  const { schema, customers, has } = await readColumns(db)
  if (!customers) return false
  const isOpen = has(customers, 'deleted_at') ? 'and deleted_at is null' : ''
  const { rowCount } = await db.query(
    `select from ${quoteName(schema)}.${quoteName(customers)} where id::text = $1 ${isOpen}`,
    [id],
  )
  return rowCount !== 0
}
