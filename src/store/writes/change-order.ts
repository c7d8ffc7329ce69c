import type { Db } from '../../postgres/pool.ts'
import type { Store } from '../store.ts'
import { NotApplicable } from './not-applicable.ts'
import { updateRow } from './rows.ts'
import { type Shop, shopOf } from './shop.ts'

/** What of an order is set; what is undefined stays. */
export type OrderMarks = Readonly<{ state: string | undefined; email: string | undefined }>

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

/**
 * Sets the state (in 5.5 and 5.6 with the status that says the same) and the e-mail address of an order, and nothing else,
 * unless what the store has of it is newer, which `isNewer` tells of the order, locked, by its id. Returns that.
 * @throws NotApplicable for an unknown number, or a state that orders of this store do not have.
 */
export async function changeOrder(
  db: Db,
  store: Pick<Store, 'family' | 'columns'>,
  number: string,
  { state, email }: OrderMarks,
  isNewer: (orderId: string) => Promise<boolean>,
): Promise<string> {
  const shop = shopOf(store)
  const { rows } = await db.query<{ id: string }>(
    `select id::text as id
       from ${shop.table('spree_orders')}
      where number = $1
      order by id
      limit 1
        for no key update`,
    [number],
  )
  const order = rows[0]
  if (!order)
    throw new NotApplicable('unknown_order', `There is no order ${number}: import it first, then retry.`)
  if (await isNewer(order.id)) return order.id
  const marks = {
    ...(state === undefined ? {} : stateMarks(shop, number, state)),
    ...(email === undefined ? {} : { email }),
  }
  const changed = await updateRow(db, shop, 'spree_orders', order.id, marks)
  if (changed && shop.columns.has('spree_orders', 'lock_version'))
    await db.query(
      `update ${shop.table('spree_orders')} set lock_version = lock_version + 1 where id = $1::bigint`,
      [order.id],
    )
  return order.id
}

function stateMarks({ columns }: Shop, number: string, state: string): Readonly<Record<string, string>> {
  const hasState = columns.has('spree_orders', 'state')
  const known = hasState ? STATES.find((one) => one === state) : STATUSES[state]
  if (known === undefined)
    throw new NotApplicable(
      'unknown_state',
      `Order ${number} cannot become ${state}: orders of this store are ${(hasState ? STATES : Object.keys(STATUSES)).join(', ')}.`,
    )
  if (!hasState) return { status: known }
  const status = STATUS_BESIDE[known]
  return { state: known, ...(status === undefined ? {} : { status }) }
}
