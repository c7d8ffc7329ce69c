import { beforeAll, describe, expect, test } from '@jest/globals'
import { type Ask, request } from '../../src/capture/outbox.ts'
import { seedPage } from '../../src/capture/seeding.ts'
import type { MessageType } from '../../src/messages/message.ts'
import { messageSchemas } from '../../src/messages/schemas/message-schemas.ts'
import { inTransaction } from '../../src/postgres/transaction.ts'
import { readExpected } from '../expected/read-expected.ts'
import { type Told as Queued, startCollecting } from '../support/collecting.ts'
import type { TestDatabase } from '../support/postgres.ts'
import {
  createStore,
  dumpsAvailable,
  replay,
  type SolidusStore,
  type StoreFamily,
  type StoreSource,
} from '../support/stores.ts'
import { PATIENT, withWorker } from './live-through-the-day.ts'
import { expectedReturn, isReturn, type Payload, readDay, subjects } from './told.ts'

/** Written by hand: what is told, and by role and step the generic orders, each step with the keys that it changes. */
type GenericDay = Readonly<{
  told: Record<string, string[]>
  orders: Record<string, Record<string, Payload>>
  payments: Record<string, Payload>
}>
type Said = Readonly<{ type: string; payload: Payload }>
type Lived = ReadonlyMap<string, readonly Said[]>
type GenericStore = Readonly<{
  family: StoreFamily | SolidusStore | 'spree-2.4'
  source: StoreSource
  day: GenericDay
  roles: Readonly<Record<string, string>>
  /** The steps in which what is ordered comes into being. */
  before: readonly string[]
}>

/** A worker tells what happens in this one, with a hub; of the others the collector alone, which is the same for all. */
const hasWorker = ({ family, source }: GenericStore) => family === 'spree-4.10' && source === 'fixture'

const all = (['fixture', 'dump'] as const).flatMap((source): GenericStore[] => {
  const dayOf = (family: string) =>
    readDay<GenericDay>(`${family}.generic${source === 'dump' ? '.dump' : ''}.json`)
  return [
    ...(['spree-4.10', 'spree-6.0'] as const).map((family) => ({
      family,
      source,
      day: dayOf(family),
      roles: subjects[family][source],
      before: ['01-create-product', '02-change-product', '03-stock-movement'],
    })),
    {
      family: 'spree-2.4',
      source,
      day: readDay<GenericDay>('spree-2.4.generic.json'),
      roles: { order: 'order-R240000001', canceled: 'order-R240000002', first: 'DC-S', second: 'DC-L' },
      before: ['01-create-product', '02-change-product', '02b-change-options', '03-stock-movement'],
    },
    {
      family: 'solidus-4',
      source,
      day: dayOf('solidus-4'),
      roles: subjects['solidus-4'][source],
      before: [
        '01-product-created',
        '02-price-changed',
        '03-stock-moved',
        ...(source === 'dump' ? ['05-user-created'] : []),
        '06-cart-only',
      ],
    },
  ]
})
const possible = all.filter(({ source }) => source === 'fixture' || dumpsAvailable())

for (const { family } of all.filter((store) => !possible.includes(store)))
  test.skip(`a real store of ${family} that tells generic orders needs STORE_DUMPS`, () => {})

// All at the same time: most of a day is waiting for things to settle.
const days = new Map<GenericStore, Promise<Lived>>()
beforeAll(() => {
  for (const store of possible) {
    const day = hasWorker(store) ? liveWithWorker(store) : liveWithCollector(store)
    day.catch(() => {}) // its own tests tell
    days.set(store, day)
  }
})

describe.each(possible)('a store of $family ($source) that tells generic orders', (store) => {
  let lived: Lived

  beforeAll(async () => {
    lived = (await days.get(store))!
  })

  test.each(Object.keys(store.day.told))('%s', (step) => {
    const isStock = ({ type }: Said) => type.startsWith('stock:')
    const said = lived.get(step)!
    const expected = store.day.told[step]!.map((line) => expectedMessage(store, step, line))
    expect(said.filter((message) => !isStock(message))).toEqual(
      expected.filter((message) => !isStock(message)),
    )
    expect(said.filter(isStock)).toEqual(expected.filter(isStock))
    for (const { type, payload } of said) messageSchemas[type as MessageType].parse(payload)
  })

  test('what changed and changed back is silent', () => {
    expect(lived.get('there and back')).toEqual([])
  })
})

async function liveWithWorker({ family, source, day, before }: GenericStore): Promise<Lived> {
  const settings = { orders: 'generic', ...PATIENT } as const
  return withWorker({ family, source }, settings, { ours: true }, async (_, __, live) => {
    const lived = new Map<string, Said[]>()
    const tell = async (name: string, act: (db: TestDatabase) => Promise<unknown>) => {
      const { requests } = await live(name, act)
      lived.set(
        name,
        requests.map(({ type, payload }) => ({ type, payload })),
      )
    }
    for (const step of [...before, ...Object.keys(day.told)])
      await tell(step, (db) => replay(db, family, step, source))
    await tell('there and back', thereAndBack)
    return lived
  })
}

