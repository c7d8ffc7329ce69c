import { z } from 'zod'

import { decimalText, text, wireTimeText } from './scalars.ts'

export const addressSchema = z.looseObject({
  id: z.int(),
  firstname: text,
  lastname: text,
  address1: text,
  address2: text,
  city: text,
  zipcode: text,
  phone: text,
  company: text,
  alternative_phone: text,
  country_id: z.int().nullable(),
  state_id: z.int().nullable(),
  state_name: text,
  country: z
    .looseObject({
      id: z.int().nullable(),
      iso_name: text,
      iso: text,
      iso3: text,
      name: text,
      numcode: z.int().nullable(),
    })
    .nullable(),
  state: z
    .looseObject({ id: z.int().nullable(), name: text, abbr: text, country_id: z.int().nullable() })
    .nullable(),
})

const optionValueSchema = z.looseObject({
  id: z.int(),
  name: text,
  presentation: text,
  option_type_name: text,
  option_type_id: z.int(),
})

const imageSchema = z.looseObject({
  id: z.int(),
  position: z.int().nullable(),
  attachment_content_type: text,
  attachment_file_name: text,
  type: text,
  attachment_updated_at: wireTimeText.nullable(),
  attachment_width: z.int().nullable(),
  attachment_height: z.int().nullable(),
  alt: text,
  viewable_type: text,
  viewable_id: z.int().nullable(),
  attachment_url: text,
})

/** A variant where it is mentioned, as in an order's line or a movement of stock. */
export const mentionedVariantSchema = z.looseObject({
  id: z.int(),
  name: text,
  product_id: z.int().nullable(),
  sku: z.string(),
  price: decimalText.nullable(),
  weight: decimalText.nullable(),
  height: decimalText.nullable(),
  width: decimalText.nullable(),
  depth: decimalText.nullable(),
  is_master: z.boolean(),
  cost_price: decimalText.nullable(),
  permalink: text,
})

const variantSchema = mentionedVariantSchema.extend({
  options_text: z.string(),
  option_values: z.array(optionValueSchema),
  images: z.array(imageSchema),
})

export const lineItemSchema = z.looseObject({
  id: z.int(),
  quantity: z.int(),
  price: decimalText,
  variant_id: z.int().nullable(),
  created_at: wireTimeText.nullable(),
  updated_at: wireTimeText.nullable(),
  variant: variantSchema.nullable(),
})

export const paymentSchema = z.looseObject({
  id: z.int(),
  number: text,
  amount: decimalText,
  state: text,
  payment_method_id: z.int().nullable(),
  payment_method: z.looseObject({ id: z.int(), name: text, environment: text }).nullable(),
})

const shippingRateSchema = z.looseObject({
  id: z.int(),
  cost: decimalText.nullable(),
  selected: z.boolean(),
  shipment_id: z.int(),
  shipping_method_id: z.int().nullable(),
})

const inventoryUnitSchema = z.looseObject({
  id: z.int(),
  state: text,
  variant_id: z.int().nullable(),
  order_id: z.int().nullable(),
  shipment_id: z.int().nullable(),
  /** Where one row stands for several pieces. */
  quantity: z.int().optional(),
})

export const shipmentSchema = z.looseObject({
  id: z.int(),
  number: text,
  tracking: text,
  cost: decimalText.nullable(),
  shipped_at: wireTimeText.nullable(),
  state: text,
  /** The order's number. */
  order_id: z.string(),
  stock_location_name: text,
  shipping_rates: z.array(shippingRateSchema),
  shipping_method: z.looseObject({ name: text }).nullable(),
  inventory_units: z.array(inventoryUnitSchema),
})

export const adjustmentSchema = z.looseObject({
  id: z.int(),
  amount: decimalText.nullable(),
  label: text,
  mandatory: z.boolean().nullable(),
  eligible: z.boolean(),
  originator_type: text,
  adjustable_type: text,
})

export const creditCardSchema = z.looseObject({
  id: z.int(),
  month: text,
  year: text,
  cc_type: text,
  last_digits: text,
  first_name: text,
  last_name: text,
  gateway_customer_profile_id: text,
  gateway_payment_profile_id: text,
})
