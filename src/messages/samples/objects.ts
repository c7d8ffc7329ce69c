import type { ObjectType, RawPayload } from '../message.ts'
import type { OrderParts } from '../snapshots/object-parts.ts'
import { cartObject } from '../wombat/cart.ts'
import { orderObject } from '../wombat/order.ts'
import { shipmentObject } from '../wombat/shipment.ts'
import { cartBefore } from './cart.ts'
import { placedOrder, shippedOrder } from './order.ts'

const [shipped] = shippedOrder.shipments

/** What an object says of the order beyond `order:persist`. */
const parts: OrderParts = {
  promoTotal: null,
  paymentSources: shippedOrder.credit_cards.map(({ id }, index) => ({
    paymentId: String(shippedOrder.payments[index]?.id),
    type: 'Spree::CreditCard',
    id: String(id),
  })),
  promotions: [],
  shipmentTimes: [{ shipmentId: String(shipped?.id), updatedAt: shippedOrder.updated_at }],
  returnItems: [],
  reimbursements: [],
}

const lantern = {
  sku: 'SL-7',
  price: 47.5,
  cost_price: 19,
  weight: '1.1',
  height: null,
  width: null,
  depth: null,
  images: [
    {
      url: null,
      position: 1,
      title: 'Storm Lantern, lit',
      type: 'original',
      dimensions: { height: 1600, width: 1200 },
    },
  ],
}

/** One object of each kind as `HUB_DIALECT=wombat` pushes it, in a batch under its name (protocol §9.1, §9.5). */
export const objectSamples: Readonly<Record<ObjectType, RawPayload | undefined>> = {
  products: {
    ...lantern,
    id: 'SL-7',
    name: 'Storm Lantern',
    description: 'Burns 20 hours, in any wind.',
    available_on: '2026-03-01T00:00:00.000Z',
    permalink: 'storm-lantern',
    meta_description: null,
    meta_keywords: null,
    shipping_category: 'Parcel',
    taxons: [['Categories', 'Hardware']],
    options: [],
    variants: [{ ...lantern, options: {} }],
  },
  inventories: { id: 308, location: 'Portland warehouse', product_id: 'SL-7', quantity: 25 },
  orders: orderObject(shippedOrder, parts),
  shipments: shipped && shipmentObject(shipped, 'GROUND', shippedOrder, parts),
  customer_returns: {
    id: 'CR400000081',
    fully_reimbursed: false,
    stock_location: 'Portland warehouse',
    channel: 'spree',
    resolution_path: `/admin/orders/${shippedOrder.number}/customer_returns/81/edit`,
    return_items: [
      {
        id: 71,
        return_authorization_id: 'RA400000061',
        product_id: 'SL-7',
        exchange_product_id: null,
        reception_status: 'received',
        acceptance_status: 'accepted',
        pre_tax_amount: '45.0',
        included_tax_total: '0.0',
        additional_tax_total: '0.0',
        order_number: shippedOrder.number,
        created_at: '2026-03-20T08:30:00.000Z',
        reimbursed_at: null,
        reimbursed: false,
        store: 'harbour',
        resellable: true,
      },
    ],
    reimbursements: [],
  },
  customers: {
    id: '31',
    firstname: 'Ida',
    lastname: 'Holm',
    email: 'ida.holm@example.com',
    shipping_address: null,
    billing_address: null,
  },
  carts: cartObject({ cart: cartBefore(placedOrder) }),
}

const { products, inventories, orders, shipments, customers } = objectSamples
const address = {
  address1: '12 Quay Street',
  address2: null,
  zipcode: '97209',
  city: 'Portland',
  state: 'Oregon',
  country: 'US',
  phone: '503 555 0144',
}
/** What is taken in says less than what is told, or other things. */
const handled: ReadonlyMap<string, RawPayload | undefined> = new Map([
  ['inventory', inventories],
  ['price', { product_id: 'SL-7', price: 47.5, currency: 'USD' }],
  ['product', products],
  ['order', orders],
  ['shipment', shipments],
  ['customer', { ...customers, shipping_address: address, billing_address: address }],
  [
    'customer_return',
    {
      rma: 'RA400000061',
      stock_location: 'Portland warehouse',
      items: [{ sku: 'SL-7', quantity: 1, order_number: shippedOrder.number, resellable: true }],
    },
  ],
])

/** What a hub sends to `set_inventory`, `add_order`, … (protocol §9.4): the object, under its name. */
export function handlerSample(handler: string): RawPayload | undefined {
  const object = handler.replace(/^(add|set|update)_/, '')
  const sample = handled.get(object)
  return sample && { [object]: sample }
}
