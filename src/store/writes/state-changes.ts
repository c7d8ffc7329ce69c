import type { Db } from '../../postgres/pool.ts'
import type { PlacedOrder } from './find-order.ts'
import { insertRow } from './rows.ts'
import type { Shop } from './shop.ts'

export type StateChange = Readonly<{
  of: 'Spree::Order' | 'Spree::Shipment' | 'Spree::Payment'
  id: string
  /** Whose state it is: an order has those of its payments and shipments besides its own. */
  name: 'order' | 'payment' | 'shipment'
  from: string | null
  to: string | null
  userId: string | null
}>

/** What up to 5.x and in Solidus each change of a state leaves behind; 6.x keeps no such list. */
export async function recordState(db: Db, shop: Shop, change: StateChange): Promise<void> {
  await insertRow(db, shop, 'spree_state_changes', {
    name: change.name,
    previous_state: change.from,
    next_state: change.to,
    stateful_type: change.of,
    stateful_id: change.id,
    user_id: change.userId,
  })
}

/** Records that an order's payment state is another now, where it is. */
export async function recordPaymentState(
  db: Db,
  shop: Shop,
  { id, paymentState: from, userId }: Pick<PlacedOrder, 'id' | 'paymentState' | 'userId'>,
  to: string | null,
): Promise<void> {
  if (shop.family === 'spree-6.0' || to === from) return
  await recordState(db, shop, { of: 'Spree::Order', id, name: 'payment', from, to, userId })
}
