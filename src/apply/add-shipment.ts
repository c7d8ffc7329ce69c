import { amountOf } from '../messages/amount.ts'
import { type NewShipmentInbound, newShipmentSchema } from '../messages/schemas/new-shipment-inbound.ts'
import { utcTime } from '../messages/wire.ts'
import { roundDecimal } from '../store/writes/decimal.ts'
import type { NewParcel } from '../store/writes/new-parcel.ts'
import { packParcel } from '../store/writes/pack-parcel.ts'
import { piecesBySku } from '../store/writes/pieces-by-sku.ts'
import { shipShipment } from '../store/writes/ship-shipment.ts'
import { shopOf } from '../store/writes/shop.ts'
import { answerWithOrder } from './answer-with-order.ts'
import { type Handler, NotApplicable } from './handler.ts'
import { inOwnTexts, type OwnTexts } from './own-texts.ts'
import { summary } from './summary.ts'

/** Adds a parcel to an order, and lets it leave where it has left. Its other states follow from payment and stock, and are the shop's. */
export const addShipment: Handler<NewShipmentInbound> = {
  message: 'add_shipment',
  dialect: 'wombat',
  description:
    'Adds a shipment of pieces that no other holds to an order; one that has left is marked as shipped.',
  schema: newShipmentSchema,
  async apply(db, store, { message, payload: { shipment: given } }, shape) {
    const { id: number, order_id: orderNumber, status } = given
    const parcel = parcelOf(given, shopOf(store).moneyDecimals)
    const { already, orderId, state, owes, left } = await inOwnTexts(textsOf(given), () =>
      packParcel(db, store, parcel),
    )
    if (already)
      return summary(
        message,
        `Already have a shipment for order ${orderNumber} associated with shipment number ${number}`,
      )
    const shippedAt = given.shipped_at ? new Date(utcTime(given.shipped_at)).toISOString() : null
    const isShipped = status === 'shipped'
    if (isShipped && owes)
      throw new NotApplicable(
        'owes_cost',
        `Shipment ${number} has left, and order ${orderNumber} would owe what it costs: the shop lets go what is paid. Send it without its cost, or charge that in the shop, then retry.`,
      )
    if (isShipped)
      await shipShipment(db, store, {
        ...{ number, orderNumber, tracking: parcel.tracking, trackingUrl: null, carrier: null, shippedAt },
        ...{ pieces: null, serials: [] },
      })
    const notApplied = [
      ...left,
      ...(status !== null && !isShipped && !isState(status, state) ? ['status'] : []),
      ...(shippedAt !== null && !isShipped ? ['shipped_at'] : []),
    ]
    const { notifications, details } = summary(message, `Added shipment ${number} for order ${orderNumber}`)
    const description = `Not applied of shipment ${number}: its ${notApplied.join(', ')}`
    const told = { level: 'warn' as const, subject: message, description }
    return answerWithOrder(db, store, orderId, shape, {
      notifications: notApplied.length === 0 ? notifications : [...notifications, told],
      details,
    })
  },
}

/** 6.x has one word for what waits, be it ready or not. */
function isState(told: string, own: string | null): boolean {
  return told === own || (own === 'unfulfilled' && (told === 'pending' || told === 'ready'))
}

function parcelOf(given: NewShipmentInbound['shipment'], moneyDecimals: number): NewParcel {
  return {
    number: given.id,
    orderNumber: given.order_id,
    cost: amountOf(roundDecimal(given.cost, moneyDecimals)),
    stockLocation: given.stock_location,
    shippingMethod: given.shipping_method,
    address: given.shipping_address,
    pieces: piecesBySku(given.items.map(({ product_id: sku, quantity }) => ({ sku, quantity }))),
    tracking: given.tracking,
  }
}

/** Those that the store's own handler had. */
function textsOf(given: NewShipmentInbound['shipment']): OwnTexts {
  return {
    unknown_order: `Can't find order ${given.order_id} associated with this shipment`,
    unknown_country: `Can't find a country with iso name ${given.shipping_address.country}!`,
    unknown_location: `Can't find a StockLocation with name ${given.stock_location}!`,
    unknown_method: `Can't find a ShippingMethod with name ${given.shipping_method}!`,
    insufficient_stock: `Shipment ${given.id} cannot be added: ${given.stock_location} has too little of its goods, and not all of them may be backordered. Bring in the stock, then retry.`,
  }
}
