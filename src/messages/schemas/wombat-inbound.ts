import { z } from 'zod'

import { currency, money, name, pieces, short, time, updateTime } from './inbound-scalars.ts'
import { shippingTime } from './shipment-inbound.ts'

// The objects of handlers (protocol §9.4). Keys that are not named are left out.

/** SKUs of digits come as numbers, too. */
const sku = z.union([short.min(1), z.int().transform(String)])

export const inventoryInboundSchema = z.object({
  inventory: z.object({
    location: short.min(1),
    product_id: sku,
    quantity: pieces,
    /** When the level was so; absent: when it is applied. */
    as_of: time.nullish(),
  }),
})
export type InventoryInbound = z.infer<typeof inventoryInboundSchema>

/**
 * Of a variant: its price, and whatever else of it is a price. The object of the hub's makers has no `product_id`, but a
 * `sku` (protocol §11, 48).
 */
export const priceInboundSchema = z.object({
  price: z
    .looseObject({
      product_id: sku.nullish(),
      sku: sku.nullish(),
      price: money.nullish(),
      currency: currency.nullish(),
      cost_price: money.nullish(),
    })
    .transform(({ product_id, sku: besides, price, currency: wanted, ...others }) => ({
      sku: product_id ?? besides ?? undefined,
      price: price ?? undefined,
      currency: wanted ?? undefined,
      columns: Object.fromEntries(
        Object.entries(others).flatMap(([column, value]) => {
          const parsed = money.nullable().safeParse(value)
          return column.includes('price') && parsed.success ? [[column, parsed.data] as const] : []
        }),
      ),
    })),
})
export type PriceInbound = z.infer<typeof priceInboundSchema>

/** Of an order or a shipment; one of digits comes as a number, too. */
const number = z.union([name, z.int().transform(String)])

/** Of an order these two alone are taken over. */
export const orderMarksSchema = z.object({
  order: z.object({
    id: number,
    status: short.min(1).nullish(),
    email: short.min(1).nullish(),
    updated_at: updateTime,
  }),
})
export type OrderMarksInbound = z.infer<typeof orderMarksSchema>

const optionalLine = short.nullish().transform((value) => value || null)

/** Of a shipment; its stock location and shipping method stay, whatever is said of them. */
export const shipmentMarksSchema = z.object({
  shipment: z.object({
    id: number,
    order_id: number.nullish(),
    status: short.nullish(),
    tracking: short.nullish(),
    shipped_at: shippingTime.nullish(),
    updated_at: updateTime,
    cost: money.nullish(),
    items: z
      .array(z.object({ product_id: sku, quantity: pieces }))
      .max(1000)
      .nullish(),
    shipping_address: z.record(z.string(), z.unknown()).nullish(),
  }),
})
export type ShipmentMarksInbound = z.infer<typeof shipmentMarksSchema>

/** A name; null where it is not said. */
export const said = short.nullish().transform((value) => value ?? null)

/** Of whom, is said beside it or in it. */
export const address = z.object({
  address1: name,
  address2: optionalLine,
  company: optionalLine,
  zipcode: optionalLine,
  city: name,
  /** By its full name; its abbreviation is understood, too. */
  state: optionalLine,
  country: z
    .string()
    .regex(/^[A-Za-z]{2}$/, 'must be an ISO 3166 code of two letters')
    .transform((code) => code.toUpperCase()),
  phone: optionalLine,
})

export const customerInboundSchema = z.object({
  customer: z.object({
    email: short.pipe(z.string().regex(/^\s*[^\s@]+@[^\s@]+\s*$/, 'must be an e-mail address')),
    firstname: said,
    lastname: said,
    shipping_address: address,
    billing_address: address,
  }),
})
export type CustomerInbound = z.infer<typeof customerInboundSchema>
