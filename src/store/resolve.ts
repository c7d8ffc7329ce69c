import { type AggregateKind, aggregateKey, aggregateKindOf } from '../messages/aggregate.ts'
import type { Db } from '../postgres/pool.ts'
import { queryPrepared } from '../postgres/prepared.ts'
import { type Carts, ordersOrCarts } from './carts.ts'
import type { Family, OwnerLookup } from './family.ts'
import type { OwnerKind, WatchedTable } from './watched.ts'

/** A recorded change of one row of a watched table, as the outbox holds it. */
export type ChangedRow = Readonly<{
  /** Of the record, not of the row. */
  id: string
  tableName: string
  rowId: string | null
  /** The parent column after and before; null where there is none, or the row is new, or gone. */
  parent: string | null
  parentOld: string | null
}>

type Owner = Exclude<OwnerKind, 'root'>

/**
 * The aggregates whose state each change touched, by the record's id: none for a cart's child or an unused address, several
 * for an address of several orders or a child that moved. One query per kind of owner that occurs, none for roots and
 * their direct children.
 */
export async function resolveOwners(
  db: Db,
  family: Family,
  rows: readonly ChangedRow[],
): Promise<ReadonlyMap<string, readonly string[]>> {
  const tables = new Map(family.watched.map((watched) => [watched.table, watched]))
  const sought = new Map<Owner, Set<string>>()
  for (const row of rows) {
    const watched = tables.get(row.tableName)
    if (!watched || watched.owner === 'root') continue
    const keys = sought.get(watched.owner) ?? new Set()
    sought.set(watched.owner, keys)
    for (const key of keysOf(row, watched)) keys.add(key)
  }
  const found = new Map<Owner, Roots>()
  for (const [owner, keys] of sought) {
    const lookup = family.owners[owner]
    const roots = await findRoots(db, lookup, [...keys], family.carts)
    addDeletedOwners(roots, lookup, rows, family.carts)
    found.set(owner, roots)
  }
  return new Map(
    rows.map((row) => [row.id, aggregatesOf(row, tables.get(row.tableName), found, family.carts)]),
  )
}

async function findRoots(
  db: Db,
  { sql, kind: usual }: OwnerLookup,
  keys: readonly string[],
  carts: Carts | null,
): Promise<Roots> {
  const roots = new Roots()
  if (keys.length === 0) return roots
  const { rows } = await queryPrepared<{ key: string; root: string; kind?: AggregateKind }>(db, sql, [keys])
  for (const { key, root, kind = usual } of rows) roots.add(key, aggregatesNamed(kind, root, carts))
  return roots
}

/** An owner that was deleted together with its children is found nowhere but in the record of its own deletion. */
function addDeletedOwners(
  roots: Roots,
  lookup: OwnerLookup,
  rows: readonly ChangedRow[],
  carts: Carts | null,
): void {
  for (const { tableName, rowId, parent, parentOld } of rows) {
    if (tableName !== lookup.table || rowId === null || parent !== null || parentOld === null) continue
    if (roots.of(rowId).length === 0) roots.add(rowId, aggregatesNamed(lookup.kind, parentOld, carts))
  }
}

function keysOf(row: ChangedRow, watched: WatchedTable): string[] {
  const keys = watched.parent === null ? [row.rowId] : [row.parent, row.parentOld]
  return [...new Set(keys.filter((key) => key !== null))]
}

function aggregatesOf(
  row: ChangedRow,
  watched: WatchedTable | undefined,
  found: ReadonlyMap<Owner, Roots>,
  carts: Carts | null,
): string[] {
  if (!watched) return []
  const keys = keysOf(row, watched)
  if (watched.owner === 'root') {
    return keys.flatMap((key) => aggregatesNamed(aggregateKindOf(watched.kind), key, carts))
  }
  const roots = found.get(watched.owner)
  return [...new Set(keys.flatMap((key) => roots?.of(key) ?? []))]
}

function aggregatesNamed(kind: AggregateKind, root: string, carts: Carts | null): string[] {
  return kind === 'order' ? ordersOrCarts(root, carts) : [aggregateKey(kind, root)]
}

/** The aggregates that each key leads to: a taxon that half the shop is filed under leads to a hundred thousand. */
class Roots {
  readonly #byKey = new Map<string, Set<string>>()

  add(key: string, aggregates: readonly string[]): void {
    const roots = this.#byKey.get(key) ?? new Set()
    for (const aggregate of aggregates) roots.add(aggregate)
    this.#byKey.set(key, roots)
  }

  of(key: string): string[] {
    return [...(this.#byKey.get(key) ?? [])]
  }
}
