import type { RecordedRequest } from '../support/recorded-request.ts'
import type { StoreFamily } from '../support/stores.ts'
import { decimal, type Fields, happened, type Picture, text } from './picture.ts'
import type { Relations } from './relations.ts'

/** One message that the hub has, however often it was sent. */
export type Message = Readonly<{
  request: RecordedRequest
  /** `order:3`, `product:4`, `customer:5`; a stock message belongs to the product of its SKU. */
  aggregate: string
  /** Null for stock messages, which show no state. */
  picture: Picture | null
}>

type Payload = Readonly<Record<string, unknown>>

export function aggregateOf(request: RecordedRequest, store: Relations): string {
  const { type, payload } = request
  if (type.startsWith('order:')) return `order:${payload['id']}`
  if (type.startsWith('product:')) return `product:${payload['id']}`
  if (type.startsWith('user:')) return `customer:${payload['id']}`
  const [product, ...others] = store.productsOfSku.get(String(payload['sku'])) ?? []
  return product && others.length === 0 ? `product:${product}` : `sku:${payload['sku']}`
}

/** A state that was refused for good holds nothing: what comes after it says no less. All else that is refused holds its aggregate. */
export function isSetAside({ type, payload, status }: RecordedRequest): boolean {
  const tellsState = type === 'stock:actual' || (type === 'product:update' && !('previous_sku' in payload))
  return tellsState && [400, 413, 422].includes(status ?? 0)
}

export function pictureOf(request: RecordedRequest, family: StoreFamily, store: Relations): Picture | null {
  if (request.type.startsWith('order:')) {
    const foreign = family === 'spree-4.10' ? 'tracking:' : 'adjustment:' // a part of the shipment; from three tables
    return new Map([...orderPicture(request.payload)].filter(([key]) => !key.startsWith(foreign)))
  }
  if (request.type.startsWith('product:')) return productPicture(request.payload, store)
  if (request.type.startsWith('user:')) return customerPicture(request.payload)
  return null
}

/**
 * Which rows of `picture` can be held against the store's: an address where it is shown, a price where its variant is,
 * and of a deleted product only the product itself (what its message says of variants and prices is not settled).
 */
export function isComparable(key: string, picture: Picture): boolean {
  const [kind, id] = key.split(':')
  if (kind === 'address') return picture.has(key)
  if (kind === 'price') return picture.has(key) || picture.has(`variant:${id}`)
  if (kind !== 'variant') return true
  return [...picture].every(([row, fields]) => !row.startsWith('product:') || fields['deleted'] === null)
}

function productPicture(payload: Payload, store: Relations): Picture {
  const picture = new Map<string, Fields>()
  const id = String(payload['id'])
  const deleted = happened(payload['deleted_at'])
  picture.set(`product:${id}`, {
    name: text(payload['name']),
    description: text(payload['description']),
    permalink: text(payload['permalink']),
    meta_description: text(payload['meta_description']),
    meta_keywords: text(payload['meta_keywords']),
    deleted,
  })
  if (deleted) return picture
  const master = store.masterOf.get(id)
  if (master) {
    picture.set(`variant:${master}`, { sku: text(payload['sku']) })
    setPrice(picture, master, payload['price'])
  }
  for (const variant of list(payload['variants'])) {
    picture.set(`variant:${variant['id']}`, {
      sku: text(variant['sku']),
      cost_price: decimal(variant['cost_price']),
      position: text(variant['position']),
      weight: decimal(variant['weight']),
      height: decimal(variant['height']),
      width: decimal(variant['width']),
      depth: decimal(variant['depth']),
    })
    setPrice(picture, String(variant['id']), variant['price'])
  }
  return picture
}

function setPrice(picture: Map<string, Fields>, variant: string, amount: unknown): void {
  if (amount !== null && amount !== undefined) picture.set(`price:${variant}`, { amount: decimal(amount) })
}

function customerPicture(payload: Payload): Picture {
  const [bill, ship] = [object(payload['bill_address']), object(payload['ship_address'])]
  const picture = new Map<string, Fields>([
    [
      `customer:${payload['id']}`,
      {
        email: text(payload['email']),
        first_name: text(payload['first_name']),
        last_name: text(payload['last_name']),
        bill_address_id: text(bill?.['id']),
        ship_address_id: text(ship?.['id']),
        deleted: happened(payload['deleted_at']),
      },
    ],
  ])
  setAddresses(picture, bill, ship)
  return picture
}

function setAddresses(picture: Map<string, Fields>, ...addresses: (Payload | null)[]): void {
  for (const address of addresses)
    if (address)
      picture.set(`address:${address['id']}`, {
        firstname: text(address['firstname']),
        lastname: text(address['lastname']),
        address1: text(address['address1']),
        address2: text(address['address2']),
        city: text(address['city']),
        zipcode: text(address['zipcode']),
        phone: text(address['phone']),
      })
}

/** The words of all families; what the store's own lacks is not compared. */
function orderPicture(payload: Payload): Picture {
  const picture = new Map<string, Fields>()
  const bill = object(payload['bill_address'])
  const ship = object(payload['ship_address'])
  picture.set(`order:${payload['id']}`, {
    number: text(payload['number']),
    email: text(payload['email']),
    currency: text(payload['currency']),
    item_total: decimal(payload['item_total']),
    adjustment_total: decimal(payload['adjustment_total']),
    total: decimal(payload['total']),
    payment_total: decimal(payload['payment_total']),
    bill_address_id: text(bill?.['id']),
    ship_address_id: text(ship?.['id']),
    completed: happened(payload['completed_at']),
    state: text(payload['state']),
    payment_state: text(payload['payment_state']),
    shipment_state: text(payload['shipment_state']),
    ship_total: decimal(payload['ship_total']),
    special_instructions: text(payload['special_instructions']),
    user_id: text(payload['user_id']),
  })
  setAddresses(picture, bill, ship)
  for (const item of list(payload['line_items']))
    picture.set(`line_item:${item['id']}`, {
      variant_id: text(item['variant_id']),
      quantity: text(item['quantity']),
      price: decimal(item['price']),
    })
  for (const payment of list(payload['payments']))
    picture.set(`payment:${payment['id']}`, {
      amount: decimal(payment['amount']),
      state: text(payment['state']),
    })
  for (const adjustment of list(payload['adjustments']))
    picture.set(`adjustment:${adjustment['id']}`, {
      amount: decimal(adjustment['amount']),
      label: text(adjustment['label']),
    })
  for (const shipment of list(payload['shipments'])) {
    picture.set(`shipment:${shipment['id']}`, {
      number: text(shipment['number']),
      cost: decimal(shipment['cost']),
      state: text(shipment['state']),
      tracking: text(shipment['tracking']),
      shipped: happened(shipment['shipped_at']),
    })
    const tracking = text(shipment['tracking'])
    if (tracking !== null) picture.set(`tracking:${shipment['id']}`, { tracking })
    for (const unit of list(shipment['inventory_units']))
      picture.set(`unit:${unit['id']}`, {
        variant_id: text(unit['variant_id']),
        state: text(unit['state']),
        quantity: text(unit['quantity']),
      })
  }
  return picture
}

function list(value: unknown): readonly Payload[] {
  return Array.isArray(value)
    ? value.filter((item): item is Payload => typeof item === 'object' && item !== null)
    : []
}

function object(value: unknown): Payload | null {
  return typeof value === 'object' && value !== null ? (value as Payload) : null
}