/** What is told of customers on the way is another test's. */
async function liveWithCollector({ family, source, day, before }: GenericStore): Promise<Lived> {
  const db = await createStore(family, source)
  try {
    const { all } = await startCollecting(db, { orders: 'generic' })
    const lived = new Map<string, Said[]>()
    const tell = async (name: string, act: (db: TestDatabase) => Promise<unknown>) => {
      await act(db)
      const said = (await all()).filter(({ type }) => !type.startsWith('user:'))
      lived.set(
        name,
        said.map(({ type, payload }) => ({ type, payload })),
      )
    }
    for (const step of [...before, ...Object.keys(day.told)])
      await tell(step, () => replay(db, family, step, family === 'spree-2.4' ? 'fixture' : source))
    await tell('there and back', thereAndBack)
    return lived
  } finally {
    await db.drop()
  }
}

async function thereAndBack({ pool }: TestDatabase): Promise<void> {
  await pool.query(`update spree_orders set email = 'x' || email where completed_at is not null`)
  await pool.query(`update spree_orders set email = substr(email, 2) where completed_at is not null`)
}

/** `order:updated order` in full, from the raw and the generic orders that were written for the steps so far. */
function expectedMessage({ family, source, day, roles }: GenericStore, step: string, line: string): Said {
  const [type = '', role = '', number] = line.split(' ')
  const name = roles[role]!
  if (type.startsWith('stock:')) return { type, payload: { sku: name, quantity: Number(number) } }
  if (type.startsWith('payment:')) return { type, payload: day.payments[line]! }
  const steps = Object.keys(day.orders[role]!).filter((other) => other <= step)
  const generic = (until: readonly string[]): Payload =>
    Object.assign({}, ...until.map((each) => day.orders[role]![each]))
  const order = generic(steps)
  // The statements and what follows are the same for the dump of 2.4 and its small shop.
  const files = { family, source: family === 'spree-2.4' ? ('fixture' as const) : source }
  const raw = (of: string, until: readonly string[] = []) =>
    readExpected(files.family, files.source, of, until)
  const original = raw(name, steps)
  if (isReturn(type)) return { type, payload: expectedReturn(type, original, step, files) }
  const shipment = (order['shipments'] as Payload[])[Number(number ?? 0)]
  const { number: order_number, email, shipping_address } = order
  const wholeShipment = { ...shipment, order_number, email, shipping_address }
  switch (type) {
    case 'order:updated': {
      const before = raw(name, steps.slice(0, -1))
      // A step's file names exactly the keys that it changes.
      const changed = Object.keys(raw(`${name}.${step}`))
      const diff = Object.fromEntries(changed.map((key) => [key, [before[key] ?? null, original[key]]]))
      return { type, payload: { order, original, previous: generic(steps.slice(0, -1)), diff } }
    }
    case 'shipment:ready':
      return { type, payload: { shipment: wholeShipment, order, original } }
    case 'shipment:confirm':
      return { type, payload: { shipment: wholeShipment } }
    default:
      return { type, payload: { order, original } }
  }
}

/** Another collector takes over, under another setting. */
async function takeOver(db: TestDatabase, orders?: 'generic') {
  await db.pool.query(`update bridge.lease set owner = null where name = 'collector'`)
  return startCollecting(db, orders ? { orders } : {})
}

