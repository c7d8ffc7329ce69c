import type { Db } from '../postgres/pool.ts'
import { taxonTables, word } from './catalogue-words.ts'
import { type Changed, changedSince, type PollCursor } from './changed-since.ts'
import { quoteName } from './json-sql.ts'
import type { Store } from './store.ts'

// Collections that are polled and are no aggregates by themselves. Undefined in a store that has none that can be read.

type Polled<Row> = Changed & Readonly<{ rows: ReadonlyMap<string, Row> }>

/** Return authorizations of placed orders that changed, with the ids of their orders. */
export async function changedReturns(
  db: Db,
  store: Pick<Store, 'schema' | 'returnTables'>,
  cursor: PollCursor | undefined,
  limit: number,
): Promise<Polled<string> | undefined> {
  const [name] = store.returnTables
  if (name === undefined) return undefined
  const schema = quoteName(store.schema)
  const table = `${schema}.${quoteName(name)}`
  const placed = `${table} t where exists (select from ${schema}.spree_orders o where o.id = t.order_id and o.completed_at is not null) and`
  const changed = await changedSince(db, placed, cursor, limit)
  const { rows } = await db.query<{ id: string; order_id: string }>(
    `select t.id::text, t.order_id::text from ${table} t where t.id = any($1::bigint[])`,
    [changed.ids],
  )
  return { ...changed, rows: new Map(rows.map(({ id, order_id }) => [id, order_id])) }
}

/** A taxon as protocol §8 lists its fields. */
export type TaxonRow = Readonly<Record<(typeof TAXON_FIELDS)[number], string | number | null>>

const TAXON_FIELDS = [
  'id',
  'parent_id',
  'position',
  'name',
  'permalink',
  'taxonomy_id',
  'description',
  'created_at',
  'updated_at',
] as const

/** Taxons that changed, whatever the family calls them. */
export async function changedTaxons(
  db: Db,
  { columns }: Pick<Store, 'columns'>,
  cursor: PollCursor | undefined,
  limit: number,
): Promise<Polled<TaxonRow> | undefined> {
  const taxons = taxonTables(columns)?.taxons
  if (taxons === undefined) return undefined
  const table = `${quoteName(columns.schema)}.${taxons}`
  const changed = await changedSince(db, `${table} t where`, cursor, limit)
  const value = (field: string) => {
    if (field.endsWith('_at')) return `to_char(t.${field}, 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`
    if (field.endsWith('id') || field === 'position') return `t.${field}::float8`
    return word(columns, taxons, 't', field)
  }
  const fields = TAXON_FIELDS.map(
    (field) => `${columns.has(taxons, field) ? value(field) : 'null'} as ${field}`,
  )
  const { rows } = await db.query<TaxonRow>(
    `select ${fields.join(', ')} from ${table} t where t.id = any($1::bigint[])`,
    [changed.ids],
  )
  return { ...changed, rows: new Map(rows.map((row) => [String(row.id), row])) }
}
