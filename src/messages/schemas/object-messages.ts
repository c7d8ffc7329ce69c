import { z } from 'zod'

import { genericOrderSchema } from './generic-order.ts'
import { decimalText, text, wireTimeText } from './scalars.ts'

// The objects of the second generation (protocol §9.5). What its serializers cast is a number; decimals that they do not
// cast Rails writes as text.

const time = wireTimeText.nullable()
const optionalDecimal = decimalText.nullable()

const addressSchema = z
  .object({
    firstname: text,
    lastname: text,
    address1: text,
    address2: text,
    zipcode: text,
    city: text,
    state: text.describe('The abbreviation; of a state without one its name.'),
    country: text.describe('ISO 3166 alpha-2.'),
    phone: text,
    company: text.optional().describe("Of FlowLink's form; the bridge says it always."),
  })
  .meta({ id: 'address' })

const totalsSchema = z
  .object({
    item: z.number(),
    adjustment: z.number(),
    tax: z.number(),
    shipping: z.number(),
    payment: z.number().describe('The sum of the completed payments.'),
    order: z.number(),
  })
  .meta({ id: 'totals' })

const paymentSchema = z
  .object({
    id: z.int(),
    number: text,
    status: text,
    amount: z.number(),
    payment_method: text,
    source: z
      .object({ name: z.string(), cc_type: z.string(), last_digits: z.string(), source_type: z.string() })
      .nullable()
      .describe('`N/A` where it does not say; null where the payment names none.'),
  })
  .meta({ id: 'payment' })

const promotionSchema = z.object({
  name: text,
  code: text.describe("Of Wombat's form."),
  codes: z.array(z.object({ value: z.string() })).describe("Of FlowLink's form."),
  category_name: text,
  category_code: text,
})

export const orderObjectSchema = z.looseObject({
  id: z.string().describe("The order's number."),
  status: text,
  channel: z.string(),
  email: text,
  currency: text,
  placed_on: z.union([wireTimeText, z.literal('')]),
  updated_at: time,
  totals: totalsSchema,
  adjustments: z.tuple([
    z.object({ name: z.literal('discount'), value: z.number() }),
    z.object({ name: z.literal('tax'), value: z.number() }),
    z.object({ name: z.literal('shipping'), value: z.number() }),
  ]),
  guest_token: text.describe('Withheld: null.'),
  shipping_instructions: text,
  line_items: z.array(
    z.object({
      id: z.int(),
      product_id: text.describe('The SKU.'),
      name: text,
      quantity: z.int(),
      price: z.number(),
    }),
  ),
  payments: z.array(paymentSchema),
  promotions: z.array(promotionSchema),
  shipping_address: addressSchema.nullable(),
  billing_address: addressSchema.nullable(),
})

export const shipmentObjectSchema = z.looseObject({
  id: z.string().describe("The shipment's number."),
  order_id: z.string().describe("The order's number."),
  email: text,
  cost: z.number(),
  status: text,
  stock_location: text,
  shipping_method: text,
  shipping_method_code: text,
  tracking: text,
  placed_on: z.union([wireTimeText, z.literal('')]),
  shipped_at: time,
  totals: totalsSchema.describe('Of the order.'),
  updated_at: time,
  channel: z.string(),
  items: z
    .array(
      z.object({ product_id: text.describe('The SKU.'), name: text, quantity: z.int(), price: z.number() }),
    )
    .describe('One for each inventory unit.'),
  billing_address: addressSchema.nullable(),
  shipping_address: addressSchema.nullable(),
})

const imageSchema = z
  .object({
    url: text,
    position: z.int().nullable(),
    title: text,
    type: z.literal('original'),
    dimensions: z.object({ height: z.int().nullable(), width: z.int().nullable() }),
  })
  .meta({ id: 'image' })

const sizes = {
  weight: optionalDecimal,
  height: optionalDecimal,
  width: optionalDecimal,
  depth: optionalDecimal,
}

