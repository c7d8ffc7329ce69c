import { randomBytes } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals'
import { readHubOverview } from '../../src/hub/page/page-overview.ts'
import { HUB_ACCEPTED, HUB_INCOMING } from '../../src/hub/queues.ts'
import { takeOverRestored } from '../../src/hub/restored.ts'
import { countWaiting } from '../../src/hub/waiting.ts'
import { deriveGenericMessages } from '../../src/messages/derive-generic-messages.ts'
import { placedOrder, shippedOrder } from '../../src/messages/samples/order.ts'
import { applyMigrations } from '../../src/postgres/migrate.ts'
import { createPool } from '../../src/postgres/pool.ts'
import { hubMigrations } from '../../src/processes/hub-database.ts'
import { readExpected } from '../expected/read-expected.ts'
import { startTestConsumer, type TestConsumer } from '../support/consumer.ts'
import { type HubStore, startTestHub, type TestHub } from '../support/hub.ts'
import { hasPgBouncer, startPgBouncer } from '../support/pgbouncer.ts'
import { createDatabase } from '../support/postgres.ts'

const withPayment = (state: string) => ({
  ...placedOrder,
  payments: placedOrder.payments.map((payment) => ({ ...payment, state })),
})

let hub: TestHub
let strict: TestHub | undefined
const consumers: TestConsumer[] = []
beforeAll(async () => {
  hub = await startTestHub()
})
afterEach(async () => {
  await Promise.all(consumers.splice(0).map((consumer) => consumer.close()))
})
afterAll(() => Promise.all([hub.stop(), strict?.stop()]))

async function consumer() {
  const started = await startTestConsumer()
  consumers.push(started)
  return started
}

const archived = async (messageId: string) =>
  (
    await hub.db.pool.query<{ state: string; source: string; answer: string; parent_id: string }>(
      'select state, source, answer, parent_id from hub.archived where key = $1',
      [messageId],
    )
  ).rows[0]
const accepted = async (type: string) =>
  (
    await hub.db.pool.query<{ key: string; state: string; attempts: number; last_error: string | null }>(
      'select key, state, attempts, last_error from hub.accepted where type = $1 order by id',
      [type],
    )
  ).rows
/** What is not delivered yet. Of rows that the hub is about to write, none is waited for: it locks them in an order of its own. */
const dropAccepted = async ({ id }: HubStore) => {
  const dropped = `delete from hub.accepted
                    where id in (select id from hub.accepted where store_id = $1 for update skip locked)`
  const left = async () =>
    (await hub.db.pool.query('select from hub.accepted where store_id = $1', [id])).rows.length
  while ((await left()) > 0) await hub.db.pool.query(dropped, [id])
}
const until = async (condition: () => boolean | Promise<boolean>, withinMs = 60_000) => {
  const deadline = Date.now() + withinMs
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`not within ${withinMs} ms: ${hub.complaints().join('\n')}`)
    await pause(30)
  }
}

