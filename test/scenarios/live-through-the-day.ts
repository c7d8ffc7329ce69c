import type { WorkerSettings } from '../../src/processes/worker.ts'
import type { TestDatabase } from '../support/postgres.ts'
import { type RecordingHub, startRecordingHub } from '../support/recording-hub.ts'
import { type AnyStore, createStore, replay, type StoreSource } from '../support/stores.ts'
import { startTestWorker, type TestWorker } from '../support/worker.ts'
import { accounts } from './accounts.ts'
import { otherPrograms, perform } from './other-programs.ts'
import { type DayStore, type Episode, milestones, readSteps, type Store, subjects } from './told.ts'
import { transfers } from './transfers.ts'

const olderTables = {
  stock: 'spree_stock_items',
  shipments: 'spree_shipments',
  units: 'spree_inventory_units',
  customers: 'spree_users',
  returns: 'spree_return_authorizations',
} as const
const tables = {
  'spree-4.10': olderTables,
  'solidus-4': olderTables,
  'spree-6.0': {
    stock: 'spree_stock_levels',
    shipments: 'spree_fulfillments',
    units: 'spree_fulfillment_items',
    customers: 'spree_customers',
    returns: 'spree_returns',
  },
} as const

export type Day = Awaited<ReturnType<typeof liveThroughTheDay>>

/**
 * What writes statement by statement pauses for longer on a busy machine than a shop, and what it passes through is not to be told. And Node's servers
 * take up one connection a turn of the event loop, of which all workers and hubs of a file here share one.
 */
export const PATIENT = { settleQuietMs: 1_500, settleAtMostMs: 10_000, bridgeConcurrency: 4 }

/** The whole day, then what other programs do. Each thing is over, and told, before the next begins. */
export async function liveThroughTheDay(store: Store) {
  const { family, source } = store
  const { stock, shipments, units, customers } = tables[family]
  const number = subjects[family][source].canceled.replace('order-', '')
  const theOrder = `(select id from spree_orders where number = '${number}')`
  return withWorker(store, PATIENT, { ours: true }, async (db, hub, live, worker) => {
    const episodes: Episode[] = []
    const lived = async (name: string, act: (database: TestDatabase) => Promise<unknown>) => {
      episodes.push(await live(name, act))
    }
    for (const step of Object.keys(readSteps(store)).sort()) {
      await lived(step, () => replay(db, family, step, source))
      if (step === milestones[family].returned)
        await lived('return alone', () => changeReturn(db, family, subjects[family][source].order))
    }
    await lived('payment alone', () =>
      db.pool.query(`update spree_payments set amount = 61.25 where order_id = ${theOrder}`),
    )
    await lived('shipment alone', () =>
      db.pool.query(`update ${shipments} set cost = 7.5 where order_id = ${theOrder}`),
    )
    if (family === 'solidus-4') {
      await lived('unit alone', () =>
        db.pool.query(
          `update spree_inventory_units set state = 'shipped'
            where id = (select min(u.id) from spree_inventory_units u join spree_shipments s on s.id = u.shipment_id
                         where s.order_id = ${theOrder})`,
        ),
      )
      await lived('carton alone', () =>
        db.pool.query(
          `update spree_cartons set tracking = '1ZAGAIN' where id = (select max(id) from spree_cartons)`,
        ),
      )
    } else
      await lived('unit alone', () =>
        db.pool.query(`update ${units} set quantity = 3 where order_id = ${theOrder}`),
      )
    await lived('cart', () => buy(db, family))
    const { rows } = await db.pool.query<{ sku: string; quantity: number }>(BULK(stock))
    const bulk = Object.fromEntries(rows.map(({ sku, quantity }) => [sku, quantity]))
    await lived('bulk', () => db.pool.query(`update ${stock} set count_on_hand = count_on_hand + id % 10`))
    for (const act of [
      ...otherPrograms(family),
      ...accounts(family),
      ...(family === 'solidus-4' ? [] : transfers(family)),
    ])
      await lived(act.name, () => perform(db.url, act))
    await lived('touch', async () => {
      for (const table of [
        'spree_products',
        'spree_variants',
        'spree_prices',
        stock,
        'spree_orders',
        shipments,
        customers,
      ])
        await db.pool.query(`update ${table} set updated_at = now()`)
    })
    return {
      episode: (name: string) => episodes.find((episode) => episode.name === name)!,
      requests: episodes.flatMap(({ requests }) => requests),
      bulk,
      token: hub.token,
      metrics: await (await fetch(`${worker.url}/metrics`)).text(),
      complaints: worker.complaints(),
    }
  })
}

