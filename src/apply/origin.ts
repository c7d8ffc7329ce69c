import type { Db } from '../postgres/pool.ts'
import { queryPrepared } from '../postgres/prepared.ts'

/** So long a hub repeats a message: what arrives now and does not tell when it was made, was made since then. */
const RETRY_HORIZON_MILLISECONDS = 7 * 24 * 60 * 60 * 1_000
/** The hub's clock may be this much ahead of the database's. */
export const CLOCK_SKEW_MILLISECONDS = 60_000

/**
 * What every write of an inbound message carries in `bridge.origin`: `<ms since epoch when it was made>:<message id>`.
 * An ObjectId tells the second in which it was made; of any other id, and of one that claims the future, the earliest time
 * is taken: for the echo rule, too early is safe (the change is announced back once too often) and too late is not.
 */
export function originOf(messageId: string, arrivedAt: Date): string {
  return `${madeAt(messageId, arrivedAt)}:${messageId}`
}

/** What a message says of stock: so many more or fewer, or that a level is so: now, or as of an earlier time. */
export type Says = '+' | '=' | '@'

/**
 * Of messages that change the stock together: that of the one that was made first. Behind what they say of stock, for those
 * who make up a level of an earlier time (`set-level.ts`), the time in which all of them were made.
 */
export function originOfGroup(messageIds: readonly string[], arrivedAt: Date, says: '+' | '='): string {
  const made = messageIds.map((id) => madeAt(id, arrivedAt))
  const first = made.indexOf(Math.min(...made))
  const told = messageIds.map((id) => toldTime(id, arrivedAt) ?? arrivedAt.getTime())
  return `${made[first]}${says}${Math.min(...told)}-${Math.max(...told)}:${messageIds[first]}`
}

/** Of a message by itself: has the origin of what is written from now on say so, before its colon. */
export async function sayOfStock(db: Db, says: Says): Promise<void> {
  await db.query(
    `select set_config('bridge.origin', regexp_replace(current_setting('bridge.origin', true), '^(\\d+):', '\\1' || $1 || ':'), true)`,
    [says],
  )
}

/**
 * What an origin says of stock, and between which times the messages behind it were made; without them nobody knows, and
 * they count by arrival. One that says nothing of stock is of an act of the shop's, which a hub asked it for.
 */
export function readOrigin(
  origin: string,
): Readonly<{ says: string; made: Readonly<{ first: number; last: number }> | undefined }> {
  const [, time, says = '', first, last, id = ''] =
    /^(\d{1,15})([+=@]?)(?:(\d{1,15})-(\d{1,15}))?:(.*)$/s.exec(origin) ?? []
  if (first !== undefined) return { says, made: { first: Number(first), last: Number(last) } }
  const made = toldTime(id, new Date(Number(time)))
  return { says, made: made === undefined ? undefined : { first: made, last: made } }
}

function madeAt(messageId: string, arrivedAt: Date): number {
  return toldTime(messageId, arrivedAt) ?? arrivedAt.getTime() - RETRY_HORIZON_MILLISECONDS
}

/** Undefined where the id does not tell when the message was made, or claims the future. */
function toldTime(messageId: string, arrivedAt: Date): number | undefined {
  const arrived = arrivedAt.getTime()
  const made = objectIdTime(messageId)
  return made === undefined || made > arrived + CLOCK_SKEW_MILLISECONDS ? undefined : Math.min(made, arrived)
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