describe('routing', () => {
  test('C56 C57 C58 C61 C62 C63 C190 every enabled mapping of the store gets a copy of its own', async () => {
    const [erp, wms, other] = [await consumer(), await consumer(), await consumer()]
    const [store, neighbour] = [await hub.createStore(), await hub.createStore()]
    await store.map('erp.in', erp.url, ['product:new', 'stock:change'])
    await store.map('wms.in', wms.url, ['product:new'])
    await store.map('off.in', other.url, ['product:new'], { enabled: false })
    await neighbour.map('neighbour.in', other.url, ['product:new'])
    const pushed = await store.push('product:new', { id: 1123, name: 'Anchor', price: '15.990' })
    await hub.settled()

    expect(other.got).toEqual([])
    const ids = [...erp.got, ...wms.got].map(({ messageId }) => messageId)
    expect(new Set([...ids, pushed]).size).toBe(3)
    for (const id of ids) {
      expect(id).toMatch(/^[0-9a-f]{24}$/)
      expect(await archived(id)).toMatchObject({ state: 'done', source: 'accepted', parent_id: pushed })
    }
    expect(await archived(pushed)).toMatchObject({ state: 'done', source: 'incoming' })
    expect(erp.got[0]).toMatchObject({
      path: '/in',
      message: 'product:new',
      payload: { id: 1123, name: 'Anchor', price: '15.990', parameters: [] },
    })
    expect(erp.got[0]?.headers['x-augury-token']).toBe('token-of-erp.in')
    expect(erp.got[0]?.headers['content-type']).toBe('application/json')
  })

  test('C88 to C93 a mapping gets what all its filters hold for; what none gets is skipped', async () => {
    // The example of protocol §4.2: with much tax, or little, and the SKU of one item or another.
    const [some, every, all] = [await consumer(), await consumer(), await consumer()]
    const store = await hub.createStore()
    const tax = { path: 'payload.order.totals.tax', operator: 'gt', value: '100' }
    const sku = { path: 'payload.order.shipments.*.items.*.sku', operator: 'eq', value: 'ROR-0001' }
    await store.map('any.in', some.url, ['shipment:ready'], { filters: [tax, { ...sku, match_rule: 'any' }] })
    await store.map('each.in', every.url, ['shipment:ready'], { filters: [tax, sku] })
    const push = (tax: number, ...skus: string[]) =>
      store.push('shipment:ready', {
        order: { totals: { tax }, shipments: [{ items: skus.map((sku) => ({ sku })) }] },
      })
    const mixed = await push(120, 'SPR-00001', 'ROR-0001')
    const taxFree = await push(5, 'ROR-0001')
    const plain = await push(9.5e2, 'ROR-0001')
    await hub.settled()
    const parents = async ({ got }: TestConsumer) =>
      (await Promise.all(got.map(async ({ messageId }) => (await archived(messageId))?.parent_id))).sort()
    expect(await parents(some)).toEqual([mixed, plain].sort())
    expect(await parents(every)).toEqual([plain])
    const { body } = await store.call('GET', `messages/${taxFree}`)
    expect(body).toMatchObject({ state: 'completed', result: { skipped: [] }, children: [] })

    // What was pushed beside the payload is a part of the message, and so are its type and its id.
    const filters = [
      { path: 'origin', operator: 'eq', value: 'pos' },
      { path: 'message', operator: 'begin', value: 'stock:' },
      { path: 'message_id', operator: 'match', value: '^[0-9a-f]{24}$' },
    ]
    await store.map('pos.in', all.url, ['stock:change', 'product:new'], { filters })
    const send = (message: string, more: object) =>
      store.call('POST', 'messages', { message, payload: { sku: 'A' }, ...more })
    await send('stock:change', { origin: 'pos' })
    await send('stock:change', {})
    await send('product:new', { origin: 'pos' })
    await hub.settled()
    expect(all.got.map(({ message }) => message)).toEqual(['stock:change'])
  })

  test.each([
    ['shipment:confirmation', 'shipment:confirm'],
    ['order:cancelled', 'order:canceled'],
  ])('%s is delivered as %s, under whichever of them a mapping asked for it', async (old, name) => {
    const [shop, erp] = [await consumer(), await consumer()]
    const store = await hub.createStore()
    await store.map('shop.in', shop.url, [name])
    await store.map('erp.in', erp.url, [old])
    const pushed = await store.push(old, { order: { number: 'R1' } })
    await hub.settled()
    expect([...shop.got, ...erp.got].map(({ message }) => message)).toEqual([name, name])
    const { body } = await store.call('GET', `messages/${pushed}`)
    expect(body).toMatchObject({ message: old, children: [{ message: name }, { message: name }] })
  })

  test('C59 what nobody wants is archived with nothing derived', async () => {
    const store = await hub.createStore()
    const pushed = await store.push('order:persist', {})
    await hub.settled()
    const { status, body } = await store.call('GET', `messages/${pushed}`)
    expect([status, body]).toEqual([
      200,
      expect.objectContaining({ state: 'completed', result: { skipped: [] }, children: [] }),
    ])
  })

  test('what the store has said never goes to the store, nor what follows from it; all else does', async () => {
    const [shop, erp] = [await consumer(), await consumer()]
    const store = await hub.createStore({ name: 'Shop', webhook_url: shop.url, webhook_token: 'w' })
    await store.map('erp.in', erp.url, ['stock:change', 'order:new'])
    await store.push('stock:change', { sku: 'A', quantity: -2 }, { origin: 'store' })
    await store.push('stock:change', { sku: 'A', quantity: 10 })
    await store.push('stock:change', { sku: 'A', quantity: 1 }, { origin: 'test' })
    await hub.settled()
    expect(shop.got.map(({ payload }) => payload['quantity'])).toEqual([10, 1])
    expect(erp.got.map(({ payload }) => payload['quantity'])).toEqual([-2, 10, 1])

    erp.answers(({ message }) =>
      message === 'order:new'
        ? { body: { messages: [{ message: 'stock:actual', payload: { sku: 'A', quantity: 7 } }] } }
        : {},
    )
    await store.push('order:persist', readExpected('spree-4.10', 'fixture', 'order-R204817354'), {
      origin: 'store',
    })
    await hub.settled()
    expect(shop.got.at(-1)).toMatchObject({ message: 'stock:actual', payload: { quantity: 7 } })
    const { rows } = await hub.db.pool.query(
      `select origin from hub.archived where type = 'order:new' and store_id = $1 and source = 'incoming'`,
      [store.id],
    )
    expect(rows).toEqual([{ origin: 'store' }])
  })

  test('C97 C98 C99 raw orders become new, updated and canceled ones, and shipments that are ready', async () => {
    const erp = await consumer()
    const store = await hub.createStore()
    await store.map('erp.in', erp.url, ['order:new', 'order:update', 'order:canceled', 'shipment:ready'])
    const raw = readExpected('spree-4.10', 'fixture', 'order-R204817354')
    const persist = async (order: Record<string, unknown>) => {
      await store.push('order:persist', order)
      await hub.settled()
      return erp.news().map(({ message, payload }) => ({ message, payload }))
    }
    const unready = { ...raw, shipments: [] }
    expect((await persist(unready)).map(({ message }) => message)).toEqual(['order:new'])
    expect(await persist(unready)).toEqual([])
    const changed = await persist({ ...unready, email: 'new@example.com' })
    expect(changed).toMatchObject([
      {
        message: 'order:updated',
        payload: {
          order: { email: 'new@example.com' },
          previous: { email: raw['email'] },
          diff: { email: [raw['email'], 'new@example.com'] },
          original: { email: 'new@example.com' },
        },
      },
    ])
    const shipments = (raw['shipments'] as Record<string, unknown>[]).map((one) => ({
      ...one,
      state: 'ready',
    }))
    const ready = await persist({ ...raw, shipments })
    expect(ready.map(({ message }) => message)).toEqual([
      'order:updated',
      ...shipments.map(() => 'shipment:ready'),
    ])
    expect(ready[1]?.payload).toMatchObject({ shipment: { order_number: raw['number'] } })
    expect((await persist({ ...raw, state: 'canceled' })).map(({ message }) => message)).toEqual([
      'order:canceled',
    ])
  })

  test('order messages that a store tells itself go on as they are, in the order of their order, and lead to nothing more', async () => {
    const erp = await consumer()
    const store = await hub.createStore()
    const types = ['order:new', 'order:updated', 'shipment:ready', 'shipment:confirm', 'payment:capture']
    await store.map('erp.in', erp.url, types)
    const told = [
      ...deriveGenericMessages(withPayment('pending'), 'never', false),
      ...deriveGenericMessages(shippedOrder, withPayment('pending'), false),
    ]
    const wanted = told.filter(({ type }) => types.includes(type))
    let failures = 1
    erp.answers(() => ({ status: failures-- > 0 ? 503 : 200 }))
    for (const { type, payload } of told) await store.push(type, payload, { origin: 'store' })
    await hub.settled()

    const [first, ...others] = erp.got
    expect(first?.messageId).toBe(others[0]?.messageId)
    expect(
      others.map(({ message, payload: { parameters: _, ...payload } }) => ({ type: message, payload })),
    ).toEqual(wanted.map(({ type, payload }) => ({ type, payload })))
    expect(wanted.map(({ type }) => type)).toEqual([
      ...['order:new', 'shipment:ready', 'shipment:ready'],
      ...['order:updated', 'shipment:ready', 'shipment:confirm', 'payment:capture'],
    ])
    const { rows } = await hub.db.pool.query(`select from hub.raw_order where store_id = $1`, [store.id])
    expect(rows).toEqual([])
  })
})

