import { erasePersonal } from '../../messages/personal/erase-personal.ts'
import {
  addressesIn,
  isMentioned,
  knownOf,
  learnFrom,
  type Person,
  readText,
} from '../../messages/personal/person.ts'
import type { Pool } from '../../postgres/pool.ts'
import { inTransaction } from '../../postgres/transaction.ts'
import { type FoundRow, findRows, replaceTexts, type TextTable, textTables } from './text-tables.ts'

/** What was found of a person in one table. */
export type ErasedTable = Readonly<{
  table: string
  /** Rows that had something of the person, now without it; of a dry run those that would be. */
  rows: number
  /** Messages that may still be sent or applied: as they were. */
  waiting: number
  /** Rows that still have something, found when all was looked through once more. */
  left: number
}>

/** What people have set up: they change it themselves. */
const SETTINGS_OF_PEOPLE = new Set(['hub.mapping', 'hub.store'])
/** Each look may find what leads to more; a chain as long as this has no end. */
const MOST_LOOKS = 8
/** As often what is changed by others meanwhile is looked at again. */
const MOST_ROUNDS = 3

/**
 * Takes out of a schema of ours, `bridge` or `hub`, what tells who a person is: in place, row by row, so that counts, order,
 * ids and what makes a repeat known stay as they are. What waits to be sent or applied is left: changed, it would say what
 * is not so, under the key of what was. Doing it again changes nothing.
 * @param dryRun Only counts.
 */
export async function erasePerson(
  pool: Pool,
  schema: 'bridge' | 'hub',
  person: Person,
  dryRun: boolean,
): Promise<ErasedTable[]> {
  const tables = await textTables(pool, schema)
  const erased = new Map<string, number>()
  let found = await lookUntilKnown(pool, tables, person)
  for (let round = 1; round <= MOST_ROUNDS; round++) {
    // Those that have the address last: cut off in the midst, it is found by them again.
    const rows = found
      .filter((row) => !row.waits && !SETTINGS_OF_PEOPLE.has(row.table.name))
      .map((row) => ({ row, changes: changesIn(row, person) }))
      .filter(({ changes }) => changes.size > 0)
      .sort((one, other) => Number(mentions(one.row, person)) - Number(mentions(other.row, person)))
    for (const { row, changes } of rows) {
      if (!dryRun && !(await replaceTexts(pool, row, changes))) continue
      erased.set(row.table.name, (erased.get(row.table.name) ?? 0) + 1)
    }
    if (dryRun || rows.length === 0) break
    found = await lookUntilKnown(pool, tables, person)
  }
  // As of the last look: what began to wait meanwhile is not finished either.
  const waiting = found.filter((row) => row.waits && hasTrace(row, person))
  const left = dryRun ? [] : found.filter((row) => !row.waits && hasTrace(row, person))
  const count = (rows: readonly FoundRow[], name: string) =>
    rows.filter(({ table }) => table.name === name).length
  return tables
    .map(({ name }) => ({
      table: name,
      rows: erased.get(name) ?? 0,
      waiting: count(waiting, name),
      left: count(left, name),
    }))
    .filter(({ rows, waiting, left }) => rows + waiting + left > 0)
}

/** Rows lead to orders, and these to further rows. */
async function lookUntilKnown(pool: Pool, tables: readonly TextTable[], person: Person): Promise<FoundRow[]> {
  for (let looks = 1; ; looks++) {
    const before = knownOf(person)
    const found = await look(pool, tables, person)
    for (const row of found) learnFromRow(row, person)
    if (knownOf(person) === before || looks === MOST_LOOKS) return found
  }
}

/** All tables as of one moment: a message that moves on from one to another meanwhile is found where it was. */
function look(pool: Pool, tables: readonly TextTable[], person: Person): Promise<FoundRow[]> {
  return inTransaction(
    pool,
    async (db) => {
      const found: FoundRow[] = []
      for (const table of tables) found.push(...(await findRows(db, table, person)))
      return found
    },
    'repeatable read',
  )
}

/** By these columns rows of a message belong together. */
const MESSAGE_IDS = ['key', 'message_id']

function learnFromRow(row: FoundRow, person: Person): void {
  if (!isTheirs(row, person)) return
  const aggregate = row.texts.get('aggregate')
  // Of an aggregate that is an order's or an account's: what else is told of a product is nobody's.
  if (aggregate !== undefined && /(^|\/)(order|cart):/.test(aggregate)) person.keys.add(aggregate)
  if (aggregate !== undefined && /(^|\/)customer:/.test(aggregate)) learnAccount(aggregate, row, person)
  for (const text of row.texts.values()) learnFrom(person, readText(text))
  for (const column of MESSAGE_IDS) {
    const id = row.texts.get(column)
    if (id !== undefined) person.keys.add(id)
  }
}

/** An account may have had other addresses, and have been told of under them. One that merely mentions the person is another's. */
function learnAccount(aggregate: string, row: FoundRow, person: Person): void {
  const addresses = [...row.texts.values()].flatMap((text) => addressesIn(readText(text)))
  if (!person.keys.has(aggregate) && !addresses.some((address) => person.emails.has(address))) return
  person.keys.add(aggregate)
  for (const address of addresses) person.emails.add(address)
}

function isTheirs(row: FoundRow, person: Person): boolean {
  // What follows from a message may be about somebody else: a consumer's answer to one order can bring another.
  const byKey = [...row.texts].some(([column, text]) => column !== 'parent_id' && person.keys.has(text))
  return byKey || mentions(row, person)
}

function mentions(row: FoundRow, person: Person): boolean {
  return [...row.texts.values()].some((text) => isMentioned(person, readText(text)))
}

/** Its texts without the person, by column; only those that change. */
function changesIn(row: FoundRow, person: Person): ReadonlyMap<string, string> {
  const theirs = isTheirs(row, person)
  const clean = [...row.texts].map(([column, text]) => [column, erasePersonal(text, person, theirs)] as const)
  return new Map(clean.filter(([column, text]) => row.texts.get(column) !== text))
}

function hasTrace(row: FoundRow, person: Person): boolean {
  return changesIn(row, person).size > 0
}
