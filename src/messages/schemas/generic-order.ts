import { z } from 'zod'

import { text, wireTimeText } from './scalars.ts'

const amount = z.number().nullable()
const time = wireTimeText.nullable()

const itemSchema = z
  .object({
    name: text,
    sku: text,
    external_ref: text,
    quantity: z.int().nullable(),
    price: amount,
    variant_id: z.int().nullable(),
    options: z.record(z.string(), z.string()).describe('Option type name → option value name.'),
  })
  .meta({ id: 'item' })

const addressSchema = z
  .object({
    firstname: text,
    lastname: text,
    address1: z.string(),
    address2: z.string(),
    zipcode: text,
    city: text,
    state: text.describe('The full name, where the store knows it.'),
    country: text.describe('ISO 3166 alpha-2.'),
    phone: text,
    company: z.string().optional().describe('Only where there is one.'),
  })
  .meta({ id: 'address' })

const shipmentSchema = z
  .object({
    number: text,
    cost: amount,
    status: text,
    stock_location: text,
    shipping_method: text,
    tracking: text,
    updated_at: time,
    shipped_at: time,
    items: z.array(itemSchema),
  })
  .meta({ id: 'shipment' })

/** `payload.order` and `payload.previous` (protocol §6.1). What the raw order does not say is null. */
export const genericOrderSchema = z
  .object({
    number: z.string(),
    channel: z.string(),
    email: text,
    currency: text,
    placed_on: time,
    updated_at: time,
    status: text,
    totals: z.object({
      item: amount,
      adjustment: amount,
      tax: amount,
      shipping: amount,
      payment: amount,
      order: amount,
    }),
    line_items: z.array(itemSchema),
    adjustments: z.array(z.object({ name: text, value: amount })),
    shipping_address: addressSchema.nullable(),
    billing_address: addressSchema.nullable(),
    payments: z.array(
      z.object({
        number: z.int().nullable().describe("The payment's id, as the hub's own samples have it."),
        status: text,
        amount,
        payment_method: text,
      }),
    ),
    shipments: z.array(shipmentSchema),
  })
  .meta({ id: 'order' })

export type GenericOrder = z.infer<typeof genericOrderSchema>

/** `payload.shipment` of shipment messages (protocol §6.3): the order's shipment, and what makes it complete in itself. */
export const shipmentOfOrderSchema = shipmentSchema.extend({
  order_number: z.string(),
  email: text,
  shipping_address: addressSchema.nullable(),
})
