import { randomInt } from 'node:crypto'

import type { Amount } from '../../messages/amount.ts'
import type { Store } from '../store.ts'
import { insertAdjustmentLines, insertAdjustments } from './import-adjustments.ts'
import { insertCharges } from './import-charges.ts'
import { type DiscountsOn, paymentState, paymentStatus, type Totals } from './import-totals.ts'
import type { ImportedOrder } from './imported-order.ts'
import type { Row } from './insert-rows.ts'
import { worthlessPayments } from './worthless-payments.ts'

/** The states of a placed order in the family's words. */
export type PlacedStates = Readonly<{
  order: string
  payment: string
  shipment: string
  /** In the order of the shipments. */
  shipments: readonly string[]
}>

type Ids = Readonly<{ orderId: string; shipmentId: string }>

/** All in which the families differ where an order is written, but for its addresses and the columns that they lack. */
export type ImportWords = Readonly<{
  shipments: 'spree_shipments' | 'spree_fulfillments'
  shipmentId: 'shipment_id' | 'fulfillment_id'
  rates: 'spree_shipping_rates' | 'spree_delivery_rates'
  methods: 'spree_shipping_methods' | 'spree_delivery_methods'
  methodId: 'shipping_method_id' | 'delivery_method_id'
  units: 'spree_inventory_units' | 'spree_fulfillment_items'
  /** Whether an index of the store lets a number be of one order only. */
  numbersAreUnique: boolean
  /** Whether a unit is one piece, or as many as it says. */
  unitsArePieces: boolean
  levels: 'spree_stock_items' | 'spree_stock_levels'
  levelId: 'stock_item_id' | 'stock_level_id'
  /** What of a level `l` has been promised to nobody yet. */
  free: string
  /** The column that a placed order changes, and by what for n pieces: what is promised is taken at once, or allotted. */
  taken: Readonly<{ column: 'count_on_hand' | 'allocated_count'; sign: 1 | -1 }>
  movement(ids: Ids): Row
  /** Numbers of a new shipment and payment; null where Spree shows one made of the order's and their place in it. */
  shipmentNumber(): string | null
  paymentNumber(): string | null
  /** `isShort` tells, in the order of the shipments, which of them owe a piece. */
  states(order: ImportedOrder, totals: Totals, isShort: readonly boolean[]): PlacedStates
  discountsOn: DiscountsOn
  /** What of the totals the order's `adjustment_total` sums up. */
  adjustmentTotal(totals: Totals): Amount
  /** Whether shipments say what they cost. */
  shipmentsCost: boolean
  insertAdjustments: typeof insertAdjustments
  /** Whether the store counts the taxes of an order anew at each of its updates, also of one that is placed. */
  retaxes: boolean
  /** Whether each change of a state is a row of `spree_state_changes`. */
  logsStates: boolean
  /** Amounts are multiples of this: whole cents, or finer. */
  finestAmount: bigint
}>

/** By family where the code differs, by columns where the tables do. */
export function importWords(store: Pick<Store, 'family' | 'columns'>): ImportWords {
  const { family, columns } = store
  if (family === 'spree-6.0') return spree6
  const worthless = worthlessPayments(store)
  return {
    ...spree2,
    states: (order, totals, isShort) => placedStates(paymentState(order, totals, worthless), isShort),
    ...(columns.has('spree_orders', 'shipment_total') ? {} : chargesOnOrder),
    unitsArePieces: !columns.has('spree_inventory_units', 'quantity'),
    // Spree has both since 3.3, Solidus neither.
    numbersAreUnique: columns.has('spree_inventory_units', 'quantity'),
    retaxes: family === 'solidus',
    paymentNumber:
      family === 'solidus' || !columns.has('spree_payments', 'number') ? identifier : spree2.paymentNumber,
  }
}

const LETTERS = 'ABCDEFGHJKLMNPQRSTUVWXYZ'
const DIGITS = '0123456789'

/** As Spree named payments until 2.4, and Solidus does. */
function identifier(): string {
  return randomCharacters(`${LETTERS}23456789`, 8)
}

/** Spree from 2.2 to 5.x, and Solidus. */
const spree2: Omit<ImportWords, 'states'> = {
  shipments: 'spree_shipments',
  shipmentId: 'shipment_id',
  rates: 'spree_shipping_rates',
  methods: 'spree_shipping_methods',
  methodId: 'shipping_method_id',
  units: 'spree_inventory_units',
  unitsArePieces: false,
  numbersAreUnique: true,
  levels: 'spree_stock_items',
  levelId: 'stock_item_id',
  free: 'l.count_on_hand',
  taken: { column: 'count_on_hand', sign: -1 },
  movement: ({ shipmentId }) => ({ originator_type: 'Spree::Shipment', originator_id: shipmentId }),
  shipmentNumber: () => `H${randomCharacters(DIGITS, 11)}`,
  paymentNumber: () => `P${randomCharacters(`${DIGITS}ABCDEFGHIJKLMNOPQRSTUVWXYZ`, 7)}`,
  discountsOn: 'order',
  adjustmentTotal: ({ additionalTax, discount, fee }) => additionalTax + discount + fee,
  shipmentsCost: true,
  insertAdjustments,
  retaxes: false,
  logsStates: true,
  finestAmount: 100n,
}

function placedStates(payment: string, isShort: readonly boolean[]): PlacedStates {
  const isPaid = payment === 'paid' || payment === 'credit_owed'
  return {
    order: 'complete',
    payment,
    shipment: isShort.includes(true) ? 'backorder' : isPaid ? 'ready' : 'pending',
    shipments: isShort.map((short) => (isPaid && !short ? 'ready' : 'pending')),
  }
}

/** Before 2.2 all that is charged besides the goods is an adjustment of the order. */
const chargesOnOrder: Partial<ImportWords> = {
  adjustmentTotal: (totals) => spree2.adjustmentTotal(totals) + totals.shipping,
  shipmentsCost: false,
  insertAdjustments: insertCharges,
}

const spree6: ImportWords = {
  shipments: 'spree_fulfillments',
  shipmentId: 'fulfillment_id',
  rates: 'spree_delivery_rates',
  methods: 'spree_delivery_methods',
  methodId: 'delivery_method_id',
  units: 'spree_fulfillment_items',
  unitsArePieces: false,
  numbersAreUnique: true,
  levels: 'spree_stock_levels',
  levelId: 'stock_level_id',
  free: 'l.count_on_hand - l.allocated_count - l.reserved_count',
  taken: { column: 'allocated_count', sign: 1 },
  movement: ({ orderId, shipmentId }) => ({
    kind: 'allocated',
    order_id: orderId,
    fulfillment_id: shipmentId,
  }),
  shipmentNumber: () => null,
  paymentNumber: () => null,
  states: (order, totals, isShort) => ({
    order: 'placed',
    payment: paymentStatus(order, totals),
    shipment: isShort.includes(true) ? 'backorder' : 'unfulfilled',
    shipments: isShort.map(() => 'unfulfilled'),
  }),
  discountsOn: 'lines',
  adjustmentTotal: ({ additionalTax, discount }) => additionalTax + discount,
  shipmentsCost: true,
  insertAdjustments: insertAdjustmentLines,
  retaxes: false,
  logsStates: false,
  finestAmount: 1n,
}

function randomCharacters(alphabet: string, length: number): string {
  return Array.from({ length }, () => alphabet.charAt(randomInt(alphabet.length))).join('')
}
