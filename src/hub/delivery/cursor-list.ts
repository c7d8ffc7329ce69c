import { isDeepStrictEqual } from 'node:util'
import { z } from 'zod'

const list = z.array(z.record(z.string(), z.unknown()).refine((entry) => Object.keys(entry).length === 1))

/**
 * What a service has made of the list that it was sent, put into the list as it is by now: of `[{orders: 1}, {products: 1}]`
 * two polls may each have moved an entry, and been under way at once. Who was sent no list has made its entries in an empty
 * one. Of any other value the answer is what counts.
 */
export function withEntriesOf(answer: unknown, sent: unknown, current: unknown): unknown {
  if (isDeepStrictEqual(sent, current)) return answer
  const [told, before, now] = [answer, sent ?? [], current].map(entriesOf)
  if (!told || !before || !now) return answer
  for (const key of before.keys()) if (!told.has(key)) now.delete(key)
  for (const [key, value] of told)
    if (!before.has(key) || !isDeepStrictEqual(value, before.get(key))) now.set(key, value)
  return [...now].map(([key, value]) => ({ [key]: value }))
}

function entriesOf(value: unknown): Map<string, unknown> | undefined {
  const read = list.safeParse(value)
  if (!read.success) return undefined
  const entries = new Map(read.data.flatMap((entry) => Object.entries(entry)))
  return entries.size === read.data.length ? entries : undefined
}
