import { pipeline } from 'node:stream/promises'
import pg from 'pg'
import { from as copyFrom } from 'pg-copy-streams'
import type { DayStore } from './told.ts'

/** What programs that are not the shop do to its tables; the payloads that follow are in `test/expected/day`. */
export type Act = Readonly<{ name: string; statements: readonly (string | Copy)[] }>

type Copy = Readonly<{ copy: string; rows: readonly (readonly (string | number)[])[] }>

const AT = '2026-04-01 10:00:00'
const LATER = '2026-04-01 11:00:00'

/**
 * Three products: 9001 Sea Chest with variants 9102 and 9105, 9002 Ditty Bag with 9103, 9003 Bosun Whistle with 9104. On
 * 4.10 and Solidus the last two are masters, as is 9101 of the Sea Chest; on 6.0 the first of each is its product's default variant.
 */
export function otherPrograms(family: DayStore): Act[] {
  const masters = family !== 'spree-6.0'
  // Solidus has no status.
  const [statusColumn, status] = family === 'solidus-4' ? ['', ''] : [', status', `, 'active'`]
  const active = family === 'solidus-4' ? [] : ['active']
  const stock = masters ? 'spree_stock_items' : 'spree_stock_levels'
  const defaultVariant = masters ? '' : ', default_variant_id'
  return [
    {
      name: 'a product with its stock, in one transaction',
      statements: [
        'begin',
        `insert into spree_products (id, name, slug${statusColumn}, created_at, updated_at${defaultVariant})
         values (9001, 'Sea Chest', 'sea-chest'${status}, '${AT}', '${AT}'${masters ? '' : ', 9102'})`,
        ...(masters
          ? [
              `insert into spree_variants (id, sku, product_id, is_master, position, weight, created_at, updated_at)
               values (9101, 'SC', 9001, true, 1, 14, '${AT}', '${AT}')`,
              `insert into spree_prices (id, variant_id, amount, currency, created_at, updated_at)
               values (9201, 9101, 120, 'USD', '${AT}', '${AT}')`,
            ]
          : []),
        `insert into spree_variants (id, sku, product_id, is_master, position, weight, created_at, updated_at)
         values (9102, 'SC-L', 9001, false, 2, 15.5, '${AT}', '${AT}')`,
        `insert into spree_variants (id, sku, product_id, is_master, position, weight, created_at, updated_at)
         values (9105, 'SC-S', 9001, false, 3, 12, '${AT}', '${AT}')`,
        `insert into spree_prices (id, variant_id, amount, currency, created_at, updated_at)
         values (9202, 9102, 130, 'USD', '${AT}', '${AT}')`,
        `insert into ${stock} (id, variant_id, stock_location_id, count_on_hand, created_at, updated_at)
         values (9301, 9102, 1, 4, '${AT}', '${AT}')`,
        'commit',
      ],
    },
    {
      name: 'two products and their stock, by COPY',
      statements: [
        {
          copy: `copy spree_products (id, name, slug${statusColumn}, created_at, updated_at${defaultVariant}) from stdin`,
          rows: [
            [9002, 'Ditty Bag', 'ditty-bag', ...active, AT, AT, ...(masters ? [] : [9103])],
            [9003, 'Bosun Whistle', 'bosun-whistle', ...active, AT, AT, ...(masters ? [] : [9104])],
          ],
        },
        {
          copy: `copy spree_variants (id, sku, product_id, is_master, position, weight, created_at, updated_at)
                 from stdin`,
          rows: [
            [9103, 'DB', 9002, masters ? 't' : 'f', 1, 0.4, AT, AT],
            [9104, 'BW', 9003, masters ? 't' : 'f', 1, 0.05, AT, AT],
          ],
        },
        {
          copy: 'copy spree_prices (id, variant_id, amount, currency, created_at, updated_at) from stdin',
          rows: [
            [9203, 9103, 15, 'USD', AT, AT],
            [9204, 9104, 8.75, 'USD', AT, AT],
          ],
        },
        {
          copy: `copy ${stock} (id, variant_id, stock_location_id, count_on_hand, created_at, updated_at) from stdin`,
          rows: [
            [9302, 9103, 1, 5, AT, AT],
            [9303, 9104, 1, 6, AT, AT],
          ],
        },
      ],
    },
    {
      name: 'stock by INSERT … ON CONFLICT DO UPDATE: one level moves, one stays, one is new',
      statements: [
        `insert into spree_stock_locations (id, name, "default", created_at, updated_at)
         values (9001, 'Annex', false, '${AT}', '${AT}')`,
        `insert into ${stock} (id, variant_id, stock_location_id, count_on_hand, created_at, updated_at)
         values (9391, 9102, 1, 9, '${LATER}', '${LATER}'),
                (9392, 9103, 1, 5, '${LATER}', '${LATER}'),
                (9304, 9104, 9001, 2, '${LATER}', '${LATER}')
         on conflict (variant_id, stock_location_id) where deleted_at is null
         do update set count_on_hand = excluded.count_on_hand, updated_at = excluded.updated_at`,
      ],
    },
    {
      name: 'a product by INSERT … ON CONFLICT DO UPDATE, which is so already',
      statements: [
        `insert into spree_products (id, name, slug${statusColumn}, created_at, updated_at)
         values (9002, 'Ditty Bag', 'ditty-bag'${status}, '${LATER}', '${LATER}')
         on conflict (id) do update set name = excluded.name, updated_at = excluded.updated_at`,
      ],
    },
    {
      name: 'a price by INSERT … ON CONFLICT DO UPDATE',
      statements: [
        `insert into spree_prices (id, variant_id, amount, currency, created_at, updated_at)
         values (9203, 9103, 16.5, 'USD', '${LATER}', '${LATER}')
         on conflict (id) do update set amount = excluded.amount`,
      ],
    },
    {
      name: 'stock in two locations, in one transaction: the sum',
      statements: [
        'begin',
        `update ${stock} set count_on_hand = count_on_hand + 3 where id = 9303`,
        `update ${stock} set count_on_hand = count_on_hand + 4 where id = 9304`,
        'commit',
      ],
    },
    {
      name: 'a transfer from one location to the other',
      statements: [
        'begin',
        `update ${stock} set count_on_hand = count_on_hand - 2 where id = 9303`,
        `update ${stock} set count_on_hand = count_on_hand + 2 where id = 9304`,
        'commit',
      ],
    },
    {
      name: 'a stock row deleted softly',
      statements: [`update ${stock} set deleted_at = '${LATER}' where id = 9304`],
    },
    {
      name: 'the stock row restored',
      statements: [`update ${stock} set deleted_at = null where id = 9304`],
    },
    { name: 'the stock row deleted', statements: [`delete from ${stock} where id = 9304`] },
    {
      name: 'another SKU',
      statements: [`update spree_variants set sku = 'DB-2' where id = 9103`],
    },
    {
      name: 'the SKU given to another product',
      statements: [`update spree_variants set sku = 'DB-2' where id = 9104`],
    },
    {
      name: 'the product that had the SKU first, deleted softly',
      statements: [
        'begin',
        ...[
          'spree_products where id = 9002',
          'spree_variants where id = 9103',
          'spree_prices where id = 9203',
        ]
          .map((rows) => rows.split(' where '))
          .map(([table, row]) => `update ${table} set deleted_at = '${LATER}' where ${row}`),
        `update ${stock} set deleted_at = '${LATER}' where id = 9302`,
        'commit',
      ],
    },
    {
      name: 'a variant with the SKU of another product’s',
      statements: [
        `insert into spree_variants (id, sku, product_id, is_master, position, weight, created_at, updated_at)
         values (9106, 'SC-L', 9003, false, 2, 15.5, '${AT}', '${AT}')`,
      ],
    },
    {
      name: 'a product and its rows, deleted: of its SKUs one lives on',
      statements: [
        'begin',
        `delete from ${stock} where variant_id = 9102`,
        'delete from spree_prices where variant_id in (9101, 9102)',
        'delete from spree_variants where product_id = 9001',
        'delete from spree_products where id = 9001',
        'commit',
      ],
    },
    {
      name: 'a transaction that changes everything and rolls back',
      statements: [
        'begin',
        `update ${stock} set count_on_hand = count_on_hand + 1000`,
        'savepoint s',
        `update spree_products set name = 'Nothing'`,
        'rollback to savepoint s',
        'update spree_orders set total = total + 1',
        'rollback',
      ],
    },
  ]
}

/** On one connection, a statement at a time, each its own commit unless it says otherwise. */
export async function perform(url: string, { statements }: Act): Promise<void> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    for (const statement of statements) {
      if (typeof statement === 'string') await client.query(statement)
      else {
        const lines = statement.rows.map((row) => `${row.join('\t')}\n`)
        await pipeline(lines, client.query(copyFrom(statement.copy)))
      }
    }
  } finally {
    await client.end()
  }
}
