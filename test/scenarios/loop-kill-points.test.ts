import { beforeAll, describe, expect, test } from '@jest/globals'
import type { Step } from '../../src/observe/steps.ts'
import type { Finding } from '../checker/evidence.ts'
import { inParallel, type KillPoint, passesBeforeKill, runLoopToKills } from '../support/kill-run.ts'

type Point = `${Step}:${'before' | 'after'}`

/** The most telling of the hub's: one run each, because the next hub waits for the dead one's lease. */
const OF_HUB: readonly Point[] = [
  'push.commit:after',
  'route.derived:after',
  'deliver.post:after',
  'deliver.effects:after',
  'conclude.commit:after',
  'send.settle:before',
]

/** The most telling of the web's, in one run: the next one serves at once. */
const OF_WEB: readonly Point[] = [
  'apply.inbox:after',
  'apply.write:after',
  'apply.commit:before',
  'apply.commit:after',
  'apply.failure:before',
  'apply.failure:after',
  'apply.reply:after',
]

type Run = Readonly<{ role: 'hub' | 'web'; points: readonly Point[] }>

const RUNS: readonly Run[] = [
  ...OF_HUB.map((point): Run => ({ role: 'hub', points: [point] })),
  { role: 'web', points: OF_WEB },
]

describe('killed at any step, hub and web lose nothing and apply nothing twice', () => {
  const findings = new Map<Run, readonly Finding[]>()

  beforeAll(async () => {
    await inParallel(RUNS, RUNS.length, async (run) => {
      const points: readonly KillPoint[] = run.points.map((step) => ({ step, count: passesBeforeKill(step) }))
      findings.set(run, await runLoopToKills(run.role, points, 'spree-4.10', 1 + RUNS.indexOf(run)))
    })
  }, 180_000)

  test.each(RUNS.map((run) => [run.role, run.points.join(', '), run] as const))('%s: %s', (_, __, run) => {
    expect(findings.get(run)).toEqual([])
  })
})
