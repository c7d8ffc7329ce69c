import type { SolidusStore, StoreFamily, StoreSource } from '../support/stores.ts'
import { objectDayOfOld } from './object-day-old.ts'
import { objectDayOfReal } from './object-day-real.ts'
import { objectDayOfSix } from './object-day-six.ts'
import { objectDayOfSolidus } from './object-day-solidus.ts'
import type { ObjectDay } from './object-forms.ts'

export const OBJECT_DAYS: readonly Readonly<{
  family: 'spree-2.4' | StoreFamily | SolidusStore
  source: StoreSource
  day: ObjectDay
}>[] = [
  ...(['fixture', 'dump'] as const).flatMap((source) => [
    { family: 'spree-2.4' as const, source, day: objectDayOfOld() },
    { family: 'solidus-4' as const, source, day: objectDayOfSolidus(source) },
  ]),
  { family: 'spree-6.0', source: 'fixture', day: objectDayOfSix() },
  ...(['spree-4.10', 'spree-6.0'] as const).map((family) => ({
    family,
    source: 'dump' as const,
    day: objectDayOfReal(family),
  })),
]
