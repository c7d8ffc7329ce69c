import type { StockPayload } from './schemas/stock-message.ts'

/**
 * Payload of `stock:change` (quantity is the signed difference) and of `stock:actual` (the level): of all places together,
 * or of the one whose name is given.
 */
export function stockPayload(sku: string, quantity: number, place?: string): StockPayload {
  return place === undefined ? { sku, quantity } : { sku, quantity, stock_location: place }
}
