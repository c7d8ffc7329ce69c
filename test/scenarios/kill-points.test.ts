import { beforeAll, describe, expect, test } from '@jest/globals'
import type { Step } from '../../src/observe/steps.ts'
import type { Finding } from '../checker/evidence.ts'
import { inParallel, type KillPoint, passesBeforeKill, runToKill } from '../support/kill-run.ts'

/**
 * The most telling of the kill points; the fault suite hits all of them, five times. Left out is what leaves the same
 * behind as its neighbour: between the end of one await and the beginning of the next nothing is written or sent, what only
 * reads leaves nothing, and what the collector writes before its fence is gone with its transaction.
 */
const TELLING: readonly `${Step}:${'before' | 'after'}`[] = [
  'collect.snapshot:after',
  'collect.fence:after',
  'collect.commit:after',
  'lane.take:after',
  'lane.renew:before',
  'send.push:after',
  'send.settle:before',
  'send.settle:after',
]

describe('a worker killed at any step loses nothing, tells nothing false and keeps the order', () => {
  const findings = new Map<string, readonly Finding[]>()

  beforeAll(async () => {
    const points: readonly KillPoint[] = TELLING.map((step) => ({ step, count: passesBeforeKill(step) }))
    // All at once: most of a trial is waiting for the dead worker's lease to end.
    await inParallel(points, points.length, async (point) => {
      findings.set(point.step, await runToKill(point, 'spree-4.10', 1 + points.indexOf(point)))
    })
  })

  test.each(TELLING)('%s', (step) => {
    expect(findings.get(step)).toEqual([])
  })
})
