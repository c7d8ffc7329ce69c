import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import type { Handler } from '../../src/apply/handler.ts'
import { hubPoll } from '../../src/apply/hub-poll.ts'
import { orderCapture } from '../../src/apply/order-capture.ts'
import { orderShip } from '../../src/apply/order-ship.ts'
import { confirmedShipment, shipmentConfirm } from '../../src/apply/shipment-confirm.ts'
import { createShape } from '../../src/messages/shaping/shape.ts'
import type { Connection } from '../../src/postgres/pool.ts'
import { inTransaction } from '../../src/postgres/transaction.ts'
import { openStore, type Store } from '../../src/store/store.ts'
import { ifSamples, readReferenceSample } from '../messages/reference-samples.ts'
import { applyMessage } from '../support/applying.ts'
import type { TestDatabase } from '../support/postgres.ts'
import { createStore } from '../support/stores.ts'
import { type Difference, differences, type Picture, takePicture } from '../support/table-diff.ts'

// What services of the Spree endpoint do to placed orders (protocol §7.2, §7.4, §7.5), in the shop of the fixtures: of order
// 45 one parcel has left and one waits, 41 has left, 42 is not paid, 43 is canceled, 44 waits for two pieces.

const four = {
  isSix: false,
  orders: {
    shipped: 'R204817351',
    unpaid: 'R204817352',
    canceled: 'R204817353',
    short: 'R204817354',
    half: 'R204817355',
  },
  parcels: {
    shipped: 'H50417700151',
    unpaid: 'H50417700152',
    canceled: 'H50417700153',
    short: 'H50417700154',
    half: 'H50417700157',
  },
} as const
const families = {
  'spree-4.10': four,
  'spree-4.7': four,
  'spree-3.7': four,
  'spree-5.6': four,
  'solidus-4': four,
  'spree-6.0': {
    isSix: true,
    orders: { shipped: 'R1041', unpaid: 'R1042', canceled: 'R1043', short: 'R1044', half: 'R1045' },
    parcels: {
      shipped: 'R1041-F1',
      unpaid: 'R1042-F1',
      canceled: 'R1043-F1',
      short: 'R1044-F1',
      half: 'R1045-F2',
    },
  },
} as const
type Family = keyof typeof families

const changed = (table: string, columns: Record<string, unknown>): Difference => ({
  table,
  was: 'changed',
  columns: { ...columns, updated_at: '<time>' },
})
const inserted = (table: string, columns: Record<string, unknown>): Difference => ({
  table,
  was: 'inserted',
  columns: { ...columns, created_at: '<time>', updated_at: '<time>' },
})
const stateChange = (of: string, id: number, name: string, from: string, to: string, user: number | null) =>
  inserted('spree_state_changes', {
    name,
    previous_state: from,
    next_state: to,
    stateful_type: of,
    stateful_id: id,
    user_id: user,
  })

