import type { Db } from '../../postgres/pool.ts'
import type { Store } from '../store.ts'
import { lockOrderOfNumber } from './find-order.ts'
import { NotApplicable } from './not-applicable.ts'
import { NOW } from './rows.ts'
import { shopOf } from './shop.ts'

export type Locked = Readonly<{
  number: string
  /** Since when; ISO 8601, without a zone: UTC. */
  lockedAt: string
  /** It was locked already, and stays so since then. */
  already: boolean
}>

/**
 * Locks an order against its admins (protocol §7.2), in a column that a store has added for itself.
 * @throws NotApplicable where the store has no such column, or no such order.
 */
export async function lockForEditing(
  db: Db,
  store: Pick<Store, 'family' | 'columns'>,
  number: string,
): Promise<Locked> {
  const shop = shopOf(store)
  if (!shop.columns.has('spree_orders', 'locked_at'))
    throw new NotApplicable(
      'no_locked_at',
      `Order ${number} cannot be locked: this store has no column spree_orders.locked_at. Add one (a timestamp) and let the ` +
        'admin heed it, restart the bridge, then retry.',
    )
  const order = await lockOrderOfNumber(db, shop, number)
  const { rows } = await db.query<{ lockedAt: string; already: boolean }>(
    `with before as (
       select id, locked_at from ${shop.table('spree_orders')} where id = $1::bigint
     ), locked as (
       update ${shop.table('spree_orders')} o
          set locked_at = ${NOW}, updated_at = ${NOW}
         from before
        where o.id = before.id
          and before.locked_at is null
        returning o.locked_at
     )
     select to_jsonb(coalesce(locked.locked_at, before.locked_at)) #>> '{}' as "lockedAt",
            before.locked_at is not null as already
       from before
       left join locked on true`,
    [order.id],
  )
  const [row] = rows
  if (!row) throw new Error(`Order ${number} went while it was being locked.`)
  return { number: order.number, ...row }
}
