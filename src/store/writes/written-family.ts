import type { FamilyName } from '../detect-family.ts'
import { NotApplicable } from './not-applicable.ts'

/** Families whose stores messages are applied to. */
export type WrittenFamily = Extract<FamilyName, 'spree-4.10' | 'spree-6.0'>

/** @throws NotApplicable where we only read. */
export function writtenFamily(family: FamilyName): WrittenFamily {
  if (family === 'spree-4.10' || family === 'spree-6.0') return family
  throw new NotApplicable(
    'family_not_written',
    `This store is of the family ${family}, in which nothing is written: messages are applied to Spree 3.7 to 6.x without 4.6 and 4.7.`,
  )
}
