import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { addCustomerReturn } from '../../src/apply/add-customer-return.ts'
import type { Handler } from '../../src/apply/handler.ts'
import { createInbox, type Inbox } from '../../src/apply/inbox.ts'
import { originOf } from '../../src/apply/origin.ts'
import { productNew } from '../../src/apply/product-new.ts'
import { productUpdate } from '../../src/apply/product-update.ts'
import { setInventory } from '../../src/apply/set-inventory.ts'
import { shipmentConfirm } from '../../src/apply/shipment-confirm.ts'
import { stockActual } from '../../src/apply/stock-actual.ts'
import { stockChange } from '../../src/apply/stock-change.ts'
import { updateOrder } from '../../src/apply/update-order.ts'
import { updateProduct } from '../../src/apply/update-product.ts'
import { updateShipment } from '../../src/apply/update-shipment.ts'
import { createLog } from '../../src/observe/log.ts'
import { inTransaction } from '../../src/postgres/transaction.ts'
import { applyMessage } from '../support/applying.ts'
import { type Collecting, startCollecting } from '../support/collecting.ts'
import type { TestDatabase } from '../support/postgres.ts'
import { createRandom } from '../support/random.ts'
import { createStore, type StoreFamily } from '../support/stores.ts'

const families: StoreFamily[] = ['spree-4.10', 'spree-6.0']

