import { afterAll, beforeAll, beforeEach, describe, expect } from '@jest/globals'
import { HANDLERS } from '../../src/apply/handlers.ts'
import type { WebSettings } from '../../src/processes/web.ts'
import { ifSamples, readReferenceSample, readReferenceText } from '../messages/reference-samples.ts'
import type { TestDatabase } from '../support/postgres.ts'
import { createStore } from '../support/stores.ts'
import { digestStore, newMessageId, post, startTestWeb, type TestWeb, WEBHOOK_TOKEN } from '../support/web.ts'

// What the protocol prints as a request is sent as it is printed; the store is made to fit it, not the other way round.

/** The text of a sample, before it what a request needs and the print leaves out. */
function printed(name: string, missing: object = {}): string {
  const text = readReferenceText(name)
  if (Object.keys(missing).length === 0) return text
  return text.replace('{', () => `${JSON.stringify(missing).slice(0, -1)},`)
}

/** Half of the printed answers are what the hub keeps of them: the body is inside (protocol §7). */
function printedAnswer(name: string): Record<string, unknown> {
  const sample = readReferenceSample(name)
  return 'response' in sample ? Object(sample['response']) : sample
}

/** A store with a web, for the tests of one `describe`. */
function openShop(prepared: string, how: Partial<WebSettings> = {}) {
  let store: TestDatabase
  let web: TestWeb

  beforeAll(async () => {
    store = await createStore('spree-4.10', 'fixture')
    await store.pool.query(prepared)
    web = await startTestWeb(store, HANDLERS, how)
  })
  afterAll(async () => {
    await web.stop()
    await store.drop()
  })
  // Most samples have the same id.
  beforeEach(() => store.pool.query('delete from bridge.inbox'))

  const rows = async (text: string, ...values: readonly unknown[]) =>
    (await store.pool.query<Record<string, unknown>>(text, [...values])).rows
  const send = async (path: string, body: string, headers: Record<string, string> = {}) => {
    const { status, text, headers: said } = await post(web.url + path, body, headers)
    return { status, text, type: said.get('content-type'), body: JSON.parse(text) }
  }
  /** Nothing has this name, whatever other tests have called so. */
  const forget = (table: string, column: string, name: string) =>
    rows(`update ${table} set ${column} = ${column} || '-' || id where ${column} = $1`, name)
  return {
    rows,
    forget,

    /** Gives a row the name that the sample calls it by, and takes it from any other. */
    async call(table: string, column: string, id: number, name: string): Promise<void> {
      await forget(table, column, name)
      await rows(`update ${table} set ${column} = $1 where id = $2`, name, id)
    },

    /** Sends it, and once more: that is answered alike, and changes nothing. */
    async deliver(path: string, body: string) {
      const first = await send(path, body)
      const after = await digestStore(store)
      expect(await send(path, body)).toEqual(first)
      expect(await digestStore(store)).toEqual(after)
      expect(first.type).toMatch(/^application\/json/)
      return { status: first.status, body: first.body }
    },

    /** To be refused: nothing of the store is other than before. */
    async deliverInVain(path: string, body: string, headers: Record<string, string> = {}) {
      const before = await digestStore(store)
      const answer = await send(path, body, headers)
      expect(await digestStore(store)).toEqual(before)
      return { status: answer.status, body: answer.body }
    },

    async describeItself() {
      return JSON.parse(await (await fetch(`${web.url}/endpoint.json`)).text())
    },
  }
}