describe.each(Object.keys(families) as Family[])('an order in a store of %s', (family) => {
  const { isSix, orders, parcels } = families[family]
  const isSolidus = family === 'solidus-4'
  let database: TestDatabase
  let store: Store
  let db: Connection
  let seed: Picture
  let before: Picture

  beforeAll(async () => {
    database = await createStore(family, 'fixture')
    // On 6.x what was refunded of it is outstanding, and the parcel that waits may not leave: here it is paid.
    if (isSix) await database.pool.query('update spree_orders set payment_total = total where id = 45')
    store = await openStore(database.pool)
    seed = await takePicture(database.pool)
  })
  afterAll(() => database.drop())

  // What a test changes is rolled back.
  beforeEach(async () => {
    db = await database.pool.connect()
    await db.query('begin')
    before = seed
  })
  afterEach(async () => {
    await db.query('rollback')
    db.release()
  })

  const send = async <Payload>(handler: Handler<Payload>, payload: unknown) => {
    const { notifications, details } = await applyMessage(db, store, handler, payload)
    return { details, notifications, said: notifications.map(({ description }) => description) }
  }
  const since = async (picture = before) => differences(picture, await takePicture(db))
  /** The reason. */
  const refusal = async (sent: Promise<unknown>): Promise<[string, string]> => {
    const reason = await sent.then(
      () => new Error('It was applied.'),
      (error: unknown) => error,
    )
    const { name, code, message } = reason as Error & { code: string }
    expect(name).toBe('NotApplicable')
    return [code, message]
  }
  const confirm = (shipment: Record<string, unknown>) => send(shipmentConfirm, { shipment })

  const shippedRows = (tracking: string): Difference[] => {
    const tracked = { tracking, shipped_at: '<time>' }
    if (isSix)
      return [
        inserted('spree_deliveries', {
          owner_type: 'Spree::Fulfillment',
          owner_id: 57,
          store_id: 1,
          shipping_label_id: null,
          tracking_number: tracking,
          tracking_url: null,
          carrier: null,
          service: null,
          status: 'pending',
          estimated_delivery_at: null,
          delivered_at: null,
          details: null,
        }),
        changed('spree_fulfillment_items', { status: 'shipped' }),
        changed('spree_fulfillments', { status: 'fulfilled', fulfilled_at: '<time>' }),
        changed('spree_line_items', {}),
        changed('spree_orders', { fulfillment_status: 'fulfilled' }),
        changed('spree_products', {}),
        changed('spree_stock_levels', { count_on_hand: 4, allocated_count: 0 }),
        inserted('spree_stock_movements', {
          stock_level_id: 311,
          quantity: 1,
          action: null,
          originator_type: null,
          originator_id: null,
          kind: 'shipped',
          reason: null,
          order_id: 45,
          fulfillment_id: 57,
          return_id: null,
          exchange_id: null,
          stock_transfer_id: null,
          purchase_order_id: null,
          unit_cost: null,
          stock_receipt_id: null,
        }),
        changed('spree_variants', {}),
      ]
    return [
      ...(isSolidus
        ? [
            inserted('spree_cartons', {
              number: expect.stringMatching(/^C\d{11}$/),
              external_number: null,
              stock_location_id: 2,
              address_id: 66,
              shipping_method_id: 1,
              tracking,
              shipped_at: '<time>',
              imported_from_shipment_id: null,
            }),
          ]
        : []),
      changed('spree_inventory_units', {
        state: 'shipped',
        ...(isSolidus ? { carton_id: expect.any(Number) } : {}),
      }),
      changed('spree_orders', { shipment_state: 'shipped' }),
      changed('spree_shipments', { state: 'shipped', ...tracked }),
      stateChange('Spree::Shipment', 57, 'shipment', 'ready', 'shipped', isSolidus ? 1 : null),
      stateChange('Spree::Order', 45, 'shipment', 'partial', 'shipped', 1),
    ]
  }

  describe('shipment:confirm', () => {
    const half = { number: parcels.half, order_number: orders.half, status: 'shipped', tracking: '1ZHALF' }

    test('the parcel that waited leaves as the shop would let it go, and the second time nothing happens', async () => {
      const items = [{ sku: 'FS-NAVY-S', quantity: 1 }]
      const { notifications } = await confirm({ ...half, shipped_at: '2026-03-11T10:00:00+02:00', items })
      const parcel = `shipment ${parcels.half} of order ${orders.half}`
      expect(notifications).toEqual([
        {
          level: 'info',
          subject: 'shipment:confirm',
          description: `Marked ${parcel} as shipped, with tracking 1ZHALF`,
        },
      ])
      expect(await since()).toEqual(shippedRows('1ZHALF'))
      const { rows } = await db.query(
        isSix
          ? 'select fulfilled_at::text as at from spree_fulfillments where id = 57'
          : 'select shipped_at::text as at from spree_shipments where id = 57',
      )
      expect(rows).toEqual([{ at: '2026-03-11 08:00:00' }])

      const once = await takePicture(db)
      for (const again of [
        half,
        { ...half, tracking: null },
        { ...half, items, shipped_at: '2026-03-12T10:00:00Z' },
      ])
        expect((await confirm(again)).said).toEqual([
          `The ${parcel} is shipped already, with tracking 1ZHALF: nothing was changed`,
        ])
      expect(await since(once)).toEqual([])
    })

    test('of one that has left another tracking is written, and no more', async () => {
      const { said } = await send(shipmentConfirm, {
        shipment_number: parcels.shipped,
        tracking_number: '1ZOTHER',
        shipped_date: '2026-03-12T10:00:00Z',
      })
      expect(said).toEqual([
        `Updated shipment ${parcels.shipped} of order ${orders.shipped}, which was shipped already, with tracking 1ZOTHER`,
      ])
      expect(await since()).toEqual(
        isSix
          ? [changed('spree_deliveries', { tracking_number: '1ZOTHER' })]
          : [
              ...(isSolidus ? [changed('spree_cartons', { tracking: '1ZOTHER' })] : []),
              changed('spree_orders', {}),
              changed('spree_shipments', { tracking: '1ZOTHER' }),
            ],
      )
    })

    test('what cannot ship is refused with its state and what to do', async () => {
      const reasons: [Record<string, unknown>, string, RegExp][] = [
        [{ number: parcels.canceled }, 'not_shippable', /it is canceled\. Resume it/],
        [{ number: parcels.short }, 'not_shippable', /units are not all on hand \(backordered\)\. Bring in/],
        [
          { number: parcels.unpaid },
          'not_shippable',
          isSix ? /its order is not paid.* Capture/ : /it is pending, and its order is not paid\. Capture/,
        ],
        [{ number: 'H404' }, 'unknown_shipment', /no shipment H404 of a placed order/],
        [
          { ...half, order_number: 'R404' },
          'other_order',
          new RegExp(`is of order ${orders.half}, not of R404`),
        ],
        [
          { ...half, items: [{ sku: 'FS-NAVY-S', quantity: 2 }] },
          'other_pieces',
          /holds 1 of FS-NAVY-S, and the message says that 2 of FS-NAVY-S left/,
        ],
      ]
      for (const [shipment, code, text] of reasons) {
        const refused = await refusal(confirm(shipment))
        expect(refused).toEqual([code, expect.stringMatching(text)])
      }
      expect(await since()).toEqual([])
    })

    test('a parcel of which less left than it holds is not marked, however the message says so', async () => {
      const other = { part_number: 'EXT-103', quantity: 1 }
      const uncounted = { sku: 'BC-01' }
      for (const items of [
        [{ sku: 'FS-NAVY-S', quantity: 0 }],
        [{ sku: 'FS-NAVY-S', quantity: 0 }, other],
        [{ sku: 'FS-NAVY-S', quantity: 2 }, other],
        [{ sku: 'FS-NAVY-S', quantity: 0 }, uncounted],
        [{ sku: 'BC-01', quantity: 0 }],
      ])
        expect((await refusal(confirm({ ...half, items })))[0]).toBe('other_pieces')
      expect(await since()).toEqual([])
      const items = [{ sku: 'FS-NAVY-S', quantity: 1 }, { sku: 'BC-01', quantity: 0 }, other, { sku: 'TM-1' }]
      expect((await confirm({ ...half, items })).said[0]).toMatch(/^Marked/)
    })

    test('what the shop would charge as it lets the parcel go is not shipped', async () => {
      const orderState = isSix ? 'payment_status' : 'payment_state'
      const status = isSix ? 'status' : 'state'
      await db.query(`update spree_orders set payment_total = 0, ${orderState} = 'authorized' where id = 45`)
      await db.query(`update spree_payments set ${status} = 'pending' where id = 76`)
      if (isSix)
        await db.query(`update spree_payment_methods set capture_method = 'on_dispatch' where id = 1`)
      expect(await refusal(confirm(half))).toEqual([
        'not_shippable',
        expect.stringMatching(/Capture the payment/),
      ])
      // What staff collect by hand is no obstacle there; before, what was reimbursed is not owed.
      await db.query(
        isSix
          ? `update spree_payment_methods set capture_method = 'manual' where id = 1`
          : `update spree_orders set payment_state = 'paid' where id = 45`,
      )
      expect((await confirm(half)).said).toEqual([expect.stringMatching(/^Marked/)])
    })

    test('C197 each serial number goes to a piece of the variant with that part number, once', async () => {
      const units = isSix ? 'spree_fulfillment_items' : 'spree_inventory_units'
      const items = [
        { part_number: 'EXT-103', quantity: 2, serial_numbers: ['S1', 'S2'] },
        { part_number: 'EXT-108', quantity: 1, serial_numbers: null },
        { part_number: 'EXT-NO', quantity: 1, serial_numbers: ['S9'] },
      ]
      const message = { shipment_number: parcels.shipped, items }
      const parcel = `shipment ${parcels.shipped} of order ${orders.shipped}`
      const without = await send(shipmentConfirm, message)
      expect(without.notifications.at(-1)).toEqual({
        level: 'warn',
        subject: 'shipment:confirm',
        description: `Not applied of ${parcel}: its serial numbers S1, S2, S9: this store has no column ${units}.serial_number, spree_variants.external_ref`,
      })
      expect(await since()).toEqual([])

      await db.query(`alter table ${units} add serial_number varchar(255)`)
      await db.query('alter table spree_variants add external_ref varchar(255)')
      await db.query(`update spree_variants set external_ref = 'EXT-' || id`)
      const custom = await openStore(db)
      const given = () => applyMessage(db, custom, shipmentConfirm, message)
      expect((await given()).notifications).toMatchObject([
        { level: 'info', description: expect.stringMatching(/^Updated/) },
        { level: 'warn', description: expect.stringMatching(/S9: nothing in it has external_ref EXT-NO$/) },
      ])
      const serials = async () => {
        const { rows } = await db.query(
          `select variant_id::integer as variant, ${isSolidus ? '1' : 'quantity'} as quantity, serial_number as serial
             from ${units} where serial_number is not null or variant_id = 103 order by serial_number, id`,
        )
        return rows
      }
      const both = [
        { variant: 103, quantity: 1, serial: 'S1' },
        { variant: 103, quantity: 1, serial: 'S2' },
      ]
      expect(await serials()).toEqual(both)
      const once = await takePicture(db)
      expect((await given()).notifications.map(({ description }) => description)).toEqual([
        expect.stringMatching(/nothing was changed$/),
        expect.stringMatching(/S9: nothing in it/),
      ])
      expect(await since(once)).toEqual([])
      const more = { ...message, items: [{ part_number: 'EXT-103', serial_numbers: ['S3'] }] }
      expect((await applyMessage(db, custom, shipmentConfirm, more)).notifications[1]?.description).toMatch(
        /S3: more than pieces of EXT-103 without one$/,
      )
      expect(await serials()).toEqual(both)
    })
  })

  describe('order:ship', () => {
    test('C149 locks the order where the store has a column for it, and once', async () => {
      const order = { number: orders.unpaid }
      expect(await refusal(send(orderShip, { order }))).toEqual([
        'no_locked_at',
        expect.stringMatching(/no column spree_orders\.locked_at\. Add one/),
      ])
      await db.query('alter table spree_orders add locked_at timestamp')
      const custom = await openStore(db)
      before = await takePicture(db)
      const lock = async (number: string) => {
        const { notifications, details } = await applyMessage(db, custom, orderShip, { order: { number } })
        return [notifications[0]?.description, details]
      }
      const first = await lock(orders.unpaid)
      const { rows } = await db.query(
        `select to_char(locked_at, 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as at from spree_orders where id = 42`,
      )
      const locked = { number: orders.unpaid, locked_at: rows[0]?.['at'] }
      expect(first).toEqual([`Locked order ${orders.unpaid}`, { locked }])
      expect(await since()).toEqual([changed('spree_orders', { locked_at: '<time>' })])
      before = await takePicture(db)
      expect(await lock(orders.unpaid)).toEqual([
        `Order ${orders.unpaid} is locked already: nothing was changed`,
        { locked },
      ])
      const unknown = applyMessage(db, custom, orderShip, { order: { number: 'R404' } })
      expect(await refusal(unknown)).toEqual(['unknown_order', expect.stringMatching(/no placed order R404/)])
      expect(await since()).toEqual([])
    })
  })

  describe('order:capture', () => {
    const state = isSix ? 'status' : 'state'
    const capture = (number: string, payment?: number) =>
      send(orderCapture, { order: { number }, ...(payment && { payment: { id: payment } }) })

    test('C152 a check is captured as the shop would, told of, and captured once', async () => {
      const { details, said } = await capture(orders.unpaid)
      expect(said).toEqual([`Captured payment 72 of 156.85 of order ${orders.unpaid}`])
      const time = expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/)
      const raw = {
        id: 72,
        source_type: null,
        source_id: null,
        amount: '156.85',
        payment_method_id: 1,
        response_code: null,
        state: 'completed',
        avs_response: null,
        created_at: '2026-03-05T11:30:00.000Z',
        updated_at: time,
      }
      const told = { message: 'order:payment:captured', payload: { order_id: orders.unpaid, payment_id: 72 } }
      expect(details).toEqual({ payment: raw, messages: [told] })
      const event = inserted('spree_payment_capture_events', { amount: 156.85, payment_id: 72 })
      const logged = {
        source_type: 'Spree::Payment',
        source_id: 72,
        details: expect.stringMatching(
          family === 'spree-5.6'
            ? /^--- !ruby\/object:Spree::PaymentResponse\nsuccess: true\n/
            : /^--- !ruby\/object:ActiveMerchant::Billing::Response\n.*\nsuccess: true\n/s,
        ),
      }
      expect(await since()).toEqual(
        isSix
          ? [
              changed('spree_orders', { payment_total: 156.85, payment_status: 'paid' }),
              event,
              changed('spree_payments', { status: 'completed' }),
            ]
          : [
              inserted('spree_log_entries', logged),
              changed('spree_orders', {
                payment_total: 156.85,
                payment_state: 'paid',
                shipment_state: 'ready',
              }),
              event,
              changed('spree_payments', { state: 'completed' }),
              changed('spree_shipments', { state: 'ready' }),
              stateChange('Spree::Payment', 72, 'payment', 'checkout', 'processing', null),
              stateChange('Spree::Payment', 72, 'payment', 'processing', 'completed', null),
              stateChange('Spree::Order', 42, 'payment', 'balance_due', 'paid', null),
              stateChange('Spree::Order', 42, 'shipment', 'pending', 'ready', null),
            ],
      )
      const once = await takePicture(db)
      expect(await capture(orders.unpaid)).toMatchObject({
        said: [`What order ${orders.unpaid} has to pay is captured already: nothing was changed`],
        details: { payment: raw, messages: [] },
      })
      expect(await since(once)).toEqual([])
    })

    test('of several the oldest first, until the order is paid; or the one that is named', async () => {
      await db.query(
        `insert into spree_payments (id, amount, order_id, payment_method_id, ${state}, created_at, updated_at)
         select 90 + n, 78.43, 42, 1, 'pending', '2026-03-05', '2026-03-05' from generate_series(1, 3) n`,
      )
      const states = async () => {
        const { rows } = await db.query(
          `select id::integer, ${state} as state from spree_payments where order_id = 42 order by id`,
        )
        return rows.map((row) => `${row['id']} ${row['state']}`)
      }
      expect((await capture(orders.unpaid, 92)).details['messages']).toEqual([
        { message: 'order:payment:captured', payload: { order_id: orders.unpaid, payment_id: 92 } },
      ])
      expect(await states()).toEqual(['72 checkout', '91 pending', '92 completed', '93 pending'])
      await capture(orders.unpaid)
      expect(await states()).toEqual(['72 completed', '91 pending', '92 completed', '93 pending'])
      const { rows } = await db.query(
        `select ${isSix ? 'payment_status' : 'payment_state'} as state from spree_orders where id = 42`,
      )
      expect(rows).toEqual([{ state: isSix ? 'overcharged' : 'credit_owed' }])
    })

    test('what a gateway has to take, or nobody, is refused', async () => {
      await db.query(`update spree_payments set payment_method_id = 2, ${state} = 'pending' where id = 72`)
      await db.query(`update spree_payments set ${state} = 'failed' where order_id = 44`)
      before = await takePicture(db)
      const reasons: [string, number | undefined, string, RegExp][] = [
        [
          orders.unpaid,
          undefined,
          'needs_gateway',
          /payment 72 by Credit card \(Spree::Gateway::Bogus\) is taken by a gateway/,
        ],
        [orders.unpaid, 71, 'no_open_payment', /it has no such payment/],
        [orders.short, undefined, 'no_open_payment', /its payments are failed, failed\. Add another/],
        [orders.canceled, undefined, 'order_canceled', /it is canceled/],
        ['R404', undefined, 'unknown_order', /no placed order R404/],
      ]
      for (const [number, payment, code, text] of reasons)
        expect(await refusal(capture(number, payment))).toEqual([code, expect.stringMatching(text)])
      expect(await since()).toEqual([])
    })
  })

  describe('hub:poll', () => {
    type Parameters = Readonly<Record<string, unknown>>
    type Polled = {
      messages: { message: string; payload: Record<string, unknown> }[]
      parameters: { name: string; value: unknown }[]
    }
    const [lastUpdatedAt, perPage] = [
      'spree.collections_poll.last_updated_at',
      'spree.collections_poll.per_page',
    ]
    const poll = async (
      target: string,
      parameters: Parameters,
      shape?: Awaited<ReturnType<typeof createShape>>,
    ) => {
      const { details, notifications } = await hubPoll.apply(
        db,
        store,
        {
          message: hubPoll.message,
          messageId: '5245b538b4395707ef0036f5',
          payload: hubPoll.schema.parse({ target: `collections.${target}` }),
          parameters: new Map(Object.entries(parameters)),
        },
        shape,
      )
      const { messages, parameters: next } = details as unknown as Polled
      return {
        notifications,
        messages,
        told: messages.map(({ message, payload }) => [message, payload['id']]),
        next: Object.fromEntries(next.map(({ name, value }) => [name, value])),
      }
    }

    test('what the operator’s expressions take altogether may be longer than the server waits for a statement', async () => {
      await db.query(`set local idle_in_transaction_session_timeout = '2s'`)
      const slowly: Awaited<ReturnType<typeof createShape>> = ({ payload }) => ({
        payload,
        transform: async (own) => {
          await pause(700)
          return own
        },
      })
      const { messages } = await poll('orders', { [lastUpdatedAt]: '2026-01-01T00:00:00Z' }, slowly)
      expect(messages.length).toBeGreaterThan(3)
    })

    test('C122 C124 C154 tells the orders page by page, the last of them again, and none is missed', async () => {
      const users = { users: '2013-12-11T16:28:05Z' }
      const first = await poll('orders', {
        [lastUpdatedAt]: [users, { orders: '2026-03-04T11:00:00+01:00' }],
        [perPage]: [{ orders: '2' }],
      })
      expect(first.notifications).toEqual([
        {
          level: 'info',
          subject: 'Completed order poll',
          description: 'Spree endpoint successfully polled for orders.',
        },
      ])
      expect(first.messages).toMatchObject([
        { message: 'order:persist', payload: { number: orders.shipped, shipment_state: 'shipped' } },
        { message: 'order:persist', payload: { number: orders.unpaid } },
      ])
      expect(first.next).toEqual({
        [lastUpdatedAt]: [users, { orders: '2026-03-05T11:30:00.000000Z/42' }],
        [perPage]: [{ orders: '2' }],
      })
      const second = await poll('orders', first.next)
      expect(second.told).toEqual([
        ['order:persist', 43],
        ['order:persist', 44],
      ])
      const third = await poll('orders', second.next)
      expect(third.told).toEqual([['order:persist', 45]])
      expect(third.next[lastUpdatedAt]).toEqual([users, { orders: '2026-03-08T08:20:00.000000Z' }])
      // Another has changed at that very moment.
      await db.query(`update spree_orders set updated_at = '2026-03-08 08:20:00' where id = 41`)
      const fourth = await poll('orders', third.next)
      expect(fourth.told.map(([, id]) => id)).toEqual([41, 45])
      expect((await poll('orders', fourth.next)).told).toEqual([])
      expect((await poll('orders', { ...fourth.next, [perPage]: '999' })).next[perPage]).toEqual([
        { orders: '50' },
      ])
    })

    test('what changed just now comes again, as another may commit an earlier time', async () => {
      await db.query(`update spree_orders set updated_at = now() at time zone 'utc' where id in (41, 42)`)
      const since = { [perPage]: '1' }
      const { told, next } = await poll('orders', since)
      expect(told).toEqual([['order:persist', 41]])
      const { rows } = await db.query(
        `select $1::timestamp < now() at time zone 'utc' - interval '20 seconds' as behind`,
        [(next[lastUpdatedAt] as { orders: string }[])[0]?.orders],
      )
      expect(rows).toEqual([{ behind: true }])
      expect((await poll('orders', { ...next, [perPage]: '2' })).told.map(([, id]) => id)).toEqual([41, 42])
    })

    test('products, customers and what is moved are told in the same words as by themselves', async () => {
      const since = { [lastUpdatedAt]: '2026-03-01T00:00:00Z', [perPage]: '5' }
      const first = await poll('products', since)
      const second = await poll('products', first.next)
      const numbers = [11, 12, 13, 14, 15, 16, 17, 18]
      expect([...first.told, ...second.told]).toEqual(numbers.map((id) => ['product:persist', id]))
      expect(first.messages[2]?.payload).toMatchObject({ sku: isSix ? '' : 'BC-01', name: 'Brass Compass' })
      const users = await poll('users', since)
      expect(users.messages).toContainEqual(
        expect.objectContaining({
          message: 'user:persist',
          payload: expect.objectContaining({ email: 'clara@example.com' }),
        }),
      )
      if (!isSolidus)
        expect((await poll('stock_transfers', since)).told).toEqual([['stock_transfer:persist', 431]])
    })

    test('taxons are told with the fields that the protocol lists', async () => {
      const since = { [lastUpdatedAt]: '2026-03-01T00:00:00Z', [perPage]: '1' }
      const ids = isSix ? [2, 3] : [1, 2, 3]
      const told = []
      let next: Parameters = since
      for (const id of ids) {
        const page = await poll('taxons', next)
        expect(page.told).toEqual([['taxon:persist', id]])
        told.push(...page.messages)
        next = page.next
      }
      expect((await poll('taxons', next)).told).toEqual([])
      expect(told.find(({ payload }) => payload['id'] === 2)?.payload).toEqual({
        id: 2,
        parent_id: isSix ? null : 1,
        position: isSolidus ? null : 0,
        name: 'Clothing',
        permalink: isSix ? 'clothing' : 'categories/clothing',
        taxonomy_id: isSix ? null : 1,
        description: null,
        created_at: '2026-03-02T08:00:00.000Z',
        updated_at: '2026-03-02T08:00:00.000Z',
      })
    })

    test('return authorizations are told with their orders, those of carts are not', async () => {
      const [table, own, state] = isSix
        ? ['spree_returns', ', store_id, status', `, 1, 'approved'`]
        : ['spree_return_authorizations', ', state', `, 'authorized'`]
      await db.query('update spree_orders set completed_at = null where id = 42')
      await db.query(
        `insert into ${table} (id, number, order_id, memo, stock_location_id, created_at, updated_at${own})
         values (901, 'RA900000001', 41, 'too small', 1, '2026-03-09 10:00:00', '2026-03-09 11:00:00'${state}),
                (902, 'RA900000002', 42, null, 1, '2026-03-09 10:00:00', '2026-03-09 12:00:00'${state})`,
      )
      const { messages, next } = await poll('return_authorizations', {
        [lastUpdatedAt]: '2026-03-09T11:00:00Z',
      })
      expect(messages).toMatchObject([
        {
          message: 'return_authorization:persist',
          payload: {
            id: 901,
            number: 'RA900000001',
            state: 'authorized',
            amount: 0,
            order_id: 41,
            reason: null,
            memo: 'too small',
            stock_location: 'Portland warehouse',
            created_at: '2026-03-09T10:00:00.000Z',
            updated_at: '2026-03-09T11:00:00.000Z',
            return_items: [],
            order: { number: orders.shipped },
          },
        },
      ])
      expect(messages).toHaveLength(1)
      expect(next[lastUpdatedAt]).toEqual([{ return_authorizations: '2026-03-09T11:00:00.000000Z' }])
    })

    test('what the configuration takes out of messages is not told here', async () => {
      const since = { [lastUpdatedAt]: '2026-03-08T00:00:00Z' }
      const redact = { 'order:persist': ['payload.email'] }
      const [order] = (await poll('orders', since, await createShape({ redact }, 100))).messages
      expect(order?.payload).toMatchObject({ number: orders.half, email: null })
      const filters = {
        'order:persist': [{ path: 'payload.number', operator: 'eq', value: 'other' }],
      } as const
      const none = await poll('orders', since, await createShape({ filters }, 100))
      expect([none.told, none.next[lastUpdatedAt]]).toEqual([[], [{ orders: '2026-03-08T08:20:00.000000Z' }]])
      const transform = { 'order:persist': '{"at": $error("no")}' }
      const failed = await poll('orders', since, await createShape({ transform }, 1_000))
      expect([failed.told, failed.notifications[1]]).toEqual([
        [],
        { level: 'warn', subject: 'hub:poll', description: expect.stringMatching(/^Not told: /) },
      ])
    })

    test('what there is not, and parameters that say nothing, are refused', async () => {
      const reasons: [string, Parameters, string, RegExp][] = [
        ['carts', {}, 'not_polled', /set CARTS=on/],
        ['orders', { [lastUpdatedAt]: 'yesterday' }, 'bad_parameter', /is yesterday: it must be a time/],
        ['orders', { [perPage]: [{ orders: 'all' }] }, 'bad_parameter', /per_page is all/],
        ...(isSolidus
          ? [['stock_transfers', {}, 'not_polled', /has none/] as [string, Parameters, string, RegExp]]
          : []),
      ]
      for (const [target, parameters, code, text] of reasons)
        expect(await refusal(poll(target, parameters))).toEqual([code, expect.stringMatching(text)])
      expect(hubPoll.schema.safeParse({ target: 'collections.secrets' }).success).toBe(false)
    })
  })

  // The last one, as it is not rolled back.
  test('what is sent twice at the same time, under two ids, is done once', async () => {
    const twice = <Payload>(handler: Handler<Payload>, payload: unknown) =>
      Promise.all(
        [1, 2].map(() => inTransaction(database.pool, (tx) => applyMessage(tx, store, handler, payload))),
      )
    const said = (answers: Awaited<ReturnType<typeof twice>>) =>
      answers
        .map(({ notifications }) => /nothing was changed$/.test(notifications[0]?.description ?? ''))
        .toSorted()
    const shipment = { number: parcels.half, tracking: '1ZHALF' }
    expect(said(await twice(shipmentConfirm, { shipment }))).toEqual([false, true])
    expect(said(await twice(orderCapture, { order: { number: orders.unpaid } }))).toEqual([false, true])
    const { rows } = await db.query(
      `select (select count(*) from spree_payment_capture_events where payment_id = 72)::integer as events,
              ${isSix ? `(select array[count_on_hand, allocated_count] from spree_stock_levels where id = 311)` : 'null'} as level`,
    )
    expect(rows).toEqual([{ events: 1, level: isSix ? [4, 0] : null }])
  })
})

