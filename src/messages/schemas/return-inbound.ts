import { z } from 'zod'

import { name, short } from './inbound-scalars.ts'

/** A count, also as text; without one the sender's own handler counted none (protocol §9.4). */
const quantity = z
  .union([
    z.int().min(0).max(2_147_483_647),
    z
      .string()
      .regex(/^\s*\d{1,9}\s*$/, 'must be a whole number')
      .transform(Number),
  ])
  .nullish()
  .transform((value) => value ?? 0)

/** SKUs and numbers of digits come as numbers, too. */
const digits = z.int().transform(String)

const customerReturn = z.object({
  rma: z
    .union([short, digits])
    .nullish()
    .transform((value) => value || null),
  stock_location: z.union([name, digits]),
  items: z
    .array(
      z.object({
        sku: z.union([short.min(1), digits]),
        quantity,
        order_number: z.union([name, digits]),
        resellable: z
          .boolean()
          .nullish()
          .transform((value) => value ?? true),
      }),
    )
    .max(1000),
})

/** Goods that came back to a stock location (protocol §9.4); null where the request brings none, which has an answer of its own. */
export const returnInboundSchema = z.object({
  customer_return: z
    .preprocess((value) => (isBlank(value) ? null : value), customerReturn.nullable())
    .optional()
    .transform((value) => value ?? null),
})
export type ReturnInbound = z.infer<typeof returnInboundSchema>

function isBlank(value: unknown): boolean {
  if (typeof value === 'string') return value.trim() === ''
  return value === false || (typeof value === 'object' && Object.keys(value ?? {}).length === 0)
}
