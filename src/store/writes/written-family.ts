import type { FamilyName } from '../detect-family.ts'
import { NotApplicable } from './not-applicable.ts'

/** Families whose stores all messages are applied to. */
export type WrittenFamily = Extract<FamilyName, 'spree-4.10' | 'spree-6.0'>
/** Families whose stock is moved. */
export type StockedFamily = WrittenFamily | Extract<FamilyName, 'solidus'>

/** @throws NotApplicable where no products and orders are written. */
export function writtenFamily(family: FamilyName): WrittenFamily {
  const stocked = stockedFamily(family)
  if (stocked !== 'solidus') return stocked
  throw new NotApplicable(
    'family_not_written',
    'This store is a Solidus, in which only stock is written: other messages are applied to Spree 3.7 to 6.x without 4.6 and 4.7.',
  )
}

/** @throws NotApplicable where we only read. */
export function stockedFamily(family: FamilyName): StockedFamily {
  if (family === 'spree-4.10' || family === 'spree-6.0' || family === 'solidus') return family
  throw new NotApplicable(
    'family_not_written',
    `This store is of the family ${family}, in which nothing is written: messages are applied to Spree 3.7 to 6.x without 4.6 and 4.7, and those of stock to Solidus.`,
  )
}
