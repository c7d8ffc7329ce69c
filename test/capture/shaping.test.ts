import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { z } from 'zod'
import { readSettings } from '../../src/config/read-settings.ts'
import { previewMessages } from '../../src/operator/preview-messages.ts'
import { formatStatus, readStatus } from '../../src/operator/show-status.ts'
import { shapeOf } from '../../src/processes/shape-of.ts'
import { openStore } from '../../src/store/store.ts'
import { runBridge } from '../operator/run-bridge.ts'
import { until } from '../queue/ground.ts'
import { type Collecting, startCollecting } from '../support/collecting.ts'
import type { TestDatabase } from '../support/postgres.ts'
import { type RecordingHub, startRecordingHub } from '../support/recording-hub.ts'
import { exampleSections, settingsFile } from '../support/settings-file.ts'
import { createStore } from '../support/stores.ts'
import { startTestWorker, type TestWorker } from '../support/worker.ts'

const CONFIGURATION = `
announce:
  product:new: off
filters:
  stock:change:
    - {path: payload.quantity, operator: lt, value: 0}
redact:
  order:persist: [payload.email, payload.bill_address.*, payload.line_items.*.variant.name]
  product:update: [payload.meta_keywords]
transform:
  order:persist: '$merge([$, {"title": "Order " & number}])'
  product:update: |
    name = "Endless" ? ($f := function($n) { $f($n + 1) }; $f(0)) :
    name = "Nameless" ? $error("it has no name") :
    {"sku": sku, "title": $uppercase(name), "words": meta_keywords, "meta": $keys($)["meta_keywords" in $]}
  stock:change: 'quantity = -77 ? $error("not so many") : $'
transform_budget_ms: 40
shadow:
  redact:
    order:persist: [payload.email, payload.bill_address.*, payload.line_items.*.variant.name, payload.special_instructions]
  transform:
    stock:change: '{"sku": sku, "quantity": $string(quantity), "place": "north"}'
    product:update: $error("nothing to say of " & id)
`

