import { createHash } from 'node:crypto'

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'

import { readExpected } from '../expected/read-expected.ts'
import { type Collecting, startCollecting } from '../support/collecting.ts'
import type { TestDatabase } from '../support/postgres.ts'
import { createStore } from '../support/stores.ts'

const STORED_FILES = `
create table active_storage_blobs (
  id bigserial primary key, key varchar not null, filename varchar not null, content_type varchar, metadata text,
  service_name varchar not null, byte_size bigint not null, checksum varchar, created_at timestamp(6) not null
);
create table active_storage_attachments (
  id bigserial primary key, name varchar not null, record_type varchar not null, record_id bigint not null,
  blob_id bigint not null, created_at timestamp(6) not null
);`

const TRANSLATIONS = `
create table spree_product_translations (
  id bigserial primary key, name varchar, description text, locale varchar not null, spree_product_id bigint not null,
  created_at timestamp(6) not null, updated_at timestamp(6) not null, meta_description text, meta_keywords varchar,
  meta_title varchar, slug varchar, deleted_at timestamp
);`

const FIELDS = `
create table spree_custom_field_definitions (
  id bigserial primary key, namespace varchar not null, key varchar not null, label varchar not null
);
create table spree_custom_fields (
  id bigserial primary key, type varchar not null, resource_type varchar not null, resource_id bigint not null,
  custom_field_definition_id bigint not null, value text
);
insert into spree_custom_field_definitions (id, namespace, key, label) values
  (1, 'custom', 'material', 'Material'), (2, 'import', 'batch', 'Batch');`

const LINKED_MEDIA = `
create table spree_variant_media (
  id bigserial primary key, variant_id bigint not null, media_id bigint not null, created_at timestamp(6) not null,
  updated_at timestamp(6) not null
);`

// A root with two below it, of which products 13 and 15 are filed under the one.
const DEEP_TAXONS = {
  'spree-4.10': {
    tree: 'spree_taxons',
    links: 'spree_products_taxons',
    key: 'taxon_id',
    media: 'spree_assets',
  },
  'spree-6.0': {
    tree: 'spree_categories',
    links: 'spree_product_categories',
    key: 'category_id',
    media: 'spree_media',
  },
} as const

