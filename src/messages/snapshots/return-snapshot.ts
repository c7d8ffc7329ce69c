import { z } from 'zod'

import { decimal, id, text, time } from './texts.ts'

const item = z.object({
  id,
  /** Of the order's shipments. */
  inventoryUnitId: id.nullable(),
  preTaxAmount: decimal,
  includedTaxTotal: decimal,
  additionalTaxTotal: decimal,
  resellable: z.boolean().nullable(),
  /** Where each item goes its own way; null where the return as a whole does. */
  stages: z
    .object({
      returnAuthorizationId: id.nullable(),
      customerReturnId: id.nullable(),
      reimbursementId: id.nullable(),
      receptionStatus: text,
      acceptanceStatus: text,
    })
    .nullable(),
  /** Where an item may be a part of its unit; null where it is all of it. */
  pieces: z
    .object({
      lineItemId: id.nullable(),
      variantId: id.nullable(),
      quantity: z.int(),
      receivedQuantity: z.int(),
    })
    .nullable(),
})

/** What is to come back of an order, or has come. */
export const returnSnapshotSchema = z.object({
  kind: z.enum(['return_authorization', 'customer_return']),
  /** In which its row is. */
  table: z.string(),
  id,
  number: text,
  orderId: id,
  /** In the old words; of authorizations alone. */
  state: text,
  /** The family's own word, where that is another. */
  status: text,
  memo: text,
  reason: z.object({ id, name: text }).nullable(),
  stockLocation: z.object({ id, name: text }).nullable(),
  createdAt: time.nullable(),
  updatedAt: time.nullable(),
  items: z.array(item),
  /** Of customer returns alone. */
  reimbursements: z.array(z.object({ id, number: text, status: text, total: decimal.nullable() })),
})

export type ReturnSnapshot = Readonly<z.infer<typeof returnSnapshotSchema>>
