import type { StockPayload } from './schemas/stock-message.ts'

/** Payload of `stock:change` (quantity is the signed difference) and of `stock:actual` (the level). */
export function stockPayload(sku: string, quantity: number): StockPayload {
  return { sku, quantity }
}
