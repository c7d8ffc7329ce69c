import { BUILT_IN_TYPES } from '../messages/message-types.ts'
import { deliveredAs } from './aliases.ts'
import { STORE_MESSAGES } from './api/stores.ts'

const KNOWN = new Set<string>([...BUILT_IN_TYPES, ...STORE_MESSAGES])

/** A type as the metrics name it: each that pushers and consumers make up would be a series more, for ever. */
export function metricType(type: string): string {
  const name = deliveredAs(type)
  return KNOWN.has(name) ? name : 'other'
}
