import { z } from 'zod'

import { announcedOrderSchema } from './order-message.ts'
import { shipmentSchema } from './order-parts.ts'
import { text } from './scalars.ts'

/** `cart:new` and `cart:updated` (protocol §6.7) as the bridge announces them: the raw order that it may become. */
export const announcedCartSchema = z.looseObject({
  cart: announcedOrderSchema.extend({
    /** Null where carts have no number of their own (6.x): the `id` tells one from another. */
    number: text,
    shipments: z.array(shipmentSchema.extend({ order_id: text })),
    completed_at: z.null(),
  }),
})

export type CartPayload = z.infer<typeof announcedCartSchema>
