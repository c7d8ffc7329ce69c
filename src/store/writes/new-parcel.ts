import type { Amount } from '../../messages/amount.ts'
import type { ImportedAddress } from './imported-order.ts'

/** A parcel of a placed order, as somebody outside the store packed it. */
export type NewParcel = Readonly<{
  number: string
  orderNumber: string
  cost: Amount
  /** By their names. */
  stockLocation: string
  shippingMethod: string
  address: ImportedAddress
  /** By SKU. */
  pieces: ReadonlyMap<string, number>
  tracking: string | null
}>
