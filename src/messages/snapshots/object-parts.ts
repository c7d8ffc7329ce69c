import { z } from 'zod'

import { decimal, id, text, time } from './texts.ts'

// What the objects of the second generation say beyond the seed's messages. Read only where they are told.

export const productPartsSchema = z.object({
  /** Its rename is no change of the products in it. */
  shippingCategory: text,
  shippingCategoryId: id.nullable(),
  /** The master, or of a product without master the default variant. */
  lead: z
    .object({
      sku: z.string(),
      costPrice: decimal.nullable(),
      weight: decimal.nullable(),
      height: decimal.nullable(),
      width: decimal.nullable(),
      depth: decimal.nullable(),
    })
    .nullable(),
  /** Of each variant its options as people read them: presentation of the type and of the value. */
  options: z.array(z.object({ variantId: id, type: text, value: text })),
})

export type ProductParts = Readonly<z.infer<typeof productPartsSchema>>

export const orderPartsSchema = z.object({
  /** Null where no column says it. */
  promoTotal: decimal.nullable(),
  /** What payments were made with; of one that names nothing there is none. */
  paymentSources: z.array(z.object({ paymentId: id, type: z.string(), id: id.nullable() })),
  promotions: z.array(
    z.object({
      name: text,
      code: text,
      /** Where a promotion has many codes: the ones that this order used. */
      codes: z.array(z.string()),
      categoryName: text,
      categoryCode: text,
    }),
  ),
  shipmentTimes: z.array(z.object({ shipmentId: id, updatedAt: time.nullable() })),
  returnItems: z.array(z.object({ id, createdAt: time.nullable(), exchangeSku: text })),
  reimbursements: z.array(
    z.object({
      id,
      createdAt: time.nullable(),
      /** Store credit and the like. */
      credits: decimal,
      refundIds: z.array(id),
    }),
  ),
})

export type OrderParts = Readonly<z.infer<typeof orderPartsSchema>>
