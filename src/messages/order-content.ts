import { ownAddress } from './raw-address.ts'
import { rawRefunds } from './raw-order.ts'
import type { RawOrder } from './schemas/order-message.ts'
import type { OrderSnapshot } from './snapshot.ts'

/**
 * What a digest is made of: the order's own rows. Its payload also shows names that belong to others, which may change
 * without it; a renamed product is no change of the thousand orders in which it was sold. Hence instead of variants,
 * countries, places, methods and reasons the keys that lead to them.
 */
export function orderContent(order: OrderSnapshot, raw: RawOrder): Readonly<Record<string, unknown>> {
  return {
    ...raw,
    store: idOf(order.extras['store']),
    bill_address: ownAddress(raw.bill_address),
    ship_address: ownAddress(raw.ship_address),
    line_items: raw.line_items.map((item) => ({ ...item, variant: undefined })),
    payments: raw.payments.map((payment) => ({ ...payment, payment_method: undefined })),
    refunds: rawRefunds(order.refunds.map((refund) => ({ ...refund, reason: refund.reasonId }))),
    shipments: raw.shipments.map((shipment, index) => ({
      ...shipment,
      stock_location_name: undefined,
      stock_location_id: order.shipments[index]?.stockLocationId,
      // A rate without a method brings its own name.
      shipping_method: shipment.shipping_rates.some(isNamedElsewhere) ? undefined : shipment.shipping_method,
    })),
  }
}

function isNamedElsewhere(rate: RawOrder['shipments'][number]['shipping_rates'][number]): boolean {
  return rate.selected && rate.shipping_method_id !== null
}

function idOf(row: unknown): unknown {
  return typeof row === 'object' && row !== null && 'id' in row ? row.id : null
}
