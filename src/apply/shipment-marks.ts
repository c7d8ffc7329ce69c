import type { RawOrder } from '../messages/schemas/order-message.ts'
import type { ShipmentMarksInbound } from '../messages/schemas/wombat-inbound.ts'
import { utcTime } from '../messages/wire.ts'
import { objectAddress } from '../messages/wombat/address.ts'

type Given = ShipmentMarksInbound['shipment']
type Own = RawOrder['shipments'][number]

/** The items that are no unit of the shipment: each must be one, by SKU and quantity; units that are not told count not. */
export function foreignItems(
  { items }: Given,
  { inventory_units: units }: Own,
  { line_items: lines }: RawOrder,
): NonNullable<Given['items']> {
  const skuOf = new Map(lines.map(({ variant_id: id, variant }) => [id, variant?.sku]))
  return (items ?? []).filter(
    ({ product_id: sku, quantity }) =>
      !units.some((unit) => skuOf.get(unit.variant_id) === sku && (unit.quantity ?? 1) === quantity),
  )
}

/**
 * What of it stays as the shop has it, although the object says otherwise: what it costs, for the order would cost another
 * sum; where it goes; of one that has left when it did. A state is told by name or abbreviation: it is not compared.
 */
export function leftOfShipment(given: Given, own: Own, order: RawOrder): string[] {
  const address: Readonly<Record<string, unknown>> = objectAddress(order.ship_address) ?? {}
  const differs = Object.entries(given.shipping_address ?? {}).some(
    ([key, value]) => key !== 'state' && key in address && (value || null) !== (address[key] || null),
  )
  return [
    ...(given.cost != null && Number(given.cost) !== Number(own.cost ?? 0) ? ['cost'] : []),
    ...(given.shipped_at && own.shipped_at && seconds(given.shipped_at) !== seconds(own.shipped_at)
      ? ['shipped_at']
      : []),
    ...(differs ? ['shipping_address'] : []),
  ]
}

function seconds(time: string): number {
  return Math.floor(Date.parse(utcTime(time)) / 1000)
}
