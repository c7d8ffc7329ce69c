import { z } from 'zod'

import { money, name, short } from './inbound-scalars.ts'
import { shippingTime } from './shipment-inbound.ts'
import { address, said } from './wombat-inbound.ts'

/** Names, SKUs and numbers of digits come as numbers, too. */
const digits = z.int().transform(String)
const optional = short.nullish().transform((value) => value || null)

/** A parcel of an order that the store does not have yet (protocol §9.4); its other keys are the order's. */
export const newShipmentSchema = z.object({
  shipment: z.object({
    id: z.union([name, digits]),
    order_id: z.union([name, digits]),
    status: optional,
    cost: money.nullish().transform((value) => value ?? '0'),
    stock_location: z.union([name, digits]),
    shipping_method: z.union([name, digits]),
    tracking: optional,
    shipped_at: shippingTime.nullish().transform((value) => value || null),
    items: z
      .array(
        z.object({
          product_id: z.union([short.min(1), digits]),
          quantity: z.int().min(1).max(20_000),
        }),
      )
      .min(1)
      .max(1000),
    shipping_address: address.extend({
      firstname: said,
      lastname: said,
    }),
  }),
})
export type NewShipmentInbound = z.infer<typeof newShipmentSchema>
