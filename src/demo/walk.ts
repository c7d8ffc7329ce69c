import { setTimeout as pause } from 'node:timers/promises'

import type { Pool } from '../postgres/pool.ts'
import { inTransaction } from '../postgres/transaction.ts'
import type { Arrival, Consumer } from './consumer.ts'
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
/** The product of the sample shop that changes, and the SKUs whose stock does. */
const COMPASS = 13
const COMPASS_SKU = 'BC-01'
const SWEATER_SKU = 'FS-NAVY-M'

/** One change of each kind, once round the whole loop: three outward, one inward. */
export async function walk({ store, hub, consumer, say }: WalkOptions): Promise<void> {
  const outward = async (what: string, change: () => Promise<(arrival: Arrival) => boolean>) => {
    const from = performance.now()
    const wanted = await change()
    const arrived = await consumer.arrival(from, wanted, WITHIN_MILLISECONDS)
    say(line('store → hub → consumer', arrived.message, arrived.messageId, arrived.at - from, what))
  }

  let price = ''
  await outward('a price was changed', async () => {
    price = await raisePrice(store)
    return ({ message, payload }) => message === 'product:update' && textOf(payload).includes(`"${price}`)
  })
  await outward(`7 pieces of ${COMPASS_SKU} came in`, async () => {
    await receiveStock(store, 7)
    return ({ message, payload }) =>
      message === 'stock:change' && textOf(payload).includes(`"sku":"${COMPASS_SKU}","quantity":7`)
  })
  let number = ''
  await outward('an order was placed', async () => {
    number = await placeOrder(store)
    return ({ message, payload }) => message === 'order:new' && textOf(payload).includes(number)
  })

  const before = await levelOf(store)
  const from = performance.now()
  const id = await push(hub, 'stock:change', { sku: SWEATER_SKU, quantity: 10 })
  await until(async () => (await levelOf(store)) === before + 10)
  const what = `${SWEATER_SKU} in the store: ${before} → ${before + 10}`
  say(line('ERP → hub → store', 'stock:change', id, performance.now() - from, what))
}

function line(way: string, message: string, id: string, milliseconds: number, what: string): string {
  return `  ${way.padEnd(24)} ${message.padEnd(15)} ${id}  ${String(Math.round(milliseconds)).padStart(5)} ms   ${what}`
}

function textOf(payload: unknown): string {
  return JSON.stringify(payload)
}

/** As a person does in the shop's admin: the price, and the touches that Spree makes with it. */
async function raisePrice(store: Pool): Promise<string> {
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
    return Number(rows[0]?.amount).toString()
  })
}

async function receiveStock(store: Pool, pieces: number): Promise<void> {
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

async function until(condition: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + WITHIN_MILLISECONDS
  while (!(await condition())) {
    if (performance.now() > deadline)
      throw new Error(`The store had not changed ${WITHIN_MILLISECONDS / 1_000} s later.`)
    await pause(10)
  }
}
