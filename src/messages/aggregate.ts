/** What a row of the outbox is about; rows of kind `stock` belong to the aggregate of their product. */
export type Kind = 'product' | 'stock' | 'order'

/** What messages are ordered by: a product with its variants and stock, an order with all that hangs on it. */
export function aggregateKey(kind: 'product' | 'order', id: string): string {
  return `${kind}:${id}`
}
