import { z } from 'zod'

/** `stock:change` (by how much) and `stock:actual` (how many). */
export const stockMessageSchema = z.looseObject({
  sku: z.string().min(1),
  quantity: z.int(),
  stock_location: z.string().optional(),
})

export type StockPayload = z.infer<typeof stockMessageSchema>