describe('what the configuration makes of messages', () => {
  let db: TestDatabase
  let hub: RecordingHub
  let worker: TestWorker
  const file = settingsFile(CONFIGURATION)

  beforeAll(async () => {
    db = await createStore('spree-4.10', 'fixture')
    hub = await startRecordingHub({ ours: true })
    const { settings } = readSettings({ env: {}, file, needs: [] })
    const { announce, filters, redact, transform, shadow, transformBudgetMs } = settings
    worker = await startTestWorker(db, hub, {
      ...{ announce, filters, redact, transform, shadow, transformBudgetMs },
      settleQuietMs: 50,
    })
  })
  afterAll(async () => {
    await worker?.stop()
    await hub?.close()
    await db?.drop()
  })

  const toldOf = async (...statements: string[]) => {
    const heard = hub.requests.length
    for (const statement of statements) await db.pool.query(statement)
    await worker.settled()
    return hub.requests
      .slice(heard)
      .filter(({ method }) => method === 'POST')
      .map(({ type, payload }) => ({ type, payload }))
  }
  const add = (pieces: number) =>
    `update spree_stock_items set count_on_hand = count_on_hand + ${pieces} where id = 306`
  const rename = (id: number, name: string) => `update spree_products set name = '${name}' where id = ${id}`
  const lastOutboxId = async () => {
    const { rows } = await db.pool.query<{ id: number }>(
      'select last_value::float8 as id from bridge.outbox_id_seq',
    )
    return rows[0]?.id ?? Number.NaN
  }
  const unmapped = async () =>
    (await readStatus(db.pool, 12)).unmapped.map(({ aggregate, reason }) => [aggregate, reason])

  test('a message that a filter stops is counted, and what it told is known', async () => {
    expect(await toldOf(add(5))).toEqual([])
    expect(await toldOf(add(-2))).toEqual([{ type: 'stock:change', payload: { sku: 'BC-01', quantity: -2 } }])

    const { rows } = await db.pool.query(`select level::int from bridge.baseline where part = 'stock:108'`)
    const { rows: levels } = await db.pool.query(
      'select sum(count_on_hand)::int as level from spree_stock_items where variant_id = 108',
    )
    expect(rows).toEqual(levels)
  })

  test('a type that is off is not sent, what follows it is', async () => {
    const told = await toldOf(
      `insert into spree_products (id, name, slug, created_at, updated_at) values (90, 'Whistle', 'whistle', now(), now())`,
    )
    expect(told).toEqual([])
    expect(await toldOf(rename(90, 'Pea Whistle'))).toEqual([
      {
        type: 'product:update',
        payload: { sku: '', title: 'PEA WHISTLE', words: null, meta: 'meta_keywords' },
      },
    ])
  })

  test('status and metrics say what was kept back', async () => {
    const status = await readStatus(db.pool, 12)
    expect(status.withheld).toEqual([
      expect.objectContaining({ type: 'product:new', by: 'announce', count: 1, lastAggregate: 'product:90' }),
      expect.objectContaining({ type: 'stock:change', by: 'filters', count: 1, lastAggregate: 'product:13' }),
    ])
    expect(formatStatus(status)).toMatch(
      /^kept {4}1 stock:change not sent by filters of the configuration since \S+, the last of product:13$/m,
    )
    // With the next heartbeat.
    await until(
      async () => (await readStatus(db.pool, 12)).perMinute.accepted > 0,
      () => 'nothing was accepted within a minute',
    )
    const metrics = await (await fetch(`${worker.url}/metrics`)).text()
    expect(metrics).toContain('spree_bridge_withheld_total{type="stock:change",rule="filters"} 1')
    expect(metrics).toContain('spree_bridge_withheld_total{type="product:new",rule="announce"} 1')
  })

  test('what is redacted is there, and null', async () => {
    const [order] = await toldOf(
      `update spree_orders set special_instructions = 'By the back door' where id = 41`,
    )
    expect(order).toMatchObject({
      type: 'order:persist',
      payload: {
        number: 'R204817351',
        title: 'Order R204817351',
        email: null,
        bill_address: { firstname: null, phone: null, country: null },
        ship_address: { firstname: expect.any(String) },
        special_instructions: 'By the back door',
        token: null,
        last_ip_address: null,
      },
    })
    const items = z
      .array(z.object({ variant: z.object({ name: z.null(), sku: z.string() }) }))
      .parse(order?.payload['line_items'])
    expect(items).not.toHaveLength(0)
  })

  test('a shadow tells where it differs, and nothing of what it is about; what is sent does not heed it', async () => {
    expect(await toldOf(add(-1))).toEqual([{ type: 'stock:change', payload: { sku: 'BC-01', quantity: -1 } }])
    const status = await readStatus(db.pool, 12)
    const difference = (path: string, live: string, shadow: unknown, lastAggregate: string, count = 1) =>
      expect.objectContaining({ path, live, shadow, lastAggregate, count })
    expect(status.shadow).toEqual([
      expect.objectContaining({
        type: 'order:persist',
        compared: 1,
        differing: 1,
        differences: [
          difference('payload.special_instructions', 'text', 'null', 'order:41'),
          difference('payload.title', 'text', 'nothing', 'order:41'),
        ],
      }),
      expect.objectContaining({
        type: 'product:new',
        differences: [difference('message', 'kept back by announce', 'sent', 'product:90')],
      }),
      expect.objectContaining({
        type: 'product:update',
        differences: [
          difference(
            'message',
            'sent',
            expect.stringMatching(/^fails: transform of product:update: nothing to say of 90 /),
            'product:90',
          ),
        ],
      }),
      expect.objectContaining({
        type: 'stock:change',
        compared: 3,
        differing: 3,
        differences: [
          difference('payload.place', 'nothing', 'text', 'product:13', 2),
          difference('payload.quantity', 'number', 'text', 'product:13', 2),
          difference('message', 'kept back by filters', 'sent', 'product:13'),
        ],
      }),
    ])
    expect(formatStatus(status)).toMatch(
      /^shadow {2}order:persist compared 1 since \S+, 1 differ\n {8}payload.special_instructions 1, the last of order:41: text → null$/m,
    )
  })

  test('an expression that fails, or does not end, parks its aggregate alone, until it maps', async () => {
    const told = await toldOf(
      rename(13, 'Nameless'),
      rename(14, 'Endless'),
      rename(15, 'Hurricane Lantern'),
      add(-3),
      // From the hub, which must never hear of it again.
      `select set_config('bridge.origin', '1:52811a8584a8169f7a000001', true); ${add(-10)}`,
    )
    expect(told).toEqual([
      expect.objectContaining({
        type: 'product:update',
        payload: expect.objectContaining({ title: 'HURRICANE LANTERN' }),
      }),
    ])
    expect((await unmapped()).sort()).toEqual([
      [
        'product:13',
        expect.stringMatching(/^transform of product:update: it has no name \(D3137, character \d+\)$/),
      ],
      ['product:14', 'transform of product:update: it took longer than 40 ms'],
    ])
    const parked = await unmapped()
    const sold = await toldOf(add(-1))
    expect(await unmapped()).toEqual(parked)
    const idsBefore = await lastOutboxId()
    expect(await toldOf(add(-1))).toHaveLength(1)
    // Nothing but what the shop wrote: what was missing was asked for at the sale before.
    expect((await lastOutboxId()) - idsBefore).toBe(1)
    const mended = await toldOf(rename(13, 'Named'), rename(14, 'Ended'), add(-1))
    expect(
      mended.filter(({ type }) => type === 'product:update').map(({ payload }) => payload['title']),
    ).toEqual(expect.arrayContaining(['NAMED', 'ENDED']))
    const piecesIn = (messages: typeof told) =>
      messages.reduce(
        (sum, { type, payload }) => sum + (type === 'stock:change' ? Number(payload['quantity']) : 0),
        0,
      )
    expect([piecesIn(sold), piecesIn(mended)]).toEqual([-4, -1])
    expect(await unmapped()).toEqual([])
  })

  test('a product that is parked for its stock alone is not any more, when that is told', async () => {
    expect(await toldOf(add(-77))).toEqual([])
    expect(await toldOf(add(-77))).toEqual([])
    expect(await unmapped()).toEqual([
      ['product:13', expect.stringMatching(/^transform of stock:change: not so many/)],
    ])
    const told = await toldOf(add(-1))
    expect(told.map(({ payload }) => payload['quantity']).sort()).toEqual([-1, -154])
    expect(await unmapped()).toEqual([])
  })

  describe('messages preview', () => {
    const preview = (asked: string, content = CONFIGURATION) =>
      runBridge(['messages', 'preview', ...asked.split(' '), '--config', settingsFile(content)], {
        DATABASE_URL: db.url,
      })
    const state = async () => {
      const { rows } = await db.pool.query(
        `select (select json_agg(b order by aggregate, part) from bridge.baseline b)::text as baselines,
                (select count(*)::int from bridge.message) as messages,
                (select count(*)::int from bridge.history) as history,
                (select json_agg(w order by type) from bridge.withheld w)::text as withheld`,
      )
      return rows
    }

    test('shows what a change of an order would send, by number or id, and writes nothing', async () => {
      const before = await state()
      const [{ status, stdout }, byId] = await Promise.all([
        preview('order R204817352 --json'),
        preview('order 42'),
      ])
      const { aggregate, messages, unmapped } = JSON.parse(stdout)

      expect({ status, aggregate, unmapped }).toEqual({ status: 0, aggregate: 'order:42', unmapped: null })
      expect(messages).toEqual([
        {
          type: 'order:persist',
          withheldBy: null,
          payload: expect.objectContaining({ number: 'R204817352', email: null, total: '156.85' }),
        },
      ])
      expect(byId.stdout.split('\nredact.')).toEqual([
        `order:persist of order:42\n${JSON.stringify(messages[0].payload, null, 2)}`,
        expect.stringContaining(
          'what payload.bill_address.* takes out still stands at payload.ship_address.firstname',
        ),
      ])
      expect(await state()).toEqual(before)
    })

    test('shows a cart where carts are told', async () => {
      const [told, not] = await Promise.all([preview('cart 46 --json', 'carts: on'), preview('cart 46')])
      expect(JSON.parse(told.stdout).messages).toMatchObject([
        { type: 'cart:updated', payload: { cart: { id: 46, completed_at: null } }, withheldBy: null },
      ])
      expect([not.status, not.stderr]).toEqual([
        1,
        expect.stringContaining('There is no cart (with `carts: on`) with the id 46.'),
      ])
    })

    test('shows what the configuration makes of a product and its stock, keeps back, or fails at', async () => {
      const [product, stock, onTrial, customer] = await Promise.all(
        ['product BC-01', 'stock 13', 'stock 13 --shadow --json', 'customer 1 --json'].map((asked) =>
          preview(asked),
        ),
      )
      expect(JSON.parse(customer?.stdout ?? '').messages).toEqual([
        {
          type: 'user:updated',
          withheldBy: null,
          payload: expect.objectContaining({ email: 'clara@example.com' }),
        },
      ])
      const payload = { sku: 'BC-01', title: 'NAMED', words: null, meta: 'meta_keywords' }
      expect(product?.stdout).toBe(`product:update of product:13\n${JSON.stringify(payload, null, 2)}\n`)
      expect(stock?.stdout).toBe(
        'stock:change of product:13 would not be sent: filters of the configuration keeps it back\n',
      )
      expect(JSON.parse(onTrial?.stdout ?? '').messages).toEqual([
        { type: 'stock:change', withheldBy: null, payload: { sku: 'BC-01', quantity: '1', place: 'north' } },
      ])

      await db.pool.query(`update spree_products set name = 'Nameless' where id = 13`)
      const [failing, broken, missing] = await Promise.all([
        preview('product brass-compass'),
        preview('stock 13', 'transform: {stock:change: "{sku: "}'),
        preview('order R1'),
      ])
      expect(failing).toMatchObject({
        status: 1,
        stdout: expect.stringMatching(
          /^product:13 would be parked: transform of product:update: it has no name/,
        ),
      })
      expect(broken).toMatchObject({
        status: 2,
        stderr: expect.stringMatching(
          /^transform.stock:change cannot be read as JSONata: .+\(S\d+, character \d\)\. /,
        ),
      })
      expect(missing).toMatchObject({
        status: 1,
        stderr: 'There is no placed order with the number or id R1.\n',
      })
    })

    test('takes the examples of the settings file, and says of what is redacted that it is not there, or stands elsewhere too', async () => {
      const [examples, generic] = await Promise.all([
        preview('order R204817351 --json', exampleSections()),
        preview(
          'order 41',
          'orders: generic\nredact: {order:updated: [payload.order.emial, payload.order.email]}',
        ),
      ])
      expect(JSON.parse(examples.stdout).messages).toEqual([
        {
          type: 'order:persist',
          withheldBy: null,
          payload: expect.objectContaining({
            number: 'R204817351',
            email: null,
            ship_address: expect.objectContaining({ city: expect.any(String), phone: null }),
            item_count: 3,
            spree_reimbursements: [],
          }),
        },
      ])
      expect(generic.stdout.trimEnd().split('\n').slice(-2)).toEqual([
        'redact.order:updated: payload.order.emial leads nowhere in this message',
        'redact.order:updated: what payload.order.email takes out still stands at payload.original.email',
      ])
    })
  })
})

