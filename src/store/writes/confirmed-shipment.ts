/** A shipment that has left, as somebody outside the store tells of it. */
export type ConfirmedShipment = Readonly<{
  number: string
  /** Null where the message does not say it. */
  orderNumber: string | null
  tracking: string | null
  trackingUrl: string | null
  carrier: string | null
  /** ISO 8601, UTC; null: now. */
  shippedAt: string | null
  /** What left, by SKU, where the message says how many; `areAll` where it says so of all that left. */
  pieces: Readonly<{ bySku: ReadonlyMap<string, number>; areAll: boolean }> | null
  serials: readonly Serials[]
}>

export type Serials = Readonly<{
  /** `external_ref` of the variant. */
  partNumber: string
  serialNumbers: readonly string[]
}>
