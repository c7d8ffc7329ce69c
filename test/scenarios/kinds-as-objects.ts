import type { Kind } from '../../src/messages/aggregate.ts'
import type { ToldObject } from './object-forms.ts'
import { type Version, WIRE } from './old-returns.ts'
import { isOldest } from './other-kinds.ts'

/** Something that is asked for by its kind and name, and the objects of it. */
type Asked = readonly [kind: Kind, name: string, objects: readonly ToldObject[]]

/** What is made and changed of the other kinds, each as the objects that say the same. */
export function objectsOf(version: Version): Asked[] {
  return [
    ...(isOldest(version) ? objectsOfOld : objectsOfNewer),
    ...(version === 'solidus-4' ? [] : [greta]),
    ['cart', '9001', [['carts', cartObject]]],
  ]
}

const chest = {
  sku: 'SC',
  price: 49.5,
  cost_price: 0,
  weight: '0.0',
  height: null,
  width: null,
  depth: null,
}
const compass = {
  sku: 'BC-01',
  price: 34.5,
  cost_price: 12,
  weight: '0.2',
  height: '8.0',
  width: '6.5',
  depth: '2.5',
}
const none = { meta_description: null, meta_keywords: null, options: [], images: [] }

const objectsOfOld: readonly Asked[] = [
  [
    'product',
    'SC',
    [
      [
        'products',
        {
          ...chest,
          ...none,
          id: 'SC',
          name: 'Sea Chest',
          description: 'Oak.',
          available_on: null,
          permalink: 'sea-chest',
          shipping_category: null,
          taxons: [],
          variants: [{ ...chest, options: {}, images: [] }],
        },
      ],
    ],
  ],
  ['stock', 'CC', [['inventories', { id: 304, location: 'default', product_id: 'CC', quantity: 5 }]]],
]

const objectsOfNewer: readonly Asked[] = [
  [
    'product',
    'BC-01',
    [
      [
        'products',
        {
          ...compass,
          ...none,
          id: 'BC-01',
          name: 'Brass Compass',
          description: null,
          available_on: '2026-03-01T00:00:00.000Z',
          permalink: 'brass-compass',
          shipping_category: 'Parcel',
          taxons: [['Categories', 'Hardware']],
          variants: [{ ...compass, options: {}, images: [] }],
        },
      ],
    ],
  ],
  [
    'stock',
    'BC-01',
    [
      ['inventories', { id: 306, location: 'Portland warehouse', product_id: 'BC-01', quantity: 42 }],
      ['inventories', { id: 314, location: 'Kiel depot', product_id: 'BC-01', quantity: 15 }],
    ],
  ],
]

const greta: Asked = [
  'customer',
  '9001',
  [
    [
      'customers',
      {
        id: '9001',
        firstname: null,
        lastname: null,
        email: 'holm@example.com',
        shipping_address: null,
        billing_address: null,
      },
    ],
  ],
]

const cartObject = {
  id: 'R900000001',
  status: 'cart',
  channel: 'spree',
  email: 'greta@example.com',
  currency: 'USD',
  placed_on: '',
  updated_at: WIRE,
  totals: { item: 0, adjustment: 0, tax: 0, shipping: 0, payment: 0, order: 0 },
  line_items: [],
  adjustments: [],
  shipping_address: null,
  billing_address: null,
  payments: [],
  shipments: [],
}
