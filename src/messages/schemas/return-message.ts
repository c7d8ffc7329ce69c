import { z } from 'zod'

import { announcedOrderSchema } from './order-message.ts'
import { decimalText, text, wireTimeText } from './scalars.ts'

const returnItemSchema = z.looseObject({
  id: z.int(),
  inventory_unit_id: z.int().nullable(),
  pre_tax_amount: decimalText,
  included_tax_total: decimalText,
  additional_tax_total: decimalText,
  resellable: z.boolean().nullable(),
})

const returnSchema = z.looseObject({
  id: z.int(),
  number: text,
  /** The order's id; its number is in `order`. */
  order_id: z.int(),
  stock_location: text,
  created_at: wireTimeText.nullable(),
  updated_at: wireTimeText.nullable(),
  return_items: z.array(returnItemSchema),
  /** The raw order's units that are to come back, with their variants as there. */
  inventory_units: z.array(z.looseObject({ id: z.int() })),
  order: announcedOrderSchema,
})

/** `return_authorization:new` and `return_authorization:updated` (protocol §6.7). */
export const announcedReturnAuthorizationSchema = returnSchema.extend({
  state: text,
  amount: z.number(),
  reason: text,
  memo: text,
})

/** `customer_return:new` and `customer_return:updated`: no protocol has them; the words are those of the tables. */
export const announcedCustomerReturnSchema = returnSchema.extend({
  reimbursements: z.array(
    z.looseObject({
      id: z.int(),
      number: text,
      reimbursement_status: text,
      total: decimalText.nullable(),
    }),
  ),
})

export type ReturnAuthorizationPayload = z.infer<typeof announcedReturnAuthorizationSchema>
export type CustomerReturnPayload = z.infer<typeof announcedCustomerReturnSchema>
