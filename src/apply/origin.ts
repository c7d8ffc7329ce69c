import type { Db } from '../postgres/pool.ts'
import { queryPrepared } from '../postgres/prepared.ts'

/** So long a hub repeats a message: what arrives now and does not tell when it was made, was made since then. */
const RETRY_HORIZON_MILLISECONDS = 7 * 24 * 60 * 60 * 1_000
/** The hub's clock may be this much ahead of the database's. */
const CLOCK_SKEW_MILLISECONDS = 60_000

/**
 * What every write of an inbound message carries in `bridge.origin`: `<ms since epoch when it was made>:<message id>`.
 * An ObjectId tells the second in which it was made; of any other id, and of one that claims the future, the earliest time
 * is taken: for the echo rule, too early is safe (the change is announced back once too often) and too late is not.
 */
export function originOf(messageId: string, arrivedAt: Date): string {
  return `${madeAt(messageId, arrivedAt)}:${messageId}`
}

/** Of messages that change the store together: that of the one that was made first. */
export function originOfGroup(messageIds: readonly string[], arrivedAt: Date): string {
  const made = messageIds.map((id) => madeAt(id, arrivedAt))
  const first = made.indexOf(Math.min(...made))
  return originOf(messageIds[first] ?? '', arrivedAt)
}

function madeAt(messageId: string, arrivedAt: Date): number {
  const arrived = arrivedAt.getTime()
  const made = objectIdTime(messageId)
  const isPlausible = made !== undefined && made <= arrived + CLOCK_SKEW_MILLISECONDS
  return isPlausible ? Math.min(made, arrived) : arrived - RETRY_HORIZON_MILLISECONDS
}

/** An ObjectId is 12 bytes in hexadecimal digits, of which the first four are the seconds since the epoch. */
function objectIdTime(id: string): number | undefined {
  const [, seconds] = /^([0-9a-f]{8})[0-9a-f]{16}$/i.exec(id) ?? []
  return seconds === undefined ? undefined : Number.parseInt(seconds, 16) * 1_000
}

/** For all that the transaction writes from now on. */
export async function setOrigin(db: Db, origin: string): Promise<void> {
  await queryPrepared(db, `select set_config('bridge.origin', $1, true)`, [origin])
}
