import type { Db } from '../src/postgres/pool.ts'

/** A recorded step of a store, so that it can be replayed any number of times, with new ids each time. */
export type RecordedStep = readonly Statement[]

type Statement = Readonly<{
  parts: readonly (string | Slot)[]
  /** The table whose new id it returns. */
  inserts?: string
}>

/** An id that the recording names: the `nth` row inserted into `table`. Or a number that must be unique. */
type Slot = Readonly<{ table: string; nth: number }> | Readonly<{ numberLike: string }>

const referenced: Readonly<Record<string, string>> = {
  order_id: 'spree_orders',
  line_item_id: 'spree_line_items',
  shipment_id: 'spree_shipments',
  address_id: 'spree_addresses',
  bill_address_id: 'spree_addresses',
  ship_address_id: 'spree_addresses',
  // In a checkout: of the order's state changes, and of the stock movements.
  stateful_id: 'spree_orders',
  originator_id: 'spree_shipments',
}

const insertion = /^INSERT INTO "(\w+)" \(([^)]*)\) VALUES \((.*)\) RETURNING "id";$/
const condition = /(?:"(\w+)"\.)?"(\w+)" = '(\d+)'/g
const values = /'(?:[^']|'')*'|NULL/g

/** Reads a script of one statement a line. Its recorded ids and numbers become slots. */
export function readStep(script: string): RecordedStep {
  const lines = script.split('\n').filter((line) => line !== '' && !line.startsWith('--'))
  const inserted = new Set(lines.flatMap((line) => insertion.exec(line)?.[1] ?? []))
  const recorded = recordedIds(lines, inserted)
  const slotFor = (table: string | undefined, id: string): Slot | undefined => {
    const nth = table === undefined ? -1 : (recorded.get(table)?.indexOf(Number(id)) ?? -1)
    return table === undefined || nth < 0 ? undefined : { table, nth }
  }
  return lines.map((line) => readInsertion(line, slotFor) ?? readOther(line, slotFor))
}

type SlotFor = (table: string | undefined, id: string) => Slot | undefined

/** Rows of one table got rising ids: the nth lowest that the script names is that of the nth row it inserts. */
function recordedIds(lines: readonly string[], inserted: ReadonlySet<string>): Map<string, number[]> {
  const ids = new Map<string, Set<number>>()
  const note = (table: string | undefined, id: string) => {
    if (table && inserted.has(table)) ids.set(table, (ids.get(table) ?? new Set()).add(Number(id)))
  }
  for (const line of lines) {
    for (const [column, value] of insertedValues(line)) note(referenced[column], value.slice(1, -1))
    for (const [, table, column = '', id = ''] of line.matchAll(condition)) {
      note(column === 'id' ? table : referenced[column], id)
    }
  }
  return new Map([...ids].map(([table, set]) => [table, [...set].sort((a, b) => a - b)]))
}

/** Column and literal of each value that an INSERT of the script gives, but for NULLs. */
function insertedValues(line: string): [string, string][] {
  const [, , columns = '', list = ''] = insertion.exec(line) ?? []
  const literals = list.match(values) ?? []
  return columns
    .split(', ')
    .map((column, index): [string, string] => [column.slice(1, -1), literals[index] ?? 'NULL'])
    .filter(([, literal]) => literal !== 'NULL')
}

function readInsertion(line: string, slotFor: SlotFor): Statement | undefined {
  const [, table, columns = '', list = ''] = insertion.exec(line) ?? []
  if (table === undefined) return undefined
  const names = columns.split(', ').map((column) => column.slice(1, -1))
  const parts: (string | Slot)[] = [`INSERT INTO "${table}" (${columns}) VALUES (`]
  for (const [index, literal] of (list.match(values) ?? []).entries()) {
    const column = names[index] ?? ''
    const slot =
      literal === 'NULL'
        ? undefined
        : column === 'number'
          ? { numberLike: literal.slice(1, 2) }
          : slotFor(referenced[column], literal.slice(1, -1))
    parts.push(index === 0 ? '' : ', ', slot ?? literal)
  }
  parts.push(') RETURNING "id"')
  return { parts, inserts: table }
}

function readOther(line: string, slotFor: SlotFor): Statement {
  const parts: (string | Slot)[] = []
  // A level that is only ever set to the recorded number would change in the first replay alone.
  const text = line.replace(/"count_on_hand" = '\d+'/, '"count_on_hand" = "count_on_hand" - 2')
  let end = 0
  for (const match of text.matchAll(condition)) {
    const [whole, table, column = '', id = ''] = match
    const slot = slotFor(column === 'id' ? table : referenced[column], id)
    if (slot === undefined) continue
    const literal = match.index + whole.length - `'${id}'`.length
    parts.push(text.slice(end, literal), slot)
    end = match.index + whole.length
  }
  parts.push(text.slice(end))
  return { parts }
}

/** Runs the step once, statement by statement on one connection. `run` makes its numbers unique. */
export async function replayStep(db: Db, step: RecordedStep, run: number): Promise<void> {
  const ids = new Map<string, string[]>()
  for (const { parts, inserts } of step) {
    const text = parts.map((part) => (typeof part === 'string' ? part : fill(part, ids, run))).join('')
    const { rows } = await db.query<{ id: string }>(text)
    if (inserts) ids.set(inserts, [...(ids.get(inserts) ?? []), rows[0]?.id ?? ''])
  }
}

function fill(slot: Slot, ids: ReadonlyMap<string, readonly string[]>, run: number): string {
  if ('numberLike' in slot) return `'${slot.numberLike}BENCH${run}'`
  const id = ids.get(slot.table)?.[slot.nth]
  if (id === undefined)
    throw new Error(`The script names row ${slot.nth + 1} of ${slot.table} before it is inserted.`)
  return `'${id}'`
}
