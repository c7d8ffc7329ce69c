import { randomInt } from 'node:crypto'

import { orderImport } from '../apply/order-import.ts'
import type { Pool } from '../postgres/pool.ts'
import { inTransaction } from '../postgres/transaction.ts'
import { openStore } from '../store/store.ts'

/**
 * An order as a guest of the sample shop places it, paid by check; returns its number. By the writes with which orders are
 * imported, but under no origin: to the bridge it is the shop's own.
 */
export async function placeOrder(pool: Pool): Promise<string> {
  const number = `R${randomInt(100_000_000, 1_000_000_000)}`
  const store = await openStore(pool)
  const address = {
    firstname: 'Ada',
    lastname: 'Norström',
    address1: '4 Pier Road',
    address2: '',
    zipcode: '04101',
    city: 'Portland',
    phone: '207-555-0142',
    state: 'Maine',
    country: 'US',
  }
  const payload = orderImport.schema.parse({
    order: {
      number,
      channel: 'spree',
      email: 'ada@example.com',
      currency: 'USD',
      placed_on: new Date().toISOString(),
      updated_at: new Date().toISOString(),
      status: 'complete',
      totals: { item: 69, adjustment: 0, tax: 0, shipping: 5, payment: 0, order: 74 },
      line_items: [
        { name: 'Brass Compass', sku: 'BC-01', external_ref: '', quantity: 2, price: 34.5, options: {} },
      ],
      adjustments: [],
      shipping_address: address,
      billing_address: address,
      payments: [{ amount: 74, payment_method: 'Check', status: 'checkout' }],
      shipments: [
        {
          number: '',
          cost: 5,
          status: 'pending',
          stock_location: null,
          shipping_method: 'Ground',
          tracking: null,
          items: [
            { name: 'Brass Compass', sku: 'BC-01', external_ref: '', quantity: 2, price: 34.5, options: {} },
          ],
        },
      ],
    },
  })
  await inTransaction(pool, (db) =>
    orderImport.apply(db, store, {
      message: 'order:import',
      messageId: number,
      payload,
      parameters: new Map(),
    }),
  )
  return number
}
