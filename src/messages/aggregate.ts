/** What rows of the outbox are about; those of kind `stock` belong to the aggregate of their product. */
export const KINDS = ['product', 'stock', 'order', 'customer', 'stock_transfer', 'cart'] as const
export type Kind = (typeof KINDS)[number]

/**
 * What messages are ordered by: a product with its variants and stock, an order with all that hangs on it, a customer
 * with the default addresses, a stock transfer with its movements, a cart with all that hangs on it.
 */
export type AggregateKind = Exclude<Kind, 'stock'>

export function aggregateKey(kind: AggregateKind, id: string): string {
  return `${kind}:${id}`
}

/** The kind of the aggregate to which rows of a kind belong. */
export function aggregateKindOf(kind: Kind): AggregateKind {
  return kind === 'stock' ? 'product' : kind
}

/** What `aggregateKey` has put together; undefined for what a person's own message is ordered by, which is nothing of the store. */
export function splitAggregate(aggregate: string): Readonly<{ kind: AggregateKind; id: string }> | undefined {
  const [name, id = ''] = aggregate.split(':')
  const kind = KINDS.find((each) => each === name)
  return kind && { kind: aggregateKindOf(kind), id }
}
