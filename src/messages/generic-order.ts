import type { GenericOrder } from './schemas/generic-order.ts'
import type { PushedOrder } from './schemas/pushed-order.ts'
import { utcTime } from './wire.ts'

type Address = NonNullable<PushedOrder['ship_address']>
type LineItem = NonNullable<PushedOrder['line_items']>[number]
type Shipment = NonNullable<PushedOrder['shipments']>[number]
type Item = GenericOrder['line_items'][number]

/**
 * The generic form of a raw order (protocol §6.1). `totals.shipping` is `ship_total` (§11, 32); of the adjustments only
 * the eligible ones, since the generic form has no word for the others and they are in no total. What the store calls
 * its own stays in the raw order.
 */
export function genericOrder(order: PushedOrder): GenericOrder {
  const lineItems = order.line_items ?? []
  return {
    number: order.number,
    channel: order.channel || 'spree',
    email: order.email ?? null,
    currency: order.currency ?? null,
    placed_on: optionalTime(order.completed_at),
    updated_at: optionalTime(order.updated_at),
    status: order.state ?? null,
    totals: {
      item: amount(order.item_total),
      adjustment: amount(order.adjustment_total),
      tax: amount(order.tax_total),
      shipping: amount(order.ship_total),
      payment: amount(order.payment_total),
      order: amount(order.total),
    },
    line_items: lineItems.map((item) => genericItem(item, item.quantity ?? null)),
    adjustments: (order.adjustments ?? [])
      .filter(({ eligible }) => eligible !== false)
      .map((adjustment) => ({ name: adjustment.label ?? null, value: amount(adjustment.amount) })),
    shipping_address: order.ship_address ? genericAddress(order.ship_address) : null,
    billing_address: order.bill_address ? genericAddress(order.bill_address) : null,
    payments: (order.payments ?? []).map((payment) => ({
      number: payment.id ?? null,
      status: payment.state ?? null,
      amount: amount(payment.amount),
      payment_method: payment.payment_method?.name ?? null,
    })),
    shipments: (order.shipments ?? []).map((shipment) => genericShipment(shipment, lineItems)),
  }
}

function genericItem(item: LineItem, quantity: number | null): Item {
  const { variant } = item
  const options = (variant?.option_values ?? []).flatMap(({ option_type_name: type, name }) =>
    typeof type === 'string' && typeof name === 'string' ? [[type, name] as const] : [],
  )
  return {
    name: variant?.name ?? null,
    sku: variant?.sku ?? null,
    external_ref: variant?.external_ref ?? null,
    quantity,
    price: amount(item.price),
    variant_id: item.variant_id ?? variant?.id ?? null,
    options: Object.fromEntries(options),
  }
}

/** Of a state that the store knows by its code alone (6.x), the code: a label needs one of them. */
function genericAddress(address: Address): GenericOrder['shipping_address'] {
  return {
    firstname: address.firstname ?? null,
    lastname: address.lastname ?? null,
    address1: address.address1 ?? '',
    address2: address.address2 ?? '',
    zipcode: address.zipcode ?? null,
    city: address.city ?? null,
    state: address.state?.name ?? address.state_name ?? address.state?.abbr ?? null,
    country: address.country?.iso ?? null,
    phone: address.phone ?? null,
    ...(address.company ? { company: address.company } : {}),
  }
}

function genericShipment(
  shipment: Shipment,
  lineItems: readonly LineItem[],
): GenericOrder['shipments'][number] {
  return {
    number: shipment.number ?? null,
    cost: amount(shipment.cost),
    status: shipment.state ?? null,
    stock_location: shipment.stock_location_name ?? null,
    shipping_method: shipment.shipping_method?.name ?? null,
    tracking: shipment.tracking ?? null,
    updated_at: optionalTime(shipment.updated_at),
    shipped_at: optionalTime(shipment.shipped_at),
    items: shipmentItems(shipment, lineItems),
  }
}

/** The units by variant, in the order in which the variants first appear; what the variant is, its line item says. */
function shipmentItems({ inventory_units: units }: Shipment, lineItems: readonly LineItem[]): Item[] {
  const pieces = new Map<number | null, number>()
  for (const { variant_id: variantId = null, quantity } of units ?? []) {
    pieces.set(variantId, (pieces.get(variantId) ?? 0) + (quantity ?? 1))
  }
  return [...pieces].map(([variantId, quantity]) => {
    const lineItem = lineItems.find((item) => (item.variant_id ?? item.variant?.id ?? null) === variantId)
    return genericItem(lineItem ?? { variant_id: variantId }, quantity)
  })
}

function amount(decimal: string | number | null | undefined): number | null {
  return decimal === null || decimal === undefined ? null : Number(decimal)
}

function optionalTime(time: string | null | undefined): string | null {
  return time === null || time === undefined ? null : utcTime(time)
}
