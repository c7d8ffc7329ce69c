import type { Db } from '../../postgres/pool.ts'
import type { Shipment } from './find-shipment.ts'
import { NotApplicable } from './not-applicable.ts'
import type { Shop } from './shop.ts'

/** Whether the parcel is out of the house already. */
export function hasLeft({ state }: Pick<Shipment, 'state'>): boolean {
  return state === 'shipped' || state === 'fulfilled' || state === 'delivered'
}

/**
 * Whether the shop itself would let it go: up to 5.x and in Solidus one that is `ready` and has all its units on hand
 * (`Shipment#ship`, `InventoryUnit#ship`), in 6.x one that waits, of a placed order that is paid or of which staff
 * collect the money (`Fulfillments::Fulfill`). What the shop would charge at that moment is charged at no gateway here.
 * @throws NotApplicable with the state in the way, and what to do.
 */
export async function refuseUnshippable(db: Db, shop: Shop, shipment: Shipment): Promise<void> {
  const { number, state, order } = shipment
  const refuse = (why: string, what: string) =>
    new NotApplicable(
      'not_shippable',
      `Shipment ${number} of order ${order.number} cannot ship: ${why}. ${what}`,
    )
  if (state === 'canceled' || order.state === 'canceled')
    throw refuse('it is canceled', 'Resume it in the shop, then retry; or send the parcel back.')
  const waiting = await waitingUnits(db, shop, shipment.id)
  if (waiting !== '')
    throw refuse(`its units are not all on hand (${waiting})`, 'Bring in the stock, then retry.')
  if (shop.family === 'spree-6.0') {
    if (order.state !== 'placed')
      throw refuse(`its order is ${order.state}`, 'Place the order in the shop, then retry.')
    if (state !== 'unfulfilled') throw refuse(`it is ${state}`, 'Look at it in the shop, then retry.')
    if (await isReadyToHandOver(db, shop, order)) return
    throw refuse(
      'its order is not paid, nor is all that is outstanding left to be collected by hand',
      'Capture the payment (a check by order:capture, a card in the shop), then retry.',
    )
  }
  if (state !== 'ready')
    throw refuse(
      `it is ${state}${order.paid ? '' : ', and its order is not paid'}`,
      order.paid
        ? 'Recalculate the order in the shop, then retry.'
        : 'Capture the payment (a check by order:capture, a card in the shop), then retry.',
    )
  // Ready without being paid: the shop takes the money as the parcel leaves (auto_capture_on_dispatch), or ships on account.
  if (!order.paid)
    throw refuse(
      'its order is not paid, and the shop charges as the parcel leaves',
      'Capture the payment, or ship it in the shop, then retry.',
    )
}

/** The states in the way, by commas; in Solidus units that were canceled for themselves stay behind. */
async function waitingUnits(db: Db, shop: Shop, shipmentId: string): Promise<string> {
  const { rows } = await db.query<{ states: string | null }>(
    `select string_agg(distinct u.${shop.state}, ', ') as states
       from ${shop.table(shop.units)} u
      where u.${shop.unitShipment} = $1::bigint
        and u.${shop.state} not in ('on_hand', 'canceled')`,
    [shipmentId],
  )
  return rows[0]?.states ?? ''
}

/** What is still to be charged on dispatch is the shop's own act; what staff collect is no obstacle. */
async function isReadyToHandOver(db: Db, shop: Shop, { id, paid }: Shipment['order']): Promise<boolean> {
  const { rows } = await db.query<{ pending: number; manual: number; on_dispatch: number }>(
    `select count(*)::integer as pending,
            (count(*) filter (where m.capture_method = 'manual'))::integer as manual,
            (count(*) filter (where m.capture_method = 'on_dispatch'))::integer as on_dispatch
       from ${shop.table('spree_payments')} p
       left join ${shop.table('spree_payment_methods')} m on m.id = p.payment_method_id
      where p.order_id = $1::bigint
        and p.status = 'pending'`,
    [id],
  )
  const { pending = 0, manual = 0, on_dispatch: onDispatch = 0 } = rows[0] ?? {}
  return onDispatch === 0 && (paid || (pending > 0 && manual === pending))
}
