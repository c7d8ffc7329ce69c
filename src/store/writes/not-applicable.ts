/** The message is well formed, but this store cannot take it (unknown SKU, …): kept as failed, with this reason. */
export class NotApplicable extends Error {
  override readonly name = 'NotApplicable'
  readonly code: string
  /** What it is about: SKUs. */
  readonly about: readonly string[]

  /** `message` says what, to what, and what to do; it is the description of the error notification. */
  constructor(code: string, message: string, about: readonly string[] = []) {
    super(message)
    this.code = code
    this.about = about
  }
}
