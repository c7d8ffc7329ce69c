import { ConfigError } from '../config/config-error.ts'
import { PostgresError } from '../demo/postgres-error.ts'
import { ListenError } from '../http/listen.ts'
import { DatabaseError, isTransient, sqlState } from '../postgres/errors.ts'
import { StoreError } from '../store/store-error.ts'

/** Exit status: 1 it ran and met a failure; 2 wrong usage or configuration, nothing was done. */
export type ExitStatus = 0 | 1 | 2

/** A failure that a person can act on: its message is the whole story, no stack. */
export class OperatorError extends Error {
  readonly status: ExitStatus

  constructor(message: string, status: ExitStatus) {
    super(message)
    this.name = 'OperatorError'
    this.status = status
  }
}

/** What to tell the person at the terminal, and with which status to end; undefined for a bug, which shows its stack. */
export function explainError(error: unknown): Readonly<{ message: string; status: ExitStatus }> | undefined {
  if (error instanceof OperatorError) return { message: error.message, status: error.status }
  if (error instanceof ConfigError || error instanceof StoreError || error instanceof ListenError)
    return { message: error.message, status: 2 }
  if (error instanceof PostgresError)
    return { message: error.message, status: error.code === 'start_timeout' ? 1 : 2 }
  if (error instanceof DatabaseError)
    return { message: error.message, status: MET_A_FAILURE.has(error.code) ? 1 : 2 }
  if (sqlState(error) === INSUFFICIENT_PRIVILEGE && error instanceof Error)
    return {
      message: `The role of DATABASE_URL may not do this: ${error.message}. Use the role that ran \`spree-bridge migrate\`, or run that again: it says which GRANTs are missing.`,
      status: 2,
    }
  if (isTransient(error) && error instanceof Error)
    return { message: `The database did not answer as usual: ${error.message}. Try again.`, status: 1 }
  return undefined
}

const MET_A_FAILURE: ReadonlySet<DatabaseError['code']> = new Set(['unreachable', 'outdated', 'locked'])
const INSUFFICIENT_PRIVILEGE = '42501'
