import { z } from 'zod'

import { parseAmount } from '../amount.ts'

// What a store needs of the generic order (protocol §6.1) to make it a placed order. Other keys are let through.

export const line = z.string().regex(/^[^\0]*$/, 'must not contain a NUL character')
const optionalLine = line.nullish()

const amount = z
  .union([z.number(), z.string()])
  .refine(
    (value) => parseAmount(value) !== undefined,
    'must be an amount below 100 million, with at most 4 decimals',
  )

/** Of what cannot be less than nothing; `spree_shipping_rates.cost` has six places before the point. */
export const charge = amount.refine((value) => {
  const parsed = parseAmount(value) ?? 0n
  return parsed >= 0n && parsed < 10_000_000_000n
}, 'must not be negative, nor a million or more')

export const quantity = z.int().min(1).max(1_000_000)

const item = z.looseObject({ sku: line.min(1), quantity })

const address = z.looseObject({
  firstname: line,
  lastname: line,
  address1: line,
  address2: optionalLine,
  zipcode: optionalLine,
  city: line,
  phone: optionalLine,
  company: optionalLine,
  /** Name or abbreviation. */
  state: optionalLine,
  country: z.string().regex(/^[A-Za-z]{2}$/, 'must be an ISO 3166 code of two letters'),
})

export const orderToImport = z.looseObject({
  number: line.min(1).max(32),
  channel: optionalLine,
  email: line.regex(/^\S+@\S+$/, 'must be an e-mail address'),
  currency: z.string().regex(/^[A-Z]{3}$/, 'must be an ISO 4217 code'),
  placed_on: z.iso.datetime({ offset: true }),
  status: optionalLine,
  totals: z.looseObject({
    item: amount,
    tax: amount.nullish(),
    shipping: amount.nullish(),
    payment: amount.nullish(),
    order: amount,
  }),
  line_items: z
    .array(item.extend({ price: charge }))
    .min(1)
    .max(1000),
  adjustments: z
    .array(z.looseObject({ name: line, value: amount }))
    .max(1000)
    .default([]),
  shipping_address: address,
  billing_address: address.nullish(),
  payments: z
    .array(z.looseObject({ amount: charge, status: line, payment_method: line }))
    .max(100)
    .default([]),
  shipments: z
    .array(
      z.looseObject({
        number: optionalLine,
        cost: charge,
        status: optionalLine,
        stock_location: optionalLine,
        shipping_method: optionalLine,
        tracking: optionalLine,
        shipped_at: optionalLine,
        items: z.array(item).min(1).max(1000),
      }),
    )
    .max(100)
    .default([]),
})

/** Payload of `order:import`: the generic order, of this store's own making or foreign. */
export const orderImportSchema = z.looseObject({ order: orderToImport })

export type OrderToImport = z.infer<typeof orderToImport>
export type OrderImportPayload = z.infer<typeof orderImportSchema>
