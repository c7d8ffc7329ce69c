import type { Handler } from '../src/apply/handler.ts'
import { orderImport } from '../src/apply/order-import.ts'
import { stockChange } from '../src/apply/stock-change.ts'
import type { Pool } from '../src/postgres/pool.ts'
import { stockItemOf } from './scale-store.ts'

/** What a hub sends: the `index`-th message, whose unique part is `unique`. */
export type InboundMessages = Readonly<{
  handler: Handler<unknown>
  payload(index: number, unique: string): object
}>

/** So many SKUs take part: those that meet wait for each other, as in a shop. */
export const SKUS = 100

const skuOf = (index: number) => stockItemOf((index % SKUS) + 1).sku

/** Another quantity of a SKU. */
export const stockChanges: InboundMessages = {
  handler: stockChange,
  payload: (index) => ({ sku: skuOf(index), quantity: 1 }),
}

/** An order of two lines, paid by check. */
export async function orderImports(pool: Pool): Promise<InboundMessages> {
  const { rows } = await pool.query<{ method: string; country: string; state: string; payment: string }>(
    `select (select name from spree_shipping_methods where deleted_at is null order by id limit 1) as method,
            c.iso as country, s.name as state,
            (select name from spree_payment_methods where type = 'Spree::PaymentMethod::Check' and deleted_at is null order by id limit 1) as payment
       from spree_states s
       join spree_countries c on c.id = s.country_id
      where c.iso = 'US'
      order by s.id
      limit 1`,
  )
  const [store] = rows
  if (!store) throw new Error('The store knows no state of the United States.')
  const address = {
    firstname: 'Joe',
    lastname: 'Smith',
    address1: '1234 Awesome Street',
    address2: '',
    zipcode: '90210',
    city: 'Hollywood',
    state: store.state,
    country: store.country,
    phone: '0000000000',
  }
  return {
    handler: orderImport,
    payload: (index, unique) => {
      const lines = [index, index + 1].map((of) => ({ sku: skuOf(of), quantity: 1, price: 10 }))
      return {
        order: {
          number: `B${unique}`,
          channel: 'bench',
          email: 'joe@example.com',
          currency: 'USD',
          status: 'complete',
          placed_on: '2026-03-09T09:28:00Z',
          totals: { item: 20, adjustment: 0, tax: 0, shipping: 5, payment: 25, order: 25 },
          line_items: lines,
          adjustments: [],
          shipping_address: address,
          billing_address: address,
          payments: [{ amount: 25, status: 'completed', payment_method: store.payment }],
          shipments: [{ cost: 5, status: 'ready', shipping_method: store.method, items: lines }],
        },
      }
    },
  }
}
