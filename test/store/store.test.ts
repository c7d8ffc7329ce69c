import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'

import { customerKind } from '../../src/messages/customer.ts'
import { MappingError } from '../../src/messages/mapping-error.ts'
import { productPayload } from '../../src/messages/product.ts'
import { rawOrder } from '../../src/messages/raw-order.ts'
import type { Connection } from '../../src/postgres/pool.ts'
import { absentFields } from '../../src/store/absent-fields.ts'
import { type ChangedRow, openStore, type Store } from '../../src/store/store.ts'
import { readExpected } from '../expected/read-expected.ts'
import { createDatabase, type TestDatabase } from '../support/postgres.ts'
import { createStore, type StoreFamily } from '../support/stores.ts'

const families: StoreFamily[] = ['spree-4.10', 'spree-6.0']

describe.each(families)('a store of %s', (family) => {
  let db: TestDatabase
  let store: Store
  let connection: Connection

  beforeAll(async () => {
    db = await createStore(family, 'fixture')
    store = await openStore(db.pool)
  })
  afterAll(() => db.drop())

  // What a test changes is rolled back.
  beforeEach(async () => {
    connection = await db.pool.connect()
    await connection.query('begin')
  })
  afterEach(async () => {
    await connection.query('rollback')
    connection.release()
  })

  const productOf = async (id: string) => {
    const product = (await store.products(connection, [id])).get(id)
    if (product === undefined || product instanceof Error) throw product ?? new Error(`no product ${id}`)
    return productPayload(product, undefined)
  }
  const orderOf = async (id: string) => {
    const order = (await store.orders(connection, [id])).get(id)
    if (order === undefined || order instanceof Error) throw order ?? new Error(`no order ${id}`)
    return rawOrder(order)
  }

  test('pages of products and orders come in the order of their ids, not of their texts', async () => {
    const insert = `insert into spree_products (id, name, slug, created_at, updated_at) values ($1, 'x', $2, now(), now())`
    for (const id of [100, 101, 1000]) await connection.query(insert, [id, `product-${id}`])
    await connection.query('update spree_orders set id = 400 where id = 42')
    const inPages = async (kind: 'product' | 'order', size: number) => {
      const pages: string[] = []
      for (;;) {
        const page = await store.roots(connection, kind, pages.at(-1) ?? '0', size)
        pages.push(...page)
        if (page.length < size) return pages
      }
    }
    expect(await inPages('product', 3)).toEqual([
      '11',
      '12',
      '13',
      '14',
      '15',
      '16',
      '17',
      '18',
      '100',
      '101',
      '1000',
    ])
    expect(await inPages('order', 2)).toEqual(['41', '43', '44', '45', '400'])
  })

  test('is known by its tables', () => {
    expect(store).toMatchObject({ family, schema: 'public' })
  })

  test.each(['spree_products', 'spree_line_items', 'spree_addresses'])(
    'is refused where %s has uuids for keys',
    async (table) => {
      await connection.query(`alter table ${table} add key uuid default gen_random_uuid();
                              alter table ${table} drop column id cascade;
                              alter table ${table} rename column key to id`)
      await expect(openStore(connection)).rejects.toMatchObject({
        code: 'unsupported_keys',
        message: expect.stringContaining(`table ${table} are of type uuid`),
      })
    },
  )

  test('is watched where rows appear in messages', () => {
    const common = [
      'spree_products',
      'spree_variants',
      'spree_prices',
      'spree_option_value_variants',
      'spree_option_values',
      'spree_option_types',
      'spree_product_option_types',
      'spree_orders',
      'spree_line_items',
      'spree_payments',
      'spree_refunds',
      'spree_addresses',
      'spree_credit_cards',
    ]
    const own = {
      'spree-4.10': [
        'spree_taxons',
        'spree_products_taxons',
        'spree_properties',
        'spree_product_properties',
        'spree_assets',
        'spree_stock_items',
        'spree_shipments',
        'spree_shipping_rates',
        'spree_inventory_units',
        'spree_adjustments',
        'spree_return_authorizations',
        'spree_return_items',
        'spree_users',
        'spree_stock_transfers',
        'spree_reimbursements',
      ],
      'spree-6.0': [
        'spree_categories',
        'spree_product_categories',
        'spree_media',
        'spree_stock_levels',
        'spree_fulfillments',
        'spree_delivery_rates',
        'spree_fulfillment_items',
        'spree_deliveries',
        'spree_tax_lines',
        'spree_discounts',
        'spree_fees',
        'spree_returns',
        'spree_return_line_items',
        'spree_customers',
        'spree_stock_transfers',
        'spree_stock_transfer_items',
      ],
    }[family]
    expect(store.watched.map(({ table }) => table).sort()).toEqual([...common, ...own].sort())
  })

  test('watches only what exists, and no column that says nothing', async () => {
    for (const watched of store.watched) {
      const { rows } = await connection.query<{ name: string }>(
        'select column_name as name from information_schema.columns where table_name = $1',
        [watched.table],
      )
      const names = rows.map(({ name }) => name)
      expect(names).toEqual(expect.arrayContaining([watched.id, ...watched.columns]))
      if (watched.parent) expect(names).toContain(watched.parent)
      expect(watched.columns).not.toContain('updated_at')
      expect(watched.columns.length).toBeGreaterThan(0)
    }
    const columnsOf = (table: string) =>
      store.watched.find((watched) => watched.table === table)?.columns ?? []
    expect(columnsOf('spree_products')).toEqual(
      expect.arrayContaining(['name', 'slug', 'deleted_at', 'status']),
    )
    expect(columnsOf('spree_products').filter((name) => /_count$|revenue/.test(name))).toEqual([])
    const stock = store.watched.find(({ kind }) => kind === 'stock')
    expect(stock).toMatchObject({
      parent: 'variant_id',
      level: { count: 'count_on_hand', deleted: 'deleted_at' },
      columns: ['count_on_hand', 'deleted_at', 'variant_id', 'stock_location_id'],
    })
    expect(store.watched.find(({ kind }) => kind === 'customer')?.columns.toSorted()).toEqual(
      family === 'spree-4.10'
        ? [
            'bill_address_id',
            'deleted_at',
            'email',
            'first_name',
            'last_name',
            'login',
            'public_metadata',
            'selected_locale',
            'ship_address_id',
          ]
        : [
            'accepts_email_marketing',
            'bill_address_id',
            'email',
            'first_name',
            'last_name',
            'metadata',
            'phone',
            'selected_locale',
            'ship_address_id',
          ],
    )
    expect(store.watched.find(({ table }) => table === 'spree_addresses')?.operations).toEqual(['update'])
    expect(store.watched.find(({ table }) => table === 'spree_orders')?.placed).toBe('completed_at')
  })

  test('tells a product as written by hand', async () => {
    expect(await productOf('11')).toEqual(readExpected(family, 'fixture', 'product-11'))
  })

  test('tells a backordered order as written by hand', async () => {
    const file = family === 'spree-4.10' ? 'order-R204817354' : 'order-R1044'
    expect(await orderOf('44')).toEqual(readExpected(family, 'fixture', file))
  })

  test('tells a product by the default currency, without price where it has none', async () => {
    await connection.query(`update spree_stores set default_currency = 'EUR'`)
    expect(await productOf('13')).toMatchObject({ price: '31.9', currency: 'EUR' })
    expect(await productOf('17')).toMatchObject({ price: null, currency: 'EUR' })
  })

  test('tells a deleted product with the price it had, and none of its variants', async () => {
    expect(await productOf('18')).toMatchObject({
      price: '120.0',
      sku: family === 'spree-4.10' ? 'CH-1' : '',
      deleted_at: '2026-03-03T08:00:00.000Z',
      variants: [],
    })
  })

  test('tells what was charged and given as adjustments, signed', async () => {
    const { adjustments, tax_total, payment_state } = await orderOf('41')
    expect(adjustments.map(({ amount }) => amount).sort()).toEqual(['-17.8', '1.9', '8.81'])
    expect({ tax_total, payment_state }).toEqual({ tax_total: '10.71', payment_state: 'paid' })
    const included = await orderOf('42')
    expect(included.adjustments.map((adjustment) => adjustment['included'])).toEqual([true, true])
    expect(included).toMatchObject({
      tax_total: '23.12',
      payment_state: 'balance_due',
      shipment_state: 'pending',
    })
  })

  test('tells the images of the variant that was sold, and its price in the currency of the order', async () => {
    const [sweater] = (await orderOf('41')).line_items
    expect(sweater?.variant).toMatchObject({
      options_text: 'Size: M, Color: Navy',
      images: [
        {
          id: 2,
          attachment_file_name: 'sweater-navy.jpg',
          attachment_width: 1200,
          attachment_height: 1600,
          viewable_type: 'Spree::Variant',
          viewable_id: 103,
        },
      ],
    })
    expect((await orderOf('42')).line_items[0]?.variant).toMatchObject({ price: '139.0' })
  })

  test('tells each shipment by what became of it', async () => {
    const { shipments, shipment_state, refunds } = await orderOf('45')
    expect(shipment_state).toBe('partial')
    expect(shipments).toMatchObject([
      { id: 56, state: 'shipped', tracking: '1Z9990412399', shipped_at: '2026-03-08T14:00:00.000Z' },
      // Refunded and thus not paid in full, a 6.0 order has nothing that is ready.
      {
        id: 57,
        state: family === 'spree-4.10' ? 'ready' : 'pending',
        tracking: null,
        stock_location_name: 'Kiel depot',
      },
    ])
    expect(refunds).toEqual([
      {
        id: 31,
        payment_id: 76,
        amount: '10.0',
        transaction_id: null,
        reason: 'Goodwill',
        created_at: '2026-03-08T15:05:00.000Z',
      },
    ])
  })

  test('tells what its buyer says besides, and every line of an address', async () => {
    const [user, note] =
      family === 'spree-4.10' ? ['user_id', 'special_instructions'] : ['customer_id', 'customer_note']
    await connection.query(
      `update spree_orders set ${user} = 2, ${note} = 'Ring twice', bill_address_id = 63, ship_address_id = 63 where id = 44`,
    )
    await connection.query(
      `update spree_addresses
          set address2 = 'Hof', company = 'Ærø & Sohn', alternative_phone = '555-0182', state_name = 'Holstein'
        where id = 63`,
    )
    const lines = {
      address2: 'Hof',
      company: 'Ærø & Sohn',
      alternative_phone: '555-0182',
      state_name: 'Holstein',
    }
    expect(await orderOf('44')).toMatchObject({
      user_id: 2,
      special_instructions: 'Ring twice',
      bill_address: lines,
      ship_address: lines,
    })
  })

  test('withholds what is redacted', async () => {
    const text = JSON.stringify(await orderOf('41'))
    expect(text).not.toMatch(/tok41|203\.0\.113|BGS-/)
  })

  test('does not tell carts, nor what is gone', async () => {
    expect([...(await store.orders(connection, ['41', '46', '9999'])).keys()]).toEqual(['41'])
    expect(await store.products(connection, ['9999'])).toEqual(new Map())
    expect(await store.orders(connection, [])).toEqual(new Map())
  })

  test('a row that cannot be read is the failure of its aggregate alone', async () => {
    await connection.query(`update spree_line_items set price = 'NaN' where order_id = 41`)
    await connection.query(`update spree_products set available_on = 'infinity' where id = 12`)
    const orders = await store.orders(connection, ['41', '42'])
    expect(orders.get('41')).toBeInstanceOf(MappingError)
    expect(orders.get('41')).toMatchObject({
      code: 'unmappable',
      aggregate: 'order:41',
      path: 'lineItems.0.price',
      message: 'order:41 cannot be mapped: lineItems.0.price: not a decimal',
    })
    expect(orders.get('42')).toMatchObject({ id: '42' })
    const products = await store.products(connection, ['11', '12'])
    expect(products.get('12')).toMatchObject({ aggregate: 'product:12', path: 'availableOn' })
    expect(products.get('11')).toMatchObject({ id: '11' })
  })

  test('equal states are equal texts, whatever order the rows lie in', async () => {
    const before = JSON.stringify([await orderOf('45'), await productOf('11')])
    for (const { table } of store.watched) {
      // Every other row moves to the end of its table.
      await connection.query(`update ${table} set id = id where id % 2 = 0`)
    }
    expect(JSON.stringify([await orderOf('45'), await productOf('11')])).toBe(before)
  })

  test('counts stock over the living items of all places', async () => {
    const stock = await store.stock(connection, ['108', '110', '113', '114', '9999'])
    expect(stock.get('108')).toEqual({
      variantId: '108',
      productId: '13',
      sku: 'BC-01',
      createdAt: expect.any(Date),
      level: 55,
      living: true,
      locations: new Map([
        ['306', '1'],
        ['314', '2'],
      ]),
      levels: new Map([
        ['1', 40],
        ['2', 15],
      ]),
    })
    expect(stock.get('110')).toMatchObject({ level: family === 'spree-4.10' ? -2 : 1, living: true })
    expect(stock.get('113')).toMatchObject({ level: 0, living: false, locations: new Map([['315', '1']]) })
    expect(stock.get('114')).toMatchObject({ level: 0, living: false })
    expect(stock.has('9999')).toBe(false)
    const ofProducts = await store.stockOfProducts(connection, ['11', '13'])
    expect(new Map([...ofProducts].map(([id, { level }]) => [id, level]))).toEqual(
      family === 'spree-4.10'
        ? new Map([
            ['101', 0],
            ['102', 16],
            ['103', 7],
            ['104', 0],
            ['108', 55],
          ])
        : new Map([
            ['102', 17],
            ['103', 7],
            ['104', 0],
            ['108', 55],
          ]),
    )
  })

  test('finds the living owners of a SKU', async () => {
    await connection.query(`update spree_variants set sku = 'BC-01' where id in (110, 114)`)
    expect(await store.skuOwners(connection, ['BC-01', 'CH-1', 'OC-M'])).toEqual(
      new Map([
        ['BC-01', new Set(['13', '15'])],
        ['OC-M', new Set(['12'])],
      ]),
    )
  })

  test('lists roots by page, of orders the placed ones', async () => {
    expect(await store.roots(connection, 'order', '0', 3)).toEqual(['41', '42', '43'])
    expect(await store.roots(connection, 'order', '43', 3)).toEqual(['44', '45'])
    expect(await store.roots(connection, 'product', '0', 200)).toHaveLength(8)
  })

  describe('resolving changes', () => {
    const shipments = family === 'spree-4.10' ? 'spree_shipments' : 'spree_fulfillments'
    const rates = family === 'spree-4.10' ? 'spree_shipping_rates' : 'spree_delivery_rates'
    const units = family === 'spree-4.10' ? 'spree_inventory_units' : 'spree_fulfillment_items'
    const stock = family === 'spree-4.10' ? 'spree_stock_items' : 'spree_stock_levels'

    let records = 0
    const change = (
      tableName: string,
      rowId: string,
      parent: string | null = null,
      parentOld: string | null = parent,
    ): ChangedRow => ({ id: String(++records), tableName, rowId, parent, parentOld })

    const resolved = async (...rows: ChangedRow[]) => {
      const aggregates = await store.resolve(connection, rows)
      return rows.map((row) => [...(aggregates.get(row.id) ?? [])].sort())
    }

    test('roots and their direct children need no query', async () => {
      const unreachable = { query: () => Promise.reject(new Error('no query was expected')) }
      const rows = [
        change('spree_products', '11'),
        change('spree_variants', '102', '11'),
        change('spree_orders', '41'),
        change('spree_line_items', '501', '41'),
      ]
      const aggregates = await store.resolve(unreachable, rows)
      expect(rows.map((row) => aggregates.get(row.id))).toEqual([
        ['product:11'],
        ['product:11'],
        ['order:41'],
        ['order:41'],
      ])
    })

    test('a taxon under which much of the shop is filed does not end the window in which it is read', async () => {
      const many = 60_000
      const [links, key] =
        family === 'spree-4.10'
          ? ['spree_products_taxons', 'taxon_id']
          : ['spree_product_categories', 'category_id']
      const taxons = family === 'spree-4.10' ? 'spree_taxons' : 'spree_categories'
      await connection.query('begin')
      try {
        await connection.query(
          `insert into ${links} (product_id, ${key})
           select p.id, t.id
             from generate_series(1000001, ${1_000_000 + many}) p (id), (select min(id) as id from ${taxons}) t`,
        )
        const { rows } = await connection.query<{ id: string }>(`select min(id)::text as id from ${taxons}`)
        await connection.query(`set local idle_in_transaction_session_timeout = '6s'`)
        const [filed] = await resolved(change(taxons, rows[0]!.id))
        expect(filed?.length).toBeGreaterThanOrEqual(many)
        // The server ends a session that left it waiting for longer.
        await connection.query('select 1')
      } finally {
        await connection.query('rollback')
      }
    })

    test('children of children go by their parent, one query a kind', async () => {
      const queries: string[] = []
      const counted = {
        query: (text: string, values?: readonly unknown[]) => {
          queries.push(text)
          return connection.query(text, values)
        },
      } as Connection
      const rows = [
        change('spree_prices', '203', '102'),
        change('spree_option_value_variants', '1', '110'),
        change(stock, '314', '108'),
        change(rates, '97', '54'),
        change(units, '757', '54'),
        change(units, '758', '56'),
        change('spree_refunds', '31', '76'),
      ]
      const aggregates = await store.resolve(counted, rows)
      expect(rows.map((row) => aggregates.get(row.id))).toEqual([
        ['product:11'],
        ['product:15'],
        ['product:13'],
        ['order:44'],
        ['order:44'],
        ['order:45'],
        ['order:45'],
      ])
      expect(queries).toHaveLength(3)
    })

    test('an option value is of every product that has a living variant with it, an option type as well', async () => {
      await connection.query('update spree_variants set deleted_at = now() where id = 107')
      expect(
        await resolved(
          change('spree_option_values', '22'),
          change('spree_option_values', '23'),
          change('spree_option_types', '1'),
          change('spree_option_types', '2'),
        ),
      ).toEqual([['product:11', 'product:12'], [], ['product:11', 'product:12'], ['product:11']])
    })

    test('an address is of every placed order that names it and of whose default it is, a card of every order paid with it', async () => {
      expect(
        await resolved(
          change('spree_addresses', '62'),
          change('spree_addresses', '65'),
          change('spree_addresses', '9999'),
          change('spree_credit_cards', '81'),
        ),
      ).toEqual([
        ['customer:1', 'order:41', 'order:43', 'order:45'],
        ['order:44'],
        [],
        ['order:41', 'order:43'],
      ])
    })

    test('a child that moved touches both its parents', async () => {
      expect(
        await resolved(
          change('spree_line_items', '501', '42', '41'),
          change('spree_variants', '103', '12', '11'),
          change('spree_prices', '203', '108', '102'),
        ),
      ).toEqual([
        ['order:41', 'order:42'],
        ['product:11', 'product:12'],
        ['product:11', 'product:13'],
      ])
    })

    test('stock of a variant that moved is of its product alone: no delta may count twice', async () => {
      await connection.query('update spree_variants set product_id = 12 where id = 103')
      expect(
        await resolved(change('spree_variants', '103', '12', '11'), change(stock, '302', '103', null)),
      ).toEqual([['product:11', 'product:12'], ['product:12']])
    })

    test('children deleted together with their parent still find their aggregate', async () => {
      expect(
        await resolved(
          change(stock, '399', '9001', null),
          change('spree_variants', '9001', null, '11'),
          change(rates, '9101', null, '9102'),
          change(shipments, '9102', null, '44'),
        ),
      ).toEqual([['product:11'], ['product:11'], ['order:44'], ['order:44']])
    })

    test('what belongs to nothing has no aggregate', async () => {
      expect(
        await resolved(
          change('spree_line_items', '509', null),
          change(rates, '9999', '9999'),
          change('spree_refunds', '9999', null),
          change('spree_stores', '1'),
        ),
      ).toEqual([[], [], [], []])
    })

    test('returns lead to their order', async () => {
      if (family === 'spree-4.10') {
        await connection.query(
          `insert into spree_return_authorizations (id, number, state, order_id) values (7, 'RA7', 'authorized', 41)`,
        )
        expect(
          await resolved(
            change('spree_return_authorizations', '7', '41'),
            change('spree_return_items', '1', '751'),
            change('spree_reimbursements', '1', '41'),
          ),
        ).toEqual([['order:41'], ['order:41'], ['order:41']])
      } else {
        await connection.query(
          `insert into spree_returns (id, number, store_id, order_id, stock_location_id, status, created_at, updated_at)
           values (7, 'RET7', 1, 41, 1, 'requested', now(), now())`,
        )
        expect(
          await resolved(
            change('spree_returns', '7', '41'),
            change('spree_return_line_items', '1', '7'),
            change('spree_deliveries', '21', '51'),
            change('spree_fees', '872', null),
          ),
        ).toEqual([['order:41'], ['order:41'], ['order:41'], []])
      }
    })
  })
})

