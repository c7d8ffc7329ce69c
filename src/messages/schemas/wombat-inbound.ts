import { z } from 'zod'

import { currency, money, pieces, short } from './inbound-scalars.ts'

// The objects of handlers (protocol §9.4). Keys that are not named are left out.

/** SKUs of digits come as numbers, too. */
const sku = z.union([short.min(1), z.int().transform(String)])

export const inventoryInboundSchema = z.object({
  inventory: z.object({ location: short.min(1), product_id: sku, quantity: pieces }),
})
export type InventoryInbound = z.infer<typeof inventoryInboundSchema>

/**
 * Of a variant: its price, and whatever else of it is a price. The object of the hub's makers has no `product_id`, but a
 * `sku` (protocol §11, 48).
 */
export const priceInboundSchema = z.object({
  price: z
    .looseObject({
      product_id: sku.nullish(),
      sku: sku.nullish(),
      price: money.nullish(),
      currency: currency.nullish(),
      cost_price: money.nullish(),
    })
    .transform(({ product_id, sku: besides, price, currency: wanted, ...others }) => ({
      sku: product_id ?? besides ?? undefined,
      price: price ?? undefined,
      currency: wanted ?? undefined,
      columns: Object.fromEntries(
        Object.entries(others).flatMap(([column, value]) => {
          const parsed = money.nullable().safeParse(value)
          return column.includes('price') && parsed.success ? [[column, parsed.data] as const] : []
        }),
      ),
    })),
})
export type PriceInbound = z.infer<typeof priceInboundSchema>
