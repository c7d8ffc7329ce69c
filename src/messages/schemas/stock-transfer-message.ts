import { z } from 'zod'

import { addressSchema, mentionedVariantSchema } from './order-parts.ts'
import { text, wireTimeText } from './scalars.ts'

const locationSchema = addressSchema
  .pick({
    id: true,
    address1: true,
    address2: true,
    city: true,
    zipcode: true,
    phone: true,
    country_id: true,
    state_id: true,
    state_name: true,
    country: true,
    state: true,
  })
  .extend({ name: text })

const movementSchema = z.looseObject({
  id: z.int(),
  quantity: z.int(),
  stock_item_id: z.int(),
  stock_item: z.looseObject({
    id: z.int(),
    count_on_hand: z.int(),
    backorderable: z.boolean().nullable(),
    stock_location_id: z.int().nullable(),
    variant_id: z.int().nullable(),
    variant: mentionedVariantSchema.nullable(),
  }),
})

/** `stock_transfer:persist` (protocol §6.7) as the bridge announces it. */
export const announcedStockTransferSchema = z.looseObject({
  id: z.int(),
  number: text,
  reference_number: text,
  created_at: wireTimeText.nullable(),
  updated_at: wireTimeText.nullable(),
  source_location: locationSchema.nullable(),
  source_movements: z.array(movementSchema),
  destination_location: locationSchema.nullable(),
  destination_movements: z.array(movementSchema),
})

export type StockTransferPayload = z.infer<typeof announcedStockTransferSchema>