describe('delivery', () => {
  test('C70 C73 C74 C193 a failure is tried again, with the reason and the answer kept, until it is a success', async () => {
    const erp = await consumer()
    const store = await hub.createStore()
    await store.map('erp.in', erp.url, ['retry:test'])
    let busy = true
    erp.answers(() => (busy ? { status: 500, body: { error: 'busy' } } : { body: { sku: 'A' } }))
    await store.push('retry:test', {})
    await until(async () => (await accepted('retry:test'))[0]?.state === 'failing')
    const [failing] = await accepted('retry:test')
    expect(failing).toMatchObject({ last_error: `Endpoint response code was '500', expected '200'` })
    expect((await store.call('GET', `messages/${failing?.key}`)).body).toMatchObject({
      state: 'failing',
      result: { code: '500', response: { error: 'busy' } },
    })
    busy = false
    await hub.settled()
    expect(new Set(erp.got.map(({ messageId }) => messageId)).size).toBe(1)
    expect((await store.call('GET', `messages/${failing?.key}`)).body).toMatchObject({
      state: 'completed',
      result: { code: '200', response: { message_id: failing?.key, sku: 'A' } },
    })
  })

  test('C71 C194 without retries it is parked at once and holds nothing back; a person may try it again', async () => {
    const erp = await consumer()
    const store = await hub.createStore()
    await store.map('erp.in', erp.url, ['park:test'], { options: { retries_allowed: false } })
    erp.answers(({ payload }) => ({ status: payload['n'] === 1 ? 422 : 200 }))
    await store.push('park:test', { n: 1, sku: 'A' })
    await store.push('park:test', { n: 2, sku: 'A' })
    await until(() => erp.got.length === 2)
    await hub.settled()
    const [parked] = await accepted('park:test')
    expect(parked).toMatchObject({ state: 'parked', attempts: 1 })
    erp.answers(() => ({}))
    await store.call('PUT', `messages/${parked?.key}`, { attempt_now: true })
    await until(async () => (await archived(parked?.key ?? ''))?.state === 'done')
  })

  test('messages of one aggregate arrive in order at each mapping, also behind one that fails', async () => {
    const erp = await consumer()
    const store = await hub.createStore()
    await store.map('erp.in', erp.url, ['stock:change'])
    let failures = 2
    erp.answers(({ payload }) => ({ status: payload['quantity'] === 3 && failures-- > 0 ? 503 : 200 }))
    for (let quantity = 1; quantity <= 12; quantity++) {
      await store.push('stock:change', { sku: 'A', quantity })
      await store.push('stock:change', { sku: `other ${quantity}`, quantity: 0 })
    }
    await hub.settled()
    const sent = erp.got
      .filter(({ payload }) => payload['sku'] === 'A')
      .map(({ payload }) => payload['quantity'])
    expect(sent).toEqual([1, 2, 3, 3, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12])
  })

  test('a consumer that does not answer holds up nobody else', async () => {
    const [stuck, quick] = [await consumer(), await consumer()]
    const store = await hub.createStore()
    await store.map('stuck.in', stuck.url, ['share:test'])
    await store.map('quick.in', quick.url, ['share:test'])
    stuck.answers(() => undefined)
    await Promise.all(Array.from({ length: 200 }, (_, n) => store.push('share:test', { n })))
    await until(() => quick.got.length === 200)
    expect(stuck.got.length).toBeLessThanOrEqual(8)
    stuck.answers(() => ({}))
    await dropAccepted(store)
  })

  test('a service that does not answer holds up no other of its host', async () => {
    const host = await consumer()
    const store = await hub.createStore()
    await store.map('stuck.in', host.url.replace(/in$/, 'stuck'), ['host:test'])
    await store.map('quick.in', host.url.replace(/in$/, 'quick'), ['host:test'])
    const atQuick = () => host.got.filter(({ path }) => path === '/quick').length
    host.answers(({ path }) => (path === '/quick' ? {} : undefined))
    await Promise.all(Array.from({ length: 20 }, (_, n) => store.push('host:test', { n })))
    await until(() => atQuick() === 20)
    host.answers(() => ({}))
    await dropAccepted(store)
  })

  test('a dozen services that do not answer hold up no other, nor does what is long for them', async () => {
    const host = await consumer()
    const store = await hub.createStore()
    for (let n = 0; n < 12; n++)
      await store.map(`stuck.${n}`, host.url.replace(/in$/, 'stuck'), ['dozen:test'])
    await store.map('quick.in', host.url.replace(/in$/, 'quick'), ['dozen:test'])
    const atQuick = () => host.got.filter(({ path }) => path === '/quick').length
    host.answers(({ path }) => (path === '/quick' ? {} : undefined))
    const long = 'x'.repeat(300_000)
    await Promise.all(Array.from({ length: 20 }, (_, n) => store.push('dozen:test', { n, long })))
    await until(() => atQuick() === 20)
    host.answers(() => ({}))
    await dropAccepted(store)
  })

  test('C81 parameters of an answer go with the next delivery', async () => {
    const erp = await consumer()
    const store = await hub.createStore()
    const made = await store.call('POST', 'parameters', {
      name: 'erp.cursor',
      data_type: 'string',
      value: '1',
    })
    const { id } = made.body as { id: string }
    await store.map('erp.in', erp.url, ['parameters:test'], { parameters: [id] })
    erp.answers(() => ({ body: { parameters: [{ name: 'erp.cursor', value: '2' }] } }))
    await store.push('parameters:test', { parameters: 'of the pusher' })
    await hub.settled()
    await store.push('parameters:test', {})
    await hub.settled()
    expect(erp.got.map(({ payload }) => payload['parameters'])).toEqual([
      [{ name: 'erp.cursor', value: '1' }],
      [{ name: 'erp.cursor', value: '2' }],
    ])
  })

  test('C81 a parameter that a consumer makes by its answer goes with the next delivery to it', async () => {
    const [shop, erp] = [await consumer(), await consumer()]
    const store = await hub.createStore({ name: 'Shop', webhook_url: shop.url, webhook_token: 'w' })
    await store.map('erp.in', erp.url, ['hub:poll'])
    let polls = 0
    shop.answers(() => ({ body: { parameters: [{ name: 'spree.cursor', value: `${++polls}` }] } }))
    for (let poll = 1; poll <= 3; poll++) {
      await store.push('hub:poll', { target: 'collections.orders' })
      await hub.settled()
    }
    const parametersOf = ({ got }: TestConsumer) => got.map(({ payload }) => payload['parameters'])
    expect(parametersOf(shop)).toEqual([
      [],
      [{ name: 'spree.cursor', value: '1' }],
      [{ name: 'spree.cursor', value: '2' }],
    ])
    expect(parametersOf(erp)).toEqual([[], [], []])
  })

  test('C81 a parameter that the store has goes with the next delivery to whoever has returned it', async () => {
    const shop = await consumer()
    const store = await hub.createStore()
    const name = 'spree.cursors'
    type Cursors = Record<string, string>[]
    const cursorsOf = ({ payload: { parameters } }: TestConsumer['got'][number]) =>
      (parameters as { value: Cursors }[])[0]?.value
    // As our webhook answers a poll: the list that it was sent, with the entry of this collection moved on.
    shop.answers((poll) => {
      const target = String(poll.payload['target'])
      const others = (cursorsOf(poll) ?? []).filter((entry) => !(target in entry))
      const value = [...others, { [target]: `${shop.got.length}` }]
      return { body: { parameters: [{ name, value }] } }
    })
    const filters = (value: string) => ({ filters: [{ path: 'payload.target', operator: 'eq', value }] })
    const polled = async (target: string) => {
      await store.push('hub:poll', { target })
      await hub.settled()
      const poll = shop.got.at(-1)
      return poll && cursorsOf(poll)
    }
    const orders = await store.map('orders.in', shop.url, ['hub:poll'], filters('orders'))
    await store.map('products.in', shop.url, ['hub:poll'], filters('products'))
    expect(await polled('orders')).toBeUndefined()
    // Another mapping to the same address: what it returns must not wipe out what it has never been sent.
    expect(await polled('products')).toEqual([{ orders: '1' }])
    expect(await polled('orders')).toEqual([{ orders: '1' }, { products: '2' }])
    // A mapping that is made anew, and another address at which the same is met: it has not been sent what others told.
    await store.call('DELETE', `mappings/${orders}`)
    await store.map('orders.in', shop.url.replace(/in$/, 'moved'), ['hub:poll'], filters('orders'))
    expect(await polled('orders')).toBeUndefined()
    expect(await polled('orders')).toEqual([{ products: '2' }, { orders: '4' }])
  })

  test.each(['that they were sent', 'that is the first'])(
    'C81 of two polls that are under way at once neither takes back what the other has put into the list %s',
    async (which) => {
      const shop = await consumer()
      const store = await hub.createStore()
      const name = 'spree.cursors'
      const value = [{ orders: '0' }, { products: '0' }]
      const parameters: string[] = []
      if (which === 'that they were sent') {
        const { body } = await store.call('POST', 'parameters', { name, data_type: 'list', value })
        parameters.push((body as { id: string }).id)
      }
      shop.answers(async ({ payload }) => {
        const [sent] = (payload['parameters'] ?? []) as { value: Record<string, string>[] }[]
        const target = String(payload['target'])
        if (target === 'orders') await until(() => shop.got.length === 2)
        if (target === 'orders') await pause(200)
        const others = (sent?.value ?? []).filter((entry) => !(target in entry))
        return { body: { parameters: [{ name, value: [...others, { [target]: '1' }] }] } }
      })
      for (const target of ['orders', 'products']) {
        const filters = [{ path: 'payload.target', operator: 'eq', value: target }]
        await store.map(`${target}.in`, shop.url, ['hub:poll'], { filters, parameters })
      }
      for (const target of ['orders', 'products']) await store.push('hub:poll', { target })
      await hub.settled()
      const { rows } = await hub.db.pool.query<{ value: Record<string, string>[] }>(
        'select p.value from hub.parameter p join hub.store s on s.id = p.store_id where s.id = $1',
        [store.id],
      )
      expect(rows[0]?.value).toHaveLength(2)
      expect(rows[0]?.value).toEqual(expect.arrayContaining([{ orders: '1' }, { products: '1' }]))
    },
  )

  test('polls of a mapping go one after another, so that the cursor never goes back; a parked one holds none', async () => {
    const shop = await consumer()
    const store = await hub.createStore()
    const name = 'spree.collections_poll.last_updated_at'
    const made = await store.call('POST', 'parameters', { name, data_type: 'string', value: '0' })
    const { id } = made.body as { id: string }
    await store.map('shop.in', shop.url, ['hub:poll'], { parameters: [id] })
    const cursorOf = ({ payload: { parameters } }: TestConsumer['got'][number]) =>
      Number((parameters as { value: string }[])[0]?.value)
    shop.answers(async (poll) => {
      const cursor = cursorOf(poll)
      await pause(200 - 50 * cursor)
      return { body: { parameters: [{ name, value: String(cursor + 1) }] } }
    })
    const poll = () => store.push('hub:poll', { target: 'collections.orders' })
    for (let n = 0; n < 4; n++) await poll()
    await hub.settled()
    expect(shop.got.map(cursorOf)).toEqual([0, 1, 2, 3])

    shop.answers(() => ({ body: { delay: 1, update_url: 'https://elsewhere.example/' } }))
    await poll()
    await until(async () => (await accepted('hub:poll'))[0]?.state === 'parked')
    shop.answers(() => ({}))
    await poll()
    await until(() => shop.got.length === 6)
    await hub.settled()
  })

  test('an answer with characters that PostgreSQL does not keep, or too long a name, is a success all the same', async () => {
    const erp = await consumer()
    const store = await hub.createStore()
    await store.map('erp.in', erp.url, ['odd:test'])
    const odd = 'a\0b\ud83d'
    erp.answers(({ message }) =>
      message === 'odd:test'
        ? {
            body: {
              messages: [{ message: 'made:odd', payload: { [odd]: odd } }],
              notifications: [{ level: 'info', subject: odd, description: odd }],
              parameters: [
                { name: odd, value: [{ [odd]: odd }] },
                { name: randomBytes(3_000).toString('hex'), value: 1 },
              ],
            },
          }
        : {},
    )
    await store.push('odd:test', {})
    await hub.settled()
    expect(await accepted('odd:test')).toEqual([])
    expect((await store.call('GET', 'parameters')).body).toMatchObject([
      { name: 'ab', value: [{ ab: 'ab' }] },
    ])
    const { rows } = await hub.db.pool.query(
      `select n.subject, a.payload
         from hub.notification n
         join hub.archived a on a.store_id = n.store_id and a.type = 'made:odd'
        where n.store_id = $1`,
      [store.id],
    )
    expect(rows).toEqual([{ subject: 'ab', payload: '{"ab":"ab"}' }])
  })

  test('C79 C80 a notification is kept, and announced once however often it is repeated', async () => {
    const [erp, desk] = [await consumer(), await consumer()]
    const store = await hub.createStore()
    await store.map('erp.in', erp.url, ['notify:test'])
    await store.map('desk.in', desk.url, ['notification:error'])
    let asked = 0
    const notifications = [{ level: 'error', subject: 'No such SKU', description: 'A-1' }]
    erp.answers(() => (++asked < 3 ? { status: 500, body: { notifications } } : {}))
    await store.push('notify:test', {})
    await hub.settled()
    expect(desk.got.map(({ message, payload }) => [message, payload])).toEqual([
      ['notification:error', { subject: 'No such SKU', description: 'A-1', parameters: [] }],
    ])
    expect([...desk.got, ...erp.got].map(({ source }) => source)).toEqual([
      'erp.in',
      undefined,
      undefined,
      undefined,
    ])
    const { rows } = await hub.db.pool.query(
      'select level, subject, origin, occurrences from hub.notification where store_id = $1',
      [store.id],
    )
    expect(rows).toEqual([{ level: 'error', subject: 'No such SKU', origin: 'erp.in', occurrences: 2 }])
  })

  test('C83 C84 C86 a consumer that needs time is asked again where it says, with the same message', async () => {
    const erp = await consumer()
    const store = await hub.createStore()
    await store.map('erp.in', erp.url, ['delay:test'])
    erp.answers(({ path }) => (path === '/in' ? { body: { delay: 1, update_url: 'poll/1' } } : {}))
    await store.push('delay:test', { n: 1 })
    await hub.settled()
    expect(erp.got.map(({ path, payload }) => [path, payload['n']])).toEqual([
      ['/in', 1],
      ['/poll/1', 1],
    ])
    expect((erp.got[1]?.at ?? 0) - (erp.got[0]?.at ?? 0)).toBeGreaterThanOrEqual(1_000)
  })

  test('a copy does not wait while its consumer has time that it asked for, and does where asking again fails', async () => {
    const { pool } = hub.db
    const erp = await consumer()
    const store = await hub.createStore()
    await store.map('erp.in', erp.url, ['patience:test'])
    erp.answers(() => ({ body: { delay: 3600, update_url: 'poll/1' } }))
    await store.push('patience:test', {})
    await until(async () => (await accepted('patience:test'))[0]?.state === 'failing')
    const minutesWith = async (change: string) => {
      await pool.query(
        `update hub.accepted
            set created_at = clock_timestamp() - interval '1 hour', ${change}
          where type = 'patience:test'`,
      )
      const { oldestSeconds } = await countWaiting(pool)
      const { oldestWaitingAt } = await readHubOverview(pool, 12)
      const shown = Date.now() - (oldestWaitingAt ?? new Date()).getTime()
      return [oldestSeconds / 60, shown / 60_000].map(Math.round)
    }

    expect(await minutesWith(`due = clock_timestamp() + interval '20 minutes'`)).toEqual([0, 0])
    expect(await minutesWith(`due = clock_timestamp() - interval '10 minutes'`)).toEqual([10, 10])
    expect(await minutesWith(`last_error = 'erp.example answered 500.'`)).toEqual([60, 60])
    await pool.query(`delete from hub.accepted where type = 'patience:test'`)
  })

  test('C84 a mapping that has moved to another host takes with it what waits to be asked about again, and its token', async () => {
    const [before, after] = [await consumer(), await consumer()]
    const store = await hub.createStore()
    const erp = await store.map('erp.in', before.url, ['move:test'])
    before.answers(() => ({ body: { delay: 3600, update_url: 'poll/1' } }))
    await store.push('move:test', {})
    await until(async () => (await accepted('move:test'))[0]?.state === 'failing')
    await store.call('PUT', `mappings/${erp}`, { mapping: { url: after.url, token: 'token-of-after' } })
    await hub.db.pool.query(`update hub.accepted set due = now() where type = 'move:test'`)
    await hub.db.pool.query('update hub.accepted_lane set revision = revision + 1')
    await hub.settled()
    expect(before.got.map(({ path }) => path)).toEqual(['/in'])
    expect(after.got.map(({ path, headers }) => [path, headers['x-augury-token']])).toEqual([
      ['/in', 'token-of-after'],
    ])
  })

  test('what waits for a mapping that was switched off counts no attempts, and leaves once it is on again', async () => {
    const erp = await consumer()
    const store = await hub.createStore()
    await store.map('erp.in', erp.url, ['custom:switched'])
    const set = (enabled: boolean) =>
      hub.db.pool.query('update hub.mapping set enabled = $2 where store_id = $1', [store.id, enabled])
    erp.answers(() => ({ status: 503 }))
    await store.push('custom:switched', { id: 1 })
    await until(async () => (await accepted('custom:switched'))[0]?.state === 'failing')
    await set(false)
    const again = `update hub.accepted set due = now(), state = 'waiting' where type = 'custom:switched'`
    await hub.db.pool.query(again)
    await hub.db.pool.query('update hub.accepted_lane set revision = revision + 1')
    await until(async () => (await accepted('custom:switched'))[0]?.last_error === 'Its mapping is disabled.')
    expect((await accepted('custom:switched'))[0]).toMatchObject({
      state: 'failing',
      attempts: erp.got.length,
    })
    erp.answers(() => ({}))
    await set(true)
    await hub.db.pool.query(again)
    await hub.db.pool.query('update hub.accepted_lane set revision = revision + 1')
    await hub.settled()
    expect(erp.got.at(-1)).toMatchObject({ message: 'custom:switched' })
  })

  test('a redirect is a failure and the token does not travel', async () => {
    const [erp, elsewhere] = [await consumer(), await consumer()]
    const store = await hub.createStore()
    await store.map('erp.in', erp.url, ['redirect:test'], { options: { retries_allowed: false } })
    erp.answers(() => ({ status: 307, headers: { location: elsewhere.url } }))
    await store.push('redirect:test', {})
    await until(async () => (await accepted('redirect:test'))[0]?.state === 'parked')
    expect(elsewhere.got).toEqual([])
  })
})

