import { z } from 'zod'

import { pieces, text, time } from './inbound-scalars.ts'

/** `stock:change` and `stock:actual` as a hub delivers them (protocol §6.4). */
export const stockInboundSchema = z.object({
  sku: text.min(1).max(255),
  quantity: pieces,
  /** Name of the location, where the mapping gives no id. */
  stock_location: text.min(1).max(255).nullish(),
  /** When the level was so; absent: when it is applied. Of a difference it says nothing. */
  as_of: time.nullish(),
})

export type StockInbound = z.infer<typeof stockInboundSchema>
