import type { OrderSnapshot } from './snapshot.ts'
import { compareDecimals } from './wire.ts'

type Shipment = OrderSnapshot['shipments'][number]

export type OrderStates = Readonly<{
  state: string | null
  paymentState: string | null
  shipmentState: string | null
  /** In the order of the snapshot's shipments. */
  shipments: readonly (string | null)[]
}>

/** The states in the old words: as stored, or told from the newer words. A word that neither knows stays as it is. */
export function orderStates(order: OrderSnapshot): OrderStates {
  const { statuses } = order
  if (statuses === null) {
    const { state, paymentState, shipmentState } = order
    return {
      state,
      paymentState,
      shipmentState,
      shipments: order.shipments.map((shipment) => shipment.state),
    }
  }
  const paymentState = paymentStateOf(order, statuses.payment)
  const isPaid = paymentState === 'paid' || paymentState === 'credit_owed'
  const shipments = order.shipments.map((shipment) => shipmentStateOf(shipment, isPaid))
  return {
    state: statuses.order === 'placed' ? 'complete' : statuses.order,
    paymentState,
    shipmentState: overallShipmentState(statuses.fulfillment, shipments),
    shipments,
  }
}

/** A cart has none yet, as on older stores. */
function paymentStateOf(order: OrderSnapshot, status: string | null): string | null {
  if (order.completedAt === null) return null
  return status === 'voided' ? 'void' : balance(order)
}

function balance({ paymentTotal, total }: OrderSnapshot): string {
  const difference = compareDecimals(paymentTotal, total)
  if (difference === 0) return 'paid'
  return difference < 0 ? 'balance_due' : 'credit_owed'
}

function shipmentStateOf({ status }: Shipment, isPaid: boolean): string {
  switch (status) {
    case 'fulfilled':
    case 'delivered':
      return 'shipped'
    case 'canceled':
      return 'canceled'
    default:
      return isPaid ? 'ready' : 'pending'
  }
}

function overallShipmentState(status: string | null, shipments: readonly (string | null)[]): string | null {
  switch (status) {
    case 'backorder':
    case 'backordered':
      return 'backorder'
    case 'fulfilled':
    case 'delivered':
      return 'shipped'
    case 'unfulfilled':
      return shipments.length > 0 && shipments.every((state) => state === 'ready') ? 'ready' : 'pending'
    default:
      return status
  }
}
