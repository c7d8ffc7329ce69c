import { isDeepStrictEqual } from 'node:util'

import type { RawPayload } from './message.ts'

/** Top-level key of the raw order → [old, new], for each that changed (protocol §6.2). A missing key is as null. */
export type OrderDiff = Readonly<Record<string, [unknown, unknown]>>

export function orderDiff(previous: RawPayload, raw: RawPayload): OrderDiff {
  const before = new Map(Object.entries(previous))
  const after = new Map(Object.entries(raw))
  const keys = new Set([...before.keys(), ...after.keys()])
  const pairs = [...keys].map((key): [string, [unknown, unknown]] => [
    key,
    [before.get(key) ?? null, after.get(key) ?? null],
  ])
  return Object.fromEntries(pairs.filter(([, [old, current]]) => !isDeepStrictEqual(old, current)))
}

/** True if nothing changed but `updated_at`, the order's or a part's: the store touched it, and has nothing to tell. */
export function isTouch(diff: OrderDiff): boolean {
  return Object.entries(diff).every(
    ([key, [old, current]]) => key === 'updated_at' || isDeepStrictEqual(untouched(old), untouched(current)),
  )
}

function untouched(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(untouched)
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).filter(([key]) => key !== 'updated_at')
  return Object.fromEntries(entries.map(([key, part]) => [key, untouched(part)]))
}
