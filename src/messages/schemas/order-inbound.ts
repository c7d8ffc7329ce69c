import { z } from 'zod'

import { charge, line, type OrderToImport, orderToImport, quantity } from './order-import.ts'

/** Numbers and SKUs of digits come as numbers, too. */
const name = z.union([line.min(1), z.int().transform(String)])

/** The order as hubs of the second generation write it (protocol §9.4, §9.5). Its shipments are objects of their own. */
const orderObject = orderToImport.omit({ number: true, shipments: true }).extend({
  id: name.pipe(line.max(32)),
  /** A column of the store, which `status` is not. */
  state: line.nullish(),
  line_items: z
    .array(z.looseObject({ product_id: name, quantity, price: charge }))
    .min(1)
    .max(1000),
  payments: z
    .array(
      z.looseObject({ amount: charge, payment_method: line, state: line.nullish(), status: line.nullish() }),
    )
    .max(100)
    .default([]),
})

/** Object of `add_order`: read as the generic order that says the same. */
export const orderInboundSchema = z.object({
  order: orderObject.transform(
    ({ id, state, line_items, payments, ...order }): OrderToImport => ({
      ...order,
      number: id,
      status: state || order.status,
      line_items: line_items.map(({ product_id: sku, ...item }) => ({ ...item, sku })),
      payments: payments.map(({ state: own, ...payment }) => ({
        ...payment,
        status: own || payment.status || 'completed',
      })),
      shipments: [],
    }),
  ),
})