describe('what is no store that we know', () => {
  let db: TestDatabase
  beforeAll(async () => {
    db = await createDatabase()
  })
  afterAll(() => db.drop())

  test('is refused with a sentence that says what it is', async () => {
    await expect(openStore(db.pool)).rejects.toMatchObject({
      code: 'not_a_store',
      message: expect.stringContaining('no table spree_products'),
    })
    await db.pool.query('create table spree_products (id bigint primary key, name varchar)')
    await db.pool.query('create table spree_variants (id bigint primary key, count_on_hand integer)')
    await expect(openStore(db.pool)).rejects.toMatchObject({
      code: 'unsupported_family',
      message:
        'This database holds Spree 1.3 or older, which counts stock in the variants themselves, by its tables. Supported are Spree from 2.0 to 6.x, and Solidus.',
    })
  })
})

describe('a store of Solidus', () => {
  let db: TestDatabase
  let connection: Connection

  beforeAll(async () => {
    db = await createStore('solidus-4', 'fixture')
  })
  afterAll(() => db.drop())

  // What a test changes, tables too, is rolled back.
  beforeEach(async () => {
    connection = await db.pool.connect()
    await connection.query('begin')
  })
  afterEach(async () => {
    await connection.query('rollback')
    connection.release()
  })

  const open = () => openStore(connection)
  const orderOf = async (id: string) => {
    const order = (await (await open()).orders(connection, [id])).get(id)
    if (order === undefined || order instanceof Error) throw order ?? new Error(`no order ${id}`)
    return rawOrder(order)
  }
  const productOf = async (id: string) => {
    const product = (await (await open()).products(connection, [id])).get(id)
    if (product === undefined || product instanceof Error) throw product ?? new Error(`no product ${id}`)
    return productPayload(product, undefined)
  }

  test('its returns are read once for all orders, not for each: no index leads to them', async () => {
    const texts: string[] = []
    const recording = {
      query: (text: string, values?: readonly unknown[]) => {
        texts.push(text)
        return db.pool.query(text, values)
      },
    } as Connection
    for (const hubDialect of [undefined, 'wombat'] as const)
      await (await openStore(db.pool, { hubDialect })).orders(recording, ['41', '44'])
    expect(texts).toHaveLength(2)
    for (const text of texts) {
      const { rows } = await db.pool.query<{ 'QUERY PLAN': readonly [{ Plan: PlanNode }] }>(
        `explain (format json) ${text.replaceAll('$1', `'{41,44}'`)}`,
      )
      const perOrder = scannedBy(rows[0]!['QUERY PLAN'][0].Plan)
      expect(perOrder).toContain('spree_shipments')
      for (const table of ['spree_return_authorizations', 'spree_return_items'])
        expect(perOrder).not.toContain(table)
    }
  })

  test('is known by its tables', async () => {
    expect(await open()).toMatchObject({ family: 'solidus', schema: 'public' })
  })

  test('tells what the same shop on Spree tells, but pieces for quantities, its cartons, and nothing ineligible', async () => {
    const { status: _, ...sweater } = readExpected('spree-4.10', 'fixture', 'product-11')
    expect(await productOf('11')).toEqual(sweater)
    const { internal_note, public_metadata, private_metadata, ...lantern } = readExpected(
      'spree-4.10',
      'fixture',
      'order-R204817354',
    ) as ReturnType<typeof rawOrder>
    const piece = (id: number, state: string) => ({
      id,
      state,
      variant_id: 110,
      order_id: 44,
      shipment_id: 54,
    })
    expect(await orderOf('44')).toEqual({
      ...lantern,
      adjustments: [],
      shipments: lantern.shipments.map((shipment) => ({
        ...shipment,
        inventory_units: [piece(756, 'on_hand'), piece(757, 'backordered'), piece(763, 'backordered')],
        cartons: [],
      })),
      customer_metadata: {},
      admin_metadata: {},
    })
  })

  test.each([
    [`name = 'Ann  Marie Guest'`, 'Ann', 'Marie Guest'],
    [`name = ' Madonna '`, 'Madonna', ''],
    [`name = ' ', firstname = 'Ann', lastname = 'Guest'`, 'Ann', 'Guest'],
    [`name = null`, null, null],
  ])('splits the whole name of an address: %s', async (name, firstname, lastname) => {
    await connection.query(`update spree_addresses set ${name} where id = 63`)
    const { ship_address, bill_address } = await orderOf('42')
    expect(ship_address).toMatchObject({ firstname, lastname, address1: 'Hafenstraße 7' })
    expect(bill_address).toMatchObject({ firstname: 'Søren', lastname: 'Ærø' })
  })

  test('of several prices the one for the country of the store counts, else the one for any, else any, the newest', async () => {
    const price = async () => [
      (await productOf('13')).price,
      (await orderOf('43')).line_items[0]?.variant?.price,
    ]
    expect(await price()).toEqual(['34.5', '34.5'])
    await connection.query(`update spree_stores set cart_tax_country_iso = 'DE'`)
    expect(await price()).toEqual(['29.0', '29.0'])
    await connection.query('update spree_stores set cart_tax_country_iso = null')
    await connection.query(`update spree_prices set updated_at = '2026-03-05' where id = 226`)
    expect(await price()).toEqual(['33.0', '33.0'])
    await connection.query('update spree_prices set deleted_at = now() where id in (215, 226)')
    expect(await price()).toEqual(['29.0', '29.0'])
  })

  test('watches cartons and the pieces’ way to their order', async () => {
    const store = await open()
    const change = (tableName: string, rowId: string, parent: string | null = null): ChangedRow => ({
      id: `${tableName} ${rowId}`,
      tableName,
      rowId,
      parent,
      parentOld: parent,
    })
    const rows = [
      change('spree_cartons', '682'),
      change('spree_cartons', '999'),
      change('spree_inventory_units', '763', '54'),
      change('spree_return_items', '1', '763'),
      change('spree_option_values_variants', '1', '102'),
    ]
    expect([...(await store.resolve(connection, rows)).values()]).toEqual([
      ['order:45'],
      [],
      ['order:44'],
      ['order:44'],
      ['product:11'],
    ])
  })

  test('what is given back for a piece is told without the tax that was in its price', async () => {
    await connection.query(
      `insert into spree_customer_returns (id, number, stock_location_id, created_at, updated_at) values (41, 'CR41', 2, now(), now())`,
    )
    await connection.query(
      `insert into spree_return_items (id, inventory_unit_id, customer_return_id, amount, included_tax_total, created_at, updated_at)
       values (411, 753, 41, 139, 22.19, now(), now())`,
    )
    const store = await open()
    expect((await store.returns(connection, ['41', '42'])).get('42')).toMatchObject([
      {
        kind: 'customer_return',
        orderId: '42',
        stockLocation: { name: 'Kiel depot' },
        items: [{ preTaxAmount: '116.8100', includedTaxTotal: '22.1900' }],
      },
    ])
  })

  test('of 2.x tells the same, whatever columns that has', async () => {
    const withoutMetadata = async (id: string) => {
      const { customer_metadata, admin_metadata, ...order } = await orderOf(id)
      return order
    }
    const tell = async () => [
      await withoutMetadata('41'),
      await withoutMetadata('42'),
      await productOf('11'),
      await productOf('13'),
    ]
    const before = await tell()
    for (const statement of [
      `update spree_addresses set firstname = split_part(name, ' ', 1), lastname = split_part(name, ' ', 2) where name <> ''`,
      'alter table spree_addresses drop name, drop vat_id, drop email, drop reverse_charge_status',
      'alter table spree_inventory_units add order_id integer',
      'alter table spree_adjustments add eligible boolean default true, add promotion_code_id integer',
      'alter table spree_prices add is_default boolean not null default true',
      `update spree_prices set is_default = false, updated_at = '2026-04-01' where id = 226`,
      'alter table spree_line_items add currency varchar',
      'alter table spree_stores drop cart_tax_country_iso',
      'alter table spree_products drop discontinue_on, drop primary_taxon_id',
      ...[
        'orders',
        'line_items',
        'shipments',
        'payments',
        'refunds',
        'return_authorizations',
        'customer_returns',
      ].map((table) => `alter table spree_${table} drop customer_metadata, drop admin_metadata`),
    ])
      await connection.query(statement)
    expect(await tell()).toEqual(before)
    await connection.query('update spree_adjustments set eligible = false where id = 857')
    expect((await orderOf('45')).adjustments).toMatchObject([{ id: 857, eligible: false }])
  })
})

