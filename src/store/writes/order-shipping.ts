import type { Db } from '../../postgres/pool.ts'
import { NOW } from './rows.ts'
import type { Shop } from './shop.ts'
import { recordState } from './state-changes.ts'

/**
 * What Spree does to an order whose units were filled (`Order#fulfill!`): states of its shipments, state of the order.
 * `changedShipments` are those that hold the units.
 */
export async function refreshShipments(
  db: Db,
  shop: Shop,
  orderId: string,
  changedShipments: readonly string[],
): Promise<void> {
  if (shop.family === 'spree-6.0') await touchFulfillments(db, shop, changedShipments)
  else await refreshShipmentStates(db, shop, orderId, changedShipments)
  await rollUpShipments(db, shop, orderId)
}

/** The state of the order as a whole, told from those of its shipments; the order is touched. */
export async function rollUpShipments(db: Db, shop: Shop, orderId: string): Promise<void> {
  if (shop.family === 'spree-6.0') await rollUpFulfillments(db, shop, orderId)
  else await rollUpStates(db, shop, orderId)
}

function waits(shop: Shop): string {
  return `
        select from ${shop.table('spree_inventory_units')} u where u.shipment_id = s.id and u.state = 'backordered'`
}

/**
 * Up to 5.x every shipment is given the state that its units and the order's payment allow (`Shipment#determine_state`), but
 * one that was canceled by itself stays so.
 */
async function refreshShipmentStates(
  db: Db,
  shop: Shop,
  orderId: string,
  changedShipments: readonly string[],
): Promise<void> {
  const shipments = shop.table('spree_shipments')
  await db.query(
    `update ${shipments} written
        set state = next.state,
            updated_at = case when $3 or written.id = any($2::bigint[]) then ${NOW} else written.updated_at end
       from (select s.id,
                    case
                      when s.state = 'canceled' or o.state = 'canceled' then 'canceled'
                      when o.state not in ('complete', 'resumed', 'awaiting_return', 'returned') then 'pending'
                      when exists (${waits(shop)}) then 'pending'
                      when s.state = 'shipped' then 'shipped'
                      when o.payment_state in ('paid', 'credit_owed') then 'ready'
                      else 'pending'
                    end as state
               from ${shipments} s
               join ${shop.table('spree_orders')} o on o.id = s.order_id
              where o.id = $1::bigint) next
      where written.id = next.id
        and ($4 or written.id = any($2::bigint[]) or written.state is distinct from next.state)`,
    [orderId, changedShipments, shop.otherShipments !== 'untimed', shop.otherShipments === 'each'],
  )
}

/** The order is `backorder` while a unit waits, else what its shipments agree on. */
async function rollUpStates(db: Db, shop: Shop, orderId: string): Promise<void> {
  const shipments = shop.table('spree_shipments')
  const { rows } = await db.query<{ before: string | null; after: string | null; user_id: string | null }>(
    `with before as (
       select id, shipment_state as state, user_id from ${shop.table('spree_orders')} where id = $1::bigint
     )
     update ${shop.table('spree_orders')} o
        set shipment_state = case
              when exists (select from ${shipments} s where s.order_id = o.id and exists (${waits(shop)})) then 'backorder'
              when (select count(distinct s.state) from ${shipments} s where s.order_id = o.id) > 1 then 'partial'
              else (select min(s.state) from ${shipments} s where s.order_id = o.id)
            end,
            updated_at = ${NOW}
       from before
      where o.id = before.id
      returning before.state as before, o.shipment_state as after, before.user_id::text as user_id`,
    [orderId],
  )
  const order = rows[0]
  if (!order || order.before === order.after) return
  await recordState(db, shop, {
    of: 'Spree::Order',
    id: orderId,
    name: 'shipment',
    from: order.before,
    to: order.after,
    userId: order.user_id,
  })
}

/** 6.x: a fulfillment's status says what was done with the parcel, not whether it could be sent; it is only touched. */
async function touchFulfillments(db: Db, shop: Shop, ids: readonly string[]): Promise<void> {
  await db.query(
    `update ${shop.table('spree_fulfillments')} set updated_at = ${NOW} where id = any($1::bigint[])`,
    [ids],
  )
}

/** 6.x (`Orders::UpdateStatuses`): canceled parcels do not count. */
async function rollUpFulfillments(db: Db, shop: Shop, orderId: string): Promise<void> {
  const fulfillments = shop.table('spree_fulfillments')
  await db.query(
    `update ${shop.table('spree_orders')} o
        set fulfillment_status = case
              when exists (
                     select
                       from ${shop.table('spree_fulfillment_items')} i
                       join ${fulfillments} f on f.id = i.fulfillment_id
                      where f.order_id = o.id
                        and i.status = 'backordered') then 'backorder'
              when parcels.every = 0 then null
              when parcels.live = 0 then case when o.status = 'canceled' then 'canceled' else 'unfulfilled' end
              when parcels.kinds = 1 then parcels.kind
              when parcels.gone then 'partial'
              else 'unfulfilled'
            end,
            updated_at = ${NOW}
       from (select count(*) as every,
                    count(*) filter (where status <> 'canceled') as live,
                    count(distinct status) filter (where status <> 'canceled') as kinds,
                    min(status) filter (where status <> 'canceled') as kind,
                    bool_or(status in ('fulfilled', 'delivered')) as gone
               from ${fulfillments}
              where order_id = $1::bigint) parcels
      where o.id = $1::bigint`,
    [orderId],
  )
}
