import { amountOf } from '../messages/amount.ts'
import type { OrderImportPayload } from '../messages/schemas/order-import.ts'
import type { ImportedShipment } from '../store/writes/imported-order.ts'
import { NotApplicable } from './handler.ts'

type Order = OrderImportPayload['order']

/**
 * The shipments as told, or one for all: pure. @throws NotApplicable where together they do not hold exactly what the lines
 * say.
 */
export function importedShipments(order: Order): ImportedShipment[] {
  if (order.shipments.length === 0) {
    return [
      {
        number: null,
        cost: amountOf(order.totals.shipping ?? 0),
        stockLocation: null,
        shippingMethod: null,
        tracking: null,
        items: order.line_items.map(({ quantity }, line) => ({ line, quantity })),
      },
    ]
  }
  const open = order.line_items.map(({ quantity }) => quantity)
  const shipments = order.shipments.map((shipment) => ({
    number: shipment.number || null,
    cost: amountOf(shipment.cost),
    stockLocation: shipment.stock_location || null,
    shippingMethod: shipment.shipping_method || null,
    tracking: shipment.tracking || null,
    items: byLine(shipment.items.flatMap(({ sku, quantity }) => takeFromLines(order, open, sku, quantity))),
  }))
  const left = order.line_items.flatMap(({ sku }, line) =>
    open[line] === 0 ? [] : [`${open[line]} of ${sku}`],
  )
  if (left.length > 0) {
    throw new NotApplicable(
      'shipments_mismatch',
      `The shipments of order ${order.number} leave out ${left.join(', ')} of its line items.`,
    )
  }
  return shipments
}

/** Pieces that are told one by one, as a shop of units tells them, together. */
function byLine(items: ImportedShipment['items']): ImportedShipment['items'] {
  const quantities = new Map<number, number>()
  for (const { line, quantity } of items) quantities.set(line, quantity + (quantities.get(line) ?? 0))
  return [...quantities].map(([line, quantity]) => ({ line, quantity }))
}

function takeFromLines(
  order: Order,
  open: number[],
  sku: string,
  quantity: number,
): ImportedShipment['items'] {
  let missing = quantity
  const items = order.line_items.flatMap((item, line) => {
    const taken = item.sku === sku ? Math.min(open[line] ?? 0, missing) : 0
    if (taken === 0) return []
    open[line] = (open[line] ?? 0) - taken
    missing -= taken
    return [{ line, quantity: taken }]
  })
  if (missing === 0) return items
  throw new NotApplicable(
    'shipments_mismatch',
    `The shipments of order ${order.number} hold ${missing} of ${sku} more than its line items.`,
  )
}