describe('the printed messages of the first dialect', () => {
  // Columns of the shop's own, of which the protocol speaks (§7.2, §7.5), and a state that the order of a sample goes to.
  const shop = openShop(
    `insert into spree_states (id, name, abbr, country_id, created_at, updated_at)
     values (76, 'Pennsylvania', 'PA', 1, now(), now());
     alter table spree_orders add locked_at timestamp;
     alter table spree_inventory_units add serial_number varchar(255);
     alter table spree_variants add external_ref varchar(255)`,
  )
  const { rows, forget, call, deliver, deliverInVain } = shop
  const MUG = { variant: 112, stock: 310 }
  const levelOfMug = async () =>
    (await rows('select count_on_hand as level from spree_stock_items where id = $1', MUG.stock))[0]?.[
      'level'
    ]
  const stock = async (sku: string, level: number) => {
    await call('spree_variants', 'sku', MUG.variant, sku)
    await rows('update spree_stock_items set count_on_hand = $2 where id = $1', MUG.stock, level)
  }

  ifSamples.each([
    ['C137 C141 C144', 'stock_change'],
    ['C137 C141 C147', 'stock_actual'],
  ])('%s %s is answered as it is printed, and applied once', async (_which, name) => {
    await stock('APC-00001', 0)
    const answer = printedAnswer(`aug.svc.spree.${name}.response`)
    const { message_id } = answer
    const request = printed(`aug.svc.spree.${name}.request`, { message_id })
    expect(await deliver('/webhook', request)).toEqual({ status: 200, body: answer })
    expect(await levelOfMug()).toBe(5)
  })

  ifSamples.each([
    ['C141', 'stock_change', 7, 27, 'false'],
    ['C147', 'stock_actual', 7, 20, 'true'],
  ])(
    '%s the message %s: its quantity is a difference, or the level',
    async (_which, name, from, to, force) => {
      await stock('ROR-001234', from)
      const description = `received 20 for sku ROR-001234, changed stock from ${from} to ${to} (force = ${force})`
      expect(await deliver('/webhook', printed(`aug.msg.${name}`))).toEqual({
        status: 200,
        body: {
          message_id: '51af1dc5fe53543f1200f519',
          notifications: [{ level: 'info', subject: name.replace('_', ':'), description }],
          ...{ sku: 'ROR-001234', quantity: 20, from, to },
        },
      })
      expect(await levelOfMug()).toBe(to)
    },
  )

  // Printed are the numbers alone, in a table of their source: they stand in the printed request.
  ifSamples.each([
    ['C145', 6, -7, -1],
    ['C146', -6, -1, -7],
    ['C146', -6, 20, 14],
  ])('%s from %d by %d to %d, below zero too', async (_which, from, quantity, to) => {
    await stock('APC-00001', from)
    const request = printed('aug.svc.spree.stock_change.request', { message_id: newMessageId() })
    expect(
      await deliver('/webhook', request.replace('"quantity": 5', `"quantity": ${quantity}`)),
    ).toMatchObject({ status: 200, body: { quantity, from, to } })
    expect(await levelOfMug()).toBe(to)
  })

  ifSamples.each([
    ['C147', { name: 'spree.force_quantity', value: true }, 5, 9],
    ['C148', { name: 'spree.stock_location_id', value: 2 }, 9, 14],
  ])('%s the parameter %j beside what is printed', async (_which, parameter, first, second) => {
    await call('spree_variants', 'sku', 106, 'APC-00001')
    await rows('update spree_stock_items set count_on_hand = 9 where id in (304, 313)')
    const request = printed('aug.svc.spree.stock_change.request', { message_id: newMessageId() })
    const more = `"quantity": 5, "parameters": [${JSON.stringify(parameter)}]`
    expect(await deliver('/webhook', request.replace('"quantity": 5', more))).toMatchObject({ status: 200 })
    expect(
      await rows('select count_on_hand from spree_stock_items where id in (304, 313) order by id'),
    ).toEqual([{ count_on_hand: first }, { count_on_hand: second }])
  })

  ifSamples('C134 a printed message that breaks off is 406', async () => {
    await stock('ROR-001234', 0)
    const whole = printed('aug.msg.stock_change').trimEnd()
    expect((await deliverInVain('/webhook', whole.slice(0, -1))).status).toBe(406)
  })

  ifSamples(
    'C140 a SKU that the store does not have is 500 with a notification of the printed form',
    async () => {
      await forget('spree_variants', 'sku', 'ROR-001234')
      const form = Object(readReferenceSample('aug.ep.response_notification_info'))
      const { status, body } = await deliverInVain('/webhook', printed('aug.msg.stock_change'))
      expect(status).toBe(500)
      expect(body).toEqual({
        message_id: '51af1dc5fe53543f1200f519',
        notifications: [{ level: 'error', subject: 'stock:change', description: expect.any(String) }],
      })
      expect(Object.keys(body)).toEqual(Object.keys(form))
      expect(Object.keys(body.notifications[0])).toEqual(Object.keys(form.notifications[0]))
    },
  )

  ifSamples('C133 without the right token a printed message is 401', async () => {
    await stock('ROR-001234', 0)
    const headers = { 'X-Augury-Token': 'wrong' }
    const { status } = await deliverInVain('/webhook', printed('aug.msg.stock_change'), headers)
    expect(status).toBe(401)
  })

  ifSamples(
    'C135 endpoint.json has the keys of the printed one, and its services those of the printed service',
    async () => {
      const endpoint = await shop.describeItself()
      const form = readReferenceSample('aug.ep.endpoint_json')
      const service = Object(readReferenceSample('aug.ep.endpoint_json_service'))
      expect(Object.keys(endpoint).sort()).toEqual(Object.keys(form).sort())
      // Of the keys that this print leaves out the text speaks (protocol §3.7).
      const known = [
        ...Object.keys(service.requires.parameters[0]),
        'optional',
        'default',
        'allowed',
        'enables',
      ]
      for (const one of endpoint.services) {
        expect(Object.keys(one).sort()).toEqual([...Object.keys(service), 'produces'].sort())
        expect(Object.keys(one.recommends).sort()).toEqual(Object.keys(service.recommends).sort())
        for (const parameter of one.requires.parameters)
          expect(known).toEqual(expect.arrayContaining(Object.keys(parameter)))
      }
    },
  )

  const NUMBER = 'R123456789'

  ifSamples('C139 C149 order:ship locks the order, and is answered in the printed form', async () => {
    await call('spree_orders', 'number', 42, NUMBER)
    const answer = printedAnswer('aug.svc.spree.order_lock.response')
    const { message_id } = answer
    const request = printed('aug.svc.spree.order_lock.request', { message_id })
    expect(await deliver('/webhook', request)).toEqual({
      status: 200,
      body: {
        message_id,
        notifications: [{ level: 'info', subject: 'order:ship', description: `Locked order ${NUMBER}` }],
        // The printed answer is of another order; ours says the milliseconds, and that the time is UTC.
        locked: {
          number: NUMBER,
          locked_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
        },
      },
    })
    expect(Object.keys(answer)).toEqual(['message_id', 'locked'])
    expect(await rows('select id from spree_orders where locked_at is not null')).toEqual([{ id: '42' }])
  })

  ifSamples('C139 C152 order:capture captures the payment, and is answered in the printed form', async () => {
    await call('spree_orders', 'number', 42, NUMBER)
    const answer = printedAnswer('aug.svc.spree.payments_capture.response')
    const { message_id } = answer
    const request = printed('aug.svc.spree.payments_capture.request', { message_id })
    const { status, body } = await deliver('/webhook', request)
    // A check, as only those are captured: of a gateway it has no response. What is told of it bears its own id.
    expect({ status, body }).toEqual({
      status: 200,
      body: {
        message_id,
        notifications: [{ level: 'info', subject: 'order:capture', description: expect.any(String) }],
        payment: expect.objectContaining({
          id: 72,
          amount: '156.85',
          payment_method_id: 1,
          state: 'completed',
        }),
        messages: [{ message: 'order:payment:captured', payload: { order_id: NUMBER, payment_id: 72 } }],
      },
    })
    expect(Object.keys(body.payment).sort()).toEqual(Object.keys(Object(answer['payment'])).sort())
    expect(await rows('select state from spree_payments where id = 72')).toEqual([{ state: 'completed' }])
  })

  describe('order:import', () => {
    /** The order that the samples leave out: the one that another printed answer has the hub import. */
    const amazonsOrder = () => {
      const [message] = Object(readReferenceSample('aug.svc.amazon.import_by_number.response')).messages
      return message.payload.order
    }
    const sellToAmazon = async () => {
      await call('spree_variants', 'sku', 106, '100TSBXXL')
      await call('spree_variants', 'sku', 107, '100TSWXXL')
      await call('spree_payment_methods', 'name', 1, 'Amazon')
      await call('spree_shipping_methods', 'name', 1, 'Standard')
    }

    ifSamples(
      'C139 C150 is placed once per number, whatever parameters there are, and answered with the order',
      async () => {
        await sellToAmazon()
        const sample = readReferenceText('aug.ep.message_with_parameters_order_import')
        const order = JSON.stringify(amazonsOrder())
        const message = (message_id: string) =>
          sample
            .replace('{', () => `{"message_id":"${message_id}",`)
            .replace('"order": {}', () => `"order": ${order}`)
        const { status, body } = await deliver('/webhook', message('523fcd00b439573338018fab'))
        expect(status).toBe(200)
        expect(body).toMatchObject({
          message_id: '523fcd00b439573338018fab',
          order: {
            ...{ number: '100-EXAMPLE-1000000', channel: 'Amazon.com', total: '64.0', payment_total: '64.0' },
            line_items: [
              { quantity: 1, price: '29.0' },
              { quantity: 1, price: '35.0' },
            ],
          },
        })
        const placed = () =>
          rows(`select total, channel from spree_orders where number = '100-EXAMPLE-1000000'`)
        expect(await placed()).toEqual([{ total: '64.00', channel: 'Amazon.com' }])
        const again = await deliverInVain('/webhook', message(newMessageId()))
        expect(again).toMatchObject({
          status: 500,
          body: { notifications: [{ description: expect.stringMatching(/is in this store already/) }] },
        })
      },
    )

    ifSamples(
      'C138 C151 the envelope with its mapping is taken, and what is cut is told as it is printed',
      async () => {
        await sellToAmazon()
        const { message_id, notifications } = printedAnswer('aug.svc.spree.order_import.response')
        const order = amazonsOrder()
        // Of the order this alone is printed.
        const shipping_address = {
          ...order.shipping_address,
          address1: '2000 Grande Canyon Boulevard, No 3523',
        }
        const payload = {
          order: { ...order, number: '100-EXAMPLE-1000001', shipping_address },
          parameters: [{ name: 'truncate_address_address1', value: '25' }],
        }
        const request = printed('aug.svc.spree.order_import.request', { message_id, payload })
        expect(await deliver('/webhook', request)).toEqual({
          status: 200,
          body: {
            message_id,
            notifications,
            order: expect.objectContaining({ number: '100-EXAMPLE-1000001' }),
          },
        })
        expect(
          await rows(
            `select address1 from spree_orders o join spree_addresses a on a.id = o.ship_address_id
            where number = '100-EXAMPLE-1000001'`,
          ),
        ).toEqual([{ address1: '2000 Grande Canyon Boulev' }])
      },
    )
  })

  describe('shipment:confirm', () => {
    /** A parcel of one piece that can leave, called so. */
    const ready = async (shipment: string, order: string, sku: string) => {
      await call('spree_orders', 'number', 45, order)
      await call('spree_shipments', 'number', 57, shipment)
      await call('spree_variants', 'sku', 102, sku)
      await rows(
        `update spree_shipments set state = 'ready', tracking = null, shipped_at = null where id = 57`,
      )
      await rows(`update spree_inventory_units set state = 'on_hand', serial_number = null where id = 759`)
    }
    const parcel = async () => {
      const [row] = await rows(
        `select s.state, tracking, to_char(shipped_at, 'YYYY-MM-DD HH24:MI:SS') as shipped_at, serial_number
           from spree_shipments s join spree_inventory_units u on u.shipment_id = s.id where s.id = 57`,
      )
      return row
    }
    const left = { state: 'shipped', serial_number: null }

    ifSamples.each([
      [
        'aug.msg.shipment_confirm',
        'H11357178202',
        'R543221177',
        'ROR-00011',
        'tracking-1234-ABC',
        '2013-09-26 10:21:52',
      ],
      // It does not say when, so it is now.
      [
        'aug.msg.shipment_confirm_amazon',
        'H03606064322',
        '103-6652650-4045858',
        '27368845791002',
        '915293072790129',
        null,
      ],
      ['aug.msg.shipment_confirm_flat', '1', 'R1', 'FS-NAVY-S', '123456', '2013-06-27 13:29:46'],
    ])('C153 %s: the parcel has left with its tracking', async (name, number, order, sku, tracking, at) => {
      await ready(number, order, sku)
      const { status, body } = await deliver('/webhook', printed(name))
      const { message_id } = readReferenceSample(name)
      const description = `Marked shipment ${number} of order ${order} as shipped, with tracking ${tracking}`
      expect({ status, body }).toMatchObject({
        status: 200,
        body: { message_id, notifications: [{ level: 'info', subject: 'shipment:confirm', description }] },
      })
      expect(await parcel()).toEqual({
        ...left,
        tracking,
        shipped_at: at ?? expect.stringMatching(/^20\d\d-/),
      })
    })

    ifSamples(
      'C153 C197 the one with items, under its older name, goes to the service of the path',
      async () => {
        await ready('H63404100777', 'R1', 'FS-NAVY-S')
        await rows(`update spree_variants set external_ref = 'EXTERNAL-REF' where id = 102`)
        // The printed answer is that of a capture, which cannot be meant (protocol §7.5): its id is what there is of it.
        const { message_id } = printedAnswer('aug.svc.spree.inventory_unit.response')
        const text = printed('aug.msg.shipment_confirmation_items', { message_id })
        expect(await deliver('/webhook/shipment_confirm', text)).toEqual({
          status: 200,
          body: {
            message_id,
            notifications: [
              {
                ...{ level: 'info', subject: 'shipment:confirm' },
                description:
                  'Marked shipment H63404100777 of order R1 as shipped, with tracking 1ZV930E90465912890',
              },
            ],
          },
        })
        const at = { tracking: '1ZV930E90465912890', shipped_at: '2013-03-13 00:00:00' }
        expect(await parcel()).toEqual({ ...left, ...at })
        // The generator of the sample had serial numbers or none; printed are none.
        const numbered = text
          .replace(String(message_id), newMessageId())
          .replace('"serial_numbers": null', '"serial_numbers": ["SN-1"]')
        expect(await deliver('/webhook/shipment_confirm', numbered)).toMatchObject({ status: 200 })
        expect(await parcel()).toEqual({ ...left, ...at, serial_number: 'SN-1' })
      },
    )
  })

  ifSamples('C154 hub:poll brings the orders, and from where the next poll goes on', async () => {
    const answer = printedAnswer('aug.svc.spree.collections_poll.response')
    const { message_id } = answer
    const TIME = /^20\d\d-\d\d-\d\dT.*Z$/
    const persisted = (number: string) => ({
      message: 'order:persist',
      payload: expect.objectContaining({ number }),
    })
    // A poll that says no time is of the last day.
    await rows(
      `update spree_orders set updated_at = now() at time zone 'utc' - interval '1 hour' where id = 44`,
    )
    const request = printed('aug.svc.spree.collections_poll.request', { message_id })
    const { status, body } = await deliver('/webhook', request)
    expect({ status, body }).toMatchObject({
      status: 200,
      body: {
        message_id,
        notifications: [
          {
            ...{ level: 'info', subject: 'Completed order poll' },
            description: 'Spree endpoint successfully polled for orders.',
          },
        ],
        parameters: [
          {
            name: 'spree.collections_poll.last_updated_at',
            value: [{ orders: expect.stringMatching(TIME) }],
          },
          { name: 'spree.collections_poll.per_page', value: [{ orders: '20' }] },
        ],
      },
    })
    expect(body.messages).toContainEqual(persisted('R204817354'))
    for (const { message } of body.messages) expect(message).toBe('order:persist')

    // With the printed parameters, which a hub sends along from then on: those of the other collections stay.
    const { parameters } = answer
    const target = 'collections.orders'
    const next = { message: 'hub:poll', message_id: newMessageId(), payload: { target, parameters } }
    const { body: later } = await deliver('/webhook', JSON.stringify(next))
    for (const number of ['R204817351', 'R204817354'])
      expect(later.messages).toContainEqual(persisted(number))
    const advanced = [expect.stringMatching(TIME), '20']
    for (const [index, { name, value }] of Object(parameters).entries())
      expect(later.parameters[index]).toEqual({
        name,
        value: [...value.filter((entry: object) => !('orders' in entry)), { orders: advanced[index] }],
      })
  })

  ifSamples('C155 C191 the pushed product comes into being, under an id of the store', async () => {
    const message_id = newMessageId()
    expect(await deliver('/webhook', printed('aug.api.push_product_new.request', { message_id }))).toEqual({
      status: 200,
      body: {
        message_id,
        notifications: [
          { level: 'info', subject: 'product:new', description: 'Product ruby-on-rails-tote added' },
        ],
        permalink: 'ruby-on-rails-tote',
      },
    })
    const products = await rows(
      `select name, description, slug, meta_description, meta_keywords, p.id = 1123 as has_the_pushed_id,
              to_char(available_on, 'YYYY-MM-DD"T"HH24:MI:SS"Z"') as available_on,
              (select amount from spree_prices a join spree_variants v on v.id = a.variant_id
                where v.product_id = p.id) as price
         from spree_products p where slug = 'ruby-on-rails-tote'`,
    )
    const { id, permalink, ...told } = Object(
      readReferenceSample('aug.api.push_product_new.request')['payload'],
    )
    expect(products).toEqual([{ ...told, slug: permalink, has_the_pushed_id: false }])
    expect(id).toBe(1123)
  })

  ifSamples(
    'C155 the tutorial’s product, whose fields stand under product, is a draft without a price',
    async () => {
      const { status, body } = await deliver('/webhook', printed('aug.msg.product_new_tutorial'))
      expect({ status, body }).toMatchObject({
        status: 200,
        body: {
          message_id: '518726r84910000001',
          notifications: [
            { level: 'info', description: 'Product really-awesome-widgets added' },
            { level: 'warn', description: expect.stringMatching(/without a price: it is a draft/) },
          ],
        },
      })
      expect(await rows(`select status from spree_products where name = 'Really Awesome Widgets'`)).toEqual([
        { status: 'draft' },
      ])
    },
  )

  ifSamples.each([
    'aug.ep.message_basic',
    'aug.ep.message_with_parameters_order_cancel',
    'aug.ep.message_amazon_import_by_number',
    'aug.msg.stock_query',
    'aug.msg.shipment_confirmation_flat',
  ])('%s, of a type that is no service here, is 404 and has no effect', async (name) => {
    const { message, message_id } = readReferenceSample(name)
    const text = printed(name, message_id === undefined ? { message_id: newMessageId() } : {})
    expect(await deliverInVain('/webhook', text)).toEqual({
      status: 404,
      body: { error: expect.stringMatching(`^There is no service for ${message}: `) },
    })
  })
})

