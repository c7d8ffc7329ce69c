import type { ObjectType } from '../../src/messages/message.ts'
import type { Payload } from './told.ts'

/** An object as it leaves. */
export type ToldObject = readonly [type: ObjectType, object: Payload]

/** The steps of a day, each with the objects that it gives: by hand, from the protocol's serializers and the statements. */
export type ObjectDay = Readonly<Record<string, readonly ToldObject[]>>

/** Of a variant that nobody measured, its weight aside. */
const noSizes = { height: null, width: null, depth: null }
/** A product of which only the names and the price are said. */
export const bare = {
  description: null,
  cost_price: 0,
  available_on: null,
  meta_description: null,
  meta_keywords: null,
  taxons: [],
  weight: '0.0',
  ...noSizes,
  options: [],
  images: [],
}
/** A variant of which only its SKU and price are said. */
export const noExtras = { cost_price: 0, weight: '0.0', ...noSizes, images: [] }

/** Only of an order is it said what it is discounted by, taxed and shipped for, always in these words. */
export const adjusted = (discount: number, tax: number, shipping: number) => [
  { name: 'discount', value: discount },
  { name: 'tax', value: tax },
  { name: 'shipping', value: shipping },
]

/** Where the guest of the small shop has it sent. */
export const shipTo = {
  firstname: 'Ann',
  lastname: 'Guest',
  address1: '4 Quay Lane',
  address2: null,
  zipcode: '97201',
  city: 'Portland',
  state: 'OR',
  country: 'US',
  phone: '+1 503 555 0199',
  company: null,
}

/** The product of the small shop's day as it is made. */
export const deckShoe = {
  id: 'DS',
  name: 'Deck Shoe',
  sku: 'DS',
  description: 'Grips wet planks.',
  price: 58,
  cost_price: 0,
  available_on: null,
  permalink: 'deck-shoe',
  meta_description: null,
  meta_keywords: null,
  shipping_category: 'Parcel',
  taxons: [],
  weight: '0.0',
  ...noSizes,
  options: ['size'],
  images: [],
  variants: [
    { sku: 'DS-41', price: 60, cost_price: 0, weight: '0.0', ...noSizes, options: { Size: 'S' }, images: [] },
    {
      sku: 'DS-42',
      price: 62.5,
      cost_price: 0,
      weight: '0.0',
      ...noSizes,
      options: { Size: 'M' },
      images: [],
    },
  ],
}
