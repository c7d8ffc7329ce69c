import type { z } from 'zod'

import type { Shape } from '../messages/shaping/shape.ts'
import type { Db } from '../postgres/pool.ts'
import type { Store } from '../store/store.ts'
import type { Moved, StockMove } from '../store/writes/stock-move.ts'

/** Thrown by the store's own writes too, which know best why a store cannot take something. */
export { NotApplicable } from '../store/writes/not-applicable.ts'

/** The hub's language: messages (protocol §3), or objects for handlers (§9). */
export type DialectName = 'seed' | 'wombat'

/** One inbound message, as the hub's form brings it (protocol §3.1, §9.2). */
export type Inbound<Payload> = Readonly<{
  /** The type in colon notation, `stock:change`, or the name of the handler, `set_inventory`. */
  message: string
  messageId: string
  payload: Payload
  /** By name, as delivered: prefixed (`spree.force_quantity`) or not. */
  parameters: ReadonlyMap<string, unknown>
}>

/** For people (protocol §3.5); `error` ones go with a failure. To a Wombat hub their descriptions are the summary. */
export type Notification = Readonly<{
  level: 'info' | 'warn' | 'error'
  subject: string
  description: string
}>

/** What the application of a message answers: 200, with these keys beside the id. */
export type Applied = Readonly<{
  notifications: readonly Notification[]
  /** Any other keys of the answer: `sku`, `quantity`, `from`, `to`, `order`. */
  details: Readonly<Record<string, unknown>>
}>

/** Of a level as of a time: how many pieces moved `since`; or the time of a `newer` one, for which it was left out. */
export type StockMoved = Moved & Readonly<{ since?: number | undefined; newer?: string | undefined }>

/** A move of stock, and what is answered once it is made. */
export type StockChange = Readonly<{
  move: StockMove
  /** ISO time in UTC at which the level was so; undefined: it is of now. */
  asOf?: string | undefined
  told(moved: StockMoved): Applied
}>

/** How one type of message changes the store. */
export type Handler<Payload> = Readonly<{
  message: string
  /** The seed's where it says nothing. */
  dialect?: DialectName
  /** One sentence for `endpoint.json`. */
  description: string
  /** Of the payload, `parameters` taken away; both forms that the protocol knows, where there are two. */
  schema: z.ZodType<Payload>
  /**
   * Applies it inside the caller's transaction, in which every write of the store carries the message's origin.
   * @param shape How the operator shapes what leaves the store, for those that answer with its objects.
   * @throws NotApplicable where this store cannot take it; everything is then rolled back.
   */
  apply(db: Db, store: Store, inbound: Inbound<Payload>, shape?: Shape): Promise<Applied>
  /**
   * Of those that come down to one move of stock: which, so that many are made in one transaction.
   * @throws NotApplicable as `apply`.
   */
  stockChange?(inbound: Inbound<Payload>): StockChange
}>
