import type { MessageType } from '../messages/message.ts'
import { madeAt, type OutboxRow } from './outbox-row.ts'

/** What the queue knows of an aggregate's messages of one type. */
export type Told = Readonly<{ waiting: boolean; acknowledgedAt: Date | undefined }>

/** How far the clocks of the bridge's database and of the hub may be apart. */
const CLOCK_SKEW_MILLISECONDS = 5 * 60_000

/**
 * The echo rule: may the change behind `rows` stay untold, because the hub made it and knows it?
 *
 * Only if every row carries an origin, no message of these types waits or is in flight, and the last acknowledgement of
 * one is older than the making of each applied message. Without the second and third condition a price from the hub that
 * crosses a person's leaves store and hub apart for good. Telling once too often is always safe.
 */
export function isEcho(
  rows: readonly OutboxRow[],
  types: readonly MessageType[],
  told: (type: MessageType) => Told,
): boolean {
  let oldest = Number.POSITIVE_INFINITY
  for (const row of rows) {
    const made = row.origin === null ? undefined : madeAt(row.origin)
    if (made === undefined) return false
    oldest = Math.min(oldest, made.getTime())
  }
  return types.every((type) => {
    const { waiting, acknowledgedAt } = told(type)
    if (waiting) return false
    return acknowledgedAt === undefined || acknowledgedAt.getTime() < oldest - CLOCK_SKEW_MILLISECONDS
  })
}
