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

/** A message that has failed for seven days is parked. */
export function isTooOld(createdAt: Date, now: number): boolean {
  return now - createdAt.getTime() > AGE_LIMIT_SECONDS * 1_000
}
