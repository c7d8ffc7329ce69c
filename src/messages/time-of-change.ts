/** How long after the time that it is told with a change may be written, in the shop's code and between its clocks. */
const MOMENTS = 10_000

/**
 * Of when a change by the shop is: of the time that it is `told` with, which comes back with what others make of it, where
 * that is but moments before it was `written`. A row that was changed without its time is of when that was.
 */
export function timeOfChange(written: Date, told: Date | undefined): Date {
  if (told === undefined) return written
  const since = written.getTime() - told.getTime()
  return since >= 0 && since <= MOMENTS ? told : written
}
