import type { QueuedMessage } from './message.ts'

const FIRST_BACK_OFF_SECONDS = 1
const LONGEST_BACK_OFF_SECONDS = 600
export const AGE_LIMIT_SECONDS = 7 * 24 * 3_600

/**
 * Seconds until the next attempt after `attempts` failed ones: doubling from one second to ten minutes, drawn evenly
 * between nothing and that (full jitter), but not sooner than the receiver asked.
 */
export function backOffSeconds(attempts: number, random: number, afterSeconds = 0): number {
  const ceiling = Math.min(LONGEST_BACK_OFF_SECONDS, FIRST_BACK_OFF_SECONDS * 2 ** Math.min(attempts - 1, 30))
  return Math.max(ceiling * random, afterSeconds)
}

/** So often a message is tried before it is parked, whatever its age: by the back-off, for about a quarter of an hour. */
export const LEAST_ATTEMPTS = 12

/**
 * A message that has failed for seven days is parked. Not one that has waited for so long, behind a pause or an open circuit,
 * and fails now; nor at once one that a person has put back.
 */
export function isTooOld(
  { createdAt, state, attempts }: Pick<QueuedMessage, 'createdAt' | 'state' | 'attempts'>,
  now: number,
): boolean {
  const isOld = now - createdAt.getTime() > AGE_LIMIT_SECONDS * 1_000
  return isOld && state === 'failing' && attempts >= LEAST_ATTEMPTS
}
