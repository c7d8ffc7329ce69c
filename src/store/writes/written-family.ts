import type { FamilyName } from '../detect-family.ts'
import { NotApplicable } from './not-applicable.ts'

/** @throws NotApplicable in 2.0 and 2.1, whose parcels and payments hang on adjustments in other ways. */
export function refuseFamilyOf20(family: FamilyName): void {
  if (family !== 'spree-2.1') return
  throw new NotApplicable(
    'family_not_written',
    'This store is of Spree 2.0 or 2.1, whose shipments and payments are not written: they are from 2.2 on, and in Solidus.',
  )
}
