import { z } from 'zod'

import { genericOrderSchema, shipmentOfOrderSchema } from './generic-order.ts'
import { decimalText, text, wireTimeText } from './scalars.ts'

/** `order:new` and `order:canceled` (protocol §6.2). */
export const toldOrderSchema = z.object({
  order: genericOrderSchema,
  /** The raw order as it was pushed: of our own stores the payload of `order:persist`. */
  original: z.record(z.string(), z.unknown()),
})

export const updatedOrderSchema = toldOrderSchema.extend({
  /** How it was told before; null where that was not kept. */
  previous: genericOrderSchema.nullable(),
  /** Top-level key of the raw order → [old, new]; null without `previous`. */
  diff: z.record(z.string(), z.tuple([z.unknown(), z.unknown()])).nullable(),
})

/** `shipment:ready` (protocol §6.3). */
export const readyShipmentSchema = toldOrderSchema.extend({ shipment: shipmentOfOrderSchema })

/** `shipment:confirm`, in the nested form. */
export const confirmedShipmentSchema = z.object({ shipment: shipmentOfOrderSchema })

/** `payment:ready` and `payment:capture` (protocol §6.7). */
export const paymentMessageSchema = z.object({
  payment: z.object({
    /** The store's id, which is the payment's number in the generic order. */
    payment_id: z.string(),
    amount: decimalText,
    currency: text,
  }),
  auth_code: text,
  /** When the order was last changed, as it is by a payment. */
  timestamp: wireTimeText.nullable(),
  order_number: z.string(),
})

export type ToldOrder = z.infer<typeof toldOrderSchema>
export type UpdatedOrder = z.infer<typeof updatedOrderSchema>
export type ReadyShipment = z.infer<typeof readyShipmentSchema>
export type ConfirmedShipment = z.infer<typeof confirmedShipmentSchema>
export type PaymentPayload = z.infer<typeof paymentMessageSchema>
