import { z } from 'zod'

import { compileFilters, filterParts } from '../messages/shaping/filter.ts'

const storedFilters = z.array(z.object(filterParts))

type Passes = (message: unknown) => boolean

const KEPT = 1_000
const compiled = new Map<string, Passes>()

/** Whether a mapping's filters, as they are stored, hold for a message: compiled once, and not with each message. */
export function passesOf(filters: string): Passes {
  const known = compiled.get(filters)
  if (known) return known
  const passes = compileFilters(storedFilters.parse(JSON.parse(filters)))
  if (compiled.size >= KEPT) compiled.clear()
  compiled.set(filters, passes)
  return passes
}
