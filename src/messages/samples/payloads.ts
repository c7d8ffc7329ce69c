import type { CustomerPayload } from '../schemas/customer-message.ts'
import type { ProductPayload } from '../schemas/product-message.ts'
import type { StockPayload } from '../schemas/stock-message.ts'

const portland = {
  firstname: 'Sven',
  lastname: 'Aker',
  address1: '4 Commercial Street',
  address2: '',
  zipcode: '04101',
  city: 'Portland',
  state: 'Maine',
  country: 'US',
  phone: '+1 207 555 0177',
}

const lantern = {
  name: 'Storm Lantern',
  sku: 'SL-7',
  external_ref: null,
  price: 45,
  variant_id: null,
  options: {},
}

/** An order of another channel, to be made one of the store: without the store's ids (protocol §6.1). */
export const importedOrder = {
  order: {
    number: 'QM-2026-04417',
    channel: 'Quayside Market',
    email: 'sven.aker@example.com',
    currency: 'USD',
    placed_on: '2026-03-11T09:15:00.000Z',
    updated_at: '2026-03-11T09:15:00.000Z',
    status: 'complete',
    totals: { item: 90, adjustment: 0, tax: 0, shipping: 6, payment: 96, order: 96 },
    line_items: [{ ...lantern, quantity: 2 }],
    adjustments: [],
    shipping_address: portland,
    billing_address: portland,
    payments: [{ status: 'completed', amount: 96, payment_method: 'Credit card' }],
    shipments: [
      {
        number: '',
        cost: 6,
        status: 'pending',
        stock_location: null,
        shipping_method: 'Ground',
        tracking: '',
        items: [{ ...lantern, quantity: 2 }],
      },
    ],
  },
}

export const newProduct: ProductPayload = {
  id: 1123,
  name: 'Tarred Twine',
  description: 'Fifty metres on a wooden reel.',
  price: '12.5',
  available_on: '2026-03-01T00:00:00.000Z',
  permalink: 'tarred-twine',
  meta_description: null,
  meta_keywords: null,
  sku: 'TT-50',
  currency: 'USD',
  updated_at: '2026-03-09T10:00:00.000Z',
  deleted_at: null,
  variants: [],
  options: [],
  taxons: [['Categories', 'Hardware']],
  properties: { material: 'Hemp' },
  images: [],
  translations: {},
}

export const changedProduct: ProductPayload = {
  id: 15,
  name: 'Storm Lantern',
  description: 'Burns 20 hours, in any wind.',
  price: '47.5',
  available_on: '2026-03-01T00:00:00.000Z',
  permalink: 'storm-lantern',
  meta_description: null,
  meta_keywords: null,
  sku: 'SL-7',
  currency: 'USD',
  updated_at: '2026-03-09T10:05:00.000Z',
  deleted_at: null,
  variants: [],
  options: [],
  taxons: [['Categories', 'Hardware']],
  properties: {},
  images: [
    {
      id: 7,
      url: null,
      position: 1,
      title: 'Storm Lantern, lit',
      type: 'original',
      dimensions: { height: 1600, width: 1200 },
      content_type: 'image/jpeg',
      file_name: 'lantern.jpg',
      key: 'yfc4u3w1oy2uf151t5umojtmoilr',
    },
  ],
  translations: {},
}

export const stockReceived: StockPayload = { sku: 'SL-7', quantity: 10 }

export const stockCounted: StockPayload = { sku: 'SL-7', quantity: 25 }

export const newUser: CustomerPayload = {
  id: 31,
  email: 'ida.holm@example.com',
  login: 'ida.holm@example.com',
  first_name: 'Ida',
  last_name: 'Holm',
  phone: null,
  created_at: '2026-03-09T14:01:00.000Z',
  updated_at: '2026-03-09T14:01:00.000Z',
  deleted_at: null,
  bill_address: null,
  ship_address: null,
}

export const changedUser: CustomerPayload = {
  ...newUser,
  email: 'ida.aker@example.com',
  login: 'ida.aker@example.com',
  last_name: 'Aker',
  updated_at: '2026-04-02T09:40:00.000Z',
  previous_email: 'ida.holm@example.com',
}
