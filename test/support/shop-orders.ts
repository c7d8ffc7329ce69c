import { ROLLED_BACK } from '../checker/rolled-back.ts'
import type { Random } from './random.ts'
import { type Act, inOneCommit, insertRow, nextVersion, type Shop, UTC } from './shop.ts'

const noteColumn = (shop: Shop) => (shop.family === 'spree-4.10' ? 'special_instructions' : 'customer_note')

/** A placed order of this store, or nothing to do where there is none yet. */
function pickOrder(shop: Shop, random: Random): string | null {
  return shop.orders.length > 0 ? random.pick(shop.orders) : null
}

export const noteOrder: Act = async (db, shop, random) => {
  const note = noteColumn(shop)
  await db.query(
    `update spree_orders set ${note} = ${nextVersion(note)}, updated_at = ${UTC} where id = $1`,
    [pickOrder(shop, random)],
  )
}

/** Line item and order in one commit: told together or not at all. */
export const changeQuantity: Act = (db, shop, random) =>
  inOneCommit(db, async () => {
    const order = pickOrder(shop, random)
    await db.query('select id from spree_orders where id = $1 for update', [order])
    await db.query(
      `update spree_line_items set quantity = quantity + 1, updated_at = ${UTC} where order_id = $1`,
      [order],
    )
    await db.query(
      `update spree_orders o set updated_at = ${UTC}, item_total = lines.total, total = o.total - o.item_total + lines.total
         from (select sum(quantity * price) as total from spree_line_items where order_id = $1) lines
        where o.id = $1 and lines.total is not null`,
      [order],
    )
  })

export const changeAddress: Act = async (db, shop, random) => {
  await db.query(
    `update spree_addresses set address1 = ${nextVersion('address1')}, updated_at = ${UTC}
      where id = (select ship_address_id from spree_orders where id = $1)`,
    [pickOrder(shop, random)],
  )
}

export const rollBackOrder: Act = async (db, shop, random) => {
  await db.query('begin')
  await db.query(`update spree_orders set ${noteColumn(shop)} = $2 where id = $1`, [
    pickOrder(shop, random),
    ROLLED_BACK,
  ])
  await db.query('rollback')
}

/** Tracking, state, pieces and the order's own state, each in its commit; on 6.0 the stock goes with it. */
export const shipOrder: Act = async (db, shop, random) => {
  const order = pickOrder(shop, random)
  if (shop.family === 'spree-4.10') {
    const unshipped = `order_id = $1 and state in ('pending', 'ready')`
    await db.query(`update spree_shipments set tracking = $2 where ${unshipped}`, [
      order,
      `1Z${shop.counter++}`,
    ])
    await db.query(`update spree_shipments set state = 'shipped', shipped_at = ${UTC} where ${unshipped}`, [
      order,
    ])
    await db.query(`update spree_inventory_units set state = 'shipped' where order_id = $1`, [order])
    await db.query(
      `update spree_orders set shipment_state = 'shipped', updated_at = ${UTC}
        where id = $1 and exists (select from spree_shipments where order_id = $1 and state = 'shipped')`,
      [order],
    )
    return
  }
  await inOneCommit(db, async () => {
    const { rows } = await db.query<{ id: string }>(
      `update spree_fulfillments set status = 'fulfilled', fulfilled_at = ${UTC}, updated_at = ${UTC}
        where order_id = $1 and status = 'unfulfilled' returning id`,
      [order],
    )
    for (const { id } of rows)
      await insertRow(db, 'spree_deliveries', {
        owner_type: 'Spree::Fulfillment',
        owner_id: id,
        store_id: 1,
        tracking_number: `1Z${shop.counter++}`,
        status: 'pending',
      })
    await db.query(
      `update ${shop.stock} s set count_on_hand = count_on_hand - i.quantity
         from spree_fulfillment_items i
        where i.order_id = $1 and i.status = 'on_hand' and s.variant_id = i.variant_id and s.stock_location_id = $2
          and s.deleted_at is null`,
      [order, shop.location],
    )
    await db.query(`update spree_fulfillment_items set status = 'shipped' where order_id = $1`, [order])
  })
  await db.query(
    `update spree_orders set fulfillment_status = 'fulfilled', updated_at = ${UTC}
      where id = $1 and exists (select from spree_fulfillments where order_id = $1 and status = 'fulfilled')`,
    [order],
  )
}