describe.each(['spree-4.10', 'spree-6.0'] as const)('the content of products of %s', (family) => {
  const { tree, links, key, media } = DEEP_TAXONS[family]
  let db: TestDatabase
  let collecting: Collecting

  beforeAll(async () => {
    db = await createStore(family, 'fixture')
    await db.pool.query(STORED_FILES + TRANSLATIONS)
    if (family === 'spree-6.0') await db.pool.query(FIELDS + LINKED_MEDIA)
    collecting = await startCollecting(db)
  })
  afterAll(() => db.drop())

  /** By product what its messages said under `name` after `sql`. */
  const told = async (name: string, ...sql: string[]) => {
    for (const statement of sql) await db.pool.query(statement)
    const messages = await collecting.all()
    return messages
      .map(({ type, payload }) => [type, payload['id'], payload[name]])
      .sort(([, one], [, other]) => Number(one) - Number(other))
  }
  const hardware = family === 'spree-4.10' ? ['Categories', 'Hardware'] : ['Hardware']

  test('says where a product is filed, by names from the root down', async () => {
    expect(
      await told('taxons', `insert into ${links} (product_id, ${key}, position) values (14, 3, 3)`),
    ).toEqual([['product:update', 14, [hardware]]])
    const above = hardware.slice(0, -1)
    expect(
      await told(
        'taxons',
        `insert into ${tree} (id, parent_id, name, created_at, updated_at) values (4, 3, 'Brass', now(), now())`,
        `insert into ${links} (product_id, ${key}, position) values (13, 4, 1), (16, 4, 2)`,
      ),
    ).toEqual([
      ['product:update', 13, [hardware, [...hardware, 'Brass']]],
      ['product:update', 16, [[...hardware, 'Brass']]],
    ])
    expect(await told('taxons', `update ${tree} set name = 'Iron' where id = 3`)).toEqual([
      [
        'product:update',
        13,
        [
          [...above, 'Iron'],
          [...above, 'Iron', 'Brass'],
        ],
      ],
      ['product:update', 14, [[...above, 'Iron']]],
      ['product:update', 15, [[...above, 'Iron']]],
      ['product:update', 16, [[...above, 'Iron', 'Brass']]],
    ])
    expect(await told('taxons', `update ${tree} set parent_id = 2 where id = 4`)).toEqual([
      [
        'product:update',
        13,
        [
          [...above, 'Iron'],
          [...above, 'Clothing', 'Brass'],
        ],
      ],
      ['product:update', 16, [[...above, 'Clothing', 'Brass']]],
    ])
    expect(await told('taxons', `delete from ${links} where product_id = 14`)).toEqual([
      ['product:update', 14, []],
    ])
  })

  test('says nothing of where a product stands in a taxon, nor of what a taxon has besides its name', async () => {
    expect(
      await told(
        'taxons',
        `update ${links} set position = position + 1`,
        `update ${tree} set lft = lft + 10, rgt = rgt + 10, description = 'x', updated_at = now()`,
        `insert into ${tree} (id, parent_id, name, created_at, updated_at) values (9, 3, 'Empty', now(), now())`,
        `update ${tree} set name = 'Void' where id = 9`,
      ),
    ).toEqual([])
  })

  test('ends where taxons go round in a circle', async () => {
    await db.pool.query(`update ${tree} set parent_id = 9 where id = 9`)
    const [message] = await told('taxons', `insert into ${links} (product_id, ${key}) values (16, 9)`)
    expect(message?.slice(0, 2)).toEqual(['product:update', 16])
    await told('taxons', `delete from ${links} where product_id = 16`)
  })

  test('says its properties, or the fields of the shop’s own making, by their names', async () => {
    if (family === 'spree-4.10') {
      const property = `insert into spree_product_properties (value, product_id, property_id, created_at, updated_at)`
      expect(await told('properties', `${property} values ('Lübeck', 13, 2, now(), now())`)).toEqual([
        ['product:update', 13, { material: 'Brass', made_in: 'Lübeck' }],
      ])
      expect(await told('properties', `update spree_properties set name = 'origin' where id = 2`)).toEqual([
        ['product:update', 11, { material: 'Wool', origin: 'Denmark' }],
        ['product:update', 13, { material: 'Brass', origin: 'Lübeck' }],
      ])
      expect(await told('properties', `delete from spree_product_properties where product_id = 13`)).toEqual([
        ['product:update', 13, {}],
      ])
      expect(
        await told(
          'properties',
          `update spree_properties set presentation = '?'`,
          `update spree_product_properties set position = 9`,
        ),
      ).toEqual([])
      return
    }
    const field = `insert into spree_custom_fields (id, type, resource_type, resource_id, custom_field_definition_id, value)`
    expect(
      await told(
        'properties',
        `${field} values (1, 'x', 'Spree::Product', 13, 1, 'Brass'), (2, 'x', 'Spree::Product', 13, 2, '7')`,
      ),
    ).toEqual([['product:update', 13, { material: 'Brass', 'import.batch': '7' }]])
    expect(await told('properties', `${field} values (3, 'x', 'Spree::Order', 11, 1, 'Paper')`)).toEqual([])
    expect(
      await told('properties', `update spree_custom_field_definitions set key = 'lot' where id = 2`),
    ).toEqual([['product:update', 13, { material: 'Brass', 'import.lot': '7' }]])
    expect(await told('properties', `delete from spree_custom_fields where id = 1`)).toEqual([
      ['product:update', 13, { 'import.lot': '7' }],
    ])
  })

  test('says its images and those of its variants, with what is known of their files when it is known', async () => {
    const ofImage = family === 'spree-4.10' ? `'Spree::Variant', 108` : `'Spree::Product', 13`
    const image = (id: number, owner: string, alt: string) =>
      `insert into ${media} (id, type, viewable_type, viewable_id, position, alt) values (${id}, 'Spree::Image', ${owner}, 1, '${alt}')`
    const picture = {
      id: 7,
      url: null,
      position: 1,
      title: 'Compass',
      type: 'original',
      dimensions: { height: null, width: null },
      content_type: null,
      file_name: null,
      key: null,
    }
    expect(await told('images', image(7, ofImage, 'Compass'))).toEqual([['product:update', 13, [picture]]])
    const stored = { ...picture, content_type: 'image/png', file_name: 'compass.png', key: 'k1' }
    expect(
      await told(
        'images',
        `insert into active_storage_blobs (id, key, filename, content_type, metadata, service_name, byte_size, created_at)
         values (1, 'k1', 'compass.png', 'image/png', '{"identified":true}', 's3', 1, now())`,
        `insert into active_storage_attachments (name, record_type, record_id, blob_id, created_at)
         values ('attachment', 'Spree::Asset', 7, 1, now())`,
      ),
    ).toEqual([['product:update', 13, [stored]]])
    expect(
      await told(
        'images',
        `update active_storage_blobs set metadata = '{"width":640,"height":480}' where id = 1`,
      ),
    ).toEqual([['product:update', 13, [{ ...stored, dimensions: { height: 480, width: 640 } }]]])
    const variantsOf = (messages: unknown[][]) =>
      (messages[0]![2] as { sku: string; images: { id: number; title: string }[] }[]).map(
        ({ sku, images }) => [sku, images.map(({ id, title }) => [id, title])],
      )
    expect(variantsOf(await told('variants', image(8, `'Spree::Variant', 106`, 'Coat')))).toEqual([
      ['OC-M', [[8, 'Coat']]],
      ['OC-L', []],
    ])
    if (family === 'spree-6.0')
      expect(
        variantsOf(
          await told(
            'variants',
            `insert into spree_variant_media (variant_id, media_id, created_at, updated_at) values (107, 8, now(), now())`,
          ),
        ),
      ).toEqual([
        ['OC-M', [[8, 'Coat']]],
        ['OC-L', [[8, 'Coat']]],
      ])
    expect(variantsOf(await told('variants', `update ${media} set alt = 'Oilskin' where id = 8`))[0]).toEqual(
      ['OC-M', [[8, 'Oilskin']]],
    )
    expect(variantsOf(await told('variants', `delete from ${media} where id = 8`))[0]).toEqual(['OC-M', []])
  })

  test('says how large and heavy each variant is, and what it cost', async () => {
    const [[, , variants] = []] = await told(
      'variants',
      `update spree_variants set weight = 2.4, height = 60, width = 45.5, depth = 8.25, cost_price = 41 where id = 107`,
    )
    const sizes = { weight: '2.4', height: '60.0', width: '45.5', depth: '8.25', cost_price: '41.0' }
    expect((variants as { sku: string }[]).find(({ sku }) => sku === 'OC-L')).toMatchObject(sizes)
  })

  test('says the names of its option types in its own order', async () => {
    expect(
      await told(
        'options',
        `update spree_product_option_types set position = 3 - position where product_id = 11`,
      ),
    ).toEqual([['product:update', 11, ['color', 'size']]])
  })

  test('says what is written of it in other languages', async () => {
    const insert = `insert into spree_product_translations (name, slug, locale, spree_product_id, created_at, updated_at)`
    const compass = {
      name: 'Kompass',
      description: null,
      permalink: 'kompass',
      meta_description: null,
      meta_keywords: null,
    }
    expect(
      await told('translations', `${insert} values ('Kompass', 'kompass', 'de', 13, now(), now())`),
    ).toEqual([['product:update', 13, { de: compass }]])
    expect(
      await told('translations', `update spree_product_translations set name = 'Messingkompass'`),
    ).toEqual([['product:update', 13, { de: { ...compass, name: 'Messingkompass' } }]])
    expect(await told('translations', `update spree_product_translations set meta_title = 'x'`)).toEqual([])
  })

  test('is not told anew because a release says more of it', async () => {
    // As a product was known before: the words of the time, and the options of its variants as pairs.
    const {
      options: _options,
      taxons: _taxons,
      properties: _properties,
      images: _images,
      translations: _translations,
      updated_at: _updatedAt,
      ...own
    } = readExpected(family, 'fixture', 'product-11')
    const variants = (own['variants'] as Record<string, unknown>[]).map(
      ({ images: _ofVariant, options, ...rest }) => ({
        ...rest,
        options: Object.entries(options as Record<string, string>).sort(),
      }),
    )
    const digest = createHash('sha1')
      .update(JSON.stringify({ ...own, variants }))
      .digest('base64')
    const rewrite = `update bridge.baseline set shape = 1, digest = $1 where aggregate = 'product:11' and part = 'catalogue'`
    const touch = `update spree_products set promotionable = not promotionable where id = 11`
    await db.pool.query(rewrite, [digest])
    expect(await told('name', touch)).toEqual([])
    expect(await told('taxons', `delete from ${links} where product_id = 11`)).toEqual([
      ['product:update', 11, []],
    ])
    await db.pool.query(rewrite, ['another'])
    expect(await told('name', touch)).toEqual([['product:update', 11, "Fisherman's Sweater"]])
  })
})
