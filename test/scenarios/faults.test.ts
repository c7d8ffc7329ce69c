import { beforeAll, describe, expect, test } from '@jest/globals'
import { everyAnswer, PARKING, PASSING } from '../faults/hubs.ts'
import { loseInTheLoop } from '../faults/loop.ts'
import { loseCommits, silenceBoth } from '../faults/network.ts'
import { throughPooler } from '../faults/pooler.ts'
import type { Result } from '../faults/result.ts'
import { hasPgBouncer } from '../support/pgbouncer.ts'

const SEED = 20

/** The short form of the fault suite (`npm run test:faults`): what breaks most when it is broken, each for a few seconds. */
const SHORT: Readonly<Record<string, () => Promise<Result>>> = {
  'the answers to commits are lost': () => loseCommits('spree-6.0', SEED, 10, 0.2),
  'the networks to database and hub are silent past the lease': () => silenceBoth('spree-4.10', SEED),
  'the hub gives every answer that there is': () =>
    everyAnswer('spree-4.10', SEED, [...PARKING, ...PASSING], 200),
  'answers are lost all along the loop, at both databases too': () =>
    loseInTheLoop('spree-4.10', SEED, { times: 4, commits: 0.1, others: 0.2 }),
  ...(hasPgBouncer && {
    'PgBouncer stands between, and workers and pooler die': () =>
      throughPooler('spree-4.10', SEED, false, { writers: 3, pauseMs: 200 }),
  }),
}
if (!hasPgBouncer) test.skip('PgBouncer stands between: there is no pgbouncer on this machine', () => {})

describe('nothing is lost, false, repeated or out of order while', () => {
  const results = new Map<string, Result>()

  beforeAll(async () => {
    // All at once: most of it is waiting.
    await Promise.all(Object.entries(SHORT).map(async ([name, run]) => results.set(name, await run())))
  })

  test.each(Object.keys(SHORT))('%s', (name) => {
    const result = results.get(name)
    expect(result?.findings).toEqual([])
    expect(result?.messages).toBeGreaterThan(20)
  })
})
