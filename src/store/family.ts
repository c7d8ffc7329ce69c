import type { AggregateKind } from '../messages/aggregate.ts'
import type { Carts } from './carts.ts'
import type { FamilyName } from './detect-family.ts'
import type { ReturnSource } from './order-returns.ts'
import type { StateSources } from './state-sources.ts'
import type { OwnerKind, WatchedTable } from './watched.ts'

/** How the owners of one kind lead to aggregates. */
export type OwnerLookup = Readonly<{
  kind: AggregateKind
  /** The owners' own table, if it is watched: a deleted owner's row still names its aggregate. */
  table: string | null
  /** Rows (key, root) for the keys in $1; with a third column `kind` where not all roots are of the kind above. */
  sql: string
}>

/** All in which the families differ: what is watched, and how it is read. Keys of the statements are arrays in $1. */
export type Family = Readonly<{
  name: FamilyName
  /** Null where carts are not told. */
  carts: Carts | null
  watched: readonly WatchedTable[]
  owners: Readonly<Record<Exclude<OwnerKind, 'root'>, OwnerLookup>>
  /** Rows (id, snapshot as JSON text), in the vocabulary of the snapshots. */
  products: string
  orders: string
  /** Rows of stock by variant id and by product id. */
  stock: string
  stockOfProducts: string
  /** Null where returns are not read. */
  returns: ReturnSource | null
  /** What is announced as one state each. */
  states: StateSources
}>
