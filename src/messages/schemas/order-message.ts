import { z } from 'zod'
import {
  addressSchema,
  adjustmentSchema,
  creditCardSchema,
  lineItemSchema,
  paymentSchema,
  shipmentSchema,
} from './order-parts.ts'
import { decimalText, text, wireTimeText } from './scalars.ts'

/** `order:persist` as the bridge announces it: every key is there, in the parts too. */
export const announcedOrderSchema = z.looseObject({
  id: z.int(),
  number: z.string(),
  user_id: z.int().nullable(),
  email: text,
  currency: text,
  channel: text,
  token: text,
  last_ip_address: text,
  state: text,
  payment_state: text,
  shipment_state: text,
  item_total: decimalText,
  adjustment_total: decimalText,
  ship_total: decimalText,
  tax_total: decimalText,
  included_tax_total: decimalText,
  additional_tax_total: decimalText,
  display_included_tax_total: text,
  display_additional_tax_total: text,
  total: decimalText,
  payment_total: decimalText,
  created_at: wireTimeText.nullable(),
  updated_at: wireTimeText.nullable(),
  completed_at: wireTimeText.nullable(),
  locked_at: wireTimeText.nullable(),
  special_instructions: text,
  promotion: text,
  campaign: text,
  bill_address: addressSchema.nullable(),
  ship_address: addressSchema.nullable(),
  line_items: z.array(lineItemSchema),
  payments: z.array(paymentSchema),
  shipments: z.array(shipmentSchema),
  adjustments: z.array(adjustmentSchema),
  credit_cards: z.array(creditCardSchema),
})

export type RawOrder = z.infer<typeof announcedOrderSchema>
