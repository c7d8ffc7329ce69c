import type { Db } from '../../postgres/pool.ts'
import type { Store } from '../store.ts'
import { NotApplicable } from './not-applicable.ts'
import { updateRow } from './rows.ts'
import { type Shop, shopOf } from './shop.ts'

/** What of an order is set; what is undefined stays. */
export type OrderMarks = Readonly<{ state: string | undefined; email: string | undefined }>

type Writable = Pick<Store, 'family' | 'columns'>

/** Of `Spree::Order`, which are set as they are: no step of the checkout or the cancellation is taken. */
const STATES = [
  ...['cart', 'address', 'delivery', 'payment', 'confirm', 'complete'],
  ...['canceled', 'awaiting_return', 'returned', 'resumed'],
]
/** 6.x has placed orders only, and other words for what they are. */
const STATUSES: Readonly<Record<string, string>> = {
  complete: 'placed',
  placed: 'placed',
  canceled: 'canceled',
}
/** What 5.5 and 5.6 say besides the state, in a column of its own; the steps of the checkout leave it as it is. */
const STATUS_BESIDE: Readonly<Record<string, string>> = {
  ...STATUSES,
  resumed: 'placed',
  awaiting_return: 'placed',
  returned: 'placed',
}

/** Of an order that is locked: why it keeps the value that it holds; undefined where the given one is set. */
type WhyItStays = (
  mark: Readonly<{ field: string; held: string | null; given: string }>,
) => Promise<string | undefined>

/** The id of an order, or of a cart, by its number. @throws NotApplicable where there is none. */
export async function findOrder(db: Db, store: Writable, number: string): Promise<string> {
  const { rows } = await db.query<{ id: string }>(
    `select id::text as id
       from ${shopOf(store).table('spree_orders')}
      where number = $1
      order by id
      limit 1`,
    [number],
  )
  if (rows[0]) return rows[0].id
  throw new NotApplicable('unknown_order', `There is no order ${number}: import it first, then retry.`)
}

/**
 * Locks an order, and sets its state (in 5.5 and 5.6 with the status that says the same) and its e-mail address, and nothing
 * else. Returns of what is to stay why it does.
 * @throws NotApplicable for a state that orders of this store do not have.
 */
export async function changeOrder(
  db: Db,
  store: Writable,
  { id, number }: Readonly<{ id: string; number: string }>,
  { state, email }: OrderMarks,
  whyItStays: WhyItStays,
): Promise<string[]> {
  const shop = shopOf(store)
  const orders = shop.table('spree_orders')
  const stateColumn = shop.columns.has('spree_orders', 'state') ? 'state' : 'status'
  const { rows } = await db.query<{ state: string | null; email: string | null }>(
    `select ${stateColumn} as state, email
       from ${orders}
      where id = $1::bigint
        for no key update`,
    [id],
  )
  const [held] = rows
  if (!held) throw new Error(`Order ${id} went while it was being locked.`)
  const marks = [
    ...(state === undefined
      ? []
      : [{ field: 'state', held: held.state, given: stateWord(shop, number, state) }]),
    ...(email === undefined ? [] : [{ field: 'email', held: held.email, given: email }]),
  ]
  const stays: string[] = []
  const values: Record<string, string> = {}
  for (const mark of marks) {
    const why = await whyItStays(mark)
    if (why !== undefined) stays.push(why)
    else Object.assign(values, mark.field === 'state' ? stateMarks(shop, mark.given) : { email: mark.given })
  }
  const changed = await updateRow(db, shop, 'spree_orders', id, values)
  if (changed && shop.columns.has('spree_orders', 'lock_version'))
    await db.query(`update ${orders} set lock_version = lock_version + 1 where id = $1::bigint`, [id])
  return stays
}

/** The state as orders of this store have it. */
function stateWord({ columns }: Shop, number: string, state: string): string {
  const hasState = columns.has('spree_orders', 'state')
  const known = hasState ? STATES.find((one) => one === state) : STATUSES[state]
  if (known !== undefined) return known
  throw new NotApplicable(
    'unknown_state',
    `Order ${number} cannot become ${state}: orders of this store are ${(hasState ? STATES : Object.keys(STATUSES)).join(', ')}.`,
  )
}

function stateMarks({ columns }: Shop, word: string): Readonly<Record<string, string>> {
  if (!columns.has('spree_orders', 'state')) return { status: word }
  const status = STATUS_BESIDE[word]
  return { state: word, ...(status === undefined ? {} : { status }) }
}
