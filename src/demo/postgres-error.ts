type PostgresErrorCode =
  | 'no_binaries'
  | 'binaries_unusable'
  | 'no_identity'
  | 'initdb_failed'
  | 'start_failed'
  | 'start_timeout'
  | 'in_use'
  | 'other_owner'
  | 'other_version'

/** Why a private PostgreSQL could not be started; the message says what to do. */
export class PostgresError extends Error {
  readonly code: PostgresErrorCode

  constructor(code: PostgresErrorCode, message: string) {
    super(message)
    this.name = 'PostgresError'
    this.code = code
  }
}
