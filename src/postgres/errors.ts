/** The SQLSTATE of an error of the server, or the errno code of a lost connection; undefined for anything else. */
export function sqlState(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined
  return typeof error.code === 'string' ? error.code : undefined
}

const CONNECTION_ERRNOS = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'ENOTFOUND',
  'EAI_AGAIN',
  'ENOENT',
])
const TRANSIENT = new Set([
  '40001', // serialization failure
  '40P01', // deadlock detected
  '25P03', // idle in transaction session timeout
  '25P04', // transaction timeout
  '25006', // read only: a failover that is under way
  '55P03', // lock not available
  '57014', // query canceled: statement timeout
  '26000', // a prepared statement that this session does not have: the next try goes unprepared
  '42P05', // one that it has already
])

/** The server gave a statement up because it took longer than it may (`statement_timeout`). */
export function tookTooLong(error: unknown): boolean {
  return sqlState(error) === '57014'
}

/** A statement was refused because one before it in its transaction was: it says nothing of its own. */
export function transactionAborted(error: unknown): boolean {
  return sqlState(error) === '25P02'
}

/** A migration has changed the type of what a prepared statement returns; the message's language is the server's. */
export function isStalePlan(error: unknown): boolean {
  return (
    sqlState(error) === '0A000' &&
    error instanceof Error &&
    'routine' in error &&
    error.routine === 'RevalidateCachedQuery'
  )
}

/**
 * True for what passes by itself: conflicts, timeouts, lost connections, a server that stops, starts,
 * is read-only for a while or has no connection left. Repeating the whole transaction is then right.
 */
export function isTransient(error: unknown): boolean {
  const code = sqlState(error)
  if (code !== undefined) {
    if (TRANSIENT.has(code) || CONNECTION_ERRNOS.has(code) || isStalePlan(error)) return true
    // 08 connection exception, 53 insufficient resources, 57P operator intervention
    return code.startsWith('08') || code.startsWith('53') || code.startsWith('57P')
  }
  return (
    error instanceof Error &&
    /connection terminated|timeout exceeded when trying to connect|query read timeout|client was closed|is not queryable/i.test(
      error.message,
    )
  )
}

/** True where a statement names what is not there, is of another type, or may not be read: repeating it mends nothing. */
export function isUnreadable(error: unknown): boolean {
  // 42 syntax error or access rule violation
  return sqlState(error)?.startsWith('42') ?? false
}

/** What is wrong with a database, in words an operator can act on. */
export class DatabaseError extends Error {
  readonly code:
    | 'unreachable'
    | 'refused'
    | 'missing_rights'
    | 'not_migrated'
    | 'outdated'
    | 'incomplete'
    | 'foreign'
    | 'copied'
    | 'locked'
    | 'too_old'

  constructor(code: DatabaseError['code'], message: string) {
    super(message)
    this.name = 'DatabaseError'
    this.code = code
  }
}
