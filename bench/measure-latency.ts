import { setTimeout as pause } from 'node:timers/promises'
import { type Measurement, quantile } from './frame.ts'
import type { Ground } from './ground.ts'
import { machineTime } from './machine-time.ts'

export const P50 = 'ms p50'
export const P99 = 'ms p99'

const MESSAGES = 500
const PER_SECOND = 50
/** Sent before those that count, at the same pace: by then whoever was started has long begun. */
const FIRST_ONES = 100

export function messagesPerRun({ scale }: Ground): number {
  return FIRST_ONES + MESSAGES * scale
}

/**
 * Commits one change of each of as many products, one after the other at a steady pace, and finds when the hub had what
 * tells of it. `sending` is the work of whoever sends meanwhile.
 */
export async function measureLatency(
  ground: Ground,
  change: (product: number) => Promise<unknown>,
  sending: Promise<unknown>,
): Promise<Measurement> {
  const { sink } = ground
  const count = messagesPerRun(ground)
  await sink.noteArrivals()
  const committedAt = new Map<number, number>()
  const begun = performance.now()
  for (let product = 1; product <= count; product++) {
    await pause(begun + (product * 1000) / PER_SECOND - performance.now())
    await change(product)
    committedAt.set(product, machineTime())
  }
  await sink.arrived(count)
  await sending
  const milliseconds = (await sink.arrivals())
    .map(({ at, body }) => ({ at, product: productOf(body) }))
    .filter(({ product }) => product > FIRST_ONES)
    .map(({ at, product }) => at - (committedAt.get(product) ?? Number.NaN))
  return { [P50]: quantile(milliseconds, 0.5), [P99]: quantile(milliseconds, 0.99) }
}

function productOf(body: string): number {
  const number = /"sku":"BENCH-(\d+)-/.exec(body)?.[1]
  if (number === undefined) throw new Error(`The hub was told something else: ${body}`)
  return Number(number)
}