test('a hub works on the schema before its own, and goes on while that is migrated', async () => {
  const migrations = await hubMigrations()
  const early = await startTestHub({ hubTargets: 'public' }, undefined, migrations.slice(0, -1))
  try {
    const shop = await consumer()
    const webhook = { webhook_url: shop.url, webhook_token: 'w' }
    const store = await early.createStore({ name: 'Before', ...webhook })
    const [own] = (await store.call('GET', 'mappings')).body as { id: string; url: string }[]
    expect(await store.call('PUT', `mappings/${own?.id}`, { mapping: own })).toMatchObject({ status: 200 })
    await store.push('stock:actual', { sku: 'A', quantity: 1 })
    await early.settled()
    expect(shop.got).toHaveLength(1)

    expect(await applyMigrations(early.db.pool, 'hub', migrations)).toHaveLength(1)
    const later = await early.createStore({ name: 'After', ...webhook })
    for (const each of [store, later]) await each.push('stock:actual', { sku: 'A', quantity: 2 })
    await early.settled()
    expect(shop.got).toHaveLength(3)
    expect(early.complaints()).toEqual([])
  } finally {
    await early.stop()
  }
})

test('what a restore has brought from another server is routed too, once a hub starts over it', async () => {
  const store = await hub.createStore()
  const { pool } = hub.db
  await pool.query(
    `insert into hub.incoming (xid, lane, aggregate, key, type, payload, store_id)
     select (pg_current_xact_id()::text::bigint + 1000000)::text::xid8, lane, 'restored/' || n,
            lpad(to_hex(n), 24, '0'), 'product:new', '{}', $1
       from generate_series(1, 300) n
       join hub.incoming_lane on lane = n % (select count(*) from hub.incoming_lane)`,
    [store.id],
  )
  await takeOverRestored(pool, [HUB_INCOMING, HUB_ACCEPTED])
  await hub.settled()
  const { rows } = await pool.query(
    'select count(*)::integer as routed from hub.archived where store_id = $1',
    [store.id],
  )
  expect(rows).toEqual([{ routed: 300 }])
})

