import { setTimeout as pause } from 'node:timers/promises'

import type { Pool } from '../postgres/pool.ts'
import { inTransaction } from '../postgres/transaction.ts'
import type { Consumer } from './consumer.ts'
import { type HubAccess, push } from './hub-api.ts'
import { placeOrder } from './place-order.ts'

export type WalkOptions = Readonly<{
  store: Pool
  hub: HubAccess
  consumer: Consumer
  /** One line for the person at the terminal. */
  say(line: string): void
}>

const WITHIN_MILLISECONDS = 30_000
/** The product of the sample shop that changes, the Brass Compass, and the SKUs whose stock does. */
const COMPASS = 13
const COMPASS_SKU = 'BC-01'
const SWEATER_SKU = 'FS-NAVY-M'

/** One change of each kind, once round the whole loop: three outward, one inward. */
export async function walk({ store, hub, consumer, say }: WalkOptions): Promise<void> {
  const outward = async (change: () => Promise<Change>) => {
    const from = performance.now()
    const { what, message, mark } = await change()
    const arrived = await consumer.arrival(
      from,
      (arrival) => arrival.message === message && JSON.stringify(arrival.payload).includes(mark),
      WITHIN_MILLISECONDS,
    )
    if (!arrived) throw tooLate(`${what}, and the consumer had not heard of it`)
    say(line('store → hub → consumer', message, arrived.messageId, arrived.at - from, what))
  }
  await outward(() => raisePrice(store))
  await outward(() => receiveStock(store, 7))
  await outward(async () => {
    const number = await placeOrder(store)
    return { what: `order ${number} was placed`, message: 'order:new', mark: number }
  })

  const before = await levelOf(store)
  const from = performance.now()
  const id = await push(hub, 'stock:change', { sku: SWEATER_SKU, quantity: 10 })
  const changed = await within(async () => (await levelOf(store)) === before + 10)
  if (!changed) throw tooLate(`the hub was told of 10 more ${SWEATER_SKU}, and the store did not have them`)
  const what = `${SWEATER_SKU}: ${before} → ${before + 10} in the store`
  say(line('ERP → hub → store', 'stock:change', id, performance.now() - from, what))
}

/** What was done, and by what the message that tells of it is known. */
type Change = Readonly<{ what: string; message: string; mark: string }>

function tooLate(what: string): Error {
  return new Error(`${what} ${WITHIN_MILLISECONDS / 1_000} s later: LOG_LEVEL=info shows what hinders it.`)
}

function line(way: string, message: string, id: string, milliseconds: number, what: string): string {
  return `  ${way.padEnd(22)}  ${message.padEnd(14)}  ${id}  ${String(Math.round(milliseconds)).padStart(5)} ms  ${what}`
}

/** As a person does in the shop's admin: the price, and the touches that Spree makes with it. */
async function raisePrice(store: Pool): Promise<Change> {
  return inTransaction(store, async (db) => {
    const { rows } = await db.query<{ amount: string }>(
      `update spree_prices p
          set amount = amount + 0.50, updated_at = now() at time zone 'UTC'
         from spree_variants v
        where v.id = p.variant_id
          and v.product_id = $1
          and p.currency = 'USD'
          and p.deleted_at is null
       returning p.amount::text`,
      [COMPASS],
    )
    await db.query(`update spree_products set updated_at = now() at time zone 'UTC' where id = $1`, [COMPASS])
    const amount = rows[0]?.amount
    return {
      what: `Brass Compass: the price is ${amount} now`,
      message: 'product:update',
      mark: `"${Number(amount)}`,
    }
  })
}

async function receiveStock(store: Pool, pieces: number): Promise<Change> {
  await inTransaction(store, async (db) => {
    await db.query(
      `with received as (
         update spree_stock_items i
            set count_on_hand = count_on_hand + $2, updated_at = now() at time zone 'UTC'
           from spree_variants v
          where v.id = i.variant_id
            and v.sku = $1
            and i.stock_location_id = 1
         returning i.id
       )
       insert into spree_stock_movements (stock_item_id, quantity, created_at, updated_at)
       select id, $2, now() at time zone 'UTC', now() at time zone 'UTC'
         from received`,
      [COMPASS_SKU, pieces],
    )
  })
  return {
    what: `Brass Compass: ${pieces} came in`,
    message: 'stock:change',
    mark: `"sku":"${COMPASS_SKU}","quantity":${pieces}`,
  }
}

async function levelOf(store: Pool): Promise<number> {
  const { rows } = await store.query<{ level: number }>(
    `select sum(i.count_on_hand)::integer as level
       from spree_stock_items i
       join spree_variants v on v.id = i.variant_id
      where v.sku = $1
        and i.deleted_at is null`,
    [SWEATER_SKU],
  )
  return rows[0]?.level ?? 0
}

async function within(condition: () => Promise<boolean>): Promise<boolean> {
  const deadline = performance.now() + WITHIN_MILLISECONDS
  while (performance.now() < deadline) {
    if (await condition()) return true
    await pause(10)
  }
  return false
}
