import type { Db } from '../postgres/pool.ts'

/** So long a hub repeats a message: what arrives now and does not tell when it was made, was made since then. */
const RETRY_HORIZON_MILLISECONDS = 7 * 24 * 60 * 60 * 1_000
/** The hub's clock may be this much ahead of the database's. */
export const CLOCK_SKEW_MILLISECONDS = 60_000

/** What a message says of stock: so many more or fewer, or that a level is so: now, or as of an earlier time. */
type Says = '+' | '=' | '@'

const SAYS: ReadonlyMap<string, Says> = new Map([
  ['stock:change', '+'],
  ['stock:actual', '='],
  ['set_inventory', '='],
])

/**
 * What every write of an inbound message carries in `bridge.origin`: `<ms since epoch when it was made>:<message id>`; of
 * those that speak of stock, before the colon, what they say. A level as of an earlier time is made up of later movements by it.
 * An ObjectId tells the second in which it was made; of any other id, and of one that claims the future, the earliest time
 * is taken: for the echo rule, too early is safe (the change is announced back once too often) and too late is not.
 */
export function originOf(messageId: string, arrivedAt: Date, message: string): string {
  const arrived = arrivedAt.getTime()
  const made = objectIdTime(messageId)
  const isPlausible = made !== undefined && made <= arrived + CLOCK_SKEW_MILLISECONDS
  const time = isPlausible ? Math.min(made, arrived) : arrived - RETRY_HORIZON_MILLISECONDS
  return `${time}${SAYS.get(message) ?? ''}:${messageId}`
}

/** For what is written from now on, where the message says something else of stock than its type does. */
export async function saysInstead(db: Db, says: '=' | '@'): Promise<void> {
  await db.query(
    `select set_config('bridge.origin', regexp_replace(current_setting('bridge.origin', true), '^(\\d+)[+=@]?:', '\\1' || $1 || ':'), true)`,
    [says],
  )
}

/** What an origin tells: without `says` the shop's own act, done for a hub; without `madeAt` the message did not tell. */
export function readOrigin(origin: string): Readonly<{ says: string; madeAt: number | undefined }> {
  const [, time, says = '', id = ''] = /^(\d{1,15})([+=@]?):(.*)$/s.exec(origin) ?? []
  const made = objectIdTime(id)
  const isTold = made !== undefined && Math.abs(made - Number(time)) <= CLOCK_SKEW_MILLISECONDS
  return { says, madeAt: isTold ? made : undefined }
}

/** An ObjectId is 12 bytes in hexadecimal digits, of which the first four are the seconds since the epoch. */
function objectIdTime(id: string): number | undefined {
  const [, seconds] = /^([0-9a-f]{8})[0-9a-f]{16}$/i.exec(id) ?? []
  return seconds === undefined ? undefined : Number.parseInt(seconds, 16) * 1_000
}
