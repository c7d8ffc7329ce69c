import { z } from 'zod'

import { anyDecimal, anyTime } from './scalars.ts'

const text = z.string().nullish()
const int = z.int().nullish()
const decimal = anyDecimal.nullish()
const time = anyTime.nullish()

const address = z.looseObject({
  firstname: text,
  lastname: text,
  address1: text,
  address2: text,
  zipcode: text,
  city: text,
  phone: text,
  company: text,
  state_name: text,
  state: z.looseObject({ name: text, abbr: text }).nullish(),
  country: z.looseObject({ iso: text }).nullish(),
})

const variant = z.looseObject({
  id: int,
  name: text,
  sku: text,
  external_ref: text,
  option_values: z.array(z.looseObject({ name: text, option_type_name: text })).nullish(),
})

const lineItem = z.looseObject({
  quantity: int,
  price: decimal,
  variant_id: int,
  variant: variant.nullish(),
})

const payment = z.looseObject({
  id: int,
  amount: decimal,
  state: text,
  payment_method: z.looseObject({ name: text }).nullish(),
})

const shipment = z.looseObject({
  number: text,
  cost: decimal,
  state: text,
  stock_location_name: text,
  shipping_method: z.looseObject({ name: text }).nullish(),
  tracking: text,
  updated_at: time,
  shipped_at: time,
  inventory_units: z.array(z.looseObject({ variant_id: int, quantity: int })).nullish(),
})

const adjustment = z.looseObject({ label: text, amount: decimal, eligible: z.boolean().nullish() })

/**
 * The raw order of `order:persist` as anybody may push it, as far as other messages are told from it (protocol §6.2):
 * stores of ten years, connectors, programs. Anything but the number may be missing, decimals may be numbers; what is
 * there must be of its kind.
 */
export const pushedOrderSchema = z.looseObject({
  /** The key by which a hub remembers the order: without NUL, which no database takes. */
  number: z
    .string()
    .min(1)
    .max(255)
    .refine((number) => !number.includes('\0'), 'contains a NUL character'),
  channel: text,
  email: text,
  currency: text,
  state: text,
  completed_at: time,
  updated_at: time,
  item_total: decimal,
  adjustment_total: decimal,
  tax_total: decimal,
  ship_total: decimal,
  payment_total: decimal,
  total: decimal,
  line_items: z.array(lineItem).nullish(),
  adjustments: z.array(adjustment).nullish(),
  ship_address: address.nullish(),
  bill_address: address.nullish(),
  payments: z.array(payment).nullish(),
  shipments: z.array(shipment).nullish(),
})

export type PushedOrder = z.infer<typeof pushedOrderSchema>
