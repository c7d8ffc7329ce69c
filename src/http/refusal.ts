/** What the caller asked cannot be done: answered with this status and message by every process's app. */
export class Refusal extends Error {
  override readonly name = 'Refusal'
  readonly expose = true
  readonly status: number

  /** @param status 400 to 499 */
  constructor(status: number, message: string) {
    super(message)
    this.status = status
  }
}