test('a long queue that a restore has brought is taken over bit by bit, in its order', async () => {
  const database = await createDatabase()
  await applyMigrations(database.pool, 'hub', await hubMigrations())
  await database.pool.query(
    `insert into hub.incoming (xid, lane, aggregate, key, type, payload, store_id)
     select (pg_current_xact_id()::text::bigint + 1000000 + n)::text::xid8, n % 2, 'restored/' || n, n, 'x', '{}', 's'
       from generate_series(1, 1200) n;
     create function slowly() returns trigger language plpgsql as $$begin perform pg_sleep(0.002); return new; end$$;
     create trigger slowly before update on hub.incoming for each row execute function slowly()`,
  )
  const impatient = createPool(database.url, {
    applicationName: 'test',
    answerWithinMilliseconds: 1_500,
    onConnectionError: () => {},
  })
  try {
    await takeOverRestored(impatient, [HUB_INCOMING, HUB_ACCEPTED])
    const { rows } = await database.pool.query<{ lane: number; key: string }>(
      `select lane, key from hub.incoming where xid < pg_snapshot_xmax(pg_current_snapshot()) order by lane, xid, id`,
    )
    const of = (lane: number) => rows.filter((row) => row.lane === lane).map(({ key }) => Number(key))
    expect(of(0)).toEqual(Array.from({ length: 600 }, (_, index) => 2 * index + 2))
    expect(of(1)).toEqual(Array.from({ length: 600 }, (_, index) => 2 * index + 1))
  } finally {
    await impatient.end()
    await database.drop()
  }
})

