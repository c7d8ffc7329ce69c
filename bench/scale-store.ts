import type { Db } from '../src/postgres/pool.ts'

/** The first id of everything made here; what the store had before lies far below. */
export const FIRST_ID = 1_000_000

/** Room for the children of one order or product in one table. */
const CHILDREN = 16

/** The stock item of a product made here, the first of which is 1, and the SKU of its variant. */
export function stockItemOf(product: number): Readonly<{ id: number; sku: string }> {
  return { id: FIRST_ID + product * CHILDREN, sku: `BENCH-${product}-0` }
}

/** How many rows of each table an order has, as in the store on which the bounds were measured. */
const ORDER_ROWS = { lines: 2, units: 2, rates: 3, payments: 1, adjustments: 3, addresses: 2 }

type Copy = Readonly<{
  table: string
  /** Condition on `t`: the rows to copy. */
  like: string
  /** At least so many for each n; rows are repeated where the model has fewer. */
  atLeast: number
  /** Column → expression in terms of `n` (from 1), `i` (the child's number from 0) and `t`. */
  set: Readonly<Record<string, string>>
}>

export type StoreSize = Readonly<{ products: number; orders: number }>

/**
 * Makes so many products and placed orders out of one product and one order that the store has, with all that
 * hangs on them, each row with its own ids, numbers and SKUs.
 */
export async function scaleStore(db: Db, { products, orders }: StoreSize): Promise<void> {
  const product = await modelOf(
    db,
    `select p.id
       from spree_products p
       join spree_variants v on v.product_id = p.id and v.is_master and v.deleted_at is null
       join spree_prices m on m.variant_id = v.id and m.deleted_at is null
      where p.deleted_at is null
      group by p.id
      order by p.id
      limit 1`,
  )
  const order = await modelOf(
    db,
    `select o.id
       from spree_orders o
       join spree_line_items l on l.order_id = o.id
       join spree_shipments s on s.order_id = o.id
      where o.completed_at is not null and o.ship_address_id is not null
      order by o.id
      limit 1`,
  )
  for (const copy of productCopies(product)) await copyRows(db, copy, products)
  for (const copy of orderCopies(order, products)) await copyRows(db, copy, orders)
  await db.query('vacuum analyze')
}

const root = `${FIRST_ID} + n`
const child = `${FIRST_ID} + n * ${CHILDREN} + i`
const firstChild = `${FIRST_ID} + n * ${CHILDREN}`

function productCopies(product: string): Copy[] {
  const master = `(select v.id from spree_variants v where v.product_id = ${product} and v.is_master and v.deleted_at is null)`
  return [
    {
      table: 'spree_products',
      like: `t.id = ${product}`,
      atLeast: 1,
      set: { id: root, name: `t.name || ' ' || n`, slug: `'bench-' || n` },
    },
    {
      table: 'spree_variants',
      like: `t.id = ${master}`,
      atLeast: 2,
      set: {
        id: child,
        product_id: root,
        is_master: 'i = 0',
        position: 'i + 1',
        sku: `'BENCH-' || n || '-' || i`,
      },
    },
    {
      table: 'spree_prices',
      like: `t.variant_id = ${master} and t.currency = (select default_currency from spree_stores where "default" limit 1)`,
      atLeast: 2,
      set: { id: child, variant_id: child },
    },
    {
      table: 'spree_option_value_variants',
      like: 't.variant_id = (select min(variant_id) from spree_option_value_variants)',
      atLeast: 1,
      set: { id: child, variant_id: `${firstChild} + 1` },
    },
    {
      table: 'spree_stock_items',
      like: 't.id = (select min(id) from spree_stock_items where deleted_at is null)',
      atLeast: 2,
      set: { id: child, variant_id: child, count_on_hand: '1000' },
    },
  ]
}

function orderCopies(order: string, products: number): Copy[] {
  const variant = `${FIRST_ID} + (1 + (n * 7 + i) % ${products}) * ${CHILDREN} + 1`
  const ofOrder = `t.order_id = ${order}`
  const firstShipment = `(select min(id) from spree_shipments where order_id = ${order})`
  return [
    {
      table: 'spree_addresses',
      like: `t.id in (select unnest(array[bill_address_id, ship_address_id]) from spree_orders where id = ${order})`,
      atLeast: ORDER_ROWS.addresses,
      set: { id: child, address1: `n || ' ' || t.address1` },
    },
    {
      table: 'spree_orders',
      like: `t.id = ${order}`,
      atLeast: 1,
      set: {
        id: root,
        number: `'R9' || lpad(n::text, 8, '0')`,
        token: `'bench' || n`,
        email: `'buyer' || n || '@example.com'`,
        bill_address_id: firstChild,
        ship_address_id: `${firstChild} + 1`,
        completed_at: `t.completed_at + n * interval '1 second'`,
      },
    },
    {
      table: 'spree_line_items',
      like: ofOrder,
      atLeast: ORDER_ROWS.lines,
      set: { id: child, order_id: root, variant_id: variant },
    },
    {
      table: 'spree_shipments',
      like: `t.id = ${firstShipment}`,
      atLeast: 1,
      set: {
        id: root,
        order_id: root,
        address_id: `${firstChild} + 1`,
        number: `'H9' || lpad(n::text, 10, '0')`,
      },
    },
    {
      table: 'spree_inventory_units',
      like: ofOrder,
      atLeast: ORDER_ROWS.units,
      set: { id: child, order_id: root, shipment_id: root, line_item_id: child, variant_id: variant },
    },
    {
      table: 'spree_shipping_rates',
      like: `t.id in (select min(id) from spree_shipping_rates where shipment_id = ${firstShipment} group by shipping_method_id)`,
      atLeast: 1,
      set: { id: child, shipment_id: root },
    },
    {
      table: 'spree_payments',
      like: ofOrder,
      atLeast: ORDER_ROWS.payments,
      set: { id: child, order_id: root, number: `'P9' || n || '-' || i` },
    },
    {
      table: 'spree_adjustments',
      like: ofOrder,
      atLeast: ORDER_ROWS.adjustments,
      set: {
        id: child,
        order_id: root,
        adjustable_id: `case t.adjustable_type when 'Spree::Order' then ${root} else ${firstChild} end`,
      },
    },
  ]
}

async function modelOf(db: Db, statement: string): Promise<string> {
  const { rows } = await db.query<{ id: string }>(statement)
  const [first] = rows
  if (!first) throw new Error(`The store has nothing to copy: ${statement}`)
  return first.id
}

async function copyRows(db: Db, { table, like, atLeast, set }: Copy, count: number): Promise<void> {
  const { rows } = await db.query<{ name: string }>(
    `select attname as name
       from pg_attribute
      where attrelid = $1::regclass and attnum > 0 and not attisdropped and attgenerated = ''`,
    [table],
  )
  const names = rows.map(({ name }) => name)
  await db.query(
    `with model as materialized (
       select t.*, (row_number() over (order by t.id) - 1)::bigint as model_number, count(*) over () as models
         from ${table} t
        where ${like}
     )
     insert into ${table} (${names.map((name) => `"${name}"`).join(', ')})
     select ${names.map((name) => set[name] ?? `t."${name}"`).join(', ')}
       from generate_series(1, ${count}) n
      cross join model t
      cross join lateral generate_series(0, greatest(1, ceil(${atLeast}::numeric / t.models)::int) - 1) repeat
      cross join lateral (values (t.model_number + t.models * repeat)) child (i)
      order by n, i`,
  )
  await db.query(`select setval(pg_get_serial_sequence($1, 'id'), (select max(id) from ${table}))`, [table])
}
