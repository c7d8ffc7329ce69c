import { beforeAll, describe, expect, test } from '@jest/globals'
import { HUB_STEPS, type Step } from '../../src/observe/steps.ts'
import type { Finding } from '../checker/evidence.ts'
import { inParallel, type LoopKill, passesBeforeKill, runLoopToKills } from '../support/kill-run.ts'

/**
 * The most telling of the kill points of hub and web, several to a run; the fault suite hits all of them, five times. A hub
 * that routes and delivers dies once in each run, because the next one waits for its lease; what waits for nothing, a web
 * and a hub that takes pushes, dies before and after it.
 */
const RUNS: readonly (readonly `${Step}:${'before' | 'after'}`[])[] = [
  ['apply.write:after', 'apply.commit:after', 'deliver.post:after', 'push.commit:after'],
  ['apply.commit:before', 'apply.failure:after', 'route.derived:after', 'push.insert:after'],
]

function killAt(point: string): LoopKill {
  const role = HUB_STEPS.some((step) => point.startsWith(`${step}:`)) ? 'hub' : 'web'
  return { role, step: point, count: passesBeforeKill(point) }
}

describe('killed at any step, hub and web lose nothing and apply nothing twice', () => {
  const findings = new Map<(typeof RUNS)[number], readonly Finding[]>()

  beforeAll(async () => {
    await inParallel(RUNS, RUNS.length, async (run) => {
      const seed = 1 + RUNS.indexOf(run)
      findings.set(
        run,
        await runLoopToKills(run.map(killAt), 'spree-4.10', seed, { shopMs: 900, erpMs: 400 }),
      )
    })
  })

  test.each(RUNS.map((run) => [run.join(', '), run] as const))('%s', (_, run) => {
    expect(findings.get(run)).toEqual([])
  })
})
