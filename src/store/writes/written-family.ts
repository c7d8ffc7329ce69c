import type { FamilyName } from '../detect-family.ts'
import { NotApplicable } from './not-applicable.ts'

/** Families whose stores all messages are applied to; stock is moved in every one. */
export type WrittenFamily = Extract<FamilyName, 'spree-4.10' | 'spree-6.0'>

/** @throws NotApplicable where no products and orders are written. */
export function writtenFamily(family: FamilyName): WrittenFamily {
  if (family === 'spree-4.10' || family === 'spree-6.0') return family
  throw new NotApplicable(
    'family_not_written',
    `This store is of the family ${family}, in which only stock is written: other messages are applied to Spree 3.7 to 6.x without 4.6 and 4.7.`,
  )
}
