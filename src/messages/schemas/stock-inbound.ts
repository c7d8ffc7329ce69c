import { z } from 'zod'

/** Of the columns that hold levels and quantities. */
const pieces = z.int().min(-2_147_483_648).max(2_147_483_647)

/** Text that PostgreSQL can hold. */
const text = z.string().refine((value) => !value.includes('\0'), 'must not contain a NUL character')

/** `stock:change` and `stock:actual` as a hub delivers them (protocol §6.4). */
export const stockInboundSchema = z.object({
  sku: text.min(1).max(255),
  quantity: pieces,
  /** Name of the location, where the mapping gives no id. */
  stock_location: text.min(1).max(255).nullish(),
})

export type StockInbound = z.infer<typeof stockInboundSchema>
