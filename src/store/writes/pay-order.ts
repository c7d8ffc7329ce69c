import type { Db } from '../../postgres/pool.ts'
import { NOW } from './rows.ts'
import type { Shop } from './shop.ts'
import { worthlessPayments } from './worthless-payments.ts'

/** Sums up what an order was paid, and says it in the family's word. The order is not canceled. */
export async function payOrder(
  db: Db,
  shop: Shop,
  orderId: string,
): Promise<Readonly<{ paid: boolean; paymentState: string | null }>> {
  const isSix = shop.family === 'spree-6.0'
  const orders = shop.table('spree_orders')
  // Before 2.4 what went back is a payment below zero.
  const refunded = shop.columns.has('spree_refunds')
    ? `coalesce((select sum(r.amount)
                   from ${shop.table('spree_refunds')} r
                   join ${shop.table('spree_payments')} p on p.id = r.payment_id
                  where p.order_id = o.id
                    and p.${shop.state} = 'completed'), 0)`
    : '0'
  const { rows } = await db.query<{ paid: boolean; paymentState: string | null }>(
    `with sums as (
       select o.id, o.total, ${refunded} as refunded,
              coalesce(sum(p.amount) filter (where p.${shop.state} = 'completed'), 0) as captured,
              coalesce(sum(p.amount) filter (where p.${shop.state} = 'pending'), 0) as authorized,
              bool_and(p.${shop.state} = any($2::text[])) as worthless
         from ${orders} o
         left join ${shop.table('spree_payments')} p on p.order_id = o.id
        where o.id = $1::bigint
        group by o.id
     )
     update ${orders} o
        set payment_total = captured - refunded,
            ${isSix ? STATUS_OF_SIX : STATE}
            updated_at = ${NOW}
       from sums
      where o.id = sums.id
      returning o.payment_total >= o.total as paid, o.${isSix ? 'payment_status' : 'payment_state'} as "paymentState"`,
    [orderId, worthlessPayments(shop)],
  )
  if (rows[0]) return rows[0]
  throw new Error(`Order ${orderId} went while it was being paid.`)
}

/** `OrderUpdater#update_payment_state`. */
const STATE = `payment_state = case
              when worthless then 'failed'
              when captured - refunded < sums.total then 'balance_due'
              when captured - refunded > sums.total then 'credit_owed'
              else 'paid'
            end,`

/** `Orders::UpdateStatuses`, which compares cents. */
const STATUS_OF_SIX = `payment_status = case
              when refunded > 0 and captured - refunded <= 0 then 'refunded'
              when refunded > 0 then 'partially_refunded'
              when captured = 0 and authorized = 0 then 'none'
              when captured = 0 then 'authorized'
              when round(captured, 2) > round(sums.total, 2) then 'overcharged'
              when round(captured, 2) = round(sums.total, 2) then 'paid'
              else 'partially_paid'
            end,`
