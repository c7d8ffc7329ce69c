import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import { productNew } from '../../src/apply/product-new.ts'
import { productUpdate } from '../../src/apply/product-update.ts'
import { productPayload } from '../../src/messages/product.ts'
import type { Connection } from '../../src/postgres/pool.ts'
import { openStore, type Store } from '../../src/store/store.ts'
import { applyMessage } from '../support/applying.ts'
import type { TestDatabase } from '../support/postgres.ts'
import { SEED } from '../support/seed-pages.ts'
import { type AnyStore, createStore } from '../support/stores.ts'
import { differences, takePicture } from '../support/table-diff.ts'

const families: AnyStore[] = ['spree-4.10', 'spree-4.7', 'spree-3.7', 'spree-5.6', 'spree-6.0', 'solidus-4']

/** The documented sample (protocol §6.5). */
const sample = JSON.parse(SEED.productNew).payload as Record<string, unknown>
const shirt = {
  sku: 'SHIRT',
  name: 'Spree T-Shirt',
  description: 'Awesome',
  price: 35.0,
  cost_price: 22.33,
  permalink: 'spree-tshirt',
  options: ['color', 'Fit'],
  variants: [
    { sku: 'SHIRT-S', price: 39.99, weight: '0.255', options: { color: 'Navy', Fit: 'Smart fit' } },
    { sku: 'SHIRT-M', options: { color: 'ochre', Fit: 'Smart fit' } },
  ],
}