describe('the printed objects of the second dialect', () => {
  const shop = openShop(
    // The samples' customers live there, where the store has a list of states.
    `insert into spree_states (id, name, abbr, country_id, created_at, updated_at)
     values (77, 'California', 'CA', 1, now(), now()), (78, 'Maryland', 'MD', 1, now(), now())`,
    { hubDialect: 'wombat' },
  )
  const { rows, forget, call, deliver } = shop
  const deliverInVain = (path: string, body: string, token = WEBHOOK_TOKEN) =>
    shop.deliverInVain(path, body, { 'X-Augury-Token': '', 'X-Hub-Token': token })
  const ID = '52f367367575e449c3000001'
  const SHIRT = 'SPREE-T-SHIRT'
  const ORDER = 'R154085346'
  /** As another request. */
  const again = (text: string) => text.replace(ID, () => newMessageId())
  const said = (summary: unknown) => ({ status: 200, body: { request_id: ID, summary } })
  /** Every 500 has the keys of the printed one. */
  const failed = (summary: unknown) => ({
    status: 500,
    body: {
      ...readReferenceSample('wombat.webhook.exception.response'),
      request_id: expect.any(String),
      summary,
      backtrace: expect.any(String),
    },
  })

  ifSamples(
    'C133 C157 C198 without the right token all are 401, as it is printed, whatever the path',
    async () => {
      const body = readReferenceSample('wombat.webhook.unauthorized.response')
      for (const name of [
        'set_inventory',
        'set_price',
        'add_product',
        'add_customer',
        'add_order',
        'add_shipment',
        'add_customer_return',
      ])
        for (const path of [`/wombat/${name}`, '/wombat/upblate_order']) {
          const request = printed(`wombat.webhook.${name}.request`)
          expect(await deliverInVain(path, request, 'wrong')).toEqual({ status: 401, body })
        }
    },
  )

  ifSamples('C158 C159 a handler that is not there is 500, as it is printed', async () => {
    const answer = await deliverInVain('/wombat/upblate_order', printed('wombat.webhook.add_order.request'))
    const body = readReferenceSample('wombat.webhook.exception.response')
    // One string, but for the log alone what is inside of us.
    expect(answer).toEqual({ status: 500, body: { ...body, backtrace: expect.any(String) } })
  })

  ifSamples(
    'C156 C158 C161 set_inventory sets the level, and says which of the three is not known',
    async () => {
      const request = printed('wombat.webhook.set_inventory.request')
      const path = '/wombat/set_inventory'
      await forget('spree_stock_locations', 'name', 'us_warehouse')
      await forget('spree_variants', 'sku', SHIRT)
      await rows('update spree_stock_items set count_on_hand = 25 where id = 310')
      expect(await deliverInVain(path, request)).toEqual(
        failed('Stock location with name us_warehouse was not found'),
      )
      await call('spree_stock_locations', 'name', 2, 'us_warehouse')
      expect(await deliverInVain(path, request)).toEqual(failed(`Product with SKU ${SHIRT} was not found`))
      await call('spree_variants', 'sku', 112, SHIRT)
      expect(await deliverInVain(path, request)).toEqual(
        failed(`Stock location 'us_warehouse' does not has any stock_items for ${SHIRT}`),
      )
      await call('spree_stock_locations', 'name', 1, 'us_warehouse')
      expect(await deliver(path, request)).toEqual(
        said(`Set inventory for ${SHIRT} at us_warehouse from 25 to 93`),
      )
      expect(await rows('select count_on_hand from spree_stock_items where id = 310')).toEqual([
        { count_on_hand: 93 },
      ])
    },
  )

  ifSamples(
    'C162 set_price sets the price and what it costs; without a price there is nothing to set',
    async () => {
      await call('spree_variants', 'sku', 108, SHIRT)
      const request = printed('wombat.webhook.set_price.request')
      const without = request.replace('"price": 12.95,', '')
      expect(await deliverInVain('/wombat/set_price', without)).toEqual(failed('Missing price information'))
      expect(await deliver('/wombat/set_price', request)).toEqual(
        said(`Set price for ${SHIRT} from 34.5 USD to 12.95 USD`),
      )
      expect(
        await rows(
          `select amount, cost_price from spree_prices p join spree_variants v on v.id = variant_id
          where v.id = 108 and currency = 'USD'`,
        ),
      ).toEqual([{ amount: '12.95', cost_price: '6.25' }])
    },
  )

  ifSamples(
    'C169 add_product adds the product once; update_product knows those alone that are there',
    async () => {
      await forget('spree_variants', 'sku', SHIRT)
      const request = printed('wombat.webhook.add_product.request')
      expect(await deliverInVain('/wombat/update_product', request)).toEqual(
        failed(`Cannot find product with SKU ${SHIRT}!`),
      )
      const added = expect.stringMatching(
        // Nothing that is sent is fetched, so its images are told of.
        /^Product SPREE-T-SHIRT added, with child skus: \["SPREE-T-SHIRT-S"\]\. Not applied of product SPREE-T-SHIRT: its 2 images/,
      )
      expect(await deliver('/wombat/add_product', request)).toEqual(said(added))
      expect(
        await rows(
          `select p.slug, v.sku, v.is_master, a.amount from spree_products p
           join spree_variants v on v.product_id = p.id join spree_prices a on a.variant_id = v.id
          where p.name = 'Spree T-Shirt' order by v.id`,
        ),
      ).toEqual([
        { slug: 'spree-tshirt', sku: SHIRT, is_master: true, amount: '35.00' },
        { slug: 'spree-tshirt', sku: `${SHIRT}-S`, is_master: false, amount: '39.99' },
      ])
      expect(await deliverInVain('/wombat/add_product', again(request))).toEqual(
        failed(`Product with SKU ${SHIRT} already exists!`),
      )
      // It is so already, and told as an updated one, as the store's own code does.
      const updated = await deliverInVain('/wombat/update_product', again(request))
      expect(updated).toMatchObject({
        status: 200,
        body: { summary: expect.stringMatching(/^Product SPREE-T-SHIRT updated, with child skus: /) },
      })
    },
  )

  ifSamples(
    'C170 add_customer adds the customer once; update_customer knows those alone that are there',
    async () => {
      const request = printed('wombat.webhook.add_customer.request')
      expect(await deliverInVain('/wombat/update_customer', request)).toEqual(
        failed("Can't find customer with email 'spree@example.com'"),
      )
      const answer = await deliver('/wombat/add_customer', request)
      const [customer] = await rows(
        `select u.id, a.city, a.state_id from spree_users u join spree_addresses a on a.id = u.ship_address_id
        where email = 'spree@example.com'`,
      )
      expect(customer).toMatchObject({ city: 'Hollywood', state_id: '77' })
      expect(answer).toEqual(said(`Added new customer with spree@example.com and ID: ${customer?.['id']}`))
      expect(await deliverInVain('/wombat/add_customer', again(request))).toEqual(
        failed("Customer with email 'spree@example.com' already exists!"),
      )
      expect(await deliverInVain('/wombat/update_customer', again(request))).toMatchObject({
        status: 200,
        body: { summary: `Updated customer with spree@example.com and ID: ${customer?.['id']}` },
      })
    },
  )

  ifSamples(
    'C156 C163 C165 add_order places the order and answers as it is printed; update_order sets what it may',
    async () => {
      await call('spree_variants', 'sku', 108, SHIRT)
      await call('spree_payment_methods', 'name', 1, 'Credit Card')
      await forget('spree_orders', 'number', ORDER)
      const request = printed('wombat.webhook.add_order.request')
      expect(await deliverInVain('/wombat/update_order', request)).toEqual(
        failed(`Order with number ${ORDER} was not found`),
      )
      const { order } = readReferenceSample('wombat.webhook.add_order.request')
      const { placed_on, totals } = Object(order)
      const { status, body } = await deliver('/wombat/add_order', request)
      expect({ status, body }).toEqual({
        status: 200,
        body: {
          ...readReferenceSample('wombat.webhook.success.response'),
          orders: [expect.objectContaining({ id: ORDER, status: 'complete', placed_on, totals })],
          shipments: [expect.objectContaining({ order_id: ORDER, cost: 0, status: 'ready' })],
        },
      })
      const placed = () =>
        rows('select state, email, total, channel from spree_orders where number = $1', ORDER)
      const [row, ...others] = await placed()
      expect([row, others]).toEqual([
        { state: 'complete', email: 'spree@example.com', total: '210.00', channel: 'spree' },
        [],
      ])
      await rows(
        `update spree_orders set email = 'other@example.com', channel = 'shop' where number = $1`,
        ORDER,
      )
      expect(await deliver('/wombat/update_order', again(request))).toMatchObject({
        status: 200,
        body: { summary: `Updated Order with number ${ORDER}` },
      })
      expect(await placed()).toEqual([{ ...row, channel: 'shop' }])
    },
  )

  ifSamples(
    'C164 what the shipping of the order costs is shared out; the printed one does not add up, and is refused',
    async () => {
      await call('spree_variants', 'sku', 102, 'SPR-00001-Variant')
      await call('spree_payment_methods', 'name', 1, 'bogus')
      // One piece in each place.
      await rows('update spree_stock_items set count_on_hand = 1 where variant_id = 102')
      const request = printed('wombat.webhook.shopify_order.request')
      expect(await deliverInVain('/wombat/add_order', request)).toEqual(
        failed(
          expect.stringMatching(
            /^Order schoftech_1018 does not add up: .*come to 59\.90, totals\.order says 49\.90/,
          ),
        ),
      )
      // Its adjustments are 11.90 of which 10.00 are the shipping.
      const corrected = request.replace('"value": 11.9', '"value": 1.9')
      const { status, body } = await deliver('/wombat/add_order', corrected)
      expect({ status, body }).toMatchObject({
        status: 200,
        body: {
          summary: expect.stringMatching(/^Order number schoftech_1018 was added/),
          shipments: [{ cost: 5 }, { cost: 5 }],
        },
      })
      expect(
        await rows(
          `select s.cost from spree_shipments s join spree_orders o on o.id = s.order_id where o.number = 'schoftech_1018'`,
        ),
      ).toEqual([{ cost: '5.00' }, { cost: '5.00' }])
    },
  )

  ifSamples('C166 add_shipment adds the parcel once', async () => {
    const request = printed('wombat.webhook.add_shipment.request')
    await forget('spree_orders', 'number', ORDER)
    expect(await deliverInVain('/wombat/add_shipment', request)).toEqual(
      failed(`Can't find order ${ORDER} associated with this shipment`),
    )
    await forget('spree_shipments', 'number', '12836')
    // An order one piece of which no parcel holds.
    await call('spree_orders', 'number', 45, ORDER)
    await call('spree_variants', 'sku', 102, SHIRT)
    await call('spree_stock_locations', 'admin_name', 1, 'default')
    await call('spree_shipping_methods', 'name', 1, 'UPS Ground (USD)')
    await rows(`update spree_shipments set state = 'canceled' where id = 57`)
    await rows('update spree_stock_items set count_on_hand = 5 where id = 301')
    const { status, body } = await deliver('/wombat/add_shipment', request)
    expect({ status, body }).toMatchObject({
      status: 200,
      body: { request_id: ID, summary: expect.stringMatching(`^Added shipment 12836 for order ${ORDER}`) },
    })
    expect(body.shipments).toContainEqual(
      expect.objectContaining({ id: '12836', order_id: ORDER, cost: 5, tracking: '12345678' }),
    )
    expect(await rows(`select tracking, cost from spree_shipments where number = '12836'`)).toEqual([
      { tracking: '12345678', cost: '5.00' },
    ])
    expect(await deliverInVain('/wombat/add_shipment', again(request))).toEqual({
      status: 200,
      body: {
        request_id: expect.any(String),
        summary: `Already have a shipment for order ${ORDER} associated with shipment number 12836`,
      },
    })
  })

  ifSamples('C167 C168 C199 update_shipment takes the same object only for a parcel that is so', async () => {
    const request = printed('wombat.webhook.add_shipment.request')
    const path = '/wombat/update_shipment'
    await forget('spree_shipments', 'number', '12836')
    expect(await deliverInVain(path, request)).toEqual(failed("Can't find shipment 12836"))
    // It has left with a piece of something else.
    await call('spree_orders', 'number', 41, ORDER)
    await call('spree_shipments', 'number', 51, '12836')
    await call('spree_variants', 'sku', 112, SHIRT)
    expect(await deliverInVain(path, request)).toEqual(
      failed(
        `The received shipment items do not match with the shipment, diff: [{"product_id":"${SHIRT}","quantity":1}]`,
      ),
    )
    await call('spree_variants', 'sku', 108, SHIRT)
    expect(await deliverInVain(path, request)).toEqual(
      failed(
        "Cannot transition shipment from current state: 'shipped' to requested state: 'ready', no transition found.",
      ),
    )
    const { status, body } = await deliver(path, request.replace('"ready"', '"shipped"'))
    expect({ status, body }).toMatchObject({
      status: 200,
      body: { summary: expect.stringMatching(/^Updated shipment 12836/) },
    })
    expect(await rows('select tracking from spree_shipments where id = 51')).toEqual([
      { tracking: '12345678' },
    ])
  })

  ifSamples('C160 parameters as an object are none of the content, as a list they are not read', async () => {
    await call('spree_shipments', 'number', 56, 'S123')
    const asObject = printed('wombat.ep.webhook_request')
    const { request_id } = readReferenceSample('wombat.ep.webhook_request')
    const asList = asObject
      .replace(String(request_id), newMessageId())
      .replace(/"parameters": \{[^}]*\}/, '"parameters": [{ "name": "timestamp", "value": "now" }]')
    expect(asList).toContain('"name": "timestamp"')
    for (const text of [asObject, asList])
      expect(await deliver('/wombat/update_shipment', text)).toMatchObject({
        status: 200,
        body: { request_id: JSON.parse(text).request_id, summary: 'Updated shipment S123' },
      })
  })

  ifSamples('C171 C200 add_customer_return receives what came back, once', async () => {
    const request = printed('wombat.webhook.add_customer_return.request')
    const path = '/wombat/add_customer_return'
    expect(await deliverInVain(path, JSON.stringify({ request_id: ID }))).toEqual({
      status: 400,
      body: { request_id: ID, summary: 'Please provide a customer_return payload' },
    })
    await call('spree_orders', 'number', 41, ORDER)
    await call('spree_variants', 'sku', 108, SHIRT)
    await forget('spree_stock_locations', 'name', 'default')
    await forget('spree_stock_locations', 'admin_name', 'default')
    expect(await deliverInVain(path, request)).toEqual(
      failed(expect.stringMatching(/^Customer return could not be fully processed, errors: .*default/)),
    )
    await call('spree_stock_locations', 'name', 1, 'default')
    const answer = await deliver(path, request)
    const [back] = await rows(
      `select c.id, number, reception_status from spree_customer_returns c
         join spree_return_items i on i.customer_return_id = c.id where inventory_unit_id = 752`,
    )
    expect(back).toMatchObject({ reception_status: 'received' })
    expect(answer).toEqual(said(expect.stringMatching(`^Customer return ${back?.['id']} was added`)))
    expect(await rows('select state from spree_inventory_units where id = 752')).toEqual([
      { state: 'returned' },
    ])
    expect(await deliverInVain(path, again(request))).toEqual({
      status: 200,
      body: {
        request_id: expect.any(String),
        summary: `Customer return ${back?.['number']} has already been processed`,
      },
    })
  })
})
