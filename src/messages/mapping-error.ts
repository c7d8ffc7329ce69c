/** A state of the store that cannot be told: one aggregate's failure, never its neighbours'. */
export class MappingError extends Error {
  readonly code = 'unmappable'
  readonly aggregate: string
  /** Where in the snapshot: `lineItems.0.price`. */
  readonly path: string

  constructor(aggregate: string, path: string, reason: string) {
    super(`${aggregate} cannot be mapped: ${path}: ${reason}`)
    this.name = 'MappingError'
    this.aggregate = aggregate
    this.path = path
  }
}
