import type { QueryResult, QueryResultRow } from 'pg'
import { sqlState } from '../../src/postgres/errors.ts'
import type { Db } from '../../src/postgres/pool.ts'

const DENIED = '42501'
const OF_TABLES = ['select', 'insert', 'update', 'delete']
/** The smallest first; the very first is for what was granted before and has been rolled back. */
const COMBINATIONS = Array.from({ length: 1 << OF_TABLES.length }, (_, bits) =>
  OF_TABLES.filter((_privilege, index) => bits & (1 << index)),
).sort((one, other) => one.length - other.length)

/** Those of which the statement speaks before others. */
function combinationsFor(text: string): readonly string[][] {
  const isNamed = (privilege: string) => privilege === 'select' || new RegExp(`\\b${privilege}\\b`).test(text)
  const isLikely = (set: readonly string[]) => set.every(isNamed)
  return [...COMBINATIONS.filter(isLikely), ...COMBINATIONS.filter((set) => !isLikely(set))]
}

/**
 * Runs the statements of a transaction, in which `role` has been set, and grants it, statement by statement, the least with
 * which each goes through: without any one of what is added to `learned` (`update spree_orders`, `usage sequence
 * spree_orders_id_seq`) some statement was refused.
 */
export function learningRights(db: Db, role: string, learned: Set<string>): Db {
  const attempt = async <Row extends QueryResultRow>(text: string, values?: readonly unknown[]) => {
    const [, outcome] = await Promise.all([
      db.query('savepoint attempt'),
      db.query<Row>(text, values).then(
        (result) => ({ result, error: undefined }),
        (error: unknown) => ({ result: undefined, error }),
      ),
      db.query('release attempt').catch(() => undefined),
    ])
    if (!outcome.result) await db.query('rollback to attempt; release attempt')
    return outcome
  }
  const learn = async <Row extends QueryResultRow>(
    text: string,
    values?: readonly unknown[],
  ): Promise<QueryResult<Row>> => {
    const { result, error } = await attempt<Row>(text, values)
    if (result) return result
    const object = deniedObject(error)
    if (object === undefined) throw error
    const ofObject = (privilege: string) => `${privilege} ${object}`
    const isSequence = object.startsWith('sequence ')
    const known = (isSequence ? ['usage'] : OF_TABLES).filter((privilege) => learned.has(ofObject(privilege)))
    for (const set of isSequence ? [['usage']] : combinationsFor(text)) {
      const privileges = new Set([...known, ...set])
      if (privileges.size === 0) continue
      await db.query(
        `savepoint trial; reset role; grant ${[...privileges].join(', ')} on ${object} to ${role}; set local role ${role}`,
      )
      const next = await attempt<Row>(text, values)
      const isDenied = deniedObject(next.error) === object
      await db.query(isDenied ? 'rollback to trial; release trial' : 'release trial')
      if (isDenied) continue
      for (const privilege of set) learned.add(ofObject(privilege))
      // Perhaps for another table now.
      return next.result ?? learn<Row>(text, values)
    }
    throw error
  }
  let last: Promise<unknown> = Promise.resolve()
  return {
    query<Row extends QueryResultRow>(text: string, values?: readonly unknown[]) {
      const asked = last.then(() => learn<Row>(text, values))
      last = asked.catch(() => undefined)
      return asked
    },
  }
}

function deniedObject(error: unknown): string | undefined {
  if (!(error instanceof Error) || sqlState(error) !== DENIED) return undefined
  return /^permission denied for (?:table )?((?:sequence )?\w+)$/.exec(error.message)?.[1]
}
