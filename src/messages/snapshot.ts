import type { z } from 'zod'

import { type AggregateKind, aggregateKey } from './aggregate.ts'
import { MappingError } from './mapping-error.ts'
import { type OrderSnapshot, orderSnapshotSchema } from './snapshots/order-snapshot.ts'
import { type ProductSnapshot, productSnapshotSchema } from './snapshots/product-snapshot.ts'
import { type ReturnSnapshot, returnSnapshotSchema } from './snapshots/return-snapshot.ts'

export type { OrderSnapshot, ProductSnapshot, ReturnSnapshot }

/** Stock of one variant: the sum over its living items in all places. */
export type VariantStockSnapshot = Readonly<{
  variantId: string
  productId: string
  sku: string
  level: number
  /** Neither the variant nor its product is deleted. */
  living: boolean
  /** By the shop's clock, whose zone is not told; null where it keeps no such time. */
  createdAt: Date | null
  /** Place of each of the variant's stock items, deleted ones too: item id → location id. */
  locations: ReadonlyMap<string, string | null>
  /** The same sum by place: location id → level. */
  levels: ReadonlyMap<string, number>
}>

/** A row's JSON as a snapshot, or the reason why it is none: that one aggregate's matter alone. */
export function parseProduct(id: string, json: string): ProductSnapshot | MappingError {
  return parseSnapshot(productSnapshotSchema, 'product', id, json)
}

/** As `parseProduct`, for an order. */
export function parseOrder(id: string, json: string): OrderSnapshot | MappingError {
  return parseSnapshot(orderSnapshotSchema, 'order', id, json)
}

/** As `parseProduct`, for a return of an order. */
export function parseReturn(orderId: string, json: string): ReturnSnapshot | MappingError {
  return parseSnapshot(returnSnapshotSchema, 'order', orderId, json)
}

/** As `parseProduct`, for whatever a kind's snapshots are. */
export function parseSnapshot<T>(
  schema: z.ZodType<T>,
  kind: AggregateKind,
  id: string,
  json: string,
): T | MappingError {
  const { success, data, error } = schema.safeParse(JSON.parse(json))
  if (success) return data
  const [issue] = error.issues
  return new MappingError(
    aggregateKey(kind, id),
    issue?.path.join('.') ?? '',
    issue?.message ?? error.message,
  )
}
