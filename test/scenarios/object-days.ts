import type { SolidusStore, StoreSource } from '../support/stores.ts'
import { objectDayOfOld } from './object-day-old.ts'
import { objectDayOfSix } from './object-day-six.ts'
import { objectDayOfSolidus } from './object-day-solidus.ts'
import type { ObjectDay } from './object-forms.ts'

export const OBJECT_DAYS: readonly Readonly<{
  family: 'spree-2.4' | 'spree-6.0' | SolidusStore
  source: StoreSource
  day: ObjectDay
}>[] = [
  ...(['fixture', 'dump'] as const).flatMap((source) => [
    { family: 'spree-2.4' as const, source, day: objectDayOfOld() },
    { family: 'solidus-4' as const, source, day: objectDayOfSolidus(source) },
  ]),
  { family: 'spree-6.0', source: 'fixture', day: objectDayOfSix() },
]
