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

/** `order:persist`: the raw order, as any store of the protocol's time and since may send it. */
export const orderMessageSchema = z.looseObject({
  id: z.int(),
  number: z.string(),
  user_id: z.int().nullable(),
  email: text,
  currency: text,
  channel: text.optional(),
  token: text.optional(),
  last_ip_address: text.optional(),
  state: text,
  payment_state: text,
  shipment_state: text,
  item_total: decimalText,
  adjustment_total: decimalText,
  ship_total: decimalText,
  tax_total: decimalText,
  included_tax_total: decimalText.optional(),
  additional_tax_total: decimalText.optional(),
  display_included_tax_total: text.optional(),
  display_additional_tax_total: text.optional(),
  total: decimalText,
  payment_total: decimalText,
  created_at: wireTimeText.nullable(),
  updated_at: wireTimeText.nullable(),
  completed_at: wireTimeText.nullable(),
  locked_at: wireTimeText.nullish(),
  special_instructions: text,
  promotion: text.optional(),
  campaign: text.optional(),
  bill_address: addressSchema.nullable(),
  ship_address: addressSchema.nullable(),
  line_items: z.array(lineItemSchema),
  payments: z.array(paymentSchema),
  shipments: z.array(shipmentSchema),
  adjustments: z.array(adjustmentSchema),
  credit_cards: z.array(creditCardSchema),
})

/** As the bridge announces it: every key is there, in the parts too. */
export const announcedOrderSchema = orderMessageSchema.required().extend({
  line_items: z.array(lineItemSchema.required()),
  payments: z.array(paymentSchema.required()),
})

export type RawOrder = z.infer<typeof announcedOrderSchema>
