import type { TestDatabase } from '../support/postgres.ts'
import { SHELVES } from '../support/shelves.ts'
import type { StoreFamily } from '../support/stores.ts'

// What the store's own tables say, to be counted.

/** How a family's tables say it. */
export const WORDS = {
  'spree-4.10': {
    units: 'spree_inventory_units',
    unit: 'state',
    shipments: 'spree_shipments',
    shipment: 'state',
    gone: 'shipped',
    order: 'shipment_state',
  },
  'spree-6.0': {
    units: 'spree_fulfillment_items',
    unit: 'status',
    shipments: 'spree_fulfillments',
    shipment: 'status',
    gone: 'fulfilled',
    order: 'fulfillment_status',
  },
} as const

/** How many rows the store has of what an order is made of. */
export type Rows = Readonly<Record<string, number>>
/** As it stands. */
export type Order = Readonly<{
  number: string
  item: number
  total: number
  paid: number
  state: string
  lines: number
  pieces: number
  waiting: number
  sent: number
  payments: number
  parcels: string[]
}>

export async function countRows({ pool }: TestDatabase, family: StoreFamily): Promise<Rows> {
  const { units, shipments } = WORDS[family]
  const logs = family === 'spree-4.10' ? 'spree_state_changes' : 'spree_deliveries'
  const tables = [
    'spree_orders',
    'spree_addresses',
    'spree_line_items',
    'spree_payments',
    units,
    shipments,
    logs,
  ]
  const counts = await pool.query<Record<string, number>>(
    `select ${tables.map((table) => `(select count(*)::integer from ${table}) as ${table}`).join(', ')}`,
  )
  return counts.rows[0] ?? {}
}

/** `MANY-3 adjusted 103`: each movement of the shelves. */
export async function readMovements({ pool }: TestDatabase, family: StoreFamily): Promise<string[]> {
  const { levels, key, kind } = SHELVES[family]
  const { rows } = await pool.query<{ text: string }>(
    `select concat(v.sku, ' ', ${kind}, ' ', m.quantity) as text
       from spree_stock_movements m
       join ${levels} l on l.id = m.${key}
       join spree_variants v on v.id = l.variant_id
      where v.sku ~ '^(HOT|TOLD|MANY|OWED)-'`,
  )
  return rows.map(({ text }) => text)
}

/** How many changes of stock, of shelves that only messages change, shared their transaction with another. */
export async function countGrouped({ pool }: TestDatabase, family: StoreFamily): Promise<number> {
  const { levels, key } = SHELVES[family]
  const { rows } = await pool.query<{ grouped: number }>(
    `select coalesce(sum(together), 0)::integer as grouped
       from (select count(*) as together
               from spree_stock_movements m
               join ${levels} l on l.id = m.${key}
               join spree_variants v on v.id = l.variant_id
              where v.sku ~ '^(TOLD|MANY)-'
              group by m.xmin::text
             having count(*) > 1) groups`,
  )
  return rows[0]?.grouped ?? 0
}

export async function readOrders({ pool }: TestDatabase, family: StoreFamily): Promise<Order[]> {
  const { units, unit, shipments, shipment, gone, order } = WORDS[family]
  const pieces = `(select coalesce(sum(quantity), 0)::integer from ${units} u where u.order_id = o.id`
  const { rows } = await pool.query<Order>(
    `select o.number, o.item_total::float8 as item, o.total::float8 as total, o.payment_total::float8 as paid,
            o.${order} as state,
            (select count(*)::integer from spree_line_items l where l.order_id = o.id) as lines,
            (select count(*)::integer from spree_payments p where p.order_id = o.id) as payments,
            ${pieces}) as pieces,
            ${pieces} and u.${unit} = 'backordered') as waiting,
            ${pieces} and u.${unit} = 'shipped') as sent,
            array(select s.number || ' ' || s.${shipment} from ${shipments} s where s.order_id = o.id order by s.number) as parcels
       from spree_orders o
      where o.number ~ '^(RACE|LOST)'`,
  )
  return rows.map((row) => ({
    ...row,
    parcels: row.parcels.map((text) => text.replace(` ${gone}`, ' gone')),
  }))
}
