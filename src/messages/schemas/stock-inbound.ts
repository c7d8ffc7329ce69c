import { z } from 'zod'

import { pieces, text } from './inbound-scalars.ts'

/** `stock:change` and `stock:actual` as a hub delivers them (protocol §6.4). */
export const stockInboundSchema = z.object({
  sku: text.min(1).max(255),
  quantity: pieces,
  /** Name of the location, where the mapping gives no id. */
  stock_location: text.min(1).max(255).nullish(),
})

export type StockInbound = z.infer<typeof stockInboundSchema>
