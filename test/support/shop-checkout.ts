import { setTimeout as pause } from 'node:timers/promises'
import type { Random } from './random.ts'
import { type Act, inOneCommit, insertRow, type Shop, UTC } from './shop.ts'

export const fillCart: Act = async (db, shop, random) => {
  const { variant, price } = await pickVariant(db, shop, random)
  if (shop.family === 'spree-6.0') return
  const cart = await insertRow(db, 'spree_orders', {
    number: nextNumber(shop),
    state: 'cart',
    currency: 'USD',
  })
  await insertRow(db, 'spree_line_items', { order_id: cart, variant_id: variant, quantity: 1, price })
}

/** A checkout in its commits; the order is one with the last of them. */
export const placeOrder: Act = (db, shop, random) =>
  shop.family === 'spree-4.10' ? placeOn4(db, shop, random) : placeOn6(db, shop, random)

const placeOn4: Act = async (db, shop, random) => {
  const { variant, price, row } = await pickVariant(db, shop, random)
  const quantity = random.between(1, 3)
  const itemTotal = Number(price) * quantity
  const order = await insertRow(db, 'spree_orders', {
    number: nextNumber(shop),
    state: 'cart',
    currency: 'USD',
    email: 'guest@example.com',
  })
  const line = await insertRow(db, 'spree_line_items', {
    order_id: order,
    variant_id: variant,
    quantity,
    price,
  })
  const address = await insertRow(db, 'spree_addresses', {
    firstname: 'Ann',
    lastname: 'Guest',
    address1: '1 Main St',
    city: 'Austin',
    zipcode: '78701',
    phone: '555',
  })
  await db.query('update spree_orders set bill_address_id = $2, ship_address_id = $2 where id = $1', [
    order,
    address,
  ])
  const shipment = await insertRow(db, 'spree_shipments', {
    order_id: order,
    number: `H${nextNumber(shop)}`,
    state: 'pending',
    cost: '5.00',
    stock_location_id: shop.location,
  })
  await insertRow(db, 'spree_inventory_units', {
    order_id: order,
    shipment_id: shipment,
    line_item_id: line,
    variant_id: variant,
    quantity,
    state: 'on_hand',
  })
  await db.query(
    `update spree_orders set item_total = $2::numeric, shipment_total = 5, total = $2::numeric + 5 where id = $1`,
    [order, itemTotal],
  )
  await insertRow(db, 'spree_payments', {
    order_id: order,
    amount: itemTotal + 5,
    state: 'checkout',
    number: `P${nextNumber(shop)}`,
  })
  await db.query(`update spree_orders set state = 'complete' where id = $1`, [order])
  await pause(random.between(0, 30))
  await inOneCommit(db, async () => {
    await db.query(`update ${shop.stock} set count_on_hand = count_on_hand - $2 where id = $1`, [
      row,
      quantity,
    ])
    await db.query('update spree_inventory_units set pending = false where order_id = $1', [order])
  })
  await db.query(
    `update spree_orders set payment_state = 'balance_due', shipment_state = 'pending' where id = $1`,
    [order],
  )
  await db.query(`update spree_orders set completed_at = ${UTC}, updated_at = ${UTC} where id = $1`, [order])
  shop.orders.push(order)
}

const placeOn6: Act = async (db, shop, random) => {
  const { variant, price, row } = await pickVariant(db, shop, random)
  const quantity = random.between(1, 3)
  const itemTotal = Number(price) * quantity
  let order = ''
  await inOneCommit(db, async () => {
    const address = await insertRow(db, 'spree_addresses', {
      first_name: 'Ann',
      last_name: 'Guest',
      address1: '1 Main St',
      city: 'Austin',
      postal_code: '78701',
      phone: '555',
    })
    order = await insertRow(db, 'spree_orders', {
      number: nextNumber(shop),
      currency: 'USD',
      email: 'guest@example.com',
      bill_address_id: address,
      ship_address_id: address,
      item_total: itemTotal,
      delivery_total: 5,
      total: itemTotal + 5,
    })
    const line = await insertRow(db, 'spree_line_items', {
      order_id: order,
      variant_id: variant,
      quantity,
      price,
    })
    const fulfillment = await insertRow(db, 'spree_fulfillments', {
      order_id: order,
      status: 'unfulfilled',
      cost: 5,
      stock_location_id: shop.location,
    })
    await insertRow(db, 'spree_fulfillment_items', {
      order_id: order,
      fulfillment_id: fulfillment,
      line_item_id: line,
      variant_id: variant,
      quantity,
      status: 'on_hand',
    })
    await insertRow(db, 'spree_payments', { order_id: order, amount: itemTotal + 5, status: 'pending' })
  })
  await pause(random.between(0, 30))
  await db.query(
    `update spree_orders set payment_status = 'authorized', fulfillment_status = 'unfulfilled' where id = $1`,
    [order],
  )
  await inOneCommit(db, async () => {
    await db.query(`update ${shop.stock} set allocated_count = allocated_count + $2 where id = $1`, [
      row,
      quantity,
    ])
    await db.query(
      `update spree_orders set status = 'placed', completed_at = ${UTC}, updated_at = ${UTC} where id = $1`,
      [order],
    )
  })
  shop.orders.push(order)
}

async function pickVariant(
  db: Parameters<Act>[0],
  shop: Shop,
  random: Random,
): Promise<Readonly<{ variant: string; price: string; row: string }>> {
  const row = random.pick(shop.stockRows)
  const { rows } = await db.query<{ variant: string; price: string | null }>(
    `select s.variant_id as variant, max(p.amount) as price
       from ${shop.stock} s left join spree_prices p on p.variant_id = s.variant_id and p.currency = 'USD'
      where s.id = $1 group by s.variant_id`,
    [row],
  )
  return { variant: rows[0]?.variant ?? '0', price: rows[0]?.price ?? '10.00', row }
}

function nextNumber(shop: Shop): string {
  return `W${shop.mark}${shop.counter++}`
}