describe('a shop whose customers are in a table of its own', () => {
  let db: TestDatabase
  beforeAll(async () => {
    db = await createStore('spree-4.10', 'fixture')
    await db.pool.query(`
      create table users (id serial primary key, email text, password text, token text);
      insert into users (email, password, token) values ('Clara@example.com', 'digest', 'token')`)
  })
  afterAll(() => db.drop())

  const found = async () => {
    const store = await openStore(db.pool)
    return [store.kinds.includes('customer'), store.watched.find(({ kind }) => kind === 'customer')?.table]
  }

  test('is found by whom its orders are of, where a table of Spree’s own is left over', async () => {
    expect(await found()).toEqual([true, 'spree_users'])
    await db.pool.query(`update spree_users set email = 'staff@example.com' where id = 1`)
    expect(await found()).toEqual([true, 'users'])
    const store = await openStore(db.pool)
    const picture = (await store.pictures(db.pool, customerKind, ['1'])).get('1')
    expect(picture).toMatchObject({
      payload: {
        id: 1,
        email: 'Clara@example.com',
        login: null,
        first_name: null,
        last_name: null,
        phone: null,
        created_at: null,
        updated_at: null,
        deleted_at: null,
        bill_address: null,
        ship_address: null,
      },
    })
    expect(JSON.stringify(picture)).not.toMatch(/digest|token/)
    expect(store.tables).toContain('users')
    expect(store.watched.find(({ table }) => table === 'users')?.columns).toEqual(['email'])
  })

  test('is found by the foreign key of its orders, whatever its name', async () => {
    await db.pool.query(`
      create table "Seafarers" (id bigserial primary key, email text);
      insert into "Seafarers" select id from spree_users;
      alter table spree_orders add foreign key (user_id) references "Seafarers"`)
    expect(await found()).toEqual([true, 'Seafarers'])
    const store = await openStore(db.pool)
    expect(await store.roots(db.pool, 'customer', '0', 10)).toEqual(['1', '2'])
    expect(store.tables).toContain('Seafarers')
  })

  test('has no customers for us where their keys are no integers, or there is no such table', async () => {
    await db.pool.query(`
      drop table "Seafarers" cascade;
      alter table spree_orders drop constraint if exists spree_orders_user_id_fkey;
      drop table spree_users;
      drop table users;
      create table users (id uuid primary key, email text)`)
    expect(await found()).toEqual([false, undefined])
    const store = await openStore(db.pool)
    expect(await store.roots(db.pool, 'customer', '0', 10)).toEqual([])
    expect(await store.pictures(db.pool, customerKind, ['1'])).toEqual(new Map())
  })
})

