import { randomInt } from 'node:crypto'

import { insertAdjustmentLines, insertAdjustments } from './import-adjustments.ts'
import { type DiscountsOn, paymentState, paymentStatus, type Totals } from './import-totals.ts'
import type { ImportedOrder } from './imported-order.ts'
import type { Row } from './insert-rows.ts'
import type { ImportFamily } from './written-family.ts'

/** The states of a placed order in the family's words. */
export type PlacedStates = Readonly<{
  order: string
  payment: string
  shipment: string
  /** In the order of the shipments. */
  shipments: readonly string[]
}>

type Ids = Readonly<{ orderId: string; shipmentId: string }>

/** All in which the families differ where an order is written, but for its addresses. */
export type ImportWords = Readonly<{
  customers: 'spree_users' | 'spree_customers'
  shipments: 'spree_shipments' | 'spree_fulfillments'
  shipmentId: 'shipment_id' | 'fulfillment_id'
  rates: 'spree_shipping_rates' | 'spree_delivery_rates'
  methods: 'spree_shipping_methods' | 'spree_delivery_methods'
  methodId: 'shipping_method_id' | 'delivery_method_id'
  units: 'spree_inventory_units' | 'spree_fulfillment_items'
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
  insertAdjustments: typeof insertAdjustments
  /** Whether each change of a state is a row of `spree_state_changes`. */
  logsStates: boolean
  /** Amounts are multiples of this: whole cents, or finer. */
  finestAmount: bigint
}>

export const importWords: Readonly<Record<ImportFamily, ImportWords>> = {
  'spree-4.10': {
    customers: 'spree_users',
    shipments: 'spree_shipments',
    shipmentId: 'shipment_id',
    rates: 'spree_shipping_rates',
    methods: 'spree_shipping_methods',
    methodId: 'shipping_method_id',
    units: 'spree_inventory_units',
    levels: 'spree_stock_items',
    levelId: 'stock_item_id',
    free: 'l.count_on_hand',
    taken: { column: 'count_on_hand', sign: -1 },
    movement: ({ shipmentId }) => ({ originator_type: 'Spree::Shipment', originator_id: shipmentId }),
    shipmentNumber: () => `H${randomCharacters('0123456789', 11)}`,
    paymentNumber: () => `P${randomCharacters('0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ', 7)}`,
    states(order, totals, isShort) {
      const payment = paymentState(order, totals)
      const isPaid = payment === 'paid' || payment === 'credit_owed'
      const shipments = isShort.map((short) => (isPaid && !short ? 'ready' : 'pending'))
      return {
        order: 'complete',
        payment,
        shipment: isShort.includes(true) ? 'backorder' : isPaid ? 'ready' : 'pending',
        shipments,
      }
    },
    discountsOn: 'order',
    insertAdjustments,
    logsStates: true,
    finestAmount: 100n,
  },
  'spree-6.0': {
    customers: 'spree_customers',
    shipments: 'spree_fulfillments',
    shipmentId: 'fulfillment_id',
    rates: 'spree_delivery_rates',
    methods: 'spree_delivery_methods',
    methodId: 'delivery_method_id',
    units: 'spree_fulfillment_items',
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
    insertAdjustments: insertAdjustmentLines,
    logsStates: false,
    finestAmount: 1n,
  },
}

function randomCharacters(alphabet: string, length: number): string {
  return Array.from({ length }, () => alphabet.charAt(randomInt(alphabet.length))).join('')
}
