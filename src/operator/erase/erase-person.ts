import { erasePersonal } from '../../messages/personal/erase-personal.ts'
import {
  addressesIn,
  copyOf,
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

/** What the store knows of others, who are not to be erased. */
export type Others = Readonly<{
  /** Is the address by now that of somebody else? */
  haveAddress(email: string): Promise<boolean>
  /** Is the account somebody's, who has another address than the one that was given? `customer:<id>`. */
  haveAccount(aggregate: string): Promise<boolean>
}>

/**
 * Takes out of a schema of ours, `bridge` or `hub`, what tells who a person is: in place, row by row, so that counts, order,
 * ids and what makes a repeat known stay as they are. What waits to be sent or applied is left: changed, it would say what
 * is not so, under the key of what was; and so are the rows that led to it, or it would not be found again. Doing it again
 * changes nothing.
 * @param person Knows more afterwards.
 * @param dryRun Only counts.
 */
export async function erasePerson(
  pool: Pool,
  schema: 'bridge' | 'hub',
  person: Person,
  dryRun: boolean,
  others: Others,
): Promise<ErasedTable[]> {
  const tables = await textTables(pool, schema)
  const erased = new Map<string, number>()
  const given = copyOf(person)
  const lookAround = () => lookUntilKnown(pool, tables, person, others)
  let found = await lookAround()
  for (let round = 1; round <= MOST_ROUNDS; round++) {
    const theirs = found.filter((row) => hasTrace(row, person))
    const steps = stepsTo(found, { ...given, lost: person.lost, others: person.others })
    const stepOf = (row: FoundRow) => steps.get(row) ?? MOST_LOOKS
    // The farthest first: cut off in the midst, what is left is found again. What led to a row that stays, stays.
    const rows = theirs.filter((row) => !stays(row)).sort((one, other) => stepOf(other) - stepOf(one))
    let nearest = dryRun ? 0 : Math.max(0, ...theirs.filter(stays).map(stepOf))
    for (const row of rows) {
      if (stepOf(row) < nearest) break
      if (!dryRun && !(await replaceTexts(pool, row, changesIn(row, person)))) nearest = stepOf(row)
      else erased.set(row.table.name, (erased.get(row.table.name) ?? 0) + 1)
    }
    if (dryRun || !rows.some((row) => stepOf(row) >= nearest)) break
    found = await lookAround()
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

function stays({ waits, table }: FoundRow): boolean {
  return waits || SETTINGS_OF_PEOPLE.has(table.name)
}

/** Rows lead to orders, and these to further rows. */
async function lookUntilKnown(
  pool: Pool,
  tables: readonly TextTable[],
  person: Person,
  others: Others,
): Promise<FoundRow[]> {
  for (let looks = 1; ; looks++) {
    const before = knownOf(person)
    const found = await look(pool, tables, person)
    for (const aggregate of accountsIn(found)) {
      const isKnown = person.keys.has(aggregate) || person.others.has(aggregate)
      if (!isKnown && (await others.haveAccount(aggregate))) person.others.add(aggregate)
    }
    const former = new Set<string>()
    for (const row of found) learnFromRow(row, person, former)
    for (const email of [...former, ...[...person.texts].filter((text) => text.includes('@'))]) {
      if (await others.haveAddress(email)) {
        person.lost.add(email)
        person.texts.delete(email)
      } else if (former.has(email)) person.emails.add(email)
    }
    if (knownOf(person) === before || looks === MOST_LOOKS) return found
  }
}

/** Over how many others each row is found by who knows no more than what was given. */
function stepsTo(found: readonly FoundRow[], given: Person): ReadonlyMap<FoundRow, number> {
  const person = copyOf(given)
  const steps = new Map<FoundRow, number>()
  for (let step = 1; step < MOST_LOOKS; step++) {
    const before = knownOf(person)
    const theirs = new Set(found.filter((row) => isTheirs(row, person)))
    for (const row of found)
      if (!steps.has(row) && (theirs.has(row) || hasTrace(row, person))) steps.set(row, step)
    for (const row of theirs) learnFromRow(row, person, person.emails)
    if (knownOf(person) === before) break
  }
  return steps
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

/** @param former Gets the addresses that the account had before. */
function learnFromRow(row: FoundRow, person: Person, former: Set<string>): void {
  if (!isTheirs(row, person)) return
  const aggregate = row.texts.get('aggregate')
  // Of an aggregate that is an order's or an account's: what else is told of a product is nobody's.
  if (aggregate !== undefined && /(^|\/)(order|cart):/.test(aggregate)) person.keys.add(aggregate)
  if (aggregate !== undefined && isAccount(aggregate)) learnAccount(aggregate, row, person, former)
  const known = inRow(row, person)
  for (const text of row.texts.values()) learnFrom(known, readText(text))
  for (const column of MESSAGE_IDS) {
    const id = row.texts.get(column)
    if (id !== undefined) person.keys.add(id)
  }
}

function accountsIn(found: readonly FoundRow[]): ReadonlySet<string> {
  return new Set(found.map((row) => row.texts.get('aggregate') ?? '').filter(isAccount))
}

function isAccount(aggregate: string): boolean {
  return /(^|\/)customer:/.test(aggregate)
}

/** An account may have had other addresses, and have been told of under them. One that merely mentions the person is another's. */
function learnAccount(aggregate: string, row: FoundRow, person: Person, former: Set<string>): void {
  const addresses = [...row.texts.values()].flatMap((text) => addressesIn(readText(text)))
  if (person.others.has(aggregate)) return
  if (!person.keys.has(aggregate) && !addresses.some((address) => person.emails.has(address))) return
  person.keys.add(aggregate)
  for (const address of addresses)
    if (!person.emails.has(address) && !person.lost.has(address)) former.add(address)
}

/** In what is told of their account an address is theirs that is somebody else's by now. */
function inRow(row: FoundRow, person: Person): Person {
  const aggregate = row.texts.get('aggregate') ?? ''
  if (person.lost.size === 0 || !isAccount(aggregate) || !person.keys.has(aggregate)) return person
  return { ...person, emails: new Set([...person.emails, ...person.lost]) }
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
  const known = inRow(row, person)
  const clean = [...row.texts].map(([column, text]) => [column, erasePersonal(text, known, theirs)] as const)
  return new Map(clean.filter(([column, text]) => row.texts.get(column) !== text))
}

function hasTrace(row: FoundRow, person: Person): boolean {
  return changesIn(row, person).size > 0
}
