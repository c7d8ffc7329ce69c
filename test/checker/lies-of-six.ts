import type { Row, StoreRows } from '../support/audit.ts'
import type { RecordedRequest } from '../support/recorded-request.ts'
import { decimal } from './picture.ts'

/** On 6.0 some of what is told is made from several rows, so that no single row's history can be asked for it. */
export function findLiesOfSix(
  aggregate: string,
  { payload }: RecordedRequest,
  now: StoreRows,
  isKnown: (key: string) => boolean,
): string[] {
  const id = aggregate.split(':')[1] ?? ''
  const order = aggregate.startsWith('order:') ? now.get('spree_orders')?.get(id) : undefined
  if (order) return findWrongStates(order, payload, now)
  const product = aggregate.startsWith('product:') ? now.get('spree_products')?.get(id) : undefined
  return product ? findWrongPrice(product, payload, now, isKnown) : []
}

/** Without a master the product's price is its default variant's. */
function findWrongPrice(
  product: Row,
  payload: Row,
  now: StoreRows,
  isKnown: (key: string) => boolean,
): string[] {
  const variant = now.get('spree_variants')?.get(String(product['default_variant_id']))
  if (product['deleted_at'] !== null || !variant || variant['deleted_at'] !== null) return []
  if (isKnown(`price:${variant['id']}`)) return []
  const currency = [...(now.get('spree_stores')?.values() ?? [])].find((row) => row['default'] === true)
  const price = [...(now.get('spree_prices')?.values() ?? [])].find(
    (row) =>
      row['variant_id'] === variant['id'] &&
      row['currency'] === currency?.['default_currency'] &&
      row['deleted_at'] === null &&
      row['price_list_id'] === null,
  )
  const told = decimal(payload['price'])
  const wanted = decimal(price?.['amount'])
  return told === wanted ? [] : [`price '${told}' instead of its default variant's '${wanted}'`]
}

function findWrongStates(order: Row, payload: Row, now: StoreRows): string[] {
  const paid = Number(order['payment_total']) >= Number(order['total'])
  const fulfillments = [...(now.get('spree_fulfillments')?.values() ?? [])].filter(
    (row) => row['order_id'] === order['id'],
  )
  const states = new Map(fulfillments.map((row) => [String(row['id']), shipmentState(row, paid)]))
  const shown = new Map(
    (payload['shipments'] as readonly Row[]).map((shipment) => [String(shipment['id']), shipment['state']]),
  )
  const lies = [...states]
    .filter(([shipment, state]) => shown.get(shipment) !== state)
    .map(([shipment, state]) => `shipment:${shipment} state '${shown.get(shipment)}' instead of '${state}'`)
  const wanted = orderShipmentState(order, [...states.values()])
  if ((payload['shipment_state'] ?? null) !== wanted)
    lies.push(`shipment_state '${payload['shipment_state']}' instead of '${wanted}'`)
  return lies
}

function shipmentState(row: Row, paid: boolean): string {
  if (row['status'] === 'fulfilled' || row['status'] === 'delivered') return 'shipped'
  if (row['status'] === 'canceled') return 'canceled'
  return paid ? 'ready' : 'pending'
}

function orderShipmentState(order: Row, states: readonly string[]): unknown {
  switch (order['fulfillment_status']) {
    case 'backordered':
    case 'backorder':
      return 'backorder'
    case 'fulfilled':
    case 'delivered':
      return 'shipped'
    case 'unfulfilled':
      return states.length > 0 && states.every((state) => state === 'ready') ? 'ready' : 'pending'
    default:
      return order['fulfillment_status']
  }
}
