import { readExpected } from '../expected/read-expected.ts'
import { objectsOf } from '../scenarios/kinds-as-objects.ts'
import { OBJECT_DAYS } from '../scenarios/object-days.ts'
import { toldOnOldDay } from '../scenarios/old-days.ts'
import { returnObjectOf, type Version } from '../scenarios/old-returns.ts'
import { orderLife } from '../scenarios/order-life.ts'
import { isOldest, levelOf, otherKinds, placesOf, steps } from '../scenarios/other-kinds.ts'
import { removals } from '../scenarios/removals.ts'
import { type DayStore, type Payload, readDay, readSteps, toldOnTheDay } from '../scenarios/told.ts'
import { wholeProduct, wordsOfOrder } from '../scenarios/whole-words.ts'
import type { AnyStore, OldStore, StoreFamily } from './stores.ts'

/** A message that a test compares with one that was written by hand; the payload, where that is written for this type alone. */
export type Shown = readonly [type: string, payload?: Payload]

/** A test, by its file and a title in it, and what it shows of each version's store. */
export type Proof = Readonly<{
  /** Below `test`. */
  file: string
  title: string
  shows: Readonly<Partial<Record<AnyStore, readonly Shown[]>>>
}>

const DAY_STORES = ['spree-4.10', 'spree-6.0', 'solidus-4'] as const
const FAMILIES = ['spree-4.10', 'spree-6.0'] as const
const OLD_STORES = ['spree-2.0', 'spree-2.4', 'spree-3.2', 'spree-4.7'] as const

const LINES = {
  address2: 'Hof',
  company: 'Ærø & Sohn',
  alternative_phone: '555-0182',
  state_name: 'Holstein',
}
const WORDS = {
  user_id: 2,
  special_instructions: 'Ring twice',
  bill_address: LINES,
  ship_address: LINES,
}

