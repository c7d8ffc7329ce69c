import { DatabaseError, sqlState } from './errors.ts'
import type { Db } from './pool.ts'

/**
 * Asks the database for one row, so that a wrong URL is told at the start in words instead of by the first query.
 * `variable` is where the operator has set the URL.
 * @throws DatabaseError `refused` where asking again will not help (password, role, database name, TLS), else `unreachable`.
 */
export async function reachDatabase(db: Db, url: string, variable = 'DATABASE_URL'): Promise<void> {
  try {
    await db.query('select 1')
  } catch (error) {
    throw explainFailure(error, url, variable)
  }
}

function explainFailure(error: unknown, url: string, variable: string): Error {
  const where = describeUrl(url)
  const code = sqlState(error)
  const text = error instanceof Error ? error.message : String(error)
  switch (code) {
    case '28P01':
    case '28000':
      return new DatabaseError(
        'refused',
        `The server of ${where} refuses the login: ${text}. Check user, password and sslmode in ${variable}.`,
      )
    case '3D000':
      return new DatabaseError(
        'refused',
        `There is no such database at ${where}: ${text}. Check the name at the end of ${variable}.`,
      )
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return new DatabaseError(
        'unreachable',
        `The host of ${where} is unknown (${code}). Check the host in ${variable}.`,
      )
    case 'ECONNREFUSED':
    case 'ENOENT':
      return new DatabaseError(
        'unreachable',
        `Nothing listens at ${where} (${code}). Is PostgreSQL running, and are host and port in ${variable} right?`,
      )
    case '53300':
      return new DatabaseError('unreachable', `The server of ${where} has no connection left: ${text}.`)
    default:
      return new DatabaseError('unreachable', `${where} cannot be reached: ${text}`)
  }
}

/** Host, port and database of a connection URL, without user and password. */
export function describeUrl(url: string): string {
  const { host, database } = splitUrl(url)
  return `${database} on ${host}`
}

/** The host (with port) by which a database is addressed: one of the marks that tell it from a copy. */
export function splitUrl(url: string): Readonly<{ host: string; database: string }> {
  // \`postgres://user@/db\` names no host: a socket's address, which URL does not take.
  const parsed = new URL(url.replace('@/', '@localhost/'))
  const host = parsed.searchParams.get('host') || parsed.hostname || 'localhost'
  return {
    host: `${host}:${parsed.port || parsed.searchParams.get('port') || '5432'}`,
    database: parsed.pathname.slice(1) || 'postgres',
  }
}
