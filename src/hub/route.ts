import { POLL } from '../messages/aggregate-of.ts'

/** What the router needs of an enabled mapping that subscribes to the message's type. */
export type Subscription = Readonly<{
  mappingId: string
  isStore: boolean
  retriesAllowed: boolean
  /** Whether all of the mapping's filters hold. */
  passes: boolean
}>

/** One copy, for one mapping. */
export type Copy = Readonly<{
  mappingId: string
  /** The copies with the same aggregate are delivered in order. */
  aggregate: string
  /**
   * Parked, it holds nothing back: its mapping forbids retries, and so that a message waits for another that failed; or it
   * is a poll, and the next one asks for the same.
   */
  standsAlone: boolean
}>

/** The `origin` of what a store's bridge pushes. */
export const ORIGIN_STORE = 'store'

/**
 * Who gets a message: every subscription whose filters hold, but for the store's own webhook where the store itself has
 * said it, or where it follows from what the store has said. Else a sale of two pieces would come back as another sale of two.
 */
export function copiesOf(
  message: Readonly<{ origin: string | null; aggregate: string }>,
  subscriptions: readonly Subscription[],
): Copy[] {
  return subscriptions
    .filter(({ isStore, passes }) => passes && !(isStore && message.origin === ORIGIN_STORE))
    .map(({ mappingId, retriesAllowed }) => ({
      mappingId,
      aggregate: `${mappingId}/${message.aggregate}`,
      standsAlone: !retriesAllowed || message.aggregate === POLL,
    }))
}