describe.each(families)('what a hub wrote into a store of %s', (family) => {
  const stock = family === 'spree-4.10' ? 'spree_stock_items' : 'spree_stock_levels'
  let database: TestDatabase
  let collecting: Collecting
  let inbox: Inbox

  beforeAll(async () => {
    database = await createStore(family, 'fixture')
    collecting = await startCollecting(database)
    const { pool } = database
    inbox = createInbox({ pool, store: collecting.store, hub: 'hub', log })
  })
  afterAll(() => database.drop())

  const fromHub = <Payload>(handler: Handler<Payload>, payload: unknown) =>
    inTransaction(database.pool, (db) => applyMessage(db, collecting.store, handler, payload))
  const byPerson = (text: string) => database.pool.query(text)
  const untilItWaits = async () => {
    const waits = `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`
    for (const until = Date.now() + 30_000; (await byPerson(waits)).rowCount === 0; await pause(5))
      if (Date.now() > until) throw new Error('Nobody has waited for a lock within 30 s.')
  }
  const { log } = createLog({ level: 'error', format: 'json', stream: process.stderr })
  let ids = 0
  /** Of a message that was made then. */
  const idOf = (time: number) =>
    Math.floor(time / 1_000).toString(16) + (++ids).toString(16).padStart(16, '0')
  const deliver = async (handler: Handler<never>, payload: object, id = idOf(Date.now())) => {
    const { outcome, answer } = await inbox.receive(handler as Handler<unknown>, {
      messageId: id,
      payload: JSON.parse(JSON.stringify(payload)),
    })
    return { outcome, status: answer.status, ...JSON.parse(answer.body) }
  }
  const told = async () =>
    (await collecting.all()).map(({ type, payload }) => [type, payload['sku'] ?? payload['number']])

  test('a price and a name are not announced back; a person’s change beside them is', async () => {
    await fromHub(productUpdate, { sku: 'BC-01', price: '33.00', name: 'Compass' })
    expect(await told()).toEqual([])
    await fromHub(productUpdate, { sku: 'BC-01', price: '32.00' })
    await byPerson(`update spree_products set name = 'Compass, brass' where id = 13`)
    const announced = await collecting.all()
    expect(announced).toMatchObject([
      { type: 'product:update', payload: { name: 'Compass, brass', price: '32.0' } },
    ])
  })

  test('a level is not announced back; a sale at the same time is, by exactly the sale', async () => {
    await fromHub(stockChange, { sku: 'TM-1', quantity: 50 })
    expect(await told()).toEqual([])
    await fromHub(stockChange, { sku: 'TM-1', quantity: -30 })
    await byPerson(`update ${stock} set count_on_hand = count_on_hand - 2 where id = 310`)
    await fromHub(stockChange, { sku: 'TM-1', quantity: 7 })
    expect(await collecting.all()).toMatchObject([
      { type: 'stock:change', payload: { sku: 'TM-1', quantity: -2 } },
    ])
    expect((await byPerson(`select count_on_hand from ${stock} where id = 310`)).rows).toEqual([
      { count_on_hand: 50 },
    ])
  })

  test('an order whose backorder was filled by it is announced', async () => {
    await fromHub(stockChange, { sku: 'SL-7', quantity: 5 })
    expect(await told()).toEqual([['order:persist', family === 'spree-4.10' ? 'R204817354' : 'R1044']])
  })

  test('a parcel that it says has left is announced with its order, the stock that left with it is not', async () => {
    const isSix = family === 'spree-6.0'
    if (isSix) await byPerson('update spree_orders set payment_total = total where id = 45')
    await collecting.all()
    await fromHub(shipmentConfirm, {
      shipment: { number: isSix ? 'R1045-F2' : 'H50417700157', tracking: '1ZHALF' },
    })
    expect(await collecting.all()).toMatchObject([
      {
        type: 'order:persist',
        payload: { shipment_state: 'shipped', shipments: [{}, { state: 'shipped', tracking: '1ZHALF' }] },
      },
    ])
  })

  test('C171 what it says came back is announced with its order and its return, the stock that came with it is not', async () => {
    const number = family === 'spree-4.10' ? 'R204817355' : 'R1045'
    const items = [{ sku: 'FS-NAVY-S', quantity: 1, order_number: number }]
    await fromHub(addCustomerReturn, {
      customer_return: { rma: 'RA123456789', stock_location: 'Portland warehouse', items },
    })
    const kind = family === 'spree-4.10' ? 'customer_return' : 'return_authorization'
    expect((await told()).map(([type]) => type)).toEqual(['order:persist', `${kind}:new`])
  })

  test('a product that it made is not announced back; what a person then does is a change of it', async () => {
    await fromHub(productNew, { sku: 'HUB-1', name: 'From the hub', price: '5' })
    expect(await told()).toEqual([])
    await byPerson(`update spree_products set name = 'Ours now' where name = 'From the hub'`)
    expect(await collecting.all()).toMatchObject([
      { type: 'product:update', payload: { name: 'Ours now', price: '5.0' } },
    ])
    await fromHub(productNew, { sku: 'HUB-2', name: 'Both at once', price: '5' })
    await byPerson(`update spree_products set description = 'ours' where name = 'Both at once'`)
    expect(await collecting.all()).toMatchObject([
      { type: 'product:new', payload: { name: 'Both at once', description: 'ours' } },
    ])
  })

  test('a product that nobody was told of is announced, though it was the hub that changed it', async () => {
    await database.pool.query(`delete from bridge.baseline where aggregate = 'product:16'`)
    await fromHub(productUpdate, { sku: 'GV-25', price: '26' })
    expect(await told()).toEqual([['product:new', family === 'spree-4.10' ? 'GV-25' : '']])
  })

  describe('an update of a product that says of when it is', () => {
    const clock = async () => {
      await pause(3)
      const { rows } = await byPerson('select clock_timestamp() as now')
      await pause(3)
      return rows[0]?.['now'] as Date
    }
    const update = (updatedAt: Date | string | undefined, content: object, id?: string) =>
      deliver(productUpdate as Handler<never>, { sku: 'BC-01', updated_at: updatedAt, ...content }, id)
    const picture = () =>
      byPerson(
        `select p.name, p.updated_at, v.updated_at as variant, pr.amount
           from spree_products p join spree_variants v on v.product_id = p.id join spree_prices pr on pr.variant_id = v.id
          where p.id = 13 order by pr.id`,
      ).then(({ rows }) => rows)
    /** As the shop's own code does, which touches the product with all that is of it. */
    const touch = `update spree_products set updated_at = clock_timestamp() at time zone 'UTC' where id = 13`
    const touchedAt = async () =>
      (
        await byPerson(
          `select date_trunc('milliseconds', updated_at) at time zone 'UTC' as at from spree_products where id = 13`,
        )
      ).rows[0]?.['at'] as Date
    const refusal = (updatedAt: Date, why: string) => ({
      status: 200,
      notifications: [
        {
          level: 'warn',
          subject: 'product:update',
          description: `Product BC-01 stays as it is: what was sent is of ${updatedAt.toISOString()}, and ${why}`,
        },
      ],
      sku: 'BC-01',
      permalink: 'brass-compass',
    })
    const applied = {
      status: 200,
      notifications: [{ level: 'info', subject: 'product:update', description: 'Product BC-01 updated' }],
    }

    test('is refused where the shop has changed it since, collected or not', async () => {
      for (const change of [
        `update spree_products set name = name || ', ours' where id = 13`,
        'update spree_prices set amount = amount + 1 where variant_id = 108',
      ]) {
        const before = await clock()
        await byPerson(`${touch}; ${change}`)
        const was = await picture()
        const why = `the shop changed it at ${(await touchedAt()).toISOString()}`
        const id = idOf(Date.now())
        const refused = await update(before, { name: 'Theirs', price: '9' }, id)
        expect(refused).toEqual({ outcome: 'applied', message_id: id, ...refusal(before, why) })
        expect(await update(before, { name: 'Theirs', price: '9' }, id)).toEqual({
          ...refused,
          outcome: 'repeated',
        })
        expect(await collecting.all()).toMatchObject([{ type: 'product:update' }])
        expect(await update(before, { name: 'Theirs' })).toMatchObject(refusal(before, why))
        expect(await picture()).toEqual(was)
      }
      expect(await update(await clock(), { name: 'Theirs' })).toMatchObject(applied)
      await collecting.all()
    })

    test('is applied where it bears the time that it was told with, which is a moment before the rows were written', async () => {
      await pause(150)
      await byPerson(
        `update spree_products
            set name = 'Compass, ours', updated_at = (clock_timestamp() - interval '0.1 s') at time zone 'UTC'
          where id = 13`,
      )
      const waiting = await touchedAt()
      expect(await update(waiting, { name: 'Compass, enriched' })).toMatchObject(applied)
      await pause(150)
      await byPerson(
        `update spree_products
            set name = 'Compass, ours', updated_at = (clock_timestamp() - interval '0.1 s') at time zone 'UTC'
          where id = 13`,
      )
      await collecting.all()
      const collected = await touchedAt()
      // A sale touches it meanwhile, and several make something of what was told: one of them knows no milliseconds.
      await byPerson('update spree_products set updated_at = now() where id = 13')
      const inSeconds = `${collected.toISOString().slice(0, 19)}Z`
      for (const [time, name] of [
        [collected, 'enriched'],
        [collected, 'translated'],
        [inSeconds, 'classified'],
      ] as const) {
        expect(await update(time, { name: `Compass, ${name}` })).toMatchObject(applied)
        expect((await picture())[0]?.['name']).toBe(`Compass, ${name}`)
      }
      expect(await update(waiting, { name: 'Compass, of old' })).toMatchObject({
        notifications: [{ level: 'warn' }],
      })
      await collecting.all()
    })

    test('is refused where a price was set past the product, which bears the time that it was told with still', async () => {
      await byPerson(
        `update spree_products
            set updated_at = date_trunc('milliseconds', clock_timestamp() - interval '6 h') at time zone 'UTC'
          where id = 13`,
      )
      const told = await touchedAt()
      await byPerson('update spree_prices set amount = amount + 1 where variant_id = 108')
      const was = await picture()
      const { rows } = await byPerson(
        `select max(at) as at from bridge.outbox where table_name = 'spree_prices'`,
      )
      const why = `the shop changed it at ${rows[0]?.['at'].toISOString()}`
      expect(await update(told, { price: '9' })).toMatchObject(refusal(told, why))
      await collecting.all()
      expect(await update(told, { price: '9' })).toMatchObject(refusal(told, why))
      expect(await picture()).toEqual(was)
    })

    test('is refused where the shop has taken back what an earlier one set, though all is as it was told', async () => {
      await byPerson(`${touch}; update spree_products set name = 'Ours' where id = 13`)
      await collecting.all()
      const [first, second] = [await clock(), await clock()]
      expect(await update(first, { name: 'Theirs' })).toMatchObject(applied)
      await byPerson(`${touch}; update spree_products set name = 'Ours' where id = 13`)
      await collecting.all()
      const why = `the shop changed it at ${(await touchedAt()).toISOString()}`
      expect(await update(second, { name: 'Theirs, late' })).toMatchObject(refusal(second, why))
      expect((await picture())[0]?.['name']).toBe('Ours')
    })

    test('is refused where the shop was about to change it, and it had to wait for that', async () => {
      const before = await clock()
      const person = await database.pool.connect()
      await person.query(`begin; ${touch}; update spree_products set name = 'By a person' where id = 13`)
      const answered = update(before, { name: 'Theirs, late' })
      await untilItWaits()
      await person.query('commit')
      person.release()
      const why = `the shop changed it at ${(await touchedAt()).toISOString()}`
      expect(await answered).toMatchObject(refusal(before, why))
      expect((await picture())[0]?.['name']).toBe('By a person')
      await collecting.all()
    })

    test('waits for its own product and keeps no other waiting, where neither is called by a name', async () => {
      const person = await database.pool.connect()
      try {
        await person.query('begin; update spree_products set updated_at = updated_at where id = 13')
        const held = update(undefined, { price: '29' })
        await untilItWaits()
        expect(await update(undefined, { sku: 'TM-1', price: '8' })).toMatchObject({ status: 200 })
        await person.query('rollback')
        expect(await held).toMatchObject(applied)
      } finally {
        await person.query('rollback')
        person.release()
      }
      await collecting.all()
    })

    test('is put off where the row of the product is not to be had, whatever was sent behind that', async () => {
      await byPerson(
        `create function bridge.locked() returns trigger language plpgsql
           as $$begin raise exception using errcode = '55P03'; end$$;
         create trigger locked before update on spree_products for each row execute function bridge.locked()`,
      )
      try {
        expect(await update(undefined, { price: '31' })).toMatchObject({
          outcome: 'unavailable',
          status: 503,
        })
      } finally {
        await byPerson('drop function bridge.locked cascade')
      }
      expect(await update(undefined, { price: '31' })).toMatchObject(applied)
      await collecting.all()
    })

    test('is refused after a later one; what has no time, or is of the same, is applied as it comes', async () => {
      const [first, second, third] = [await clock(), await clock(), await clock()]
      expect(await update(second, { name: 'Second' })).toMatchObject(applied)
      await collecting.all()
      const why = `a later update was applied, of ${second.toISOString()}`
      expect(await update(first, { name: 'First' })).toMatchObject(refusal(first, why))
      expect(await update(second, { name: 'Second again' })).toMatchObject(applied)
      // What a hub changes is no change by the shop; nor is what a sale touches.
      expect(await update(undefined, { name: 'Without a time' })).toMatchObject(applied)
      await byPerson(
        `update ${stock} set count_on_hand = count_on_hand - 1 where id = 306;
         update spree_products set updated_at = now() where id = 13`,
      )
      expect(await update(third, { name: 'Third' })).toMatchObject(applied)
      await collecting.all()
      expect((await picture())[0]?.['name']).toBe('Third')
    })

    test('is refused after a later one that said what the store had, though it bears the time of the product', async () => {
      await byPerson(`${touch}; update spree_products set name = 'Compass, said twice' where id = 13`)
      await collecting.all()
      const told = await touchedAt()
      const later = await clock()
      expect(await update(later, { name: 'Compass, said twice' })).toMatchObject({
        notifications: [{ description: 'Product BC-01 is so already: nothing was changed' }],
      })
      const why = `a later update was applied, of ${later.toISOString()}`
      for (const name of ['Compass, late', 'Compass, later'])
        expect(await update(told, { name })).toMatchObject(refusal(told, why))
      expect((await picture())[0]?.['name']).toBe('Compass, said twice')
    })
  })

  describe('an object that says of when it is', () => {
    const isSix = family === 'spree-6.0'
    const number = isSix ? 'R1041' : 'R204817351'
    const ago = (milliseconds: number) => new Date(Date.now() - milliseconds).toISOString()
    const summary = async (handler: unknown, payload: object) => {
      const { status, summary } = await deliver(handler as Handler<never>, payload)
      expect(status).toBe(200)
      return summary
    }
    const writtenAt = async (table: string) =>
      (
        await byPerson(
          `select max(at) as at from bridge.outbox where table_name = '${table}' and coalesce(origin, '') = ''`,
        )
      ).rows[0]?.['at'].toISOString()
    const stays = (what: string, time: string, why: string) =>
      `${what} stays as it is: what was sent is of ${time}, and ${why}`

    test('a product: is refused where the shop has changed it since, or a later one was applied', async () => {
      const update = (updatedAt: string, description: string) =>
        summary(updateProduct, { product: { sku: 'TM-1', description, updated_at: updatedAt } })
      const [before, later] = [ago(1000), ago(-1000)]
      await byPerson(
        `update spree_products
            set description = 'ours', updated_at = clock_timestamp() at time zone 'UTC'
          where slug = 'tin-mug'`,
      )
      const why = stays('Product TM-1', before, 'the shop changed it at')
      expect(await update(before, 'theirs')).toMatch(why)
      await collecting.all()
      expect(await update(before, 'theirs')).toMatch(why)
      expect(await update(later, 'theirs')).toBe('Product TM-1 updated')
      await collecting.all()
      expect(await update(before, 'older')).toMatch('a later update was applied, of')
    })

    test('an order: its own time, as it was told, is not older than it', async () => {
      const update = (updatedAt: string, email: string) =>
        summary(updateOrder, { order: { id: number, email, updated_at: updatedAt } })
      const email = async () =>
        (await byPerson('select email from spree_orders where id = 41')).rows[0]?.['email']
      const before = ago(2000)
      await byPerson(
        `update spree_orders set email = 'ours@example.com', updated_at = clock_timestamp() at time zone 'utc' where id = 41`,
      )
      const why = `the shop changed it at ${await writtenAt('spree_orders')}`
      expect(await update(before, 'theirs@example.com')).toBe(
        stays(`The email of order ${number}`, before, why),
      )
      const told = String((await collecting.all())[0]?.payload['updated_at'])
      expect(await update(before, 'theirs@example.com')).toMatch(
        stays(`The email of order ${number}`, before, 'the shop changed it at'),
      )
      expect(await email()).toBe('ours@example.com')
      // In whole seconds, as the stores' own code tells it; and what is made of the same order, one after the other.
      for (const time of [`${told.slice(0, 19)}Z`, told, told]) {
        await byPerson(
          `update spree_orders set updated_at = clock_timestamp() at time zone 'utc' where id = 41`,
        )
        expect(await update(time, `${time}@example.com`)).toBe(`Updated Order with number ${number}`)
        await collecting.all()
      }
      expect(await update(before, 'older@example.com')).toMatch(`The email of order ${number} stays as it is`)
      expect(await email()).toBe(`${told}@example.com`)
    })

    test('an order: within the second in which it was told, what the shop changed later is newer', async () => {
      const update = (time: string, email: string) =>
        summary(updateOrder, { order: { id: number, email, updated_at: time } })
      const byShop = async (time: string, email: string) => {
        await byPerson(`update spree_orders set email = '${email}', updated_at = '${time}' where id = 41`)
        await collecting.all()
      }
      const day = new Date(Date.now() + 3_600_000).toISOString().slice(0, 13)
      await byShop(`${day}:10:10.100`, 'first@example.com')
      await byShop(`${day}:10:10.900`, 'second@example.com')
      const [first, second] = [`${day}:10:10.100Z`, `${day}:10:10.900Z`]
      expect(await update(first, 'theirs@example.com')).toBe(
        stays(`The email of order ${number}`, first, `the shop changed it at ${second}`),
      )
      for (const time of [second, `${day}:10:10Z`])
        expect(await update(time, 'theirs@example.com')).toBe(`Updated Order with number ${number}`)
      await byShop(new Date().toISOString(), 'clara@example.com')
      await byPerson('delete from bridge.heard')
    })

    test('an order: is refused where the shop has taken back what an earlier one set', async () => {
      const update = (time: string, email: string) =>
        summary(updateOrder, { order: { id: number, email, updated_at: time } })
      const byShop = () =>
        byPerson(
          `update spree_orders set email = 'clara@example.com', updated_at = clock_timestamp() at time zone 'utc' where id = 41`,
        )
      await byShop()
      await collecting.all()
      const first = ago(0)
      await pause(3)
      const second = ago(0)
      await pause(3)
      expect(await update(first, 'theirs@example.com')).toBe(`Updated Order with number ${number}`)
      await byShop()
      await collecting.all()
      expect(await update(second, 'late@example.com')).toMatch(
        stays(`The email of order ${number}`, second, 'the shop changed it at'),
      )
      await byPerson('delete from bridge.heard')
    })

    test('an order: what was said of its state is not lost behind what was said of its address', async () => {
      const update = (time: string, more: object) =>
        summary(updateOrder, { order: { id: number, updated_at: time, ...more } })
      const marks = async () =>
        (
          await byPerson(
            `select ${isSix ? 'status' : 'state'} as state, email from spree_orders where id = 41`,
          )
        ).rows[0]
      const [first, second, third] = [ago(3000), ago(2000), ago(1000)]
      await byPerson(`update bridge.baseline set changed_at = '${first}' where aggregate = 'order:41'`)
      expect(await update(second, { email: 'second@example.com' })).toBe(
        `Updated Order with number ${number}`,
      )
      expect(await update(first, { status: 'canceled' })).toBe(`Updated Order with number ${number}`)
      expect(await marks()).toEqual({ state: 'canceled', email: 'second@example.com' })
      const why = stays(`The email of order ${number}`, first, `a later update was applied, of ${second}`)
      expect(await update(first, { email: 'first@example.com' })).toBe(why)
      expect(await update(first, { status: 'complete', email: 'first@example.com' })).toBe(
        `Updated Order with number ${number}. ${why}`,
      )
      expect(await update(third, { status: 'complete' })).toBe(`Updated Order with number ${number}`)
      expect(await update(second, { status: 'canceled' })).toMatch(
        `The state of order ${number} stays as it is`,
      )
      expect(await marks()).toEqual({ state: isSix ? 'placed' : 'complete', email: 'second@example.com' })
      await collecting.all()
    })

    test('an order, a parcel: what an earlier version has noted of the whole still counts', async () => {
      const parcel = isSix ? 'R1041-F1' : 'H50417700151'
      const [first, second] = [ago(2000), ago(1000)]
      await byPerson(
        `update bridge.baseline set changed_at = null where aggregate = 'order:41';
         insert into bridge.heard values ('order:41', '${second}'), ('shipment:51', '${second}')`,
      )
      for (const [handler, payload, what] of [
        [updateOrder, { order: { id: number, email: 'old@example.com' } }, `The email of order ${number}`],
        [updateShipment, { shipment: { id: parcel, tracking: 'OLD' } }, `The tracking of shipment ${parcel}`],
      ] as const) {
        const [[kind, object]] = Object.entries(payload) as [[string, object]]
        expect(await summary(handler, { [kind]: { ...object, updated_at: first } })).toBe(
          stays(what, first, `a later update was applied, of ${second}`),
        )
      }
    })

    test('whoever holds a transaction open, what waits is read once, and then only what came meanwhile', async () => {
      const parcel = isSix ? 'R1041-F1' : 'H50417700151'
      const writer = await database.pool.connect()
      await writer.query('begin; select pg_current_xact_id()')
      // As of an empty table, which is what it is most of the time.
      await byPerson('analyze bridge.outbox')
      await byPerson(
        `insert into bridge.outbox (kind, table_name, row_id, op)
         select kind, 'spree_' || kind || 's', '0', 'update'
           from unnest(array['order', 'product']) kind, generate_series(1, 10000)`,
      )
      const reads = async (handler: unknown, payload: object) =>
        inTransaction(database.pool, async (db) => {
          const readSoFar = async () => {
            const { rows } = await db.query<{ reads: number }>(
              `select (seq_tup_read + idx_tup_fetch)::integer as reads
                 from pg_stat_xact_user_tables where relid = 'bridge.outbox'::regclass`,
            )
            return rows[0]!.reads
          }
          const before = await readSoFar()
          await applyMessage(db, collecting.store, handler as Handler<unknown>, payload)
          return (await readSoFar()) - before
        })
      await summary(updateShipment, { shipment: { id: parcel, tracking: 'BEFORE' } })
      const now = ago(0)
      try {
        for (const [handler, payload] of [
          [updateProduct, { product: { sku: 'TM-1', description: now, updated_at: now } }],
          [updateOrder, { order: { id: number, email: `${Date.now()}@example.com`, updated_at: now } }],
          [updateShipment, { shipment: { id: parcel, tracking: now, updated_at: now } }],
        ] as const)
          expect(await reads(handler, payload)).toBeLessThan(20_100)
      } finally {
        await writer.query('rollback')
        writer.release()
        await byPerson(`delete from bridge.outbox where row_id = '0'`)
      }
      await collecting.all()
    })

    test('an order, a parcel: is locked once the outbox was read; what the shop writes meanwhile is seen', async () => {
      const time = ago(0)
      await pause(5)
      const parcel = isSix ? 'R1041-F1' : 'H50417700151'
      const tracking = isSix
        ? `update spree_deliveries set tracking_number = 'JUST NOW' where owner_id = 51`
        : `update spree_shipments set tracking = 'JUST NOW' where id = 51`
      for (const [handler, payload, change, what] of [
        [
          updateOrder,
          { order: { id: number, email: 'late@example.com', updated_at: time } },
          `update spree_orders set email = 'just.now@example.com' where id = 41`,
          `The email of order ${number}`,
        ],
        [
          updateShipment,
          { shipment: { id: parcel, tracking: 'LATE', updated_at: time } },
          `select from spree_orders where id = 41 for no key update; ${tracking}`,
          `The tracking of shipment ${parcel}`,
        ],
      ] as const) {
        const reader = await database.pool.connect()
        const person = await database.pool.connect()
        await reader.query('begin; lock table bridge.outbox')
        const answered = summary(handler, payload)
        await untilItWaits()
        // Nobody waits for the reading of the outbox.
        await person
          .query(`begin; select from spree_orders where id = 41 for update nowait`)
          .finally(() => reader.query('commit'))
        await untilItWaits()
        await person.query(`${change}; commit`)
        expect(await answered).toMatch(stays(what, time, 'the shop changed it at'))
        reader.release()
        person.release()
      }
      await collecting.all()
    })

    test('a parcel: is refused where the shop has just changed it, or a later one was applied', async () => {
      const parcel = isSix ? 'R1041-F1' : 'H50417700151'
      const table = isSix ? 'spree_deliveries' : 'spree_shipments'
      const update = (updatedAt: string, tracking: string) =>
        summary(updateShipment, { shipment: { id: parcel, tracking, updated_at: updatedAt } })
      const before = ago(1000)
      await byPerson(
        isSix
          ? `update ${table} set tracking_number = 'OURS' where owner_id = 51`
          : `update ${table} set tracking = 'OURS' where id = 51`,
      )
      const why = `the shop changed it at ${await writtenAt(table)}`
      expect(await update(before, 'THEIRS')).toBe(stays(`The tracking of shipment ${parcel}`, before, why))
      await collecting.all()
      const now = ago(0)
      for (const tracking of ['THEIRS', 'THEIRS 2'])
        expect(await update(now, tracking)).toBe(`Updated shipment ${parcel}`)
      expect(await update(before, 'OLDER')).toBe(
        stays(`The tracking of shipment ${parcel}`, before, `a later update was applied, of ${now}`),
      )
      // A person takes out what was said last: what was said before that does not come back.
      await byPerson(
        isSix
          ? `delete from ${table} where owner_id = 51`
          : `update ${table} set tracking = null where id = 51`,
      )
      const tracking = async () =>
        (
          await byPerson(
            isSix
              ? `select tracking_number as tracking from ${table} where owner_id = 51`
              : `select tracking from ${table} where id = 51`,
          )
        ).rows[0]?.['tracking'] ?? null
      expect(await update(before, 'OLDER')).toBe(
        stays(`The tracking of shipment ${parcel}`, before, `a later update was applied, of ${now}`),
      )
      expect(await tracking()).toBe(null)
      expect(await update(now, 'THEIRS')).toBe(`Updated shipment ${parcel}`)
      expect(await tracking()).toBe('THEIRS')
      await collecting.all()
    })

    test('a parcel: leaves, whatever was said of it since', async () => {
      const parcel = isSix ? 'R1042-F1' : 'H50417700152'
      const update = (time: string, more: object) =>
        deliver(updateShipment as Handler<never>, { shipment: { id: parcel, updated_at: time, ...more } })
      const shipped = { status: 'shipped', tracking: 'FIRST' }
      const [first, second, third] = [ago(3000), ago(2000), ago(1000)]
      const id = idOf(Date.now())
      const attempt = (message = id) =>
        deliver(
          updateShipment as Handler<never>,
          { shipment: { id: parcel, updated_at: first, ...shipped } },
          message,
        )
      expect(await attempt()).toMatchObject({ status: 500 })
      expect(await update(third, { tracking: 'THIRD' })).toMatchObject({ status: 200 })
      // It is paid for, and the shop says so in a row that the collector has not taken yet.
      await byPerson(
        isSix
          ? `update spree_orders set payment_total = total where id = 42;
             update spree_fulfillments set cost = cost + 1 where id = 52`
          : `update spree_orders set payment_total = total, payment_state = 'paid' where id = 42;
             update spree_inventory_units set state = 'on_hand' where shipment_id = 52;
             update spree_shipments set state = 'ready' where id = 52`,
      )
      expect(await attempt()).toMatchObject({
        status: 200,
        summary: `Updated shipment ${parcel}. The tracking of shipment ${parcel} stays as it is: what was sent is of ${first}, and the shop changed it at ${await writtenAt(isSix ? 'spree_fulfillments' : 'spree_shipments')}`,
      })
      expect(await collecting.all()).toMatchObject([
        { payload: { shipments: [{ state: 'shipped', tracking: 'THIRD' }] } },
      ])
      expect(await update(ago(4000), { status: 'ready' })).toMatchObject({
        status: 200,
        summary: expect.stringMatching(`The state of shipment ${parcel} stays as it is: .* a later update`),
      })
      expect(await update(second, { status: 'ready' })).toMatchObject({ status: 500 })
    })
  })

  // A level that was so at an earlier time. The clock of these tests is three hours behind, and stands still in between.
  describe('a level as of a time', () => {
    const START = Math.floor(Date.now() / 1_000) * 1_000 - 3 * 3_600_000
    const at = (minute: number) => new Date(START + minute * 60_000).toISOString()
    const newId = (minute: number) => idOf(START + minute * 60_000)
    /** What the shop and its hub write in `work` is of that minute. */
    const atMinute = async <T>(minute: number, work: () => Promise<T>): Promise<T> => {
      const result = await work()
      await byPerson(
        `update bridge.outbox set at = '${at(minute)}' where at > '${at(170)}';
         update bridge.stock_count set as_of = '${at(minute)}' where as_of > '${at(170)}'`,
      )
      return result
    }
    const level = async (row = 306) =>
      (await byPerson(`select count_on_hand as level from ${stock} where id = ${row}`)).rows[0]?.['level']
    const sell = (pieces: number, row = 306) =>
      byPerson(`update ${stock} set count_on_hand = count_on_hand - ${pieces} where id = ${row}`)
    const actual = (quantity: number, minute: number, id?: string) =>
      deliver(stockActual as Handler<never>, { sku: 'BC-01', quantity, as_of: at(minute) }, id)
    /** Nothing is known of the past but that the level is so. */
    const begin = async (pieces: number) => {
      await byPerson(
        `update ${stock} set count_on_hand = case id when 306 then ${pieces} else 15 end where id in (306, 314)`,
      )
      await collecting.all()
      await byPerson('delete from bridge.stock_ledger; delete from bridge.stock_count')
    }
    beforeAll(async () => {
      await byPerson(
        `update bridge.watched set installed_at = now() - interval '1 day';
         update bridge.installation set adopted_at = now() - interval '1 day'`,
      )
    })

    test('what the shop sold there since comes off it, collected or not', async () => {
      await begin(40)
      await atMinute(9, () => sell(1))
      await atMinute(11, () => sell(3))
      await atMinute(12, () => sell(4, 314))
      await collecting.all()
      await atMinute(13, () => sell(2))
      const id = newId(14)
      const answer = await actual(20, 10, id)
      expect(answer).toEqual({
        outcome: 'applied',
        status: 200,
        message_id: id,
        notifications: [
          {
            level: 'info',
            subject: 'stock:actual',
            description: 'received 20 for sku BC-01, changed stock from 34 to 15 (force = true)',
          },
          {
            level: 'info',
            subject: 'stock:actual',
            description: `of sku BC-01 -5 moved since ${at(10)}, when the level was 20`,
          },
        ],
        sku: 'BC-01',
        quantity: 20,
        from: 34,
        to: 15,
        as_of: at(10),
        since: -5,
      })
      expect([await level(), await level(314)]).toEqual([15, 11])
      expect(await collecting.all()).toMatchObject([
        { type: 'stock:change', payload: { sku: 'BC-01', quantity: -2 } },
      ])
      expect(await actual(20, 10, id)).toEqual({ ...answer, outcome: 'repeated' })
      expect(await level()).toBe(15)
    })

    test('one of an earlier time than one that was applied is refused, and stays so', async () => {
      await begin(40)
      await atMinute(15, () => actual(20, 10))
      const id = newId(9)
      const refused = await actual(30, 9, id)
      expect(refused).toEqual({
        outcome: 'applied',
        status: 200,
        message_id: id,
        notifications: [
          {
            level: 'warn',
            subject: 'stock:actual',
            description: `left stock for sku BC-01 at 20: 30 is as of ${at(9)}, and a level as of ${at(10)} was applied already`,
          },
        ],
        sku: 'BC-01',
        quantity: 30,
        from: 20,
        to: 20,
      })
      expect(await level()).toBe(20)
      expect(await actual(30, 9, id)).toEqual({ ...refused, outcome: 'repeated' })
      // What the former has corrected is no movement.
      expect(await atMinute(16, () => actual(30, 11))).toMatchObject({ from: 20, to: 30, since: 0 })
      // One without a time is of when it came.
      await atMinute(17, () => deliver(stockActual as Handler<never>, { sku: 'BC-01', quantity: 50 }))
      expect(await actual(7, 16)).toMatchObject({ status: 200, notifications: [{ level: 'warn' }], to: 50 })
      expect(await actual(7, 18)).toMatchObject({ from: 50, to: 7, since: 0 })
      // Also where it finds the stock right and moves nothing, and two that say so together.
      const right = { sku: 'BC-01', quantity: 7 }
      const together = [right, right, { sku: 'TM-1', quantity: 50 }]
      const found = await Promise.all(
        together.map((payload) => deliver(stockActual as Handler<never>, payload)),
      )
      expect(found).toMatchObject([{ from: 7, to: 7 }, { from: 7, to: 7 }, {}])
      expect(await actual(30, 20)).toMatchObject({ status: 200, notifications: [{ level: 'warn' }], to: 7 })
    })

    test('what a hub said before that time is in the level, what it said after comes on top', async () => {
      await begin(40)
      const receipt = (quantity: number, minute: number) =>
        deliver(stockChange as Handler<never>, { sku: 'BC-01', quantity }, newId(minute))
      await atMinute(12, () => receipt(5, 9))
      await atMinute(13, () => receipt(7, 11))
      // What the shop does because a hub asked it to, as for an order that it imports, is the shop's movement.
      await atMinute(14, () =>
        inTransaction(database.pool, async (db) => {
          await db.query(`select set_config('bridge.origin', $1, true)`, [originOf(newId(9), new Date())])
          await db.query(`update ${stock} set count_on_hand = count_on_hand - 4 where id = 306`)
        }),
      )
      expect(await actual(20, 10)).toMatchObject({ from: 48, to: 23, since: 3 })
    })

    test('of what came together and was said in part before that time, it is not known', async () => {
      await begin(40)
      const send = (sku: string, quantity: number, minute: number, handler: unknown = stockChange) =>
        deliver(handler as Handler<never>, { sku, quantity }, newId(minute))
      const together = [send('TM-1', 9, 8, stockActual), send('BC-01', 5, 9), send('BC-01', 7, 11)]
      await atMinute(13, () => Promise.all(together))
      const origins = await byPerson(`select origin from bridge.outbox where row_id = '306'`)
      expect(origins.rows).toHaveLength(1)
      expect(await actual(20, 10)).toMatchObject({ status: 500 })
      expect(await actual(20, 8)).toMatchObject({ from: 52, to: 32, since: 12 })
      expect(await actual(20, 12)).toMatchObject({ from: 32, to: 20, since: 0 })
    })

    test('a sale that is under way is waited for', async () => {
      await begin(40)
      const sale = await database.pool.connect()
      await sale.query(`begin; update ${stock} set count_on_hand = 33 where id = 306`)
      const answered = actual(20, 10)
      await untilItWaits()
      await sale.query('commit')
      sale.release()
      expect(await answered).toMatchObject({ from: 33, to: 13, since: -7 })
    })

    test('an inventory as of a time', async () => {
      await begin(40)
      const set = (quantity: number, minute: number) =>
        deliver(setInventory as Handler<never>, {
          inventory: { location: 'Portland warehouse', product_id: 'BC-01', quantity, as_of: at(minute) },
        })
      await atMinute(11, () => sell(3))
      expect(await set(20, 10)).toMatchObject({
        status: 200,
        summary: `Set inventory for BC-01 at Portland warehouse from 37 to 17: 20 as of ${at(10)}, and -3 since`,
      })
      expect(await set(20, 9)).toMatchObject({
        status: 200,
        summary: `Inventory for BC-01 at Portland warehouse stays 17: 20 is as of ${at(9)}, and a level as of ${at(10)} was applied already`,
      })
      expect(await level()).toBe(17)
    })

    test('where nobody can tell what moved since, it is said and nothing is written', async () => {
      await begin(40)
      const refused = async (minute: number, why: RegExp) => {
        const { status, notifications } = await actual(20, minute)
        expect({ status, notifications }).toMatchObject({
          status: 500,
          notifications: [
            { level: 'error', subject: 'stock:actual', description: expect.stringMatching(why) },
          ],
        })
        expect(await level()).toBe(40)
      }
      await refused(-24 * 60, /since .* cannot be told: movements are known since 20/)
      await refused(300, /said to be as of .*, and here it is .*: correct the time/)
      for (const [open, close] of [
        [`insert into bridge.unmapped values ('product:13', 'a test')`, 'delete from bridge.unmapped'],
        [
          `insert into bridge.outbox (kind, table_name, row_id, op, parent) values ('stock', 'request', '13', 'compare', '108')`,
          'delete from bridge.outbox',
        ],
      ] as const) {
        await byPerson(open)
        await refused(10, /cannot be told: changes of stock went unrecorded after it/)
        await byPerson(close)
      }
      await byPerson(`insert into bridge.gap (kind, reason, closed_at) values ('stock', 'fuse', '${at(11)}')`)
      await refused(10, /cannot be told: changes of stock went unrecorded after it/)
      await byPerson(
        `insert into bridge.stock_ledger (variant_id, delta, at) values ('108', -2, '${at(12)}')`,
      )
      await refused(11, /cannot be told: of some pieces it is not known when or where they moved/)
      expect(await actual(20, 13)).toMatchObject({ status: 200, from: 40, to: 20 })
      await byPerson('delete from bridge.gap')
    })

    type Step =
      | Readonly<{ is: 'sale'; pieces: number }>
      | Readonly<{ is: 'level'; pieces: number }>
      | Readonly<{ is: 'receipt'; pieces: number; ago: number }>
      | Readonly<{ is: 'count'; pieces: number; ago: number }>
      | Readonly<{ is: 'look' }>
    const pieces = fc.integer({ min: 0, max: 30 })
    const ago = fc.integer({ min: 0, max: 6 })
    const steps = fc.array(
      fc.oneof(
        { weight: 4, arbitrary: fc.record({ is: fc.constant('sale' as const), pieces }) },
        { weight: 4, arbitrary: fc.record({ is: fc.constant('count' as const), pieces, ago }) },
        { weight: 2, arbitrary: fc.record({ is: fc.constant('receipt' as const), pieces, ago }) },
        { weight: 1, arbitrary: fc.record({ is: fc.constant('level' as const), pieces }) },
        { weight: 1, arbitrary: fc.record({ is: fc.constant('look' as const) }) },
      ),
      { minLength: 4, maxLength: 10 },
    )

    test('sales, receipts and counts in any order come to what a person would reckon', async () => {
      const play = async (minute: number, step: Step) => {
        if (step.is === 'look') await collecting.all()
        else if (step.is === 'sale') await sell(step.pieces)
        else if (step.is === 'count') await actual(step.pieces, minute - step.ago)
        else {
          const handler = step.is === 'level' ? stockActual : stockChange
          const made = step.is === 'level' ? minute : minute - step.ago
          await deliver(handler as Handler<never>, { sku: 'BC-01', quantity: step.pieces }, newId(made))
        }
      }
      await fc.assert(
        fc.asyncProperty(steps, async (played) => {
          await begin(50)
          // The person's notes: what moved, by when it did or was told of, and of when the last word on the level is.
          let reckoned = 50
          let lastWord = -1_000
          const moved: { minute: number; by: number }[] = []
          for (const [index, step] of played.entries()) {
            const minute = 10 + index
            await atMinute(minute, () => play(minute, step))
            if (step.is === 'look') continue
            if (step.is === 'sale' || step.is === 'receipt') {
              const by = step.is === 'sale' ? -step.pieces : step.pieces
              moved.push({ minute: step.is === 'sale' ? minute : minute - step.ago, by })
              reckoned += by
            } else if (step.is === 'level') {
              lastWord = minute
              reckoned = step.pieces
            } else if (minute - step.ago >= lastWord) {
              lastWord = minute - step.ago
              const since = moved.filter((movement) => movement.minute > lastWord)
              reckoned = since.reduce((sum, { by }) => sum + by, step.pieces)
            }
            expect(await level()).toBe(reckoned)
          }
        }),
        { numRuns: family === 'spree-4.10' ? 15 : 5 },
      )
    })
  })
})

