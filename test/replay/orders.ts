import type { Db } from '../../src/postgres/pool.ts'
import { choose, type Happening, type Id, insert, isSix, type ReplayShop, UTC } from './shop.ts'

const PLACED = 'select id::text from spree_orders where completed_at is not null order by id'

async function insertAddress(db: Db, shop: ReplayShop): Promise<string> {
  const last = `Guest ${shop.next()}`
  return insert(db, shop, 'spree_addresses', {
    firstname: 'Ann',
    lastname: last,
    name: `Ann ${last}`,
    first_name: 'Ann',
    last_name: last,
    address1: '1 Main St',
    city: 'Austin',
    zipcode: '78701',
    postal_code: '78701',
    phone: '555',
  })
}

const fill = async ({ db, shop, random }: Parameters<Happening>[0], places: boolean): Promise<void> => {
  const { stock, shipments, units, unitParent } = shop.words
  const item = await choose<{ variant: string; row: string; location: string }>(
    db,
    random,
    `select s.variant_id::text as variant, s.id::text as row, s.stock_location_id::text as location
       from ${stock} s join spree_variants v on v.id = s.variant_id join spree_products p on p.id = v.product_id
      where s.deleted_at is null and v.deleted_at is null and p.deleted_at is null order by s.id`,
  )
  if (!item || (isSix(shop) && !places)) return
  const [quantity, price] = [random.between(1, 3), random.between(100, 9999) / 100]
  const address = await insertAddress(db, shop)
  const number = `RP${shop.next()}`
  const order = await insert(db, shop, 'spree_orders', {
    number,
    state: 'cart',
    status: 'draft',
    currency: 'USD',
    email: 'guest@example.com',
    store_id: 1,
  })
  const line = await insert(db, shop, 'spree_line_items', {
    order_id: order,
    variant_id: item.variant,
    quantity,
    price,
    currency: 'USD',
  })
  await db.query(
    `update spree_orders set bill_address_id = $2, ship_address_id = $2, item_total = $3, total = $3::numeric + 5,
            ${isSix(shop) ? 'delivery_total' : 'shipment_total'} = 5, updated_at = ${UTC}
      where id = $1`,
    [order, address, price * quantity],
  )
  if (!places) return
  const shipment = await insert(db, shop, shipments, {
    order_id: order,
    number: `H${number}`,
    state: 'pending',
    status: 'unfulfilled',
    cost: 5,
    stock_location_id: item.location,
  })
  const counted = shop.has(units, 'quantity')
  for (let piece = counted ? quantity : 1; piece <= quantity; piece++)
    await insert(db, shop, units, {
      order_id: order,
      [unitParent]: shipment,
      line_item_id: line,
      variant_id: item.variant,
      quantity,
      state: 'on_hand',
      status: 'on_hand',
    })
  await insert(db, shop, 'spree_payments', {
    order_id: order,
    amount: price * quantity + 5,
    state: 'checkout',
    status: 'pending',
    number: `P${number}`,
    identifier: `P${number}`,
  })
  if (isSix(shop)) {
    await db.query(`update ${stock} set allocated_count = allocated_count + $2 where id = $1`, [
      item.row,
      quantity,
    ])
    await db.query(
      `update spree_orders set status = 'placed', payment_status = 'authorized', fulfillment_status = 'unfulfilled',
              completed_at = ${UTC} where id = $1`,
      [order],
    )
    return
  }
  await db.query(`update spree_orders set state = 'complete' where id = $1`, [order])
  await db.query(
    `update ${stock} set count_on_hand = count_on_hand - $2, updated_at = ${UTC} where id = $1`,
    [item.row, quantity],
  )
  await db.query(
    `update spree_orders set payment_state = 'balance_due', shipment_state = 'pending' where id = $1`,
    [order],
  )
  await db.query(`update spree_orders set completed_at = ${UTC}, updated_at = ${UTC} where id = $1`, [order])
}

export const placeOrder: Happening = (at) => fill(at, true)
/** Of which nobody hears. */
export const fillCart: Happening = (at) => fill(at, false)

export const changeAddress: Happening = async ({ db, shop, random }) => {
  const order = await choose<Id>(db, random, PLACED)
  await db.query(
    `update spree_addresses set address1 = $2, updated_at = ${UTC}
      where id = (select ship_address_id from spree_orders where id = $1)`,
    [order?.id, `${shop.next()} Other St`],
  )
}

export const changeQuantity: Happening = async ({ db, random }) => {
  const order = await choose<Id>(db, random, PLACED)
  await db.query(
    `update spree_line_items set quantity = quantity + 1, updated_at = ${UTC} where order_id = $1`,
    [order?.id],
  )
  await db.query(
    `update spree_orders o set item_total = lines.total, total = o.total - o.item_total + lines.total, updated_at = ${UTC}
       from (select sum(quantity * price) as total from spree_line_items where order_id = $1) lines
      where o.id = $1 and lines.total is not null`,
    [order?.id],
  )
}

export const noteOrder: Happening = async ({ db, shop, random }) => {
  const order = await choose<Id>(db, random, PLACED)
  const column = isSix(shop) ? 'customer_note' : 'special_instructions'
  await db.query(`update spree_orders set ${column} = $2, updated_at = ${UTC} where id = $1`, [
    order?.id,
    random.pick([null, `ring ${shop.next()} times`]),
  ])
}

export const touchOrder: Happening = async ({ db, random }) => {
  const order = await choose<Id>(db, random, PLACED)
  await db.query(`update spree_orders set updated_at = ${UTC} where id = $1`, [order?.id])
  await db.query(`update spree_line_items set updated_at = ${UTC}, quantity = quantity where order_id = $1`, [
    order?.id,
  ])
}