describe('a store in a schema of its own', () => {
  let db: TestDatabase
  beforeAll(async () => {
    db = await createStore('spree-4.10', 'fixture')
    await db.pool.query('alter schema public rename to "Shop"')
  })
  afterAll(() => db.drop())

  test('is read there', async () => {
    const connection = await db.pool.connect()
    try {
      await connection.query('set search_path = "Shop"')
      const store = await openStore(connection)
      expect(store.schema).toBe('Shop')
      // The statements name the schema: any other connection reads the same.
      expect((await store.orders(db.pool, ['41'])).get('41')).toMatchObject({ number: 'R204817351' })
    } finally {
      connection.release(new Error('its search_path is changed'))
    }
  })
})

describe('what a store has no column for', () => {
  type Absent = readonly [
    kind: 'product' | 'order' | 'customer' | 'stock_transfer',
    field: string,
    gone: string,
  ]
  const column = (kind: Absent[0], field: string, ...columns: string[]): Absent => [
    kind,
    field,
    columns
      .map((name) => name.split('.'))
      .map(([table, name]) => `alter table ${table} drop column ${name} cascade`)
      .join(';'),
  ]
  const table = (kind: Absent[0], field: string, name: string): Absent => [
    kind,
    field,
    `drop table ${name} cascade`,
  ]
  const ofOrder = [
    column('order', 'channel', 'spree_orders.channel'),
    column('order', 'store', 'spree_orders.store_id'),
    column('order', 'internal_note', 'spree_orders.internal_note'),
    table('order', 'refunds', 'spree_refunds'),
  ]
  const ofCustomer = (customers: string) =>
    ['first_name', 'last_name', 'selected_locale', 'bill_address', 'ship_address'].map((name) =>
      column('customer', name, `${customers}.${name.endsWith('address') ? `${name}_id` : name}`),
    )

  test.each<readonly [StoreFamily, readonly Absent[]]>([
    [
      'spree-4.10',
      [
        ...ofOrder,
        column('order', 'metadata', 'spree_orders.public_metadata'),
        column('order', 'shipments[].inventory_units[].quantity', 'spree_inventory_units.quantity'),
        column('product', 'status', 'spree_products.status'),
        column('product', 'taxons', 'spree_taxons.parent_id'),
        table('product', 'properties', 'spree_product_properties, spree_properties'),
        ...ofCustomer('spree_users'),
        column('customer', 'login', 'spree_users.login'),
        column('customer', 'deleted_at', 'spree_users.deleted_at'),
        column('customer', 'metadata', 'spree_users.public_metadata'),
        column('stock_transfer', 'number', 'spree_stock_transfers.number'),
        column('stock_transfer', 'reference_number', 'spree_stock_transfers.reference'),
      ],
    ],
    [
      'spree-6.0',
      [
        ...ofOrder,
        column('order', 'metadata', 'spree_orders.metadata'),
        column('product', 'status', 'spree_products.status'),
        column('product', 'taxons', 'spree_categories.parent_id'),
        ...ofCustomer('spree_customers'),
        column('customer', 'phone', 'spree_customers.phone'),
        column('customer', 'metadata', 'spree_customers.metadata'),
        column('stock_transfer', 'status', 'spree_stock_transfers.status'),
      ],
    ],
  ])('%s: is named, field by field, and the rest can be read', async (family, fields) => {
    const db = await createStore(family, 'fixture')
    const connection = await db.pool.connect()
    for (const [kind, field, gone] of fields) {
      await connection.query('begin')
      const there = absentFields((await openStore(connection)).columns, kind)
      await connection.query(gone)
      const store = await openStore(connection)
      const named = absentFields(store.columns, kind).filter((name) => !there.includes(name))
      expect([kind, gone, named]).toEqual([kind, gone, [field]])
      expect([gone, await store.unreadable(connection)]).toEqual([gone, new Map()])
      await connection.query('rollback')
    }
    connection.release()
    await db.drop()
  })
})

type PlanNode = Readonly<{
  'Parent Relationship'?: string
  'Relation Name'?: string
  Plans?: readonly PlanNode[]
}>

/** The tables that are scanned anew for each row of what is around them. */
function scannedBy(node: PlanNode, isRepeated = false): string[] {
  const repeated =
    node['Parent Relationship'] !== 'InitPlan' && (isRepeated || node['Parent Relationship'] === 'SubPlan')
  const own = repeated && node['Relation Name'] !== undefined ? [node['Relation Name']] : []
  return [...own, ...(node.Plans ?? []).flatMap((child) => scannedBy(child, repeated))]
}
