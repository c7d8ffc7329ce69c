import { Collect, type Pass } from '../../src/capture/collect.ts'
import type { OrderMessages } from '../../src/capture/derive-order.ts'
import { readSettings } from '../../src/config/read-settings.ts'
import { migrateStore } from '../../src/operator/migrate-store.ts'
import { claimLease, registerWorker } from '../../src/postgres/worker-lease.ts'
import { bridgeMigrations, identityOf } from '../../src/processes/store-database.ts'
import { countLanes } from '../../src/queue/enqueue.ts'
import { BRIDGE_QUEUE } from '../../src/queue/message.ts'
import { type Extra, openStore, type Store } from '../../src/store/store.ts'
import type { TestDatabase } from './postgres.ts'

export type Told = Readonly<{ aggregate: string; type: string; payload: Record<string, unknown> }>

/** The collector without its loop and without waiting for bursts to settle: a test says when it looks. */
export type Collecting = Readonly<{
  store: Store
  /** What its first looks told: what had changed before anybody looked. */
  first: readonly Told[]
  /** One look: at most 200 aggregates. */
  look(): Promise<Pass>
  /** Looks until nothing is left; what was put into the queue. */
  all(): Promise<Told[]>
  /** The same with a copy of its database. */
  onCopy(copy: TestDatabase): Looking
  /** The same from now on with orders told so. */
  telling(orders: OrderMessages): Looking
}>

type Looking = Omit<Collecting, 'first' | 'onCopy' | 'telling'>

/** Migrates the store, with its triggers, and seeds the baselines. */
export async function startCollecting(
  database: TestDatabase,
  {
    orders = 'persist',
    stock = 'change',
    stockBy = 'variant',
    extra,
    carts,
    hubDialect,
  }: Readonly<{
    orders?: OrderMessages
    stock?: 'change' | 'actual'
    stockBy?: 'variant' | 'location'
    extra?: Extra
    carts?: 'on' | 'off'
    hubDialect?: 'wombat'
  }> = {},
): Promise<Collecting> {
  const { pool } = database
  const store = await openStore(pool, { extra, carts, hubDialect })
  const { settings } = readSettings({
    env: {
      DATABASE_URL: database.url,
      HUB_URL: 'http://127.0.0.1:1',
      HUB_STORE_ID: 'store',
      HUB_TOKEN: 'token',
    },
    needs: ['databaseUrl', 'hubUrl', 'hubStoreId', 'hubToken'],
  })
  const identity = await identityOf(pool, settings)
  await migrateStore({
    pool,
    store,
    migrations: await bridgeMigrations(),
    identity,
  })
  const workerId = await registerWorker(
    pool,
    'bridge.worker',
    { process: 'test', version: '0' },
    600_000,
    '{}',
  )
  const epoch = await claimLease(pool, 'collector', workerId)
  if (epoch === undefined) throw new Error('Another collector is at work.')
  const lanes = await countLanes(pool, BRIDGE_QUEUE)
  const on = (one: TestDatabase, orderMessages = orders): Looking => {
    const collect = new Collect(one.pool, store, lanes, {
      settle: { quietMilliseconds: 0, atMostMilliseconds: 0 },
      stockMessages: stock,
      stockBy,
      orderMessages,
      statementTimeoutMilliseconds: 30_000,
    })
    const look = () => collect.pass({ workerId, epoch }, performance.now())
    const all = async () => {
      const told: Told[] = []
      for (;;) {
        const pass = await look()
        told.push(
          ...pass.messages.map(({ aggregate, type, payload }) => ({
            aggregate,
            type,
            payload: JSON.parse(payload),
          })),
        )
        if (!pass.more && pass.aggregates === 0) return told
      }
    }
    return { store, look, all }
  }
  const collecting = on(database)
  return {
    ...collecting,
    first: await collecting.all(),
    onCopy: (copy) => on(copy),
    telling: (asked) => on(database, asked),
  }
}
