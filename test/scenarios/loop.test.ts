import { setTimeout as pause } from 'node:timers/promises'
import { afterEach, describe, expect, test } from '@jest/globals'
import { HANDLERS } from '../../src/apply/handlers.ts'
import { createInbox } from '../../src/apply/inbox.ts'
import { orderImport } from '../../src/apply/order-import.ts'
import { newPerson } from '../../src/messages/personal/person.ts'
import { sampleOf } from '../../src/messages/samples/samples.ts'
import { createLog } from '../../src/observe/log.ts'
import { erasePerson } from '../../src/operator/erase/erase-person.ts'
import type { WorkerSettings } from '../../src/processes/worker.ts'
import { openStore } from '../../src/store/store.ts'
import { runBridge } from '../operator/run-bridge.ts'
import { startTestConsumer, type TestConsumer } from '../support/consumer.ts'
import { type HubStore, startTestHub, type TestHub } from '../support/hub.ts'
import type { TestDatabase } from '../support/postgres.ts'
import { SEED } from '../support/seed-pages.ts'
import { createStore, type StoreFamily } from '../support/stores.ts'
import { migrate, post, startTestWeb, type TestWeb, WEBHOOK_TOKEN } from '../support/web.ts'
import { startTestWorker, type TestWorker } from '../support/worker.ts'

/** Store, bridge, hub and a second consumer, the store subscribed to its own types as `POST /api/stores` makes it. */
type Loop = Readonly<{
  store: TestDatabase
  hub: TestHub
  at: HubStore
  web: TestWeb
  worker: TestWorker
  erp: TestConsumer
  /** Resolves when nothing is on its way anywhere. */
  rests(): Promise<void>
  stop(): Promise<void>
}>

let loop: Loop | undefined
afterEach(async () => {
  await loop?.stop()
  loop = undefined
})

async function startLoop(family: StoreFamily, how: Partial<WorkerSettings> = {}): Promise<Loop> {
  const store = await createStore(family, 'fixture')
  const hub = await startTestHub()
  const erp = await startTestConsumer()
  // The hub names the store only once its webhook is there.
  const unnamed = { hubStoreId: undefined }
  await migrate(store, unnamed)
  const web = await startTestWeb(store, HANDLERS, unnamed)
  const at = await hub.createStore({
    name: 'Harbour Supply',
    webhook_url: `${web.url}/webhook`,
    webhook_token: WEBHOOK_TOKEN,
  })
  await at.map('erp.in', erp.url, ['stock:change', 'product:new', 'product:update', 'order:new'])
  const worker = await startTestWorker(store, { url: hub.url, storeId: at.id, token: at.token }, how)
  loop = {
    store,
    hub,
    at,
    web,
    worker,
    erp,
    async rests() {
      // Twice: what the hub delivers to the store may be told by the store again.
      for (let round = 0; round < 2; round++) {
        await worker.settled()
        await hub.settled()
      }
    },
    async stop() {
      await worker.stop()
      await web.stop()
      await hub.stop()
      await erp.close()
      await store.drop()
    },
  }
  return loop
}

const STOCK = { 'spree-4.10': 'spree_stock_items', 'spree-6.0': 'spree_stock_levels' } as const

async function levelOf({ store }: Loop, family: StoreFamily, sku: string): Promise<number> {
  const { rows } = await store.pool.query<{ level: number }>(
    `select sum(i.count_on_hand)::integer as level
       from ${STOCK[family]} i
       join spree_variants v on v.id = i.variant_id
      where v.sku = $1 and i.deleted_at is null`,
    [sku],
  )
  return rows[0]?.level ?? Number.NaN
}

async function sell({ store }: Loop, family: StoreFamily, sku: string, pieces: number): Promise<void> {
  await store.pool.query(
    `update ${STOCK[family]} i
        set count_on_hand = count_on_hand - $2
       from spree_variants v
      where v.id = i.variant_id and v.sku = $1 and i.stock_location_id = 1`,
    [sku, pieces],
  )
}

