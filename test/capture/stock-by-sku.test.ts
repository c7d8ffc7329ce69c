import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'

import { compareProducts } from '../../src/capture/compare-window.ts'
import { type Collecting, startCollecting } from '../support/collecting.ts'
import type { TestDatabase } from '../support/postgres.ts'
import { createStore } from '../support/stores.ts'

// 106 is OC-M, 9 pieces in two places; 107 is OC-L, both of product 12; 109, of product 14, has no SKU.
describe.each([
  { family: 'spree-4.10', stock: 'spree_stock_items', ofL: 3, withoutSku: 500 },
  { family: 'spree-6.0', stock: 'spree_stock_levels', ofL: 4, withoutSku: 503 },
] as const)(
  'stock is told by SKU, whatever becomes of the variants: $family',
  ({ family, stock, ofL, withoutSku }) => {
    let db: TestDatabase
    let collecting: Collecting
    const masters = family === 'spree-4.10'

    beforeAll(async () => {
      db = await createStore(family, 'fixture')
      collecting = await startCollecting(db)
    })
    afterAll(() => db.drop())

    /** What `statements` had told: by product, in order, with SKU and pieces. */
    const told = async (...statements: string[]) => {
      for (const statement of statements) await db.pool.query(statement)
      const messages = await collecting.all()
      return messages
        .map(({ aggregate, type, payload: { sku, quantity } }) =>
          quantity === undefined ? [aggregate, type] : [aggregate, type, sku, quantity],
        )
        .sort((one, other) => one.join().localeCompare(other.join()))
    }
    /** In the older families the stock items go with their variant. */
    const setDeleted = (variant: number, at: 'now()' | 'null') => [
      `update spree_variants set deleted_at = ${at}, updated_at = now() where id = ${variant}`,
      ...(masters ? [`update ${stock} set deleted_at = ${at} where variant_id = ${variant}`] : []),
    ]
    const [first, heir] = ['product:12', 'product:9001']

    test('one that goes while its SKU is taken takes its pieces along; one that comes back brings them', async () => {
      expect(
        await told(
          ...setDeleted(106, 'now()'),
          `insert into spree_products (id, name, slug, status, created_at, updated_at)
         values (9001, 'Heir', 'heir', 'active', now(), now())`,
          `insert into spree_variants (id, sku, product_id, is_master, position, created_at, updated_at)
         values (9101, 'OC-M', 9001, ${masters}, 1, now(), now())`,
          `insert into ${stock} (id, variant_id, stock_location_id, count_on_hand, created_at, updated_at)
         values (9301, 9101, 1, 4, now(), now())`,
        ),
      ).toEqual([
        [first, 'product:update'],
        [first, 'stock:change', 'OC-M', -9],
        [heir, 'product:new'],
        [heir, 'stock:change', 'OC-M', 4],
      ])
      expect(
        await told(`update spree_variants set sku = 'OC-X' where id = 9101`, ...setDeleted(106, 'null')),
      ).toEqual([
        [first, 'product:update'],
        [first, 'stock:change', 'OC-M', 9],
        [heir, 'product:update'],
      ])
    })

    test('a product whose removal is not told, because its SKUs live on, takes its pieces along', async () => {
      await told(`update spree_variants set sku = 'OC-L' where id = 106`)
      expect(
        await told(
          ...setDeleted(9101, 'now()'),
          'update spree_products set deleted_at = now() where id = 9001',
        ),
      ).toEqual([[heir, 'product:update']])
      expect(
        await told(
          `update spree_variants set sku = 'OC-L' where id = 9101`,
          ...setDeleted(9101, 'null'),
          'update spree_products set deleted_at = null where id = 9001',
        ),
      ).toEqual([
        [heir, 'product:update'],
        [heir, 'stock:change', 'OC-L', 4],
      ])
      expect(
        await told(
          `delete from ${stock} where variant_id = 9101`,
          'delete from spree_variants where id = 9101',
          'delete from spree_products where id = 9001',
        ),
      ).toEqual([[heir, 'stock:change', 'OC-L', -4]])
      await told(`update spree_variants set sku = 'OC-M' where id = 106`)
    })

    test('what moves of one that is gone is told when it comes back', async () => {
      expect(await told(...setDeleted(107, 'now()'))).toEqual([[first, 'product:update']])
      expect(
        await told(`update ${stock} set count_on_hand = count_on_hand + 2 where variant_id = 107`),
      ).toEqual([])
      expect(await told(...setDeleted(107, 'null'))).toEqual([
        [first, 'product:update'],
        [first, 'stock:change', 'OC-L', ofL + 2],
      ])
    })

    test('one that goes to another product, known or new, takes its account along: its SKU has the pieces it had', async () => {
      const move = (variant: number, product: number) =>
        `update spree_variants set product_id = ${product}, updated_at = now() where id = ${variant}`
      const add = (pieces: number, variant: number) =>
        `update ${stock} set count_on_hand = count_on_hand + ${pieces}
          where id = (select min(id) from ${stock} where variant_id = ${variant})`
      expect(await told(add(2, 106))).toEqual([[first, 'stock:change', 'OC-M', 2]])
      expect(await told(move(106, 13), add(1, 106))).toEqual([
        [first, 'product:update'],
        ['product:13', 'product:update'],
        ['product:13', 'stock:change', 'OC-M', 1],
      ])
      expect(
        await told(
          `insert into spree_products (id, name, slug, status, created_at, updated_at)
           values (9002, 'Slicker', 'slicker', 'active', now(), now())`,
          move(106, 12),
          move(106, 9002),
        ),
      ).toEqual([
        ['product:13', 'product:update'],
        ['product:9002', 'product:new'],
      ])
      // Of 103 nothing is noted but that it was told with its product.
      expect(await told(move(103, 13))).toEqual([
        ['product:11', 'product:update'],
        ['product:13', 'product:update'],
      ])
      expect(await told(add(1, 103))).toEqual([['product:13', 'stock:change', 'FS-NAVY-M', 1]])
      await told(move(106, 12), move(103, 11))
      const { rows } = await db.pool.query(
        `select aggregate, part from bridge.baseline where part in ('stock:103', 'stock:106') order by part`,
      )
      expect(rows).toEqual([
        { aggregate: 'product:11', part: 'stock:103' },
        { aggregate: first, part: 'stock:106' },
      ])
      const options = { fix: false, stockMessages: 'change' } as const
      const { drift } = await compareProducts(db.pool, collecting.store, ['11', '12', '13', '9002'], options)
      expect(drift).toEqual([])
    })

    test('one that goes to another product under another SKU is told there with all it has', async () => {
      const go = (product: number, sku: string, variant = 106) =>
        `update spree_variants set product_id = ${product}, sku = '${sku}', updated_at = now() where id = ${variant}`
      const levelOf = async (variant: number) => {
        const { rows } = await db.pool.query<{ level: number }>(
          `select sum(count_on_hand)::integer as level from ${stock} where variant_id = ${variant} and deleted_at is null`,
        )
        return rows[0]!.level
      }
      const level = await levelOf(106)
      expect(await told(go(13, 'OC-L'))).toEqual([
        [first, 'product:update'],
        ['product:13', 'product:update'],
        ['product:13', 'stock:change', 'OC-L', level],
      ])
      // The other that has OC-L keeps its own.
      expect(await told(go(12, 'OC-M'))).toEqual([
        [first, 'product:update'],
        [first, 'stock:change', 'OC-L', -level],
        [first, 'stock:change', 'OC-M', level],
        ['product:13', 'product:update'],
      ])
      // There and back is no other product.
      expect(await told(go(13, 'OC-M'), go(12, 'OC-N'))).toEqual([[first, 'product:update']])
      await told(`update spree_variants set sku = 'OC-M' where id = 106`)
      // As if nothing had moved of it since day one.
      await db.pool.query(`delete from bridge.baseline where part = 'stock:102'`)
      expect(await told(go(13, 'FS-X', 102))).toEqual([
        ['product:11', 'product:update'],
        ['product:13', 'product:update'],
        ['product:13', 'stock:change', 'FS-X', await levelOf(102)],
      ])
    })

    test('one that gets its first SKU is told with all it has', async () => {
      expect(
        await told(`update ${stock} set count_on_hand = count_on_hand + 1 where variant_id = 109`),
      ).toEqual([])
      expect(await told(`update spree_variants set sku = 'TG-1' where id = 109`)).toEqual([
        ['product:14', 'product:update'],
        ['product:14', 'stock:change', 'TG-1', withoutSku + 1],
      ])
      expect(
        await told(`update ${stock} set count_on_hand = count_on_hand - 1 where variant_id = 109`),
      ).toEqual([['product:14', 'stock:change', 'TG-1', -1]])
    })

    test('one that is gone, whose SKU another has by now, tells nothing more of it', async () => {
      await told(...setDeleted(107, 'now()'), `update spree_variants set sku = 'OC-L' where id = 106`)
      const touched = [1, -1].map(
        (pieces) =>
          `update ${stock} set count_on_hand = count_on_hand + ${pieces}, updated_at = now() where variant_id = 107`,
      )
      expect(await told(`update spree_products set name = 'Oilskin Cape' where id = 12`, ...touched)).toEqual(
        [[first, 'product:update']],
      )
      await told(`update spree_variants set sku = 'OC-M' where id = 106`, ...setDeleted(107, 'null'))
    })

    test('a product whose removal is not told takes the pieces of its other SKUs along as well', async () => {
      const levelOf = async (variant: number) => {
        const { rows } = await db.pool.query<{ level: number }>(
          `select sum(count_on_hand)::integer as level from ${stock} where variant_id = ${variant} and deleted_at is null`,
        )
        return rows[0]?.level ?? 0
      }
      const [ofM, ofL] = [await levelOf(106), await levelOf(107)]
      expect(
        await told(
          `update spree_variants set sku = 'OC' where id = 112`,
          ...[...(masters ? [105] : []), 106, 107].flatMap((variant) => setDeleted(variant, 'now()')),
          'update spree_products set deleted_at = now() where id = 12',
        ),
      ).toEqual([
        // Without masters one goes by its variants, and of these one at least is nowhere any more.
        ...(masters
          ? [
              [first, 'stock:change', 'OC-L', -ofL],
              [first, 'stock:change', 'OC-M', -ofM],
            ]
          : [[first, 'product:update']]),
        ['product:17', 'product:update'],
      ])
    })
  },
)
