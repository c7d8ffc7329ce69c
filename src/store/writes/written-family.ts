import type { FamilyName } from '../detect-family.ts'
import { NotApplicable } from './not-applicable.ts'

/** Families into whose stores orders are imported; stock is moved in every one. */
export type ImportFamily = Extract<FamilyName, 'spree-4.10' | 'spree-6.0'>

/** @throws NotApplicable where no products are written. */
export function requireProductFamily(family: FamilyName): void {
  if (family !== 'spree-4.7') return
  throw new NotApplicable(
    'family_not_written',
    'This store is a Spree 4.6 or 4.7, which keeps what products are called in translations: products are not written there, only stock is.',
  )
}

/** @throws NotApplicable where no orders are imported. */
export function importFamily(family: FamilyName): ImportFamily {
  if (family === 'spree-4.10' || family === 'spree-6.0') return family
  throw new NotApplicable(
    'family_not_written',
    `This store is of the family ${family}, into which no orders are imported: they are into Spree 3.7 to 6.x without 4.6 and 4.7.`,
  )
}
