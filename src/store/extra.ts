import { nearestWord } from '../config/nearest-word.ts'
import { announcedOrderSchema } from '../messages/schemas/order-message.ts'
import { announcedProductSchema } from '../messages/schemas/product-message.ts'
import { wireDecimal, wireTime } from '../messages/wire.ts'
import type { Columns } from './columns.ts'
import type { Family } from './family.ts'
import { jsonRows, quoteName } from './json-sql.ts'
import { StoreError } from './store-error.ts'
import { type WatchedTable, watch } from './watched.ts'

/** Columns of the shop's own that go along: of the row itself, and of tables whose rows point at it by their column `key`. */
type ExtraOfKind = Readonly<{
  columns?: readonly string[] | undefined
  tables?: Readonly<Record<string, Readonly<{ key: string; columns: readonly string[] }>>> | undefined
}>

/** What an operator wants in payloads besides what they have. Names are lower-case words, as the settings check. */
export type Extra = Readonly<{ product?: ExtraOfKind | undefined; order?: ExtraOfKind | undefined }>

type ExtraKind = keyof Extra

const ROOTS = { product: 'spree_products', order: 'spree_orders' } as const

const PAYLOAD_KEYS = {
  product: Object.keys(announcedProductSchema.shape),
  order: Object.keys(announcedOrderSchema.shape),
}

/** Names of the tables that `extra` adds: other than the shop's own they may have any prefix. */
export function extraTables(extra: Extra | undefined): string[] {
  return [extra?.product, extra?.order].flatMap((own) => Object.keys(own?.tables ?? {}))
}

/**
 * The family with the extra columns: read by the same statement as all the rest, as a third column `extra`, and watched.
 * @throws StoreError which names all that the store does not have
 */
export function withExtra(family: Family, columns: Columns, extra: Extra | undefined): Family {
  const { product, order } = extra ?? {}
  const faults = [
    ...(product ? faultsOf(columns, 'product', product) : []),
    ...(order ? faultsOf(columns, 'order', order) : []),
  ]
  if (faults.length > 0) throw new StoreError('unknown_extra', faults.join('\n'))
  let extended = family
  if (product) extended = extend(extended, columns, 'product', product)
  if (order) extended = extend(extended, columns, 'order', order)
  return extended
}

/** The extra values of one row in the forms of the wire, under their names. */
export function readExtra(columns: Columns, kind: ExtraKind, json: string): Record<string, unknown> {
  const row: Record<string, unknown> = JSON.parse(json)
  return Object.fromEntries(
    Object.entries(row).map(([name, value]) => [
      name,
      Array.isArray(value) && !columns.has(ROOTS[kind], name)
        ? value.map((each: Record<string, unknown>) =>
            Object.fromEntries(
              Object.entries(each).map(([column, own]) => [
                column,
                inWireForm(columns.typeOf(name, column), own),
              ]),
            ),
          )
        : inWireForm(columns.typeOf(ROOTS[kind], name), value),
    ]),
  )
}

function extend(family: Family, columns: Columns, kind: ExtraKind, own: ExtraOfKind): Family {
  const root = ROOTS[kind]
  const names = [...(own.columns ?? [])].sort()
  const tables = Object.entries(own.tables ?? {}).sort(([a], [b]) => (a < b ? -1 : 1))
  const statements = kind === 'product' ? 'products' : 'orders'
  return {
    ...family,
    watched: tables.reduce<readonly WatchedTable[]>(
      (watched, [table, { key, columns: wanted }]) => watchTable(watched, columns, kind, table, key, wanted),
      family.watched.map((watched) =>
        watched.table === root ? { ...watched, columns: union(watched.columns, names) } : watched,
      ),
    ),
    [statements]: extendedStatement(columns, family[statements], root, names, tables),
  }
}

