import type { Amount } from '../../messages/amount.ts'
import type { Place, SaidNames } from './imported-order.ts'

/** A parcel of a placed order, as somebody outside the store packed it. */
export type NewParcel = Readonly<{
  number: string
  orderNumber: string
  cost: Amount
  /** By their names. */
  stockLocation: string
  shippingMethod: string
  /** Of the order's customer, where it has no name. */
  address: Place & SaidNames
  /** By SKU. */
  pieces: ReadonlyMap<string, number>
  tracking: string | null
}>