const inbox = async ({ store }: Loop) =>
  (
    await store.pool.query<{ type: string; state: string }>(
      'select type, state from bridge.inbox order by id',
    )
  ).rows

describe.each(['spree-4.10', 'spree-6.0'] as const)('%s, subscribed both ways', (family) => {
  test('one sale lowers the level by exactly the sale', async () => {
    const loop = await startLoop(family)
    const before = await levelOf(loop, family, 'BC-01')
    await sell(loop, family, 'BC-01', 2)
    await loop.rests()
    expect(await levelOf(loop, family, 'BC-01')).toBe(before - 2)
    expect(loop.erp.got.map(({ message, payload }) => [message, payload['quantity']])).toEqual([
      ['stock:change', -2],
    ])
    expect(await inbox(loop)).toEqual([])
  })

  test("what the hub brings changes the store once and is not announced back; a person's sale beside it is", async () => {
    const loop = await startLoop(family)
    const before = await levelOf(loop, family, 'BC-01')
    await loop.at.push('stock:change', { sku: 'BC-01', quantity: 5 })
    await sell(loop, family, 'BC-01', 1)
    await loop.rests()
    expect(await levelOf(loop, family, 'BC-01')).toBe(before + 4)
    expect(await inbox(loop)).toEqual([{ type: 'stock:change', state: 'applied' }])
    const told = loop.erp.got.map(({ payload }) => payload['quantity'])
    expect(told.sort()).toEqual([-1, 5])
  })

  test('an imported order is announced by the store and reaches a second consumer', async () => {
    const loop = await startLoop(family)
    const sample = sampleOf('order:import')
    const order = { ...(sample?.payload['order'] as Record<string, unknown>), number: 'R700000001' }
    await loop.at.push('order:import', { order })
    await loop.rests()
    expect(await inbox(loop)).toEqual([{ type: 'order:import', state: 'applied' }])
    const orders = loop.erp.got.filter(({ message }) => message === 'order:new')
    expect(orders.map(({ payload }) => (payload['order'] as { number: string }).number)).toEqual([
      'R700000001',
    ])
  })

  test('C7 C190 C191 the requests of the seed pages change the store as they say', async () => {
    const loop = await startLoop(family)
    await loop.store.pool.query(`update spree_variants set sku = 'apc-00001' where sku = 'BC-01'`)
    await loop.rests()
    loop.erp.news()
    const before = await levelOf(loop, family, 'apc-00001')
    const push = (body: string) => {
      const { message, payload } = JSON.parse(body) as { message: string; payload: object }
      return loop.at.push(message, payload)
    }
    await push(SEED.stockChange)
    const nothing = await push(SEED.orderPersist)
    const added = await push(SEED.productNew)
    await loop.rests()

    expect(await levelOf(loop, family, 'apc-00001')).toBe(before + 10)
    expect((await loop.at.call('GET', `messages/${nothing}`)).body).toMatchObject({
      state: 'completed',
      queue_name: 'archived',
      result: { skipped: [] },
      children: [],
    })
    const { rows } = await loop.store.pool.query(
      `select p.id::integer, p.name, p.description, p.slug, p.available_on::text, p.meta_description, p.meta_keywords,
              trim_scale(r.amount)::text as amount
         from spree_products p
         join spree_variants v on v.product_id = p.id
         join spree_prices r on r.variant_id = v.id
        where p.slug = 'ruby-on-rails-tote'`,
    )
    expect(rows).toEqual([
      {
        id: expect.any(Number),
        name: 'Example product',
        description: 'Description',
        slug: 'ruby-on-rails-tote',
        available_on: expect.stringContaining('2012-10-17 03:43:57'),
        meta_description: null,
        meta_keywords: null,
        amount: '15.99',
      },
    ])
    expect(rows[0]?.['id']).not.toBe(1123)

    // The store and the other consumer each got a copy of their own of what was pushed; nobody was told by the store again.
    const told = loop.erp.news().filter(({ message }) => message.startsWith('product:'))
    expect(told.map(({ message, payload }) => [message, payload['id']])).toEqual([['product:new', 1123]])
    const applied = await loop.store.pool.query<{ message_id: string }>(
      `select message_id from bridge.inbox where type = 'product:new'`,
    )
    const copies = [told[0]?.messageId, applied.rows[0]?.message_id]
    expect(new Set([...copies, added]).size).toBe(3)
    for (const copy of copies)
      expect((await loop.at.call('GET', `messages/${copy}`)).body).toMatchObject({ parent_id: added })
  })
})