/** The rule is the same whatever the family: the second shows that its tables are read right. */
const SHOPS = [
  { family: 'spree-4.10', size: 800 },
  { family: 'spree-6.0', size: 200 },
] as const
const STEPS = 9
const STEP_MS = 10 * 60_000
const START = Date.now() - STEPS * STEP_MS

type Content = { name: string; price: string }
/** A product of the interleavings: what its hub has made, has been told of, and believes. */
type Trader = {
  id: string
  sku: string
  prices: { value: string; madeAt: number }[]
  hub: Content
  told: Content | undefined
  byPerson: boolean
}

// The hub sends two prices, a person renames or reprices or does nothing, the collector looks, messages are acknowledged:
// each at its own time, in any order. A step is ten minutes on the clock by which the rule tells what crossed.
// An object does not say who spoke of it last: the hub keeps it by its id, and what it sends may be another's words on it.
describe('an object that a store has pushed, sent back to it', () => {
  let database: TestDatabase
  let collecting: Collecting

  beforeAll(async () => {
    database = await createStore('spree-4.10', 'fixture')
    collecting = await startCollecting(database, {
      hubDialect: 'wombat',
      orders: 'generic',
      stock: 'actual',
      stockBy: 'location',
    })
  })
  afterAll(() => database.drop())

  const sell = () =>
    database.pool.query('update spree_stock_items set count_on_hand = count_on_hand - 1 where id = 306')
  const level = async () =>
    (await database.pool.query('select count_on_hand from spree_stock_items where id = 306')).rows[0]?.[
      'count_on_hand'
    ]
  const pushed = async (root: string) => {
    const payload = (await collecting.all()).find(({ type }) => type === root)?.payload
    if (payload === undefined) throw new Error(`none of ${root} was pushed`)
    return payload
  }
  const sendBack = <Payload>(handler: Handler<Payload>, payload: object) =>
    inTransaction(database.pool, (db) => applyMessage(db, collecting.store, handler, payload))

  test('a level undoes what was sold since; not where it says of when it is', async () => {
    const before = await level()
    await sell()
    const inventory = await pushed('inventories')
    expect(inventory).toMatchObject({ product_id: 'BC-01', quantity: before - 1 })
    const { rows } = await database.pool.query('select clock_timestamp() as now')
    await pause(5)
    await sell()
    await sendBack(setInventory, { inventory: { ...inventory, as_of: rows[0]?.['now'].toISOString() } })
    expect(await level()).toBe(before - 2)
    await sendBack(setInventory, { inventory })
    expect(await level()).toBe(before - 1)
  })

  test('an order says of when it is, and overwrites nothing newer', async () => {
    const become = (email: string) =>
      database.pool.query(
        `update spree_orders set email = $1, updated_at = clock_timestamp() at time zone 'utc' where id = 41`,
        [email],
      )
    await become('first@example.com')
    const order = await pushed('orders')
    expect(order).toMatchObject({ email: 'first@example.com' })
    await pause(5)
    await become('second@example.com')
    await sendBack(updateOrder, { order })
    const { rows } = await database.pool.query('select email from spree_orders where id = 41')
    expect(rows).toEqual([{ email: 'second@example.com' }])
  })
})

