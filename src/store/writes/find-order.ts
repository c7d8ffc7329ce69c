import type { Db } from '../../postgres/pool.ts'
import { NotApplicable } from './not-applicable.ts'
import type { Shop } from './shop.ts'

export type PlacedOrder = Readonly<{
  id: string
  number: string
  state: string | null
  /** In the family's own word. */
  paymentState: string | null
  userId: string | null
  storeId: string | null
  shipAddressId: string | null
  /** As the shop judges it: up to 5.x what was reimbursed counts too. */
  paid: boolean
}>

/** Locks an order before all that hangs on it. */
export async function lockOrder(db: Db, shop: Shop, id: string): Promise<PlacedOrder> {
  const isSix = shop.family === 'spree-6.0'
  const store = shop.columns.has('spree_orders', 'store_id') ? 'o.store_id::text' : 'null'
  const { rows } = await db.query<PlacedOrder>(
    `select o.id::text, o.number, o.${shop.state} as state,
            o.${isSix ? 'payment_status' : 'payment_state'} as "paymentState",
            o.${isSix ? 'customer_id' : 'user_id'}::text as "userId",
            ${store} as "storeId",
            o.ship_address_id::text as "shipAddressId",
            ${isSix ? 'o.payment_total >= o.total' : `coalesce(o.payment_state in ('paid', 'credit_owed'), false)`} as paid
       from ${shop.table('spree_orders')} o
      where o.id = $1::bigint
        for no key update`,
    [id],
  )
  if (rows[0]) return rows[0]
  throw new Error(`Order ${id} went while it was being locked.`)
}

/** Finds a placed order by its number, and locks it. @throws NotApplicable where there is none, or several. */
export async function lockOrderOfNumber(db: Db, shop: Shop, number: string): Promise<PlacedOrder> {
  const { rows } = await db.query<{ id: string }>(
    `select id::text
       from ${shop.table('spree_orders')}
      where number = $1
        and completed_at is not null
      order by id`,
    [number],
  )
  const [order, ...others] = rows
  if (order && others.length === 0) return lockOrder(db, shop, order.id)
  if (order)
    throw new NotApplicable(
      'ambiguous_order',
      `There are several orders ${number} (ids ${rows.map(({ id }) => id).join(', ')}): give each its own number, then retry.`,
    )
  throw new NotApplicable(
    'unknown_order',
    `This store has no placed order ${number}: correct the number, then retry.`,
  )
}