/** What is told, each from the very lists that the test compares with, where these are lists. */
export const PROOFS: readonly Proof[] = [
  {
    file: 'scenarios/day.test.ts',
    title: "describe.each(possible)('a day in a store of $family ($source)'",
    shows: each(DAY_STORES, (family) => {
      const store = { family, source: 'fixture' } as const
      const day = readSteps(store)
      return Object.keys(day).flatMap((step) => shown(toldOnTheDay(store, day, step)))
    }),
  },
  {
    file: 'scenarios/day.test.ts',
    title: "test.each(Object.keys(programs))('another program: %s'",
    shows: each(DAY_STORES, (family) =>
      ['other-programs', 'accounts', ...(family === 'solidus-4' ? [] : ['transfers'])].flatMap((name) =>
        Object.values(readDay<Record<string, [string, Payload][]>>(`${family}.${name}.json`)).flat(),
      ),
    ),
  },
  {
    file: 'scenarios/day.test.ts',
    title: "test('a return that changes alone is told by itself, with the order as it was'",
    shows: each(DAY_STORES, (family) => [
      ['return_authorization:updated'],
      ...(family === 'spree-6.0' ? [] : [['customer_return:updated'] as const]),
    ]),
  },
  {
    file: 'scenarios/day.test.ts',
    title: "test('stock:actual instead of stock:change, and to a hub that is not ours the sender’s name'",
    shows: each(FAMILIES, (family) => {
      const day = readDay(`${family}.actual.json`)
      const store = { family, source: 'fixture' } as const
      return Object.keys(day).flatMap((step) => shown(toldOnTheDay(store, day, step)))
    }),
  },
  {
    file: 'scenarios/old-stores.test.ts',
    title: "describe.each(possible)('a day in a store of $version ($source)'",
    shows: each(OLD_STORES, (version) => {
      const day = readDay(`${version}.json`)
      return Object.keys(day).flatMap((step) => shown(toldOnOldDay(version, day, step)))
    }),
  },
  {
    file: 'scenarios/families.test.ts',
    title: "describe.each(versions)('what the day of %s leaves out'",
    shows: each(Object.keys(steps) as Version[], (version) => [
      ...otherKinds(version).flatMap(({ tells }) => tells),
      ...(isOldest(version) ? wholeProduct(version).flatMap(({ tells }) => tells) : []),
      ['stock:actual', levelOf(version)],
      ...placesOf(version).map((payload) => ['stock:actual', payload] as const),
    ]),
  },
  {
    file: 'scenarios/families.test.ts',
    title: "'where orders are told in their generic form: $name'",
    shows: each(Object.keys(steps) as Version[], (version) =>
      (orderLife(version)?.steps ?? []).flatMap(({ tells }) => tells),
    ),
  },
  {
    file: 'scenarios/families.test.ts',
    title: 'const { name, statements, tells } = wordsOfOrder(version, life.last)',
    shows: each(Object.keys(steps) as Version[], (version) => {
      const life = orderLife(version)
      return life ? wordsOfOrder(version, life.last).tells : []
    }),
  },
  {
    file: 'scenarios/families.test.ts',
    title: "test.each(ends)('$name'",
    shows: each(Object.keys(steps) as Version[], (version) =>
      removals(version).flatMap(({ tells }) => tells),
    ),
  },
  {
    file: 'capture/carts.test.ts',
    title: "test('a cart is told as the raw order that it may become'",
    shows: each(['spree-2.4', ...FAMILIES], () => [['cart:new']]),
  },
  {
    file: 'capture/carts.test.ts',
    title: "test('so is each change of it, whatever it is in'",
    shows: {
      'spree-2.4': [
        ['cart:updated', { cart: readExpected('spree-2.4', 'fixture', 'order-R240000001', ['04-checkout']) }],
      ],
      'spree-4.10': [
        [
          'cart:updated',
          { cart: readExpected('spree-4.10', 'fixture', 'order-R310000001', ['04-checkout']) },
        ],
      ],
      'spree-6.0': [
        ['cart:updated', { cart: readExpected('spree-6.0', 'fixture', 'cart-47', ['filled', 'checkout']) }],
      ],
    },
  },
  {
    file: 'scenarios/generic-orders.test.ts',
    title: "describe.each(possible)('a store of $family ($source) that tells generic orders'",
    shows: each(['spree-2.4', ...DAY_STORES], (family) =>
      Object.values(readDay<{ told: Record<string, string[]> }>(`${family}.generic.json`).told)
        .flat()
        .map((line) => [line.split(' ')[0] ?? ''] as const),
    ),
  },
  {
    file: 'store/store.test.ts',
    title: "test('tells a product as written by hand'",
    shows: each(FAMILIES, (family) => [['product:update', readExpected(family, 'fixture', 'product-11')]]),
  },
  {
    file: 'store/store.test.ts',
    title: "test('tells a backordered order as written by hand'",
    shows: {
      'spree-4.10': [['order:persist', readExpected('spree-4.10', 'fixture', 'order-R204817354')]],
      'spree-6.0': [['order:persist', readExpected('spree-6.0', 'fixture', 'order-R1044')]],
    },
  },
  {
    file: 'store/store.test.ts',
    title: "test('tells what its buyer says besides, and every line of an address'",
    shows: each(FAMILIES, () => [['order:persist', WORDS]]),
  },
  {
    file: 'store/store.test.ts',
    title:
      "test('tells what the same shop on Spree tells, but pieces for quantities, its cartons, and nothing ineligible'",
    shows: {
      'solidus-4': [
        ['product:update', { ...readExpected('spree-4.10', 'fixture', 'product-11'), status: null }],
        [
          'order:persist',
          { credit_cards: readExpected('spree-4.10', 'fixture', 'order-R204817354')['credit_cards'] },
        ],
      ],
    },
  },
  {
    file: 'scenarios/old-stores.test.ts',
    title: "test('tell the same as 4.10, though the names live in translations'",
    shows: {
      'spree-4.7': [
        ['product:update', readExpected('spree-4.10', 'fixture', 'product-11')],
        ['order:persist', readExpected('spree-4.10', 'fixture', 'order-R204817354')],
      ],
    },
  },
  {
    file: 'capture/product-content.test.ts',
    title:
      "test('says its images and those of its variants, with what is known of their files when it is known'",
    shows: each(FAMILIES, () => [
      [
        'product:update',
        { images: [{ id: 7, dimensions: { height: 480 }, file_name: 'compass.png', key: 'k1' }] },
      ],
    ]),
  },
  {
    file: 'capture/product-content.test.ts',
    title: "test('says how large and heavy each variant is, and what it cost'",
    shows: each(FAMILIES, () => [
      ['product:update', { variants: [{ height: '60.0', width: '45.5', depth: '8.25' }] }],
    ]),
  },
  {
    file: 'capture/product-content.test.ts',
    title: "test('says where a product is filed, by names from the root down'",
    shows: each(FAMILIES, () => [['product:update', { taxons: [['Hardware']] }]]),
  },
  {
    file: 'capture/product-content.test.ts',
    title: "test('says its properties, or the fields of the shop’s own making, by their names'",
    shows: each(FAMILIES, () => [['product:update', { properties: { material: 'Brass' } }]]),
  },
  {
    file: 'capture/product-content.test.ts',
    title: "test('says what is written of it in other languages'",
    shows: each(FAMILIES, () => [['product:update', { translations: { de: {} } }]]),
  },
  {
    file: 'capture/stock-by-location.test.ts',
    title: "test('is told with its name; what is moved between two is told of both'",
    shows: { 'spree-4.10': [['stock:change', { stock_location: 'Kiel depot' }]] },
  },
]

