import type { CustomerReturnPayload, ReturnAuthorizationPayload } from '../schemas/return-message.ts'
import { shippedOrder } from './order.ts'

const [unit] = shippedOrder.shipments.flatMap(({ inventory_units }) => inventory_units)

const common = {
  order_id: shippedOrder.id,
  stock_location: 'Portland warehouse',
  created_at: '2026-03-20T08:30:00.000Z',
  updated_at: '2026-03-20T08:30:00.000Z',
  return_items: [
    {
      id: 71,
      inventory_unit_id: unit?.id ?? null,
      pre_tax_amount: '45.0',
      included_tax_total: '0.0',
      additional_tax_total: '0.0',
      resellable: true,
    },
  ],
  inventory_units: unit ? [unit] : [],
  order: shippedOrder,
}

/** A parcel may come back. */
export const authorizedReturn: ReturnAuthorizationPayload = {
  id: 61,
  number: 'RA400000061',
  ...common,
  state: 'authorized',
  amount: 45,
  reason: 'Too small',
  memo: null,
}

/** It has come back. */
export const customerReturn: CustomerReturnPayload = {
  id: 81,
  number: 'CR400000081',
  ...common,
  reimbursements: [{ id: 91, number: 'RI400000091', reimbursement_status: 'pending', total: '45.0' }],
}