describe.each(['spree-4.10', 'spree-6.0'] as const)('extra columns of a store of %s', (family) => {
  let db: TestDatabase
  let collecting: Collecting
  const extraOf = (content: string) =>
    readSettings({ env: {}, file: settingsFile(`extra: ${content}`), needs: [] }).settings.extra

  beforeAll(async () => {
    db = await createStore(family, 'fixture')
    await db.pool.query(
      `alter table spree_products add column brand_code text, add column margin numeric(6, 3), add column reviews_count integer;
       create table shop_badges (id bigserial primary key, product_id bigint, label text, given_at timestamp, hidden boolean);
       alter table spree_orders add column "order" text;
       create table erp_notes (id bigserial primary key, order_id bigint, cost numeric(8, 2));
       update spree_products set brand_code = 'HAWSER', margin = 0.250 where id = 13;
       insert into shop_badges (product_id, label, given_at) values (13, 'new', '2026-03-01 08:00'), (13, 'old', null)`,
    )
    const extra = extraOf(`
  product:
    columns: [margin, brand_code, reviews_count]
    tables: {shop_badges: {key: product_id, columns: [label, given_at]}}
  order:
    columns: [order]
    tables: {erp_notes: {key: order_id, columns: [cost]}}`)
    collecting = await startCollecting(db, extra ? { extra } : {})
  })
  afterAll(() => db?.drop())

  const told = async (statement: string) => {
    await db.pool.query(statement)
    return (await collecting.all()).sort((one, other) => (one.aggregate < other.aggregate ? -1 : 1))
  }

  test('go along under their names, decimals and times in the forms of the wire', async () => {
    const [message, ...others] = await told(`update spree_products set name = 'Compass' where id = 13`)
    expect(others).toEqual([])
    expect(message).toMatchObject({
      aggregate: 'product:13',
      type: 'product:update',
      payload: {
        name: 'Compass',
        brand_code: 'HAWSER',
        margin: '0.25',
        reviews_count: null,
        shop_badges: [
          { label: 'new', given_at: '2026-03-01T08:00:00.000Z' },
          { label: 'old', given_at: null },
        ],
      },
    })
  })

  test('are watched: a change in them is told, one beside them is not', async () => {
    // A count is no change of a product, unless somebody wants to know it.
    expect(await told('update spree_products set reviews_count = 4 where id = 13')).toMatchObject([
      { aggregate: 'product:13', payload: { reviews_count: 4 } },
    ])
    expect(await told(`update shop_badges set hidden = true`)).toEqual([])
    expect(await told(`delete from shop_badges where label = 'old'`)).toMatchObject([
      { aggregate: 'product:13', payload: { shop_badges: [{ label: 'new' }] } },
    ])
    expect(await told(`update shop_badges set product_id = 14`)).toMatchObject([
      { aggregate: 'product:13', payload: { shop_badges: [] } },
      { aggregate: 'product:14', payload: { shop_badges: [{ label: 'new' }] } },
    ])
  })

  test('of an order too, whatever their names', async () => {
    expect(await told(`update spree_orders set "order" = 'E-17' where id = 42`)).toMatchObject([
      { aggregate: 'order:42', type: 'order:persist', payload: { order: 'E-17', erp_notes: [] } },
    ])
    expect(await told(`insert into erp_notes (order_id, cost) values (42, 3)`)).toMatchObject([
      { aggregate: 'order:42', payload: { order: 'E-17', erp_notes: [{ cost: '3.0' }] } },
    ])
  })

  test('tell the stores of a shop apart: filters keep the messages of one', async () => {
    const six = family === 'spree-6.0'
    const file = settingsFile(`
extra: {product: ${six ? '{columns: [store_id]}' : '{tables: {spree_products_stores: {key: product_id, columns: [store_id]}}}'}}
filters:
  order:persist: [{path: payload.store.code, operator: eq, value: kiel}]
  order:updated: [{path: payload.original.store.code, operator: eq, value: kiel}]
  product:update: [{path: payload.${six ? 'store_id' : 'spree_products_stores.*.store_id'}, operator: eq, value: 2, match_rule: any}]`)
    const { settings } = readSettings({ env: {}, file, needs: [] })
    await db.pool.query(`
      insert into spree_stores (id, name, url, code, default_currency, "default", created_at, updated_at)
      values (2, 'Kiel', 'kiel.example', 'kiel', 'EUR', false, now(), now());
      update spree_orders set store_id = 2 where id = 42;
      ${six ? 'update spree_products set store_id = 2 where id = 12' : 'insert into spree_products_stores (product_id, store_id, created_at, updated_at) values (12, 2, now(), now())'}`)
    const store = await openStore(db.pool, settings)
    const shape = await shapeOf(settings, settings.transformBudgetMs)
    const kept = async (kind: 'order' | 'product', name: string, orderMessages: 'persist' | 'generic') => {
      const asked = { kind, name, stockMessages: 'change', orderMessages, shape, redact: undefined } as const
      const { messages } = (await previewMessages(db.pool, store, asked))!
      return messages.filter(({ type }) => /^order|^product/.test(type)).map(({ withheldBy }) => withheldBy)
    }
    expect(await kept('order', '42', 'persist')).toEqual([null])
    expect(await kept('order', '41', 'persist')).toEqual(['filters'])
    expect(await kept('order', '42', 'generic')).toEqual([null])
    expect(await kept('order', '41', 'generic')).toEqual(['filters'])
    expect(await kept('product', '12', 'persist')).toEqual([null])
    expect(await kept('product', '13', 'persist')).toEqual(['filters'])
  })

  test.each([
    [
      '{product: {columns: [brand_cod]}}',
      'extra.product.columns: table spree_products has no column brand_cod. Did you mean brand_code?',
    ],
    ['{product: {columns: [name]}}', 'extra.product.columns: the payload of products has a name already.'],
    [
      '{order: {tables: {erp_lines: {key: order_id, columns: [cost]}}}}',
      'extra.order.tables: the store has no table erp_lines.',
    ],
    [
      '{order: {tables: {erp_notes: {key: orderid, columns: [cost]}}}}',
      'extra.order.tables.erp_notes: table erp_notes has no column orderid. Did you mean order_id?',
    ],
    [
      '{product: {tables: {spree_prices: {key: variant_id, columns: [amount]}}}}',
      'extra.product.tables.spree_prices: its rows do not belong to products by their variant_id.',
    ],
    [
      '{order: {tables: {shop_badges: {key: label, columns: [hidden]}}}}',
      'extra.order.tables.shop_badges: label is no integer, as the ids of orders are.',
    ],
  ])('that the store does not have are refused: %s', async (content, message) => {
    await expect(openStore(db.pool, { extra: extraOf(content) })).rejects.toMatchObject({
      code: 'unknown_extra',
      message,
    })
  })
})