/** The same of the objects of `HUB_DIALECT=wombat`. */
export const OBJECT_PROOFS: readonly Proof[] = [
  {
    file: 'scenarios/objects.test.ts',
    title: "'a cart and a customer of %s, in the forms of the hub'",
    shows: each(FAMILIES, () => [['carts'], ['customers']]),
  },
  {
    file: 'scenarios/objects.test.ts',
    title: "describe('a store of 4.10 is told as objects'",
    shows: {
      'spree-4.10': [
        ['products'],
        ['inventories'],
        ['orders'],
        ['shipments'],
        ['customer_returns'],
        ['customers'],
      ],
    },
  },
  {
    file: 'scenarios/objects.test.ts',
    title: "'a day in a store of $family ($source) is told as objects'",
    shows: Object.fromEntries(
      OBJECT_DAYS.filter(({ source }) => source === 'fixture').map(({ family, day }) => [
        family,
        Object.values(day).flat(),
      ]),
    ),
  },
  {
    file: 'scenarios/families.test.ts',
    title: "test.each(objectsOf(version))('%s %s, as objects'",
    shows: each(Object.keys(steps) as Version[], (version) =>
      objectsOf(version).flatMap(([, , objects]) => objects),
    ),
  },
  {
    file: 'scenarios/families.test.ts',
    title: "test('the order and its shipment, as objects'",
    shows: each(Object.keys(steps) as Version[], (version) => orderLife(version)?.objects ?? []),
  },
  {
    file: 'scenarios/families.test.ts',
    title: "test('what came back, as an object'",
    shows: each(Object.keys(steps) as Version[], (version) =>
      returnObjectOf(version) ? [['customer_returns']] : [],
    ),
  },
]

function each<Store extends DayStore | OldStore | StoreFamily>(
  stores: readonly Store[],
  of: (store: Store) => readonly Shown[],
): Partial<Record<AnyStore, readonly Shown[]>> {
  return Object.fromEntries(stores.map((store) => [store, of(store)]))
}

function shown(told: readonly Readonly<{ type: string; payload: Payload }>[]): Shown[] {
  return told.map(({ type, payload }) => [type, payload])
}
