import type { FamilyName } from '../detect-family.ts'
import { NotApplicable } from './not-applicable.ts'

/** Families into whose stores orders are imported; stock and products are written in every one. */
export type ImportFamily = Extract<FamilyName, 'spree-4.10' | 'spree-6.0'>

/** @throws NotApplicable where no orders are imported. */
export function importFamily(family: FamilyName): ImportFamily {
  if (family === 'spree-4.10' || family === 'spree-6.0') return family
  throw new NotApplicable(
    'family_not_written',
    `This store is of the family ${family}, into which no orders are imported: they are into Spree 3.7 to 6.x without 4.6 and 4.7.`,
  )
}

/** @throws NotApplicable in 2.0 and 2.1, whose parcels and payments hang on adjustments in other ways. */
export function refuseFamilyOf20(family: FamilyName): void {
  if (family !== 'spree-2.1') return
  throw new NotApplicable(
    'family_not_written',
    'This store is of Spree 2.0 or 2.1, whose shipments and payments are not written: they are from 2.2 on, and in Solidus.',
  )
}