function extendedStatement(
  columns: Columns,
  statement: string,
  root: string,
  names: readonly string[],
  tables: readonly (readonly [string, Readonly<{ key: string; columns: readonly string[] }>])[],
): string {
  const schema = quoteName(columns.schema)
  const value = (table: string, alias: string, name: string) =>
    isDecimal(columns.typeOf(table, name))
      ? `${alias}.${name}::text as "${name}"`
      : `${alias}.${name} as "${name}"`
  const values = [
    ...names.map((name) => value(root, 'root', name)),
    ...tables.map(([table, { key, columns: wanted }]) => {
      const rows = `
            select ${wanted.map((name) => value(table, 'extra', name)).join(', ')}
              from ${schema}.${table} extra
             where extra.${key} = root.id
             order by extra.id`
      return `${jsonRows(rows)} as "${table}"`
    }),
  ]
  return `
select base.id, base.snapshot, row_to_json(own)::text as extra
  from (${statement}) base
  join ${schema}.${root} root on root.id = base.id::bigint
 cross join lateral (select ${values.join(', ')}) own`
}

/** A table that is watched already is so by its own key: that has to be this one. */
function watchTable(
  watched: readonly WatchedTable[],
  columns: Columns,
  kind: ExtraKind,
  table: string,
  key: string,
  wanted: readonly string[],
): WatchedTable[] {
  const known = watched.find((each) => each.table === table)
  if (!known) return [...watched, ...watch(columns, table, { kind, parent: key, only: [key, ...wanted] })]
  if (known.kind !== kind || known.parent !== key || known.owner !== 'root')
    throw new StoreError(
      'unknown_extra',
      `extra.${kind}.tables.${table}: its rows do not belong to ${kind}s by their ${key}.`,
    )
  return watched.map((each) => (each === known ? { ...each, columns: union(each.columns, wanted) } : each))
}

function union(columns: readonly string[], more: readonly string[]): string[] {
  return [...new Set([...columns, ...more])]
}

function faultsOf(columns: Columns, kind: ExtraKind, own: ExtraOfKind): string[] {
  const where = `extra.${kind}`
  const tables = Object.entries(own.tables ?? {}).flatMap(([table, { key, columns: wanted }]) => {
    if (!columns.has(table)) return [`${where}.tables: the store has no table ${table}.`]
    const faults = [
      ...taken(`${where}.tables`, kind, table),
      ...['id', key, ...wanted].flatMap((name) => missing(columns, `${where}.tables.${table}`, table, name)),
    ]
    if (columns.has(table, key) && !/^(bigint|integer|smallint)$/.test(columns.typeOf(table, key) ?? ''))
      faults.push(`${where}.tables.${table}: ${key} is no integer, as the ids of ${kind}s are.`)
    return faults
  })
  const ofRoot = (own.columns ?? []).flatMap((name) => [
    ...missing(columns, `${where}.columns`, ROOTS[kind], name),
    ...taken(`${where}.columns`, kind, name),
  ])
  return [...ofRoot, ...tables]
}

function missing(columns: Columns, where: string, table: string, name: string): string[] {
  if (columns.has(table, name)) return []
  const nearest = nearestWord(name, columns.of(table))
  const meant = nearest === undefined ? '' : ` Did you mean ${nearest}?`
  return [`${where}: table ${table} has no column ${name}.${meant}`]
}

function taken(where: string, kind: ExtraKind, name: string): string[] {
  return PAYLOAD_KEYS[kind].includes(name) ? [`${where}: the payload of ${kind}s has a ${name} already.`] : []
}

function isDecimal(type: string | undefined): boolean {
  return type?.startsWith('numeric') ?? false
}

function inWireForm(type: string | undefined, value: unknown): unknown {
  if (typeof value !== 'string') return value
  if (isDecimal(type)) return /^-?\d+(\.\d+)?$/.test(value) ? wireDecimal(value) : value
  return type?.startsWith('timestamp') && Number.isFinite(Date.parse(value)) ? wireTime(value) : value
}
