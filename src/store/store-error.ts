/** Why a database cannot be used as a store. The message says what it is and what to do. */
export class StoreError extends Error {
  readonly code: 'not_a_store' | 'unsupported_family' | 'unsupported_keys' | 'unknown_extra' | 'no_such_kind'

  constructor(code: StoreError['code'], message: string) {
    super(message)
    this.name = 'StoreError'
    this.code = code
  }
}
