import { choose, type Happening, type Id, insert, isSix, type ReplayShop, UTC } from './shop.ts'

/** Not canceled, not shipped. */
const open = (shop: ReplayShop) => `
  select o.id::text from spree_orders o
   where o.completed_at is not null
     and ${isSix(shop) ? `o.status = 'placed'` : `o.state = 'complete'`}
     and exists (select from ${shop.words.shipments} s where s.order_id = o.id
                    and ${isSix(shop) ? `s.status = 'unfulfilled'` : `s.state in ('pending', 'ready')`})
   order by o.id`

export const capturePayment: Happening = async ({ db, shop, random }) => {
  const order = await choose<Id>(db, random, open(shop))
  if (!order) return
  const state = isSix(shop) ? 'status' : 'state'
  const { rows } = await db.query<{ id: string; amount: string }>(
    `update spree_payments set ${state} = 'completed', updated_at = ${UTC}
      where order_id = $1 and ${state} in ('checkout', 'pending') returning id::text, amount`,
    [order.id],
  )
  for (const { id, amount } of rows)
    await insert(db, shop, 'spree_payment_capture_events', { payment_id: id, amount })
  await db.query(
    `update spree_orders o
        set payment_total = (select coalesce(sum(amount), 0) from spree_payments
                              where order_id = o.id and ${state} = 'completed'),
            ${isSix(shop) ? 'payment_status' : 'payment_state'} = 'paid', updated_at = ${UTC}
      where id = $1`,
    [order.id],
  )
  if (!isSix(shop))
    await db.query(
      `update spree_shipments set state = 'ready', updated_at = ${UTC} where order_id = $1 and state = 'pending'`,
      [order.id],
    )
}

export const ship: Happening = async ({ db, shop, random }) => {
  const order = await choose<Id>(db, random, open(shop))
  if (!order) return
  const tracking = `1Z${shop.next()}`
  const { stock } = shop.words
  if (!isSix(shop)) {
    const unshipped = `order_id = $1 and state in ('pending', 'ready')`
    await db.query(`update spree_shipments set tracking = $2 where ${unshipped}`, [order.id, tracking])
    await db.query(
      `update spree_inventory_units set state = 'shipped'
        where state = 'on_hand' and shipment_id in (select id from spree_shipments where ${unshipped})`,
      [order.id],
    )
    await db.query(
      `update spree_shipments set state = 'shipped', shipped_at = ${UTC}, updated_at = ${UTC} where ${unshipped}`,
      [order.id],
    )
    await db.query(`update spree_orders set shipment_state = 'shipped', updated_at = ${UTC} where id = $1`, [
      order.id,
    ])
    return
  }
  const { rows } = await db.query<{ id: string }>(
    `update spree_fulfillments set status = 'fulfilled', fulfilled_at = ${UTC}, updated_at = ${UTC}
      where order_id = $1 and status = 'unfulfilled' returning id::text`,
    [order.id],
  )
  for (const { id } of rows)
    await insert(db, shop, 'spree_deliveries', {
      owner_type: 'Spree::Fulfillment',
      owner_id: id,
      store_id: 1,
      tracking_number: `${tracking}-${id}`,
      status: 'pending',
    })
  await db.query(
    `update ${stock} s set count_on_hand = count_on_hand - i.quantity, allocated_count = allocated_count - i.quantity
       from (select variant_id, stock_location_id, sum(quantity)::integer as quantity
               from spree_fulfillment_items i join spree_fulfillments f on f.id = i.fulfillment_id
              where i.order_id = $1 and i.status = 'on_hand' group by 1, 2) i
      where s.variant_id = i.variant_id and s.stock_location_id = i.stock_location_id`,
    [order.id],
  )
  await db.query(
    `update spree_fulfillment_items set status = 'shipped', updated_at = ${UTC} where order_id = $1 and status = 'on_hand'`,
    [order.id],
  )
  await db.query(
    `update spree_orders set fulfillment_status = 'fulfilled', updated_at = ${UTC} where id = $1`,
    [order.id],
  )
}

export const cancel: Happening = async ({ db, shop, random }) => {
  const order = await choose<Id>(db, random, open(shop))
  if (!order) return
  const { stock, shipments, units, unitParent } = shop.words
  const state = isSix(shop) ? 'status' : 'state'
  await db.query(
    isSix(shop)
      ? `update spree_orders set status = 'canceled', payment_status = 'voided', fulfillment_status = 'canceled' where id = $1`
      : `update spree_orders set state = 'canceled', payment_state = 'void', shipment_state = 'canceled' where id = $1`,
    [order.id],
  )
  await db.query(`update ${shipments} set ${state} = 'canceled', updated_at = ${UTC} where order_id = $1`, [
    order.id,
  ])
  await db.query(`update spree_payments set ${state} = 'void', updated_at = ${UTC} where order_id = $1`, [
    order.id,
  ])
  const counted = shop.has(units, 'quantity') ? 'sum(u.quantity)' : 'count(*)'
  await db.query(
    `update ${stock} s
        set ${isSix(shop) ? 'allocated_count = allocated_count - i.quantity' : 'count_on_hand = count_on_hand + i.quantity'},
            updated_at = ${UTC}
       from (select u.variant_id, f.stock_location_id, ${counted}::integer as quantity
               from ${units} u join ${shipments} f on f.id = u.${unitParent}
              where f.order_id = $1 and u.${state} = 'on_hand' group by 1, 2) i
      where s.variant_id = i.variant_id and s.stock_location_id = i.stock_location_id`,
    [order.id],
  )
  await db.query(`update spree_orders set canceled_at = ${UTC}, updated_at = ${UTC} where id = $1`, [
    order.id,
  ])
}
