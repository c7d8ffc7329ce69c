import type { Change, Row, StoreRows } from '../support/audit.ts'
import type { StoreFamily } from '../support/stores.ts'
import { LENSES, type Lens } from './lenses.ts'
import type { Fields, Picture } from './picture.ts'
import type { Relations } from './relations.ts'

/** One state of one row as a commit left it. */
export type Version = Readonly<{
  /** The transaction that made it; null for the state in which the audit found the row. */
  xid: string | null
  owners: readonly string[]
  fields: Fields | null
}>

/** The committed states of everything that messages show. */
export type History = Readonly<{
  /** Row key → its states, oldest first. A row that nobody changed has one. */
  versions: ReadonlyMap<string, readonly Version[]>
  /** Aggregate → the row keys that ever were part of it. */
  keysOf: ReadonlyMap<string, ReadonlySet<string>>
  /** Aggregates in which a commit changed more than updated_at. */
  touched: ReadonlySet<string>
  /** Aggregate → its picture when the audit began, and now. */
  seed: ReadonlyMap<string, Picture>
  now: ReadonlyMap<string, Picture>
}>

export function readHistory(
  family: StoreFamily,
  seed: StoreRows,
  now: StoreRows,
  changes: readonly Change[],
  store: Relations,
): History {
  const versions = new Map<string, Version[]>()
  const touched = new Set<string>()
  for (const { table, states } of chainsByRow(changes)) {
    const lens = LENSES[family][table]
    if (!lens) continue
    const keys = keysOfRow(lens, states, store)
    for (const { row, xid, changed } of states) {
      for (const owner of changed.flatMap((side) => lens.owners(side, store))) touched.add(owner)
      const owners = row ? lens.owners(row, store) : []
      for (const key of keys)
        append(versions, key, { xid, owners, fields: row ? fieldsUnder(key, lens, row, store) : null })
    }
  }
  for (const rows of [seed, now])
    for (const [table, lens] of Object.entries(LENSES[family]))
      for (const row of rows.get(table)?.values() ?? []) {
        const shown = lens.show(row, store)
        if (shown && !versions.has(shown.key))
          versions.set(shown.key, [{ xid: null, owners: lens.owners(row, store), fields: shown.fields }])
      }

  const keysOf = new Map<string, Set<string>>()
  for (const [key, states] of versions)
    for (const owner of states.flatMap(({ owners }) => owners)) {
      const keys = keysOf.get(owner)
      if (keys) keys.add(key)
      else keysOf.set(owner, new Set([key]))
    }
  return {
    versions,
    keysOf,
    touched,
    seed: picturesOf(family, seed, store),
    now: picturesOf(family, now, store),
  }
}

/** `changed`: the row before and after each change that meant something. */
type State = Readonly<{ row: Row | null; xid: string | null; changed: readonly Row[] }>

/**
 * Row by row, the state found first and then one per transaction: what a transaction changed twice nobody else saw.
 * The row's lock makes the order of its changes the order of their commits.
 */
export function chainsByRow(
  changes: readonly Change[],
): Iterable<Readonly<{ table: string; states: State[] }>> {
  const chains = new Map<string, { table: string; states: State[] }>()
  for (const change of changes) {
    const key = `${change.table} ${(change.new ?? change.old)?.['id']}`
    const chain = chains.get(key) ?? {
      table: change.table,
      states: [{ row: change.old, xid: null, changed: [] }],
    }
    chains.set(key, chain)
    const sameTransaction = chain.states.at(-1)?.xid === change.xid ? chain.states.pop() : undefined
    const sides = isMeaningful(change)
      ? [change.old, change.new].filter((row): row is Row => row !== null)
      : []
    chain.states.push({
      row: change.new,
      xid: change.xid,
      changed: [...(sameTransaction?.changed ?? []), ...sides],
    })
  }
  return chains.values()
}

/** Something but updated_at. */
function isMeaningful({ old, new: later }: Change): boolean {
  if (!old || !later) return true
  return Object.keys(later).some(
    (column) => column !== 'updated_at' && JSON.stringify(old[column]) !== JSON.stringify(later[column]),
  )
}

/** Nearly always one: a price that moved to another variant has two. */
function keysOfRow(lens: Lens, states: readonly State[], store: Relations): ReadonlySet<string> {
  const keys = new Set<string>()
  for (const { row } of states) {
    const shown = row && lens.show(row, store)
    if (shown) keys.add(shown.key)
  }
  return keys
}

function fieldsUnder(key: string, lens: Lens, row: Row, store: Relations): Fields | null {
  const shown = lens.show(row, store)
  return shown?.key === key ? shown.fields : null
}

function append(versions: Map<string, Version[]>, key: string, version: Version): void {
  const states = versions.get(key)
  if (states) states.push(version)
  else versions.set(key, [version])
}

function picturesOf(family: StoreFamily, rows: StoreRows, store: Relations): ReadonlyMap<string, Picture> {
  const pictures = new Map<string, Map<string, Fields>>()
  for (const [table, lens] of Object.entries(LENSES[family]))
    for (const row of rows.get(table)?.values() ?? []) {
      const shown = lens.show(row, store)
      if (!shown) continue
      for (const owner of lens.owners(row, store)) {
        const picture = pictures.get(owner) ?? new Map<string, Fields>()
        picture.set(shown.key, shown.fields)
        pictures.set(owner, picture)
      }
    }
  // Without the row that it is named for it is a cart, or gone.
  return new Map([...pictures].filter(([owner, picture]) => picture.has(owner)))
}