/** A word about what comes back; and, where there is such a thing, its reimbursement. */
async function changeReturn({ pool }: TestDatabase, family: DayStore, order: string): Promise<void> {
  const returned = `(select id from spree_orders where number = '${order.replace('order-', '')}')`
  await pool.query(`update ${tables[family].returns} set memo = 'too wide' where order_id = ${returned}`)
  if (family === 'spree-6.0') return
  await pool.query(
    `insert into spree_reimbursements (id, number, reimbursement_status, customer_return_id, order_id, total, created_at, updated_at)
     values (9001, 'RI9001', 'pending', (select max(id) from spree_customer_returns), ${returned}, 12.5, now(), now())`,
  )
}

/** What the bulk update does to each SKU that lives, by the store's own tables; where it adds 0 there is nothing to tell. */
const BULK = (stock: string) => `
  select v.sku, sum(s.id % 10)::integer as quantity
    from ${stock} s join spree_variants v on v.id = s.variant_id join spree_products p on p.id = v.product_id
   where s.deleted_at is null and v.deleted_at is null and p.deleted_at is null and v.sku <> ''
   group by v.id having sum(s.id % 10) <> 0`

/** A cart in several commits, as a shop fills it. */
async function buy({ pool }: TestDatabase, family: DayStore): Promise<void> {
  const six = family === 'spree-6.0'
  const at = `'2026-04-01 09:00:00'`
  await pool.query(
    six
      ? `insert into spree_carts (id, store_id, market_id, channel_id, currency, locale, token, created_at, updated_at)
         values (9001, 1, 1, 1, 'USD', 'en', 'cart-9001', ${at}, ${at})`
      : `insert into spree_orders (id, number, state, currency, store_id, created_at, updated_at)
         values (9001, 'R900000001', 'cart', 'USD', 1, ${at}, ${at})`,
  )
  await pool.query(
    `insert into spree_line_items (id, ${six ? 'cart_id' : 'order_id'}, variant_id, quantity, price, created_at, updated_at)
     values (9001, 9001, (select min(id) from spree_variants where deleted_at is null), 2, 10, ${at}, ${at})`,
  )
  await pool.query('update spree_line_items set quantity = 3 where id = 9001')
  await pool.query(
    `update ${six ? 'spree_carts' : 'spree_orders'} set item_total = 30, total = 30, email = 'a@example.com' where id = 9001`,
  )
}

export type Live = (name: string, act: (db: TestDatabase) => Promise<unknown>) => Promise<Episode>

/** A migrated store with a worker and a hub of its own, for as long as `work` takes. */
export async function withWorker<Result>(
  { family, source }: Readonly<{ family: AnyStore; source: StoreSource }>,
  settings: Partial<WorkerSettings>,
  hubOptions: Readonly<{ ours?: boolean }>,
  work: (db: TestDatabase, hub: RecordingHub, live: Live, worker: TestWorker) => Promise<Result>,
): Promise<Result> {
  const db = await createStore(family, source)
  const hub = await startRecordingHub(hubOptions)
  let worker: TestWorker | undefined
  try {
    const running = await startTestWorker(db, hub, settings)
    worker = running
    const live: Live = async (name, act) => {
      const from = Date.now()
      const heard = hub.requests.length
      await act(db)
      await running.settled()
      const requests = hub.requests.slice(heard).filter(({ method }) => method === 'POST')
      return { name, requests, from, to: Date.now() }
    }
    return await work(db, hub, live, running)
  } finally {
    await worker?.stop()
    await hub.close()
    await db.drop()
  }
}