export const productObjectSchema = z.looseObject({
  id: z.string().describe("The master's SKU; of a product without one its permalink."),
  name: text,
  sku: z.string(),
  description: text,
  price: z.number(),
  cost_price: z.number(),
  available_on: time,
  permalink: text,
  meta_description: text,
  meta_keywords: text,
  shipping_category: text,
  taxons: z.array(z.array(z.string())).describe('Of each the names from the root down.'),
  ...sizes,
  options: z.array(z.string()).describe('Names of its option types.'),
  images: z.array(imageSchema),
  variants: z
    .array(
      z.object({
        sku: z.string(),
        price: z.number(),
        cost_price: z.number(),
        ...sizes,
        options: z.record(z.string(), text).describe('Presentation of the type → presentation of the value.'),
        images: z.array(imageSchema),
      }),
    )
    .describe('The master alone, where there are none.'),
})

export const inventoryObjectSchema = z.looseObject({
  id: z.int().describe('Of the stock item.'),
  location: z.string(),
  product_id: z.string().describe('The SKU.'),
  quantity: z.number(),
})

const customerAddressSchema = z
  .object({
    address1: text,
    address2: text,
    zipcode: text,
    city: text,
    state: text.describe('The full name, where the store knows it.'),
    country: text.describe('ISO 3166 alpha-2.'),
    phone: text,
  })
  .meta({ id: 'address' })

export const customerObjectSchema = z.looseObject({
  id: z.string().describe("The store's id."),
  firstname: text,
  lastname: text,
  email: z.string(),
  shipping_address: customerAddressSchema.nullable(),
  billing_address: customerAddressSchema.nullable(),
})

const { number: _, ...orderWithoutNumber } = genericOrderSchema.shape

/** In the words of the first generation, as the hub's own sample has it. */
export const cartObjectSchema = z.looseObject({
  ...orderWithoutNumber,
  id: z.string().describe("The cart's number; where carts have none its id."),
  placed_on: z.string().describe('Empty.'),
  shipments: z.array(genericOrderSchema.shape.shipments.element.extend({ id: text })),
})

const returnItemSchema = z
  .object({
    id: z.int(),
    return_authorization_id: text.describe("The authorization's number."),
    product_id: text.describe('The SKU.'),
    exchange_product_id: text,
    reception_status: text,
    acceptance_status: text,
    pre_tax_amount: decimalText,
    included_tax_total: decimalText,
    additional_tax_total: decimalText,
    order_number: z.string(),
    created_at: time,
    reimbursed_at: time,
    reimbursed: z.boolean(),
    store: text.describe("The store's code."),
    resellable: z.boolean().nullable(),
  })
  .meta({ id: 'returnItem' })

export const customerReturnObjectSchema = z.looseObject({
  id: z.string().describe("The return's number."),
  fully_reimbursed: z.boolean(),
  stock_location: text,
  channel: z.literal('spree'),
  resolution_path: z.string().describe("Below the shop's own address."),
  return_items: z.array(returnItemSchema),
  reimbursements: z.array(
    z.object({
      id: text.describe("The reimbursement's number."),
      order_id: z.string(),
      total: optionalDecimal,
      paid_amount: decimalText,
      reimbursement_status: text,
      return_items: z.array(returnItemSchema),
      refunds: z.array(
        z.object({ reason: text, amount: decimalText, description: text, payment: paymentSchema.nullable() }),
      ),
    }),
  ),
})

export type OrderObject = z.infer<typeof orderObjectSchema>
export type ShipmentObject = z.infer<typeof shipmentObjectSchema>
export type ProductObject = z.infer<typeof productObjectSchema>
export type InventoryObject = z.infer<typeof inventoryObjectSchema>
export type CartObject = z.infer<typeof cartObjectSchema>
export type CustomerObject = z.infer<typeof customerObjectSchema>
export type CustomerReturnObject = z.infer<typeof customerReturnObjectSchema>
