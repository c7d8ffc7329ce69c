import type { AggregateKind } from './aggregate.ts'
import type { MappingError } from './mapping-error.ts'
import type { MessageType, RawPayload } from './message.ts'

/** Kinds of which the whole state is announced whenever it changes, and nothing else of them. */
export type StateKindName = Exclude<AggregateKind, 'product' | 'order'>

/**
 * All that makes such a kind, besides where a store keeps it (`store/state-sources.ts`): whoever seeds, collects, compares
 * or lists goes by this.
 */
export type StateKind = Readonly<{
  kind: StateKindName
  /** What is announced first, and ever after. */
  types: Readonly<{ first: MessageType; later: MessageType }>
  /** A row's JSON, or the reason why it cannot be told. */
  read(id: string, json: string): Picture | MappingError
  /** What tells of a row that is gone, of which only the natural key is left; without it nothing is told. */
  removed?(naturalKey: string, at: Date): RawPayload
}>

/** One aggregate as it is to be told. */
export type Picture = Readonly<{
  payload: RawPayload
  /** What a digest is made of: the payload without what belongs to others. */
  content: RawPayload
  /** JSON text: the keys by which a hub knows it, needed when they have changed or the row is gone. Under `name` what people know it by, unless that is personal. */
  naturalKey: string
  deleted: boolean
  /** Keys that a payload has besides where the hub knows the aggregate by others. */
  formerKeys(known: string): RawPayload
}>
