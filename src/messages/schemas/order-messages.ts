import { z } from 'zod'

import { genericOrderSchema, shipmentOfOrderSchema } from './generic-order.ts'
import { decimalText, text, wireTimeText } from './scalars.ts'

/** `order:new` and `order:canceled` (protocol §6.2). */
export const toldOrderSchema = z.object({
  order: genericOrderSchema,
  original: z
    .record(z.string(), z.unknown())
    .describe('The raw order as it was pushed: of our own stores the payload of order:persist.'),
})

export const updatedOrderSchema = toldOrderSchema.extend({
  previous: genericOrderSchema
    .nullable()
    .describe('The order as it was told before; null where that was not kept.'),
  diff: z
    .record(z.string(), z.tuple([z.unknown(), z.unknown()]))
    .nullable()
    .describe('Top-level key of the raw order → [old, new], for each that changed; null without previous.'),
})

/** `shipment:ready` (protocol §6.3). */
export const readyShipmentSchema = toldOrderSchema.extend({ shipment: shipmentOfOrderSchema })

/** `shipment:confirm`, in the nested form. */
export const confirmedShipmentSchema = z.object({ shipment: shipmentOfOrderSchema })

/** `payment:ready` and `payment:capture` (protocol §6.7). */
export const paymentMessageSchema = z.object({
  payment: z.object({
    payment_id: z.string().describe("The store's id: the number of the payment in the generic order."),
    amount: decimalText,
    currency: text,
  }),
  auth_code: text.describe('What the gateway answered; null where the order does not say it.'),
  timestamp: wireTimeText.nullable().describe('When the order was last changed, as it is by a payment.'),
  order_number: z.string(),
})

export type ToldOrder = z.infer<typeof toldOrderSchema>
export type UpdatedOrder = z.infer<typeof updatedOrderSchema>
export type ReadyShipment = z.infer<typeof readyShipmentSchema>
export type ConfirmedShipment = z.infer<typeof confirmedShipmentSchema>
export type PaymentPayload = z.infer<typeof paymentMessageSchema>
