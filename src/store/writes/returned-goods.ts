/** Goods that came back, as somebody outside the store tells of them. */
export type ReturnedGoods = Readonly<{
  /** The number of the authorization, where the parcel bears one. */
  rma: string | null
  /** The stock location that has them, by name. */
  location: string
  /** All of one order. */
  orderNumber: string
  items: readonly ReturnedItem[]
}>

export type ReturnedItem = Readonly<{
  sku: string
  /** How many pieces; at least one. */
  quantity: number
  /** Whether it goes back on the shelf. */
  resellable: boolean
}>

/** A return of the store that has been received. */
export type ReceivedReturn = Readonly<{
  id: string
  number: string
  /** What is left to people of the shop: to pay it back, or to decide about it; null where that is nothing. */
  open: 'reimburse' | 'decide' | null
  /** Of the reimbursement that waits, where the family has such. */
  reimbursement: string | null
}>