describe('C153 the forms of shipment:confirm', () => {
  const read = (payload: unknown) => confirmedShipment(shipmentConfirm.schema.parse(payload))

  test('say the same, nested and flat', () => {
    const same = {
      number: 'H1',
      orderNumber: 'R1',
      tracking: 'T1',
      trackingUrl: null,
      carrier: null,
      shippedAt: '2013-06-27T13:29:46.000Z',
      pieces: null,
      serials: [],
    }
    const at = '2013-06-27T13:29:46Z'
    const shipment = { number: 'H1', order_number: 'R1' }
    expect(read({ shipment: { ...shipment, tracking: 'T1', shipped_at: at, items: [] } })).toEqual(same)
    expect(
      read({ shipment: { ...shipment, tracking_number: 'T1', shipped_at: '2013-06-27T13:29:46' } }),
    ).toEqual(same)
    const flat = { shipment_number: 'H1', order_number: 'R1', tracking_number: 'T1' }
    expect(read({ ...flat, shipped_date: at })).toEqual(same)
    expect(read({ ...flat, shipped_date: null, ship_date: at })).toEqual(same)
  })

  test.each([
    [{}],
    [{ shipment: {} }],
    [{ shipment: { number: '' } }],
    [{ shipment_number: 'H\0' }],
    [{ shipment_number: 'H1', shipped_date: 'yesterday' }],
    [{ shipment_number: 'H1', shipped_date: '0000-01-01T00:00:00Z' }],
    [{ shipment_number: 'H1', tracking_number: 'x'.repeat(256) }],
    [{ shipment_number: 'H1', items: [{ part_number: 'A', serial_numbers: 'S1' }] }],
  ])('%j is refused', (payload) => {
    expect(shipmentConfirm.schema.safeParse(payload).success).toBe(false)
  })

  ifSamples.each([
    ['aug.msg.shipment_confirm', 'H11357178202', 'tracking-1234-ABC', '2013-09-26T10:21:52.000Z'],
    ['aug.msg.shipment_confirm_amazon', 'H03606064322', '915293072790129', null],
    ['aug.msg.shipment_confirm_flat', '1', '123456', '2013-06-27T13:29:46.000Z'],
    ['aug.msg.shipment_confirmation_items', 'H63404100777', '1ZV930E90465912890', '2013-03-13T00:00:00.000Z'],
  ])('of the sample %s are read', (name, number, tracking, shippedAt) => {
    expect(read(readReferenceSample(name)['payload'])).toMatchObject({ number, tracking, shippedAt })
  })
})

test.each([
  [{}],
  [{ order: {} }],
  [{ order: { number: '' } }],
  [{ order: { number: 'R1' }, payment: { id: 'x' } }],
])('%j names no order', (payload) => {
  for (const handler of [orderShip, orderCapture])
    expect(handler.schema.safeParse(payload).success).toBe(false)
})

ifSamples('C149 C152 the orders of the samples are read', () => {
  for (const [handler, name] of [
    [orderShip, 'aug.svc.spree.order_lock.request'],
    [orderCapture, 'aug.svc.spree.payments_capture.request'],
  ] as const)
    expect(handler.schema.parse(readReferenceSample(name)['payload'])).toMatchObject({
      order: { number: 'R123456789' },
    })
})
