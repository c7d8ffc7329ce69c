import { z } from 'zod'

/** Text that PostgreSQL can hold, in a column of 255 characters. */
const text = z
  .string()
  .max(255)
  .refine((value) => !value.includes('\0'), 'must not contain a NUL character')
const optionalText = text.nullish()
/** One of the samples has a number's number. */
const name = z.union([text.min(1), z.int().min(0).transform(String)])

/** Within what a column of PostgreSQL holds; without a zone it is UTC. */
export const shippingTime = z.union([
  z.literal(''),
  z.iso
    .datetime({ offset: true, local: true })
    .refine((value) => /^(19|2\d)\d\d-/.test(value), 'must lie between 1900 and 2999'),
])

const items = z
  .array(
    z.object({
      sku: optionalText,
      quantity: z.int().min(0).max(1_000_000).nullish(),
      part_number: optionalText,
      serial_numbers: z.array(name).max(1000).nullish(),
    }),
  )
  .max(1000)
  .nullish()

const nested = z.object({
  shipment: z.object({
    number: name,
    order_number: name.nullish(),
    tracking: optionalText,
    tracking_number: optionalText,
    tracking_url: optionalText,
    carrier: optionalText,
    shipped_at: shippingTime.nullish(),
    items,
  }),
})

const flat = z.object({
  shipment_number: name,
  order_number: name.nullish(),
  tracking_number: optionalText,
  tracking_url: optionalText,
  carrier: optionalText,
  shipped_date: shippingTime.nullish(),
  ship_date: shippingTime.nullish(),
  items,
})

/** `shipment:confirm` as a hub delivers it, in the forms of protocol §6.3. Other keys are let through. */
export const shipmentInboundSchema = z.union([nested, flat])

export type ShipmentInbound = z.infer<typeof shipmentInboundSchema>
