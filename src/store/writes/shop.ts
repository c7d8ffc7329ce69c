import type { FamilyName } from '../detect-family.ts'
import { quoteName } from '../json-sql.ts'
import type { Store } from '../store.ts'

/** The words in which the families differ for one who writes. */
type Words = Readonly<{
  stock: 'spree_stock_items' | 'spree_stock_levels'
  /** Of a movement, the stock row that it moved. */
  movedStock: 'stock_item_id' | 'stock_level_id'
  shipments: 'spree_shipments' | 'spree_fulfillments'
  /** Pieces of an order in a shipment: on hand, backordered, shipped. */
  units: 'spree_inventory_units' | 'spree_fulfillment_items'
  unitShipment: 'shipment_id' | 'fulfillment_id'
  /** Of a shipment and of a unit alike. */
  state: 'state' | 'status'
  /**
   * The shipments of an order whose backorder was filled, of which those with the filled units are touched anyway: `each`
   * is written anew with its time, those that `differ` are, or their state is and their time stays (`untimed`).
   */
  otherShipments: 'each' | 'differ' | 'untimed'
  /** What a product is called in addresses. */
  slug: 'slug' | 'permalink'
  /** Is the default tax category written into new products, or looked up where they have none? */
  writesDefaultTax: boolean
  /** What option types and values are called on screen. */
  label: 'presentation' | 'label'
  /** Of a slug's history row. */
  slugScope: string | null
  /** Has the address of a taxon a history, too? */
  recordsTaxons: boolean
  /** Has each product a variant of its own that stands for it and has no options? */
  masters: boolean
  /** Of the columns that hold money: digits after the point, and before it. */
  moneyDecimals: number
  moneyDigits: number
}>

const spree4: Words = {
  stock: 'spree_stock_items',
  movedStock: 'stock_item_id',
  shipments: 'spree_shipments',
  units: 'spree_inventory_units',
  unitShipment: 'shipment_id',
  state: 'state',
  otherShipments: 'each',
  slug: 'slug',
  writesDefaultTax: true,
  label: 'presentation',
  slugScope: null,
  recordsTaxons: true,
  masters: true,
  moneyDecimals: 2,
  moneyDigits: 8,
}

const spree3: Words = { ...spree4, writesDefaultTax: false, recordsTaxons: false }

const words: Readonly<Record<FamilyName, Words>> = {
  'spree-2.1': { ...spree3, otherShipments: 'untimed', slug: 'permalink', moneyDigits: 6 },
  'spree-2.4': spree3,
  'spree-3.6': spree3,
  'spree-4.10': spree4,
  'spree-4.7': spree4,
  solidus: { ...spree3, otherShipments: 'differ', recordsTaxons: true },
  'spree-6.0': {
    stock: 'spree_stock_levels',
    movedStock: 'stock_level_id',
    shipments: 'spree_fulfillments',
    units: 'spree_fulfillment_items',
    unitShipment: 'fulfillment_id',
    state: 'status',
    otherShipments: 'differ',
    slug: 'slug',
    writesDefaultTax: true,
    label: 'label',
    slugScope: '',
    recordsTaxons: false,
    masters: false,
    moneyDecimals: 4,
    moneyDigits: 15,
  },
}

/** A store as the writes see it: its columns, its family's words, its tables by their full names. */
export type Shop = Words &
  Readonly<{
    family: FamilyName
    columns: Store['columns']
    /** 5.0 and later, told by a column of orders. */
    isSpree5: boolean
    table(name: string): string
  }>

export function shopOf(store: Pick<Store, 'family' | 'columns'>): Shop {
  const schema = quoteName(store.columns.schema)
  const isSpree5 = store.columns.has('spree_orders', 'signup_for_an_account')
  return {
    family: store.family,
    columns: store.columns,
    isSpree5,
    table: (name) => `${schema}.${name}`,
    ...words[store.family],
    // From 5.0 on slugs are unique in a scope (`Product::Slugs`), which names nothing.
    ...(isSpree5 ? { slugScope: '' } : {}),
  }
}
