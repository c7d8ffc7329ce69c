import type { RawOrder } from './schemas/order-message.ts'
import type { OrderSnapshot } from './snapshot.ts'
import { wireId, wireOptionalDecimal, wireOptionalId, wireOptionalTime } from './wire.ts'

type Shipment = OrderSnapshot['shipments'][number]

/** `state` is the shipment's in the old words; a newer word stands beside it as `status`. */
export function rawShipment(
  shipment: Shipment,
  state: string | null,
  orderNumber: string,
): RawOrder['shipments'][number] {
  const { method, status, deliveries, cartons } = shipment
  return {
    id: wireId(shipment.id),
    number: shipment.number,
    tracking: shipment.tracking,
    cost: wireOptionalDecimal(shipment.cost),
    shipped_at: wireOptionalTime(shipment.shippedAt),
    state,
    order_id: orderNumber,
    stock_location_name: shipment.stockLocationName,
    shipping_rates: shipment.rates.map((rate) => ({
      id: wireId(rate.id),
      cost: wireOptionalDecimal(rate.cost),
      selected: rate.selected,
      shipment_id: wireId(shipment.id),
      shipping_method_id: wireOptionalId(rate.methodId),
    })),
    shipping_method: method && {
      name: method.name,
      code: method.code,
      zone_id: null,
      shipping_category_id: null,
      tracking_url: method.trackingUrl,
    },
    inventory_units: shipment.units.map((unit) => ({
      id: wireId(unit.id),
      state: unit.state,
      variant_id: wireOptionalId(unit.variantId),
      order_id: wireOptionalId(unit.orderId),
      shipment_id: wireId(shipment.id),
      ...(unit.quantity === undefined ? {} : { quantity: unit.quantity }),
    })),
    ...(status === null ? {} : { status }),
    ...(deliveries === undefined ? {} : { deliveries: deliveries.map(rawDelivery) }),
    ...(cartons === undefined ? {} : { cartons: cartons.map(rawCarton) }),
  }
}

function rawCarton(carton: NonNullable<Shipment['cartons']>[number]): Record<string, unknown> {
  return {
    id: wireId(carton.id),
    number: carton.number,
    external_number: carton.externalNumber,
    tracking: carton.tracking,
    shipped_at: wireOptionalTime(carton.shippedAt),
  }
}

function rawDelivery(delivery: NonNullable<Shipment['deliveries']>[number]): Record<string, unknown> {
  return {
    id: wireId(delivery.id),
    tracking_number: delivery.trackingNumber,
    tracking_url: delivery.trackingUrl,
    carrier: delivery.carrier,
    service: delivery.service,
    status: delivery.status,
    delivered_at: wireOptionalTime(delivery.deliveredAt),
  }
}
