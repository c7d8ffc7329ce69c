import { hash } from 'node:crypto'

import pg from 'pg'

import { isStalePlan, sqlState } from './errors.ts'
import type { Db } from './pool.ts'

type Session = {
  /** True once the server has named itself as the process that this connection was given at its start. */
  isDirect: boolean
  /** Part of the names: raised where what was prepared is of no use any more. */
  generation: number
}

const sessions = new WeakMap<pg.Client, Session>()
const hashes = new Map<string, string>()

/**
 * Runs a statement of which the text is always the same, and keeps it prepared on the connection, which saves planning it
 * again each time: for small statements half of their cost. Only on a connection straight to the server: a pooler gives its
 * clients process numbers of its own, and behind it, as on the pool itself, the statement goes unprepared.
 *
 * A plan kept was made without the values, and for tables as they were: for statements that find their rows by index
 * whatever the statistics say, as inside `openWindow`.
 * @throws the server's errors; where a prepared statement was not to be had (`isTransient`), the next try goes without it.
 */
export async function queryPrepared<Row extends pg.QueryResultRow>(
  db: Db,
  text: string,
  values: readonly unknown[],
): Promise<pg.QueryResult<Row>> {
  if (!(db instanceof pg.Client)) return db.query<Row>(text, values)
  return asPrepared(db, text, values, (statement) => db.query<Row>(statement))
}

/** The same without keeping it, where the one or the other is chosen. */
export function queryOnce<Row extends pg.QueryResultRow>(
  db: Db,
  text: string,
  values: readonly unknown[],
): Promise<pg.QueryResult<Row>> {
  return db.query<Row>(text, values)
}

/** As `queryPrepared`, for whoever sends the statement in another way. */
export async function asPrepared<T>(
  client: pg.Client,
  text: string,
  values: readonly unknown[],
  send: (statement: pg.QueryConfig) => Promise<T>,
): Promise<T> {
  const session = sessions.get(client) ?? begin(client)
  const statement = { text, values: [...values] }
  if (!session.isDirect) return send(statement)
  try {
    return await send({ ...statement, name: `${hashOf(text)}_${session.generation}` })
  } catch (error) {
    if (isStalePlan(error)) session.generation++
    else if (isLostStatement(error)) session.isDirect = false
    throw error
  }
}

/** Asks without waiting: what comes before the answer goes unprepared. */
function begin(client: pg.Client): Session {
  const session: Session = { isDirect: false, generation: 0 }
  sessions.set(client, session)
  const known = 'processID' in client ? client.processID : undefined
  client.query<{ pid: number }>('select pg_backend_pid() as pid').then(
    ({ rows }) => {
      session.isDirect = rows[0]?.pid === known
    },
    () => undefined,
  )
  return session
}

function hashOf(text: string): string {
  const known = hashes.get(text)
  if (known !== undefined) return known
  const made = `bridge_${hash('sha1', text, 'hex').slice(0, 20)}`
  hashes.set(text, made)
  return made
}

/** Something between has given the connection to another session after all. */
function isLostStatement(error: unknown): boolean {
  return ['26000', '42P05'].includes(sqlState(error) ?? '')
}
