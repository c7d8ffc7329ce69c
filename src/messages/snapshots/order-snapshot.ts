import { z } from 'zod'

import { addressSnapshotSchema } from './address-snapshot.ts'
import { orderPartsSchema } from './object-parts.ts'
import { decimal, id, text, time } from './texts.ts'
import { variantSnapshotSchema } from './variant-snapshot.ts'

const optionValue = z.object({
  id,
  name: text,
  presentation: text,
  typeId: id,
  typeName: text,
  typePresentation: text,
})

const image = z.object({
  id,
  position: z.int().nullable(),
  contentType: text,
  fileName: text,
  type: text,
  updatedAt: time.nullable(),
  width: z.int().nullable(),
  height: z.int().nullable(),
  alt: text,
  viewableType: text,
  viewableId: id.nullable(),
})

const variant = variantSnapshotSchema.extend({
  optionValues: z.array(optionValue),
  images: z.array(image),
})

const lineItem = z.object({
  id,
  quantity: z.int(),
  price: decimal,
  variantId: id.nullable(),
  createdAt: time.nullable(),
  updatedAt: time.nullable(),
  variant: variant.nullable(),
})

const payment = z.object({
  id,
  number: text,
  amount: decimal,
  state: text,
  paymentMethodId: id.nullable(),
  paymentMethod: z.object({ id, name: text, environment: text }).nullable(),
})

const delivery = z.object({
  id,
  trackingNumber: text,
  trackingUrl: text,
  carrier: text,
  service: text,
  status: text,
  deliveredAt: time.nullable(),
})

const carton = z.object({
  id,
  number: text,
  externalNumber: text,
  tracking: text,
  shippedAt: time.nullable(),
})

const shipment = z.object({
  id,
  number: text,
  /** As stored, where the family stores the old words. */
  state: text,
  /** The family's own word for what became of it, where that is another. */
  status: text,
  tracking: text,
  cost: decimal.nullable(),
  shippedAt: time.nullable(),
  stockLocationName: text,
  stockLocationId: id.nullable(),
  rates: z.array(z.object({ id, cost: decimal.nullable(), selected: z.boolean(), methodId: id.nullable() })),
  /** The selected rate's. */
  method: z.object({ name: text, code: text, trackingUrl: text }).nullable(),
  units: z.array(
    z.object({
      id,
      state: text,
      variantId: id.nullable(),
      orderId: id.nullable(),
      /** Absent where every row is one piece. */
      quantity: z.int().optional(),
    }),
  ),
  deliveries: z.array(delivery).optional(),
  /** The boxes in which its pieces left, in Solidus. */
  cartons: z.array(carton).optional(),
})

const adjustment = z.object({
  id,
  amount: decimal.nullable(),
  label: text,
  mandatory: z.boolean().nullable(),
  eligible: z.boolean(),
  included: z.boolean(),
  originatorType: text,
  adjustableType: text,
})

const creditCard = z.object({
  id,
  month: text,
  year: text,
  ccType: text,
  lastDigits: text,
  name: text,
})

const refund = z.object({
  id,
  paymentId: id.nullable(),
  amount: decimal,
  transactionId: text,
  reasonId: id.nullable(),
  reason: text,
  createdAt: time.nullable(),
})

const returnAuthorization = z.object({
  id,
  number: text,
  state: text,
  items: z.array(
    z.object({ id, inventoryUnitId: id.nullable(), receptionStatus: text, acceptanceStatus: text }),
  ),
})

const customerReturn = z.object({
  id,
  number: text,
  status: text,
  items: z.array(
    z.object({
      id,
      lineItemId: id.nullable(),
      variantId: id.nullable(),
      quantity: z.int(),
      receivedQuantity: z.int(),
    }),
  ),
})

export const orderSnapshotSchema = z.object({
  id,
  number: z.string(),
  userId: id.nullable(),
  email: text,
  currency: text,
  channel: text,
  /** The old words as stored; null where the family has other words, which then stand in `statuses`. */
  state: text,
  paymentState: text,
  shipmentState: text,
  statuses: z.object({ order: text, payment: text, fulfillment: text }).nullable(),
  itemTotal: decimal,
  adjustmentTotal: decimal,
  shipTotal: decimal,
  includedTaxTotal: decimal,
  additionalTaxTotal: decimal,
  total: decimal,
  paymentTotal: decimal,
  createdAt: time.nullable(),
  updatedAt: time.nullable(),
  /** Null of a cart. */
  completedAt: time.nullable(),
  lockedAt: time.nullable(),
  specialInstructions: text,
  billAddress: addressSnapshotSchema.nullable(),
  shipAddress: addressSnapshotSchema.nullable(),
  lineItems: z.array(lineItem),
  payments: z.array(payment),
  shipments: z.array(shipment),
  adjustments: z.array(adjustment),
  creditCards: z.array(creditCard),
  refunds: z.array(refund),
  /** Of families that authorise returns; absent elsewhere. */
  returnAuthorizations: z.array(returnAuthorization).optional(),
  /** Of families whose returns belong to the order; absent elsewhere. */
  returns: z.array(customerReturn).optional(),
  /** What the family says beyond the common words, under its own names. */
  extras: z.record(z.string(), z.unknown()),
  /** Only where the store is read for objects. */
  parts: orderPartsSchema.optional(),
})

/** A cart is an order to be. Where carts are apart they have no number. */
export const cartSnapshotSchema = orderSnapshotSchema.extend({ number: text })

export type OrderSnapshot = Readonly<z.infer<typeof orderSnapshotSchema>>