test('what this bridge has told a hub that is not ours is not applied when it comes back', async () => {
  const loop = await startLoop('spree-4.10')
  const before = await levelOf(loop, 'spree-4.10', 'BC-01')
  const { rows } = await loop.store.pool.query<{ id: string }>('select id from bridge.installation')
  const answer = await post(`${loop.web.url}/webhook`, {
    message: 'stock:change',
    message_id: '5281a1584a8169f7a0000077',
    payload: { sku: 'BC-01', quantity: -2, source: `spree-bridge:${rows[0]?.id}` },
  })
  await pause(100)
  expect([answer.status, JSON.parse(answer.text)]).toEqual([
    200,
    expect.objectContaining({ notifications: [expect.objectContaining({ level: 'info' })] }),
  ])
  expect(await levelOf(loop, 'spree-4.10', 'BC-01')).toBe(before)
})

describe('a customer who wants to be forgotten', () => {
  const NO_OTHERS = { haveAddress: async () => false, haveAccount: async () => false }
  const OTTILIES_ADDRESS = {
    firstname: 'Ottilie',
    lastname: 'Querfurth',
    address1: '77 Larch Row',
    phone: '+1 361 5550 142',
  }
  const OTHER_ADDRESS = {
    firstname: 'Jo',
    lastname: 'Querfurther',
    address1: '9 Pier Road',
    phone: '+1 207 555 0999',
  }
  const OTTILIE = /(?<![a-z.])ottilie|querfurth"|77 Larch|5550 142|ring twice/i

  /** All that stands in any row of any table of a schema of ours. */
  async function everything({ pool }: TestDatabase, schema: string): Promise<string[]> {
    const { rows: tables } = await pool.query<{ name: string }>(
      'select tablename as name from pg_tables where schemaname = $1',
      [schema],
    )
    const found = await Promise.all(
      tables.map(({ name }) =>
        pool.query<{ text: string }>(`select t::text as text from ${schema}.${name} t`),
      ),
    )
    return found.flatMap(({ rows }) => rows.map(({ text }) => text))
  }

  test('is found nowhere any more in bridge and hub, and all else stays as it is', async () => {
    const loop = await startLoop('spree-4.10', { orders: 'generic' })
    const { store, hub, at, web, erp } = loop
    const email = 'Ottilie@Querfurth.example'
    const look = async (dryRun: boolean) => [
      ...(await erasePerson(store.pool, 'bridge', newPerson(email), dryRun, NO_OTHERS)),
      ...(await erasePerson(hub.db.pool, 'hub', newPerson(email), dryRun, NO_OTHERS)),
    ]
    const traces = async () =>
      [...(await everything(store, 'bridge')), ...(await everything(hub.db, 'hub'))].filter((row) =>
        OTTILIE.test(row.replaceAll('""', '"')),
      )
    const counts = async () => [
      (
        await store.pool.query(
          `select (select count(*) from bridge.history), (select count(*) from bridge.inbox),
                  (select string_agg(concat(aggregate, part, digest), ' ' order by aggregate, part) from bridge.baseline)`,
        )
      ).rows,
      (await hub.db.pool.query('select count(*), count(distinct key) from hub.archived')).rows,
    ]

    erp.answers(({ message, payload }) => {
      const order = payload['order'] as { number: string } | undefined
      const description = `${order?.number} to Ottilie Querfurth, 77 Larch Row: no such street`
      return message === 'order:new'
        ? { body: { notifications: [{ level: 'warn', subject: 'address', description }] } }
        : {}
    })
    const ordered = (sample: unknown, number: string, email: string, address: object) => {
      const order = sample as Record<string, object>
      const places = Object.keys(order).filter((key) => key.endsWith('_address'))
      const addresses = places.map((key) => [key, { ...order[key], ...address }])
      return { ...order, number, email, ...Object.fromEntries(addresses) } as Record<string, unknown>
    }
    const ottilie = ['Ottilie@querfurth.example', OTTILIES_ADDRESS] as const
    const other = ['jo.ottilie@querfurth.example', OTHER_ADDRESS] as const
    const imported = sampleOf('order:import')?.payload['order']
    const order = ordered(imported, 'R700000001', ...ottilie)
    await at.push('order:import', { order })
    await at.push('order:import', { order: ordered(imported, 'R700000002', ...other) })
    await at.push('order:persist', ordered(sampleOf('order:persist')?.payload, 'R700000003', ...ottilie))
    await loop.rests()
    await store.pool.query(
      `update spree_orders set special_instructions = 'Ring twice' where number = 'R700000001'`,
    )
    await loop.rests()
    const failed = {
      message: 'order:import',
      message_id: '5281a1584a8169f7a0000078',
      payload: { order: { ...order, number: 'R700000004', line_items: [] } },
    }
    expect((await post(`${web.url}/webhook`, failed)).status).toBe(400)

    const [before, kept] = [await traces(), await counts()]
    const planned = await look(true)
    expect(planned.map(({ table }) => table)).toEqual([
      'bridge.baseline',
      'bridge.history',
      'bridge.inbox',
      'hub.archived',
      'hub.notification',
      'hub.raw_order',
    ])
    expect(await traces()).toEqual(before)

    // What has failed may be tried again, and would then say what is not so: a person decides.
    const env = { DATABASE_URL: store.url, HUB_DATABASE_URL: hub.db.url }
    const { status, stdout } = await runBridge(['erase', email, '--json'], env)
    const first = JSON.parse(stdout) as { tables: typeof planned; inStore: number }
    expect([status, first]).toEqual([1, { tables: planned, notFollowed: [], inStore: 1 }])
    expect(planned.filter(({ waiting, left }) => waiting + left > 0)).toEqual([
      { table: 'bridge.inbox', rows: 1, waiting: 1, left: 0 },
    ])
    await store.pool.query(`update bridge.inbox set state = 'discarded' where state = 'failed'`)
    expect(await look(false)).toEqual([{ table: 'bridge.inbox', rows: 1, waiting: 0, left: 0 }])
    expect(await look(false)).toEqual([])

    expect(await traces()).toEqual([])
    expect(await counts()).toEqual(kept)
    const told = (await everything(hub.db, 'hub')).join()
    for (const text of ['R700000001', other[0], ...Object.values(OTHER_ADDRESS)]) expect(told).toContain(text)

    // Whatever is known by its id is known still, and what follows is told of the order as it is known now.
    const { rows: known } = await store.pool.query<{ hub: string; messageId: string }>(
      `select hub, message_id as "messageId" from bridge.inbox where state = 'applied'`,
    )
    for (const { hub: of, messageId } of known) {
      const again = createInbox({
        pool: store.pool,
        store: await openStore(store.pool),
        hub: of,
        log: createLog({ level: 'error', format: 'json' }).log,
      })
      const delivery = { messageId, payload: { order: { ...order, number: 'R700000009' } } }
      expect(await again.receive(orderImport, delivery)).toMatchObject({ outcome: 'repeated' })
    }
    expect(known).toHaveLength(2)
    erp.news()
    await store.pool.query(
      `update spree_orders set special_instructions = 'Ring once', updated_at = now() where number = 'R700000001'`,
    )
    await loop.rests()
    expect(loop.worker.complaints()).toEqual([])
  })
})
