import { readOrigin } from './origin.ts'

/** What moved of a SKU at a place after a time, summed up for each that moved it. */
export type Movement = Readonly<{
  /** Null: the shop itself. */
  origin: string | null
  pieces: number
  /** When it was written, the last of them. */
  at: string
  /** False where it is not known of which place, or when, the pieces were. */
  known: boolean
}>

/** How many pieces a level of that time has become more or fewer; or the time of a later level; or that nobody knows. */
export type Later = number | Readonly<{ newer: string }> | 'unknown'

/**
 * What the shop sold, took back or corrected after that time is on top of the level, whoever asked it to. So is what a hub
 * said that came or went, if it said so after that time: before, the level has it in it. What an older level corrected is
 * made good by this one. A level that was told without a time is of when it was written.
 */
export function laterPieces(movements: readonly Movement[], asOf: Date): Later {
  let pieces = 0
  let isKnown = true
  for (const movement of movements) {
    const { says, made } = readOrigin(movement.origin ?? '')
    if (says === '=') return { newer: new Date(movement.at).toISOString() }
    if (says === '@') continue
    if (says === '+' && made !== undefined && made.last <= asOf.getTime()) continue
    // Of those that came together, some before that time and some after, nobody knows which pieces were whose.
    if (!movement.known || (says === '+' && made !== undefined && made.first <= asOf.getTime()))
      isKnown = false
    pieces += movement.pieces
  }
  return isKnown ? pieces : 'unknown'
}
