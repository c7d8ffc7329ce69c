/** The store cannot take what was to be written; nothing of it may stay. The message says what, to what, and what to do. */
export class WriteRefused extends Error {
  override readonly name = 'WriteRefused'
  readonly code: string

  constructor(code: string, message: string) {
    super(message)
    this.code = code
  }
}