describe.each(families)('products from a hub, in a store of %s', (family) => {
  const isSix = family === 'spree-6.0'
  const isFive = family === 'spree-5.6'
  const isSolidus = family === 'solidus-4'
  const is47 = family === 'spree-4.7'
  const is37 = family === 'spree-3.7'
  const hasStatus = !isSolidus && !is37
  /** Rows of a table with what people read of them, in the store's language. */
  const inWords = (table: string) => {
    const one = table.replace(/s$/, '')
    return is47
      ? `(select w.*, t.id as own_id, t.position_of from ${one}_translations w
            join (select id, ${table === 'spree_products' ? 'null' : 'position'} as position_of from ${table}) t on t.id = w.${one}_id
           where w.locale = 'en')`
      : `(select t.*, t.id as own_id${table === 'spree_products' ? '' : ', t.position as position_of'} from ${table} t)`
  }
  let database: TestDatabase
  let store: Store
  let db: Connection

  beforeAll(async () => {
    database = await createStore(family, 'fixture')
    store = await openStore(database.pool)
  })
  afterAll(() => database.drop())

  // What a test changes is rolled back.
  beforeEach(async () => {
    db = await database.pool.connect()
    await db.query('begin')
  })
  afterEach(async () => {
    await db.query('rollback')
    db.release()
  })

  const add = (payload: unknown) => applyMessage(db, store, productNew, payload)
  const change = (payload: unknown) => applyMessage(db, store, productUpdate, payload)
  const rows = async (text: string, values: unknown[] = []) => (await db.query(text, values)).rows
  const read = async (slug: string) => {
    const [row] = await rows(
      `select own_id::text as id from ${inWords('spree_products')} p where slug = $1`,
      [slug],
    )
    const product = (await store.products(db, [row?.['id']])).get(row?.['id'])
    if (product === undefined || product instanceof Error) throw product ?? new Error(`no product ${slug}`)
    return productPayload(product, undefined)
  }
  /** What `work` changes in all tables of the store. */
  const written = async (work: () => Promise<unknown>) => {
    const before = await takePicture(db)
    await work()
    return differences(before, await takePicture(db))
  }
  const sayings = (answer: { notifications: readonly { description: string }[] }) =>
    answer.notifications.map(({ description }) => description)

  test.each([
    ['directly in the payload', sample],
    ['under product', { product: sample }],
  ])('C155 C191 the documented sample becomes a product, its fields %s', async (_, payload) => {
    const answer = await add(payload)
    expect(answer.notifications).toEqual([
      { level: 'info', subject: 'product:new', description: 'Product ruby-on-rails-tote added' },
    ])
    const product = await read('ruby-on-rails-tote')
    expect(product).toMatchObject({
      ...sample,
      id: expect.any(Number),
      available_on: '2012-10-17T03:43:57.000Z',
      sku: '',
      currency: 'USD',
      deleted_at: null,
      ...(hasStatus ? { status: 'active' } : {}),
    })
    expect(product.id).toBeLessThan(100) // the next of the store's own
    expect(await rows('select id from spree_products where id = 1123')).toEqual([])
  })

  test('C155 the tutorial sample, which has no price, becomes a draft', async () => {
    const answer = await add({ product: { id: '92674', name: 'Really Awesome Widgets' } })
    expect(answer.notifications).toMatchObject([
      { level: 'info', description: 'Product really-awesome-widgets added' },
      { level: 'warn', description: expect.stringContaining('is a draft') },
    ])
    expect(await read('really-awesome-widgets')).toMatchObject({
      ...(hasStatus ? { status: 'draft' } : { available_on: null }),
      price: null,
    })
  })

  test('options are found by name or made, prices inherited, what is not applied is named', async () => {
    const answer = await add({
      ...shirt,
      taxons: [['Categories', 'Clothing']],
      properties: { material: 'wool' },
      images: [
        { url: 'http://cdn.example/shirt.jpg', position: 1, title: 'Shirt' },
        { url: 'http://cdn.example/back.jpg', position: 2 },
      ],
    })
    expect(sayings(answer)).toEqual([
      'Product SHIRT added, with child skus: ["SHIRT-S", "SHIRT-M"]',
      ...(isSix || isFive ? ['Not applied of product SHIRT: its properties'] : []),
      'Not applied of product SHIRT: its 2 images, because nothing that is sent is fetched: add them in the admin of the shop',
    ])
    // In Spree 6 a tree has no taxonomy over it, and the shop has no category of that name.
    expect((await read('spree-tshirt')).taxons).toEqual([['Categories', 'Clothing']])
    expect((await read('spree-tshirt')).properties).toEqual(isSix || isFive ? {} : { material: 'wool' })
    const fit = isSix || isFive ? 'smart-fit' : 'Smart fit'
    const type = isSix || isFive ? 'fit' : 'Fit'
    expect((await read('spree-tshirt')).variants).toMatchObject([
      { sku: 'SHIRT-S', price: '39.99', weight: '0.26', options: { color: 'navy', [type]: fit } },
      { sku: 'SHIRT-M', price: '35.0', options: { color: 'ochre', [type]: fit } },
    ])
    const label = isSix ? 'label' : 'presentation'
    expect(
      await rows(
        `select name, ${label} as label, position_of as position from ${inWords('spree_option_types')} t where own_id > 2`,
      ),
    ).toEqual([{ name: type, label: 'Fit', position: 3 }])
    expect(
      await rows(
        `select name, ${label} as label, position_of as position from ${inWords('spree_option_values')} t where own_id > 25`,
      ),
    ).toEqual([{ name: fit, label: 'Smart fit', position: 1 }])
    expect(
      await rows(
        `select option_type_id::integer as type, position from spree_product_option_types where product_id > 18 order by 2`,
      ),
    ).toEqual([
      { type: 2, position: 1 },
      { type: 3, position: 2 },
    ])
    expect(
      await rows(
        'select sku, is_master, position, cost_price::float8 from spree_variants where id > 114 order by position',
      ),
    ).toEqual([
      ...(isSix ? [] : [{ sku: 'SHIRT', is_master: true, position: 1, cost_price: 22.33 }]),
      { sku: 'SHIRT-S', is_master: false, position: isSix ? 1 : 2, cost_price: null },
      { sku: 'SHIRT-M', is_master: false, position: isSix ? 2 : 3, cost_price: null },
    ])
    if (isSix || isFive)
      expect(
        await rows(`
          select p.variant_count, v.sku, count(*)::integer as channels
            from spree_products p
            join spree_variants v on ${isSix ? 'v.id = p.default_variant_id' : 'v.product_id = p.id and v.position = 2'}
            join spree_product_publications c on c.product_id = p.id
           where p.slug = 'spree-tshirt' group by 1, 2`),
      ).toEqual([{ variant_count: 2, sku: 'SHIRT-S', channels: 2 }])
  })

  test('in 4.6 and 4.7 what people read is a row in the language of the store, and the others stay', async () => {
    if (!is47) return
    const added = await written(() => add({ ...sample, options: ['Cut'] }))
    const about = (all: typeof added, part: string) => all.filter(({ table }) => table.includes(part))
    const made = { locale: 'en', created_at: '<time>', updated_at: '<time>' }
    const read = {
      name: 'Example product',
      description: 'Description',
      slug: 'ruby-on-rails-tote',
      meta_title: null,
      meta_description: null,
      meta_keywords: null,
      deleted_at: null,
    }
    expect(about(added, '_translations')).toMatchObject([
      { was: 'inserted', columns: { name: 'Cut', presentation: 'Cut', ...made } },
      { was: 'inserted', columns: { ...read, ...made } },
    ])
    const ownColumns = { name: '', description: null, slug: null, meta_keywords: null, status: 'active' }
    expect(about(added, 'spree_products').slice(0, 1)).toMatchObject([
      { was: 'inserted', columns: ownColumns },
    ])
    await db.query(`delete from spree_product_translations where spree_product_id = 13 and locale = 'en'`)
    const changes = about(
      await written(() => change({ sku: 'BC-01', name: 'Compass', permalink: 'compass' })),
      '_translations',
    )
    expect(changes).toMatchObject([
      { was: 'inserted', columns: { name: 'Compass', slug: 'compass', spree_product_id: 13, ...made } },
    ])
    // Another product's permalink in another language, of which there is no history.
    await expect(change({ sku: 'TM-1', permalink: 'brass-compass-de' })).rejects.toMatchObject({
      code: 'permalink_taken',
    })
  })

  test('locations that want a row of stock of every variant get one', async () => {
    await db.query(
      'update spree_stock_locations set propagate_all_variants = (id = 2), backorderable_default = true',
    )
    await add({ ...sample, sku: 'TOTE' })
    expect(
      await rows(
        `select s.stock_location_id::integer as location, s.count_on_hand, s.backorderable
           from ${isSix ? 'spree_stock_levels' : 'spree_stock_items'} s
           join spree_variants v on v.id = s.variant_id where v.sku = 'TOTE'`,
      ),
    ).toEqual([{ location: 2, count_on_hand: 0, backorderable: true }])
  })

  test('a permalink is made from the name where none is given, and is nobody else’s', async () => {
    await add({ sku: 'A1', name: 'Crème Brûlée & Söhne, 2 l', price: '1' })
    await add({ sku: 'A2', name: 'Brass Compass', price: '1' })
    await add({ sku: 'A3', name: 'Tin', price: '1', permalink: 'brass-compass' })
    await add({ sku: 'A4', name: '灯', price: '1' })
    await db.query(`update friendly_id_slugs set slug = 'old-lantern' where slug = 'storm-lantern'`)
    await add({ sku: 'A5', name: 'Old', price: '1', permalink: 'Old Lantern' })
    await add({ sku: 'A6', name: 'Bjørns Łódź', price: '1' })
    await add({ sku: 'A7', name: '★', price: '1' })
    const slugs = await rows(
      `select v.sku, p.slug, f.slug as history, f.scope, ${isSolidus || is37 ? `'en' as locale` : 'f.locale'}
         from spree_variants v join ${inWords('spree_products')} p on p.own_id = v.product_id
         join friendly_id_slugs f on f.sluggable_id = p.own_id and f.sluggable_type = 'Spree::Product'
        where v.sku ~ '^A[1-7]$' order by 1`,
    )
    const uuid = '[0-9a-f]{8}-[0-9a-f-]{27}'
    expect(slugs.map((row) => row['slug'])).toEqual([
      'creme-brulee-and-sohne-2-l',
      'brass-compass-a2',
      expect.stringMatching(new RegExp(`^brass-compass-${uuid}$`)),
      'deng',
      expect.stringMatching(new RegExp(`^old-lantern-${uuid}$`)),
      'bjorns-lodz',
      'a7',
    ])
    for (const row of slugs)
      expect(row).toMatchObject({ history: row['slug'], scope: isSix || isFive ? '' : null, locale: 'en' })
  })

  test('names of other alphabets lead to what they made, and to nothing else', async () => {
    const cubes = {
      name: 'Кубики',
      price: '1',
      taxons: [
        ['Categories', 'Игрушки'],
        ['Categories', 'Книги'],
        ['Categories', '★'],
        ['Categories', '☆'],
      ],
    }
    await add(cubes)
    expect((await read('kubiki')).taxons).toEqual(cubes.taxons)
    const taxons = isSix ? 'spree_categories' : 'spree_taxons'
    expect(
      await rows(`select permalink from ${taxons} where name in ('Игрушки', 'Книги') order by 1`),
    ).toEqual([{ permalink: 'categories/igrushki' }, { permalink: 'categories/knigi' }])
    expect(await written(() => add(cubes))).toEqual([])
  })

  test('a permalink that a person has written is the product’s as it is', async () => {
    const table = is47 ? 'spree_product_translations' : 'spree_products'
    await db.query(`update ${table} set slug = 'игрушка-5' where slug = 'brass-compass'`)
    for (const key of [{ sku: 'BC-01' }, {}])
      expect(await written(() => change({ ...key, permalink: 'игрушка-5' }))).toEqual([])
  })

  test('the permalink of a deleted product is free for another', async () => {
    if (isSolidus) return
    const table = is47 ? 'spree_product_translations' : 'spree_products'
    await db.query(
      isSix || isFive
        ? `update friendly_id_slugs set deleted_at = now(), slug = 'deleted-' || slug where slug = 'storm-lantern'`
        : `update friendly_id_slugs set deleted_at = now() where slug = 'storm-lantern'`,
    )
    await db.query(`update ${table} set slug = '1795318379_' || slug where slug = 'storm-lantern'`)
    await add({ sku: 'SL-8', name: 'Storm Lantern', price: '1' })
    expect(await read('storm-lantern')).toMatchObject({ name: 'Storm Lantern', price: '1.0' })
  })

  test.each([
    ['the sample, whose permalink is its key', sample],
    ['a product with variants', shirt],
    ['a product whose permalink another one has', { ...sample, sku: 'TWIN', permalink: 'brass-compass' }],
  ])('a second time nothing is written: %s', async (_, payload) => {
    await add(payload)
    expect(await written(() => add(payload))).toEqual([])
    expect(sayings(await add(payload))[0]).toMatch(/is so already: nothing was changed$/)
    expect(await written(() => change(payload))).toEqual([])
  })

  test('adding does not undo what was changed since', async () => {
    await add({ ...sample, sku: 'TOTE' })
    await db.query(
      `update ${is47 ? 'spree_product_translations' : 'spree_products'} set name = 'Renamed by a person' where slug = 'ruby-on-rails-tote'`,
    )
    await expect(add({ ...sample, sku: 'TOTE' })).rejects.toMatchObject({
      code: 'product_exists',
      message: expect.stringMatching(/^Product with SKU TOTE already exists! .* product:update/),
    })
  })

  test('a change changes what it names, and touches what hangs on it', async () => {
    const changes = await written(() => change({ sku: 'BC-01', price: '36.20', name: 'Brass Compass II' }))
    const history = {
      table: 'spree_price_histories',
      was: 'inserted',
      columns: expect.objectContaining({
        amount: 36.2,
        currency: 'USD',
        variant_id: 108,
        compare_at_amount: 39.9,
      }),
    }
    const touch = { updated_at: '<time>' }
    expect(changes).toEqual([
      ...(isSix || isFive
        ? [
            { table: 'spree_line_items', was: 'changed', columns: touch },
            { table: 'spree_line_items', was: 'changed', columns: touch },
            history,
          ]
        : []),
      { table: 'spree_prices', was: 'changed', columns: { amount: 36.2, ...touch } },
      ...(is47
        ? [
            {
              table: 'spree_product_translations',
              was: 'changed',
              columns: { name: 'Brass Compass II', ...touch },
            },
            { table: 'spree_products', was: 'changed', columns: touch },
          ]
        : [{ table: 'spree_products', was: 'changed', columns: { name: 'Brass Compass II', ...touch } }]),
      ...(isSix
        ? []
        : [
            { table: 'spree_taxonomies', was: 'changed', columns: touch },
            { table: 'spree_taxons', was: 'changed', columns: touch },
            { table: 'spree_taxons', was: 'changed', columns: touch },
          ]),
      { table: 'spree_variants', was: 'changed', columns: touch },
    ])
  })

  test('a price in another currency of the store is that currency’s', async () => {
    await change({ sku: 'TM-1', price: '8.50', currency: 'EUR' })
    expect(
      await rows('select currency, amount::float8 from spree_prices where variant_id = 112 order by 1'),
    ).toEqual([
      { currency: 'EUR', amount: 8.5 },
      { currency: 'USD', amount: 9.95 },
    ])
    await expect(change({ sku: 'TM-1', price: '8.50', currency: 'JPY' })).rejects.toMatchObject({
      code: 'unknown_currency',
    })
  })

  test('a store sells in the currencies of all living stores and markets', async () => {
    const set = is37
      ? `update spree_stores set default_currency = 'CHF'`
      : isSolidus
        ? `insert into spree_stores (name, url, mail_from_address, code, default_currency, created_at, updated_at)
           values ('Alps', 'alps', 'a@alps.example', 'alps', 'CHF', now(), now())`
        : `update spree_stores set supported_currencies = 'USD, EUR';
           insert into spree_stores (name, default_currency, supported_currencies, deleted_at, created_at, updated_at)
           values ('Alps', 'CHF', 'SEK', null, now(), now()), ('Fuji', 'JPY', 'JPY', now(), now(), now())`
    await db.query(set)
    if (isSix)
      await db.query(
        `insert into spree_markets (store_id, name, currency, default_locale, created_at, updated_at, deleted_at)
         values (1, 'Poland', 'PLN', 'pl', now(), now(), null), (1, 'Korea', 'KRW', 'ko', now(), now(), now())`,
      )
    const taken = ['CHF', ...(isSolidus || is37 ? [] : ['EUR', 'SEK']), ...(isSix ? ['PLN'] : [])]
    for (const currency of taken) await change({ sku: 'TM-1', price: '8.50', currency })
    for (const currency of ['JPY', 'KRW'])
      await expect(change({ sku: 'TM-1', price: '8.50', currency })).rejects.toMatchObject({
        code: 'unknown_currency',
      })
  })

  test('in Solidus a price of another country stays, and the one that the shop shows is set', async () => {
    if (!isSolidus) return
    const prices = () =>
      rows(
        `select country_iso, amount::float8 from spree_prices
          where variant_id = 108 and currency = 'USD' order by id`,
      )
    const before = await prices()
    await change({ sku: 'BC-01', price: '36.20' })
    expect(await prices()).toEqual(before.with(0, { country_iso: null, amount: 36.2 }))
    await db.query(`update spree_stores set cart_tax_country_iso = 'DE'`)
    await change({ sku: 'BC-01', price: '28' })
    expect((await prices()).at(-1)).toEqual({ country_iso: 'DE', amount: 28 })
    await db.query(
      `update spree_stores set cart_tax_country_iso = null;
       delete from spree_prices where variant_id = 108 and country_iso is null`,
    )
    await change({ sku: 'BC-01', price: '35' })
    expect(await prices()).toEqual([
      { country_iso: 'DE', amount: 28 },
      { country_iso: null, amount: 35 },
    ])
  })

  test('a new permalink keeps the old one in its history; another product’s is refused', async () => {
    await change({ sku: 'BC-01', permalink: 'Compass of Brass' })
    expect(
      await rows(
        `select slug from friendly_id_slugs where sluggable_id = 13 and sluggable_type = 'Spree::Product' order by id`,
      ),
    ).toEqual([{ slug: 'brass-compass' }, { slug: 'compass-of-brass' }])
    expect(await read('compass-of-brass')).toMatchObject({ name: 'Brass Compass' })
    await expect(change({ sku: 'BC-01', permalink: 'storm-lantern' })).rejects.toMatchObject({
      code: 'permalink_taken',
    })
  })

  test('variants are changed and added by their SKU; those not mentioned stay', async () => {
    const changes = await written(() =>
      change({
        permalink: 'oilskin-coat',
        variants: [
          { sku: 'OC-L', price: '155', options: { size: 'large' } },
          { sku: 'OC-S', options: { size: 'small' } },
        ],
      }),
    )
    expect(changes.filter(({ table }) => table === 'spree_variants')).toMatchObject([
      { was: 'changed', columns: { updated_at: '<time>' } },
      { was: 'inserted', columns: { sku: 'OC-S', position: isSix ? 3 : 4, is_master: false } },
    ])
    expect((await read('oilskin-coat')).variants).toMatchObject([
      { sku: 'OC-M', price: '149.9', options: { size: 'medium' } },
      { sku: 'OC-L', price: '155.0', options: { size: 'large' } },
      { sku: 'OC-S', price: '149.9', options: { size: 'small' } },
    ])
    await change({ permalink: 'oilskin-coat', variants: [{ sku: 'OC-S', options: { size: 'XS' } }] })
    expect((await read('oilskin-coat')).variants[2]?.options).toEqual({ size: isSix || isFive ? 'xs' : 'XS' })
  })

  test('the removal of a product elsewhere does not empty this store’s own', async () => {
    const removal = {
      sku: 'BC-01',
      name: 'Brass Compass',
      description: null,
      price: null,
      deleted_at: '2026-03-10T00:00:00Z',
    }
    expect(
      await written(async () => {
        expect(await change(removal)).toMatchObject({
          notifications: [
            { level: 'warn', description: expect.stringContaining('BC-01 was removed by its sender') },
          ],
        })
      }),
    ).toEqual([])
  })

  test.each([
    ['unknown_product', { sku: 'NO-1', name: 'x' }, /^Cannot find product with SKU NO-1!/],
    ['unknown_product', { permalink: 'nowhere' }, /^Cannot find product with permalink nowhere!/],
    ['unknown_product', { sku: 'CH-1', name: 'x' }, /^Cannot find product with SKU CH-1!/],
    ['sku_of_variant', { sku: 'FS-NAVY-M', name: 'x' }, /one variant of product 11/],
    [
      'sku_taken',
      { permalink: 'oilskin-coat', variants: [{ sku: 'BC-01' }] },
      /belongs to a variant of another product/,
    ],
  ])('%s: not applicable', async (code, payload, message) => {
    await expect(change(payload)).rejects.toMatchObject({
      name: 'NotApplicable',
      code,
      message: expect.stringMatching(message),
    })
  })

  test('two at once with one SKU make one product', async () => {
    const writers = await Promise.all([database.pool.connect(), database.pool.connect()])
    try {
      const answers = await Promise.all(
        writers.map(async (writer) => {
          await writer.query('begin')
          const answer = await applyMessage(writer, store, productNew, { ...sample, sku: `ONCE` })
          await writer.query('commit')
          return sayings(answer)[0]
        }),
      )
      expect(answers.sort()).toEqual([
        'Product ONCE added',
        'Product ONCE is so already: nothing was changed',
      ])
    } finally {
      for (const writer of writers) writer.release()
    }
  })

  test('two at once that name the same new things make one of each', async () => {
    const first = await database.pool.connect()
    const second = await database.pool.connect()
    const boot = (sku: string) => ({
      ...{ sku, name: sku, price: '1', shipping_category: 'Heavy' },
      variants: [{ sku: `${sku}-41`, options: { last: 'wide' } }],
    })
    try {
      await first.query('begin')
      await second.query('begin')
      await applyMessage(first, store, productNew, boot('BOOT'))
      let isDone = false
      const added = applyMessage(second, store, productNew, boot('CLOG')).finally(() => {
        isDone = true
      })
      const waits = `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`
      while (!isDone && (await rows(waits)).length === 0) await pause(5)
      await first.query('commit')
      await added
      await second.query('commit')
    } finally {
      first.release()
      second.release()
    }
    const made = async (table: string, name: string) =>
      (await rows(`select from ${inWords(table)} t where name = $1`, [name])).length
    expect(await made('spree_option_types', 'last')).toBe(1)
    expect(await made('spree_option_values', 'wide')).toBe(1)
    if (!isSix)
      expect(await rows(`select from spree_shipping_categories where name = 'Heavy'`)).toHaveLength(1)
  })

  test('images are counted and left to a person: nobody is called because of them', async () => {
    const called: (string | undefined)[] = []
    const server = createServer(({ url }, response) => {
      called.push(url)
      response.end()
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as AddressInfo
    const images = [{ url: `http://127.0.0.1:${port}/small.jpg`, position: 1 }]
    const variants = [{ sku: 'SHIRT-S', price: 39.99, options: { color: 'Navy' }, images }]
    const left =
      'Not applied of product SHIRT: its 1 image, because nothing that is sent is fetched: add it in the admin of the shop'
    expect(sayings(await add({ ...shirt, variants }))).toContain(left)
    const again = await change({ permalink: 'spree-tshirt', name: 'T-Shirt', images })
    expect(sayings(again)).toContain(left.replace('SHIRT', 'spree-tshirt'))
    await pause(100)
    server.close()
    expect(called).toEqual([])
  })
})

test.each([
  { name: 'x', price: '-1' },
  { name: 'x', price: '1e3' },
  { name: 'x', price: '123456789' },
  { name: 'x', price: '99999999.999' },
  { name: 'x', price: Number.POSITIVE_INFINITY },
  { name: 'a\0b' },
  { name: '  ' },
  { name: 'x', description: 'a\0b' },
  { name: 'x', available_on: 'yesterday' },
  { name: 'x', currency: 'dollars' },
  { name: 'x', variants: [{ price: '1' }] },
  { name: 'x', variants: [{ sku: 'a', options: { 'a\0b': 'c' } }] },
  { product: { name: 5 } },
  [],
  null,
  'text',
])('%j is no product', (payload) => {
  expect(productNew.schema.safeParse(payload).success).toBe(false)
})
