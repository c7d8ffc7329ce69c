/** How many pieces of each SKU a list holds. */
export function piecesBySku(
  list: readonly Readonly<{ sku: string; quantity: number }>[],
): ReadonlyMap<string, number> {
  const pieces = new Map<string, number>()
  for (const { sku, quantity } of list) pieces.set(sku, (pieces.get(sku) ?? 0) + quantity)
  return pieces
}
