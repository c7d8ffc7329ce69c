import { quoteName } from '../json-sql.ts'
import type { Store } from '../store.ts'
import { type StockedFamily, stockedFamily } from './written-family.ts'

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
  /** What option types and values are called on screen. */
  label: 'presentation' | 'label'
  /** Of a slug's history row. */
  slugScope: string | null
  /** Has each product a variant of its own that stands for it and has no options? */
  masters: boolean
  /** Of the columns that hold money. */
  moneyDecimals: number
}>

const spree4: Words = {
  stock: 'spree_stock_items',
  movedStock: 'stock_item_id',
  shipments: 'spree_shipments',
  units: 'spree_inventory_units',
  unitShipment: 'shipment_id',
  state: 'state',
  label: 'presentation',
  slugScope: null,
  masters: true,
  moneyDecimals: 2,
}

const words: Readonly<Record<StockedFamily, Words>> = {
  'spree-4.10': spree4,
  solidus: spree4,
  'spree-6.0': {
    stock: 'spree_stock_levels',
    movedStock: 'stock_level_id',
    shipments: 'spree_fulfillments',
    units: 'spree_fulfillment_items',
    unitShipment: 'fulfillment_id',
    state: 'status',
    label: 'label',
    slugScope: '',
    masters: false,
    moneyDecimals: 4,
  },
}

/** A store as the writes see it: its columns, its family's words, its tables by their full names. */
export type Shop = Words &
  Readonly<{
    family: StockedFamily
    columns: Store['columns']
    table(name: string): string
  }>

/** @throws NotApplicable where the family is not written. */
export function shopOf(store: Pick<Store, 'family' | 'columns'>): Shop {
  const schema = quoteName(store.columns.schema)
  const family = stockedFamily(store.family)
  return {
    ...words[family],
    family,
    columns: store.columns,
    table: (name) => `${schema}.${name}`,
  }
}
