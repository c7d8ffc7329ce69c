import type { Amount } from '../../messages/amount.ts'

/** An order from elsewhere, in the words of all families, its sums checked and its pieces shared out to shipments. */
export type ImportedOrder = Readonly<{
  number: string
  channel: string
  email: string
  currency: string
  /** ISO 8601 in UTC. */
  placedAt: string
  shippingAddress: ImportedAddress
  billingAddress: ImportedAddress
  lines: readonly ImportedLine[]
  taxes: readonly ImportedTax[]
  /** Below zero; what each line bears, in the order of the lines. */
  discounts: readonly Readonly<ImportedAdjustment & { shares: readonly Amount[] }>[]
  /** Above zero. */
  fees: readonly ImportedAdjustment[]
  shipments: readonly ImportedShipment[]
  /** Else how it is parcelled is the store's to say, and here there is one shipment of all. */
  namesShipments: boolean
  payments: readonly ImportedPayment[]
}>

/** Of an order what its shipments are written from. */
export type ImportedParcels = Pick<ImportedOrder, 'number' | 'shipments' | 'namesShipments' | 'taxes'>

export type ImportedLine = Readonly<{ sku: string; quantity: number; price: Amount }>

export type ImportedAdjustment = Readonly<{ label: string; amount: Amount }>

/** In the prices or on top of them; what each line and each shipment bears, in their order. */
export type ImportedTax = Readonly<
  ImportedAdjustment & {
    included: boolean
    shares: readonly Amount[]
    shipmentShares: readonly Amount[]
    /** The store's own rate that it comes from; null for a tax that the order says. */
    rateId: string | null
  }
>

export type ImportedShipment = Readonly<{
  number: string | null
  cost: Amount
  stockLocation: string | null
  shippingMethod: string | null
  tracking: string | null
  /** `line` is a place in the order's lines. */
  items: readonly Readonly<{ line: number; quantity: number }>[]
}>

export type ImportedPayment = Readonly<{ amount: Amount; method: string; state: PaymentState }>

export type PaymentState = 'checkout' | 'processing' | 'pending' | 'completed' | 'failed' | 'void' | 'invalid'

/** Whose an address is, as far as it is said. */
export type SaidNames = Readonly<{ firstname: string | null; lastname: string | null }>

/** A place to which something goes, without a name. */
export type Place = Omit<ImportedAddress, keyof SaidNames>

export type ImportedAddress = Readonly<{
  firstname: string
  lastname: string
  company: string | null
  address1: string
  address2: string | null
  city: string
  zipcode: string | null
  phone: string | null
  /** Name or abbreviation. */
  state: string | null
  /** ISO 3166, two capitals. */
  country: string
}>
