import type { GenericOrder } from '../schemas/generic-order.ts'
import type { ShipmentObject } from '../schemas/object-messages.ts'
import type { RawOrder } from '../schemas/order-message.ts'
import type { OrderParts } from '../snapshots/object-parts.ts'
import { wireTime } from '../wire.ts'
import { objectAddress } from './address.ts'
import { objectTotals } from './order.ts'

type Shipment = RawOrder['shipments'][number]

/**
 * A shipment with what it takes to be whole without its order (protocol §9.5). One without a number has no id: undefined.
 * @param methodCode Of its shipping method.
 */
export function shipmentObject(
  shipment: Shipment,
  methodCode: string | null,
  order: RawOrder,
  { shipmentTimes }: OrderParts,
): ShipmentObject | undefined {
  if (shipment.number === null) return undefined
  const updatedAt = shipmentTimes.find(({ shipmentId }) => Number(shipmentId) === shipment.id)?.updatedAt
  return {
    id: shipment.number,
    order_id: order.number,
    email: order.email,
    cost: Number(shipment.cost ?? 0),
    status: shipment.state,
    stock_location: shipment.stock_location_name,
    shipping_method: shipment.shipping_method?.name ?? null,
    shipping_method_code: methodCode,
    tracking: shipment.tracking,
    placed_on: order.completed_at ?? '',
    shipped_at: shipment.shipped_at,
    totals: objectTotals(order),
    updated_at: updatedAt ? wireTime(updatedAt) : null,
    channel: order.channel || 'spree',
    items: shipment.inventory_units.map((unit) => {
      const line = order.line_items.find(({ variant_id }) => variant_id === unit.variant_id)
      return {
        product_id: line?.variant?.sku ?? null,
        name: line?.variant?.name ?? null,
        quantity: unit.quantity ?? 1,
        price: Math.round(Number(line?.price ?? 0) * 100) / 100,
      }
    }),
    billing_address: objectAddress(order.bill_address),
    shipping_address: objectAddress(order.ship_address),
  }
}

/** Numbers of the shipments of which their object says anything that it did not say before; all, where that is not known. */
export function changedShipments(
  order: GenericOrder,
  previous: GenericOrder | null | undefined,
): ReadonlySet<string | null> {
  const before = new Map((previous?.shipments ?? []).map((each) => [each.number, contentOf(each, previous)]))
  return new Set(
    order.shipments
      .filter((each) => before.get(each.number) !== contentOf(each, order))
      .map(({ number }) => number),
  )
}

/** A moved `updated_at` alone is no content; nor is a refund, since of payments the object says what was completed. */
function contentOf(
  { updated_at: _, ...shipment }: GenericOrder['shipments'][number],
  order: GenericOrder | null | undefined,
): string {
  const { email, channel, placed_on, totals, payments, shipping_address, billing_address } = order ?? {}
  const completed = payments?.filter(({ status }) => status === 'completed').map(({ amount }) => amount)
  return JSON.stringify([
    shipment,
    email,
    channel,
    placed_on,
    { ...totals, payment: completed },
    shipping_address,
    billing_address,
  ])
}
