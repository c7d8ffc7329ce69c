import type { Db } from '../../src/postgres/pool.ts'

type Row = Readonly<Record<string, unknown>>
/** Table → id → row, of all tables of the shop. */
export type ShopRows = ReadonlyMap<string, ReadonlyMap<string, Row>>

/** All rows of all `spree_` tables, as they stand. */
export async function readShop(db: Db): Promise<ShopRows> {
  const { rows: tables } = await db.query<{ name: string }>(
    `select t.table_name as name
       from information_schema.tables t
       join information_schema.columns c using (table_schema, table_name)
      where t.table_schema = 'public' and t.table_name ~ '^spree_' and c.column_name = 'id'
      order by 1`,
  )
  const shop = new Map<string, Map<string, Row>>()
  for (const { name } of tables) {
    const { rows } = await db.query<{ key: string; row: Row }>(
      `select id::text as key, to_jsonb(t) as row from ${name} t order by t.id`,
    )
    shop.set(name, new Map(rows.map(({ key, row }) => [key, row])))
  }
  return shop
}

/**
 * What was written between two looks, by table: new rows whole, of changed ones the id and the columns that changed. Times
 * and the ids of new rows are only said to be set, and `except` (`table.column`) is left out.
 */
export function writtenRows(
  before: ShopRows,
  after: ShopRows,
  except: readonly string[] = [],
): Record<string, Row[]> {
  const written: Record<string, Row[]> = {}
  for (const [table, rows] of after) {
    const old = before.get(table) ?? new Map<string, Row>()
    const changes = [...rows].flatMap(([key, row]): [string, unknown][][] => {
      const was = old.get(key)
      const columns = Object.entries(row).filter(
        ([name, value]) =>
          !except.includes(`${table}.${name}`) && JSON.stringify(value) !== JSON.stringify(was?.[name]),
      )
      if (columns.length === 0) return []
      return was ? [[['changed', key], ...columns]] : [columns.filter(([name]) => name !== 'id')]
    })
    if (changes.length === 0) continue
    written[table] = changes.map((columns) =>
      Object.fromEntries(
        columns.map(([name, value]) => {
          const varies = /_at$/.test(name) || isNew(before, after, name, value)
          return [name, value !== null && varies ? 'set' : value]
        }),
      ),
    )
  }
  return written
}

/** Rows of `ours` that `theirs` lacks, by table. */
export function rowsOnlyIn(
  ours: Record<string, readonly Row[]>,
  theirs: Record<string, readonly Row[]>,
): Record<string, Row[]> {
  const only = Object.entries(ours).map(([table, rows]): [string, Row[]] => {
    const others = (theirs[table] ?? []).map(text)
    return [
      table,
      rows.filter((row) => {
        const place = others.indexOf(text(row))
        if (place >= 0) others.splice(place, 1)
        return place < 0
      }),
    ]
  })
  return Object.fromEntries(only.filter(([, rows]) => rows.length > 0))
}

function text(row: Row): string {
  return JSON.stringify(Object.entries(row).sort(([a], [b]) => (a < b ? -1 : 1)))
}

/** What the ids of these columns point at. */
const OWNERS: Readonly<Record<string, string>> = {
  bill_address_id: 'spree_addresses',
  ship_address_id: 'spree_addresses',
  address_id: 'spree_addresses',
  originator_id: 'spree_shipments',
  stateful_id: 'spree_orders',
  order_id: 'spree_orders',
  cart_id: 'spree_carts',
  line_item_id: 'spree_line_items',
  shipment_id: 'spree_shipments',
  fulfillment_id: 'spree_fulfillments',
}

function isNew(before: ShopRows, after: ShopRows, column: string, value: unknown): boolean {
  const table = OWNERS[column] ?? ''
  return after.get(table)?.has(String(value)) === true && before.get(table)?.has(String(value)) !== true
}
