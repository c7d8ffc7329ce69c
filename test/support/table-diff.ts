import type { Db } from '../../src/postgres/pool.ts'

type Row = Readonly<Record<string, unknown>>
type Rows = ReadonlyMap<string, Row>
export type Picture = ReadonlyMap<string, Rows>
/** One difference between two pictures of a store, without what no two runs have in common: ids and times. */
export type Difference = Readonly<{ table: string; was: 'inserted' | 'changed' | 'deleted'; columns: Row }>

const OWNERS: Readonly<Record<string, string>> = {
  product_id: 'spree_products',
  sluggable_id: 'spree_products',
  variant_id: 'spree_variants',
  default_variant_id: 'spree_variants',
  price_id: 'spree_prices',
  stock_item_id: 'spree_stock_items',
  stock_level_id: 'spree_stock_levels',
  property_id: 'spree_properties',
  taxonomy_id: 'spree_taxonomies',
  taxon_id: 'spree_taxons',
  category_id: 'spree_categories',
  user_id: 'spree_users',
  address_id: 'spree_addresses',
  ship_address_id: 'spree_addresses',
  bill_address_id: 'spree_addresses',
}

/** All rows of all tables of a store. */
export async function takePicture(db: Db): Promise<Picture> {
  const tables = await db.query<{ name: string }>(
    `select c.relname as name
       from pg_class c
       join pg_namespace n on n.oid = c.relnamespace
       join pg_attribute a on a.attrelid = c.oid and a.attname = 'id'
      where n.nspname = 'public' and c.relkind = 'r' and c.relname ~ '^(spree_|friendly_id_)'
      order by 1`,
  )
  const picture = new Map(tables.rows.map(({ name }) => [name, new Map<string, Row>()]))
  // All at once: a test takes several of these, and a round trip for each table is what they would cost.
  const { rows } = await db.query<{ name: string; id: string; row: Row }>(
    tables.rows
      .map(
        ({ name }) => `(select '${name}' as name, id::text, to_jsonb(t) as row from ${name} t order by t.id)`,
      )
      .join(' union all '),
  )
  for (const { name, id, row } of rows) picture.get(name)?.set(id, row)
  return picture
}

export function differences(before: Picture, after: Picture): Difference[] {
  const isNew = (owner: string | undefined, value: unknown) =>
    owner !== undefined && value !== null && !before.get(owner)?.has(String(value))
  const plain = (row: Row, [column, value]: [string, unknown]): [string, unknown] => {
    if (/_(at|on)$/.test(column) && value !== null) return [column, '<time>']
    const owner = column === 'owner_id' ? tableOf(row['owner_type']) : OWNERS[column]
    return [column, isNew(owner, value) ? '<new>' : value]
  }
  const found: Difference[] = []
  for (const [table, rows] of after) {
    const old = before.get(table)
    for (const [id, row] of rows) {
      const was = old?.get(id)
      const differing = Object.entries(row).filter(
        ([column, value]) =>
          column !== 'id' && (!was || JSON.stringify(was[column]) !== JSON.stringify(value)),
      )
      if (differing.length === 0) continue
      const columns = Object.fromEntries(differing.map((one) => plain(row, one)))
      found.push({ table, was: was ? 'changed' : 'inserted', columns })
    }
    for (const [id, row] of old ?? []) {
      if (!rows.has(id)) found.push({ table, was: 'deleted', columns: row })
    }
  }
  return found
}

/** `Spree::Customer` is in `spree_customers`. */
function tableOf(type: unknown): string {
  return `${String(type).replace('::', '_').toLowerCase()}s`
}

/** Where the sequences of a store stand: what is rolled back leaves gaps, and the recorded steps name their ids. */
export async function rememberSequences(db: Db): Promise<() => Promise<void>> {
  const { rows: names } = await db.query<{ name: string }>(
    `select format('%I.%I', schemaname, sequencename) as name from pg_sequences where schemaname = 'public'`,
  )
  const stands = names.map(({ name }) => `select '${name}' as name, last_value::text, is_called from ${name}`)
  const { rows } = await db.query<{ name: string; last_value: string; is_called: boolean }>(
    stands.join(' union all '),
  )
  return async () => {
    for (const { name, last_value, is_called } of rows)
      await db.query('select setval($1::regclass, $2::bigint, $3)', [name, last_value, is_called])
  }
}
