/** The types that the bridge announces. */
export type MessageType = 'product:new' | 'product:update' | 'stock:change' | 'stock:actual' | 'order:persist'

export type Message = Readonly<{ type: MessageType; payload: Record<string, unknown> }>

/**
 * True for messages that tell a state: a later one of the same type and aggregate says all that an earlier one did.
 * The others must arrive, each of them: a level too, because one aggregate holds the levels of several SKUs, and the
 * product that has another SKU now, because what comes after it no longer says which it had.
 */
export function isStateLike({ type, payload }: Message): boolean {
  return type === 'product:update' && !('previous_sku' in payload)
}

/** A payload as JSON brought it, in the pusher's own words. */
export type RawPayload = Readonly<Record<string, unknown>>