const behindPooler = hasPgBouncer ? test : test.skip
behindPooler('a hub behind a transaction pooler says which of its settings would let it hear', async () => {
  const database = await createDatabase()
  const pooler = await startPgBouncer(database.url)
  const pooled = await startTestHub({ hubDatabaseUrl: pooler.url }, database)
  try {
    await until(() => pooled.complaints().join().includes('LISTEN hears nothing'))
    expect(pooled.complaints().join()).toContain('Set HUB_DATABASE_URL to a direct connection')
  } finally {
    await pooled.stop()
    await pooler.close()
    await database.drop()
  }
})

test('the metrics name the types that a hub knows of; all others, of which there is no end, are one', async () => {
  const erp = await consumer()
  const store = await hub.createStore()
  await store.map('erp.in', erp.url, ['made:up', 'order:updated', 'hub:poll'])
  for (const type of ['made:up', 'order:update', 'hub:poll']) await store.push(type, {})
  await hub.settled()
  const text = await (await fetch(`${hub.url}/metrics`)).text()
  for (const type of ['other', 'order:updated', 'hub:poll']) {
    expect(text).toMatch(new RegExp(`^spree_hub_routed_total{type="${type}",what="copies"} [1-9]`, 'm'))
    expect(text).toMatch(
      new RegExp(`^spree_hub_delivered_total{type="${type}",outcome="delivered"} [1-9]`, 'm'),
    )
  }
  expect(text).not.toMatch(/made:up|order:update"/)
})

test('private addresses are not delivered to unless that is allowed', async () => {
  strict = await startTestHub({ hubTargets: 'public' })
  const [erp, shop] = [await consumer(), await consumer()]
  const store = await strict.createStore({ name: 'Shop', webhook_url: shop.url, webhook_token: 'w' })
  const once = { options: { retries_allowed: false } }
  await store.map('erp.in', 'http://erp.example/', ['stock:change'], once)
  await store.map('name.in', 'http://name.example/', ['stock:change'], once)
  // As if they had been made while any target was allowed, or the name had come to lead here.
  for (const [name, url] of [
    ['erp.in', erp.url],
    ['name.in', erp.url.replace('127.0.0.1', 'localhost')],
  ])
    await strict.db.pool.query('update hub.mapping set url = $2 where name = $1', [name, url])
  await store.push('stock:change', { sku: 'A', quantity: 1 })
  await strict.settled()
  const refused = () =>
    strict?.db.pool.query('select last_error from hub.accepted order by id').then(({ rows }) => rows)
  expect(await refused()).toEqual([
    { last_error: expect.stringContaining('HUB_TARGETS') },
    { last_error: expect.stringContaining('HUB_TARGETS') },
  ])
  expect(erp.got).toEqual([])
  expect(shop.got).toHaveLength(1)

  // The address that the admin gave may be private, and no other that the store's token gives in its place.
  const [own] = (await store.call('GET', 'mappings')).body as { id: string; url: string }[]
  const change = (mapping: object) => store.call('PUT', `mappings/${own?.id}`, { mapping })
  expect((await change({ ...own, ...once })).status).toBe(200)
  await store.push('stock:actual', { sku: 'A', quantity: 1 })
  await strict.settled()
  expect(shop.got).toHaveLength(2)
  expect((await change({ url: 'http://name.example/' })).status).toBe(200)
  await strict.db.pool.query('update hub.mapping set url = $2 where id = $1', [own?.id, own?.url])
  await store.push('stock:actual', { sku: 'A', quantity: 2 })
  await strict.settled()
  expect(await refused()).toHaveLength(3)
  expect(shop.got).toHaveLength(2)
})