describe.each(SHOPS)('price, person and price in $family', ({ family, size }) => {
  test(`${size} random interleavings: the hub knows in the end what the store has`, async () => {
    const seed = Date.now() % 1_000_000
    const random = createRandom(seed)
    const database = await createStore(family, 'fixture')
    const { pool } = database
    try {
      await makeProducts(database)
      const collecting = await startCollecting(database)
      const { rows } = await pool.query<{ id: string; sku: string; variant: string }>(
        `select product_id::text as id, sku, id::text as variant from spree_variants where sku ~ '^IL-' order by id`,
      )
      const variants = new Map(rows.map(({ id, variant }) => [id, variant]))
      const traders = rows.map<Trader>(({ id, sku }) => ({
        id,
        sku,
        prices: [],
        hub: { name: sku, price: '10.0' },
        told: undefined,
        byPerson: false,
      }))
      const byAggregate = new Map(traders.map((trader) => [`product:${trader.id}`, trader]))

      // Deals with each product's part of a plan at the step that chance gives it.
      const plan = traders.map((trader) => {
        const at = () => random.between(0, STEPS - 1)
        const made = [at(), at()].sort((a, b) => a - b)
        return {
          trader,
          made,
          applied: made.map((step) => random.between(step, STEPS - 1)).sort((a, b) => a - b),
          person: random.pick(['renames', 'reprices', 'nothing'] as const),
          acts: at(),
        }
      })
      const applyPrice = (trader: Trader, { value, madeAt }: Trader['prices'][number]) =>
        inTransaction(pool, async (db) => {
          const payload = { sku: trader.sku, price: value }
          await applyMessage(db, collecting.store, productUpdate, payload, {}, { madeAt: new Date(madeAt) })
        })
      const act = async (trader: Trader, person: 'renames' | 'reprices') => {
        trader.byPerson = true
        if (person === 'renames')
          await pool.query(`update spree_products set name = name || ' renamed' where id = $1`, [trader.id])
        else
          await pool.query('update spree_prices set amount = 99.5 where variant_id = $1', [
            variants.get(trader.id),
          ])
      }
      const acknowledge = async (now: number, chance: number) => {
        const waiting = await pool.query<{ id: string; aggregate: string; payload: string }>(
          'select id::text, aggregate, payload from bridge.message order by xid, id',
        )
        const taken = waiting.rows.filter(
          ({ aggregate }) => byAggregate.has(aggregate) && random.chance(chance),
        )
        const first = new Map([...taken].reverse().map((message) => [message.aggregate, message]))
        for (const { aggregate, payload } of first.values()) {
          const { name, price } = JSON.parse(payload) as Content
          const trader = byAggregate.get(aggregate)!
          trader.hub = { name, price }
          trader.told = { name, price }
        }
        // What the settler writes when the hub has taken a message, and what came before it of the same product.
        await pool.query(
          `with gone as (
             delete from bridge.message m
              using unnest($1::text[], $2::bigint[]) done (aggregate, id)
              where m.aggregate = done.aggregate and m.id <= done.id
              returning m.aggregate, m.type
           )
           insert into bridge.acknowledged as a (aggregate, type, at)
           select distinct aggregate, type, $3::timestamptz from gone
           on conflict (aggregate, type) do update set at = excluded.at`,
          [[...first.keys()], [...first.values()].map(({ id }) => id), new Date(now)],
        )
      }

      for (let step = 0; step < STEPS; step++) {
        const now = START + step * STEP_MS
        for (const { trader, made } of plan) {
          for (const _ of made.filter((at) => at === step)) {
            const value = `${20 + trader.prices.length}.${random.between(10, 99)}`
            trader.prices.push({ value, madeAt: now })
            trader.hub = { ...trader.hub, price: value }
          }
        }
        // A product's own acts in an order that chance makes, but its hub's messages as the hub sends them: in order.
        const work = plan.map(({ trader, applied, person, acts }) => {
          const due = trader.prices.filter((_, index) => applied[index] === step)
          const own = due.map((price) => () => applyPrice(trader, price))
          if (acts === step && person !== 'nothing')
            own.splice(random.between(0, own.length), 0, () => act(trader, person))
          return async () => {
            for (const one of own) await one()
          }
        })
        // Half of it, perhaps a look at some of it, an acknowledgement in between, the other half.
        const half = Math.floor(work.length / 2)
        await inLanes(work.slice(0, half))
        for (let looks = random.between(0, 2); looks > 0; looks--) await collecting.look()
        await acknowledge(now, random.pick([0, 0.5, 1]))
        await inLanes(work.slice(half))
        for (let looks = random.between(0, 4); looks > 0; looks--) await collecting.look()
        await acknowledge(now, random.pick([0, 0.5, 1]))
      }
      await collecting.all()
      for (let round = 0; round < 3; round++) await acknowledge(START + STEPS * STEP_MS, 1)

      const stored = new Map(
        [
          ...(await collecting.store.products(
            pool,
            traders.map(({ id }) => id),
          )),
        ].map(([id, product]) => {
          if (product instanceof Error) throw product
          return [id, product]
        }),
      )
      const apart = traders.flatMap((trader) => {
        const product = stored.get(trader.id)
        const has = { name: product?.name, price: Number(product?.price) }
        const knows = { name: trader.hub.name, price: Number(trader.hub.price) }
        return JSON.stringify(has) === JSON.stringify(knows) ? [] : [{ sku: trader.sku, has, knows, seed }]
      })
      expect(apart).toEqual([])
      // Where no person did anything, nothing was ever announced; where one did, it was.
      expect(traders.filter(({ byPerson, told }) => !byPerson && told !== undefined)).toEqual([])
      expect(traders.filter(({ byPerson, told }) => byPerson && told === undefined)).toEqual([])
      expect(traders.filter(({ byPerson }) => byPerson).length).toBeGreaterThan(size / 2)
    } finally {
      await database.drop()
    }
  })

  /** Products `IL-0001` and on, at 10.00, written as bare as the tables allow. */
  async function makeProducts({ pool }: TestDatabase): Promise<void> {
    const master = family === 'spree-4.10'
    await pool.query(
      `with made as (
         insert into spree_products (name, slug, status, created_at, updated_at)
         select sku, lower(sku), 'active', now(), now()
           from (select 'IL-' || lpad(n::text, 4, '0') as sku from generate_series(1, $1::integer) n) s
         returning id, name
       ), variants as (
         insert into spree_variants (product_id, sku, is_master, position, created_at, updated_at)
         select id, name, $2, 1, now(), now() from made
         returning id
       )
       insert into spree_prices (variant_id, currency, amount, created_at, updated_at)
       select id, 'USD', 10, now(), now() from variants`,
      [size, master],
    )
  }
})

const LANES = 6

/** Several at a time, each lane one after the other. */
async function inLanes(work: readonly (() => Promise<void>)[]): Promise<void> {
  await Promise.all(
    Array.from({ length: LANES }, async (_, lane) => {
      for (let index = lane; index < work.length; index += LANES) await work[index]?.()
    }),
  )
}
