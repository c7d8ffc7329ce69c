import { type ShipmentInbound, shipmentInboundSchema } from '../messages/schemas/shipment-inbound.ts'
import { utcTime } from '../messages/wire.ts'
import type { ConfirmedShipment } from '../store/writes/confirmed-shipment.ts'
import { piecesBySku } from '../store/writes/pieces-by-sku.ts'
import { type Shipped, shipShipment } from '../store/writes/ship-shipment.ts'
import type { Handler, Notification } from './handler.ts'

/** Marks a shipment as shipped, and gives its pieces their serial numbers (protocol §7.5, §7.7). */
export const shipmentConfirm: Handler<ShipmentInbound> = {
  message: 'shipment:confirm',
  description: 'Marks a shipment as shipped, with its tracking and the serial numbers of its pieces.',
  schema: shipmentInboundSchema,
  async apply(db, store, { message, payload }) {
    const confirmed = confirmedShipment(payload)
    const shipped = await shipShipment(db, store, confirmed)
    const parcel = `shipment ${confirmed.number} of order ${shipped.orderNumber}`
    const tell = (level: Notification['level'], description: string) => ({
      level,
      subject: message,
      description,
    })
    return {
      notifications: [
        tell('info', saying(parcel, shipped)),
        ...shipped.left.map((what) => tell('warn', `Not applied of ${parcel}: its ${what}`)),
      ],
      details: {},
    }
  },
}

function saying(parcel: string, { was, tracking }: Shipped): string {
  const by = tracking === null ? 'without tracking' : `with tracking ${tracking}`
  switch (was) {
    case 'shipped':
      return `Marked ${parcel} as shipped, ${by}`
    case 'tracked':
      return `Updated ${parcel}, which was shipped already, ${by}`
    case 'same':
      return `The ${parcel} is shipped already, ${by}: nothing was changed`
  }
}

/** Both forms as one (protocol §6.3): pure. */
export function confirmedShipment(payload: ShipmentInbound): ConfirmedShipment {
  const said =
    'shipment' in payload
      ? { ...payload.shipment, at: payload.shipment.shipped_at }
      : {
          ...payload,
          number: payload.shipment_number,
          tracking: null,
          at: payload.shipped_date || payload.ship_date,
        }
  const items = said.items ?? []
  // How many of these left the message leaves open, even where another item of it has a number.
  const uncounted = new Set(items.flatMap(({ sku, quantity }) => (typeof quantity === 'number' ? [] : [sku])))
  const counted = items.flatMap(({ sku, quantity }) =>
    sku && typeof quantity === 'number' && !uncounted.has(sku) ? [{ sku, quantity }] : [],
  )
  return {
    number: said.number,
    orderNumber: said.order_number || null,
    tracking: said.tracking || said.tracking_number || null,
    trackingUrl: said.tracking_url || null,
    carrier: said.carrier || null,
    shippedAt: said.at ? new Date(utcTime(said.at)).toISOString() : null,
    pieces:
      counted.length === 0 ? null : { bySku: piecesBySku(counted), areAll: counted.length === items.length },
    serials: items.flatMap(({ part_number: partNumber, serial_numbers: serialNumbers }) =>
      partNumber ? [{ partNumber, serialNumbers: serialNumbers ?? [] }] : [],
    ),
  }
}