test('from persist to generic and back: nothing is told anew, nothing is lost', async () => {
  const db = await createStore('spree-4.10', 'fixture')
  try {
    const types = (told: readonly Queued[]) => told.map(({ type }) => type)
    const number = `where number = 'R204817354'`
    const theOrder = `(select id from spree_orders ${number})`
    const kept = async () =>
      (
        await db.pool.query<{ kept: number }>(
          `select count(told)::integer as kept from bridge.baseline where part = 'order'`,
        )
      ).rows[0]?.kept
    const persist = await startCollecting(db)
    expect(await kept()).toBe(0)
    await db.pool.query(`update spree_orders set email = 'first@example.com' ${number}`)
    expect(types(await persist.all())).toEqual(['order:persist'])

    // What changed while nobody collected is told by the one that comes: it does not know what was before.
    await db.pool.query(`update spree_orders set email = 'second@example.com' ${number}`)
    const generic = await takeOver(db, 'generic')
    const [first, ...others] = generic.first
    expect([first?.type, ...types(others)]).toEqual(['order:updated', 'payment:capture'])
    expect(first?.payload).toMatchObject({
      order: { email: 'second@example.com' },
      previous: null,
      diff: null,
    })
    // Of all others it is kept now, as it was told.
    const { rows } = await db.pool.query(`select from bridge.baseline where part = 'order'`)
    expect(await kept()).toBe(rows.length)
    await db.pool.query(
      `update spree_shipments set state = 'shipped', shipped_at = now() where order_id = ${theOrder}`,
    )
    await db.pool.query(
      `update spree_orders set email = 'x@example.com' where number <> 'R204817354' and completed_at is not null`,
    )
    const told = await generic.all()
    const own = told.filter(({ aggregate }) => aggregate === first?.aggregate)
    expect(types(own)).toEqual(['order:updated', 'shipment:confirm'])
    expect(own[0]?.payload).toMatchObject({
      previous: { email: 'second@example.com', shipments: [{ status: 'pending' }] },
      order: { shipments: [{ status: 'shipped' }] },
    })
    const updates = told.filter(({ type }) => type === 'order:updated')
    expect(updates).toHaveLength(rows.length)
    for (const { payload } of updates) expect(payload['previous']).not.toBeNull()
    expect(new Set(types(told))).toEqual(new Set(['order:updated', 'shipment:ready', 'shipment:confirm']))

    const again = await takeOver(db)
    expect(again.first).toEqual([])
    await db.pool.query(`update spree_orders set email = 'third@example.com' ${number}`)
    expect(types(await again.all())).toEqual(['order:persist'])
    const last = await takeOver(db, 'generic')
    expect(last.first).toEqual([])
    await db.pool.query(`update spree_orders set email = 'fourth@example.com' ${number}`)
    const [message, ...rest] = await last.all()
    expect(rest).toEqual([])
    expect(message).toMatchObject({
      type: 'order:updated',
      payload: { diff: { email: ['third@example.com', 'fourth@example.com'] } },
    })
  } finally {
    await db.drop()
  }
})

test('on day one each order is kept, so that its first change has a past; what comes before that is new or not', async () => {
  const db = await createStore('spree-4.10', 'fixture')
  try {
    const { store } = await startCollecting(db)
    const afresh = async () => {
      await db.pool.query('delete from bridge.baseline')
      await db.pool.query(`update bridge.seeding set finished_at = null, last_id = '0'`)
    }
    await afresh()
    const seed = () => inTransaction(db.pool, (one) => seedPage(one, store, () => [], true))
    while (!(await seed()).has('order'));
    const { rows } = await db.pool.query<{ orders: number; kept: number }>(
      `select count(*)::integer as orders, count(told)::integer as kept from bridge.baseline where part = 'order'`,
    )
    expect(rows[0]?.orders).toBeGreaterThan(0)
    expect(rows[0]?.kept).toBe(rows[0]?.orders)

    await afresh()
    await db.pool.query(`update spree_orders set email = 'old@example.com' where number = 'R204817354'`)
    await db.pool.query(
      `insert into spree_orders (number, state, currency, store_id, completed_at, created_at, updated_at)
       values ('R900000009', 'complete', 'USD', 1, now(), now(), now())`,
    )
    const { first } = await takeOver(db, 'generic')
    const told = first.map(({ type, payload: { order } }) => [type, (order as Payload)?.['number']])
    expect(told.filter(([type]) => String(type).startsWith('order:'))).toEqual([
      ['order:updated', 'R204817354'],
      ['order:new', 'R900000009'],
    ])
  } finally {
    await db.drop()
  }
})

test('an order that is asked for is told as it is; one of which a message was discarded, with all that is so', async () => {
  const db = await createStore('spree-4.10', 'fixture')
  try {
    const { rows } = await db.pool.query<{ id: string }>(
      `select id::text from spree_orders where number = 'R204817354'`,
    )
    const about = [{ kind: 'order', id: rows[0]!.id }] as const
    const { all } = await startCollecting(db, { orders: 'generic' })
    const toldOf = async (...asks: Ask[]) => {
      for (const ask of asks) await request(db.pool, ask, about)
      return (await all()).map(({ type, payload: { previous, diff } }) => [type, previous, diff])
    }
    expect(await toldOf('announce')).toEqual([['order:updated', null, null]])
    expect(await toldOf('compare')).toEqual([])
    expect(await toldOf('forget')).toEqual([])
    const anew = [
      ['order:updated', null, null],
      ['payment:capture', undefined, undefined],
    ]
    expect(await toldOf('compare')).toEqual(anew)
    expect(await toldOf('forget', 'compare')).toEqual(anew)
    await db.pool.query(`delete from spree_orders where number = 'R204817354'`)
    expect(await all()).toEqual([])
    const left = await db.pool.query(`select from bridge.baseline where aggregate = $1`, [
      `order:${about[0].id}`,
    ])
    expect(left.rows).toEqual([])
  } finally {
    await db.drop()
  }
})
