import { setTimeout as pause } from 'node:timers/promises'
import type { Behaviour } from '../support/hub-behaviour.ts'
import { lostAnswers, passingTrouble, slowAnswers } from '../support/hub-trouble.ts'
import { createRandom } from '../support/random.ts'
import type { StoreFamily } from '../support/stores.ts'
import { openTrial, type Trial } from '../support/trial.ts'
import { killInTheLoop } from './loop.ts'
import { nameOf, type Result } from './result.ts'

/** What the suite itself can do to the server that all its stores live in. */
export type Server = Readonly<{ restart(how: 'fast' | 'immediate'): Promise<void> }>

export type Scenario = Readonly<{
  name: string
  families: readonly StoreFamily[]
  run(family: StoreFamily, seed: number, server: Server): Promise<Result>
}>

const BOTH: readonly StoreFamily[] = ['spree-4.10', 'spree-6.0']
const LEASE_MS = 12_000

export const SCENARIOS: readonly Scenario[] = [
  {
    name: 'eight overlapping writers, long transactions, savepoints rolled back',
    families: BOTH,
    run: (family, seed) =>
      inTrial(family, async (trial) => {
        trial.startWorker()
        const workload = await trial.startWorkload({ seed, writers: 8 })
        await pause(20_000)
        const { acts } = await workload.stop()
        const done = (name: string) => acts.get(name) ?? 0
        return {
          'transactions rolled back': done('rollBack') + done('rollBackOrder'),
          'savepoints rolled back': done('rollBackSavepoint'),
          'transactions that committed late': done('commitLate'),
        }
      }),
  },
  {
    name: 'two workers, one killed, one stopped past its lease',
    families: BOTH,
    run: (family, seed) =>
      inTrial(family, async (trial) => {
        const random = createRandom(seed)
        const first = trial.startWorker()
        const second = trial.startWorker()
        trial.hub.misbehave(slowAnswers(seed, 0, 300))
        const workload = await trial.startWorkload({ seed, writers: 4, pauseMs: 100 })
        await pause(random.between(4000, 7000))
        const killedAt = Date.now()
        await first.kill()
        trial.disturbed('kill -9', killedAt)
        trial.startWorker()
        await pause(random.between(1000, 3000))
        const stoppedAt = Date.now()
        second.pause()
        await pause(LEASE_MS + random.between(2000, 5000))
        second.resume()
        trial.disturbed('SIGSTOP past the lease', stoppedAt)
        await pause(5000)
        await workload.stop()
        return { 'kill -9': 1, 'SIGSTOP past the lease': 1 }
      }),
  },
  {
    name: 'PostgreSQL restarts',
    families: ['spree-4.10'],
    run: (family, seed, server) =>
      inTrial(family, async (trial) => {
        const random = createRandom(seed)
        trial.startWorker()
        trial.startWorker()
        const workload = await trial.startWorkload({ seed, writers: 4, pauseMs: 50 })
        for (const how of ['fast', 'immediate', 'fast'] as const) {
          await pause(random.between(4000, 6000))
          const from = Date.now()
          await server.restart(how)
          trial.disturbed(`PostgreSQL restarted (${how})`, from)
        }
        await pause(4000)
        const { interrupted } = await workload.stop()
        return { restarts: 3, "the shop's own statements broken off": interrupted }
      }),
  },
  {
    name: 'a hub that is down for a minute',
    families: ['spree-4.10'],
    run: (family, seed) =>
      inTrial(family, async (trial) => {
        trial.startWorker()
        const workload = await trial.startWorkload({ seed, writers: 3, pauseMs: 200 })
        await pause(3000)
        await trial.hub.down()
        await pause(60_000)
        await trial.hub.up()
        await pause(3000)
        await workload.stop()
        return { 'minutes down': 1 }
      }),
  },
  {
    name: 'a hub that resets, refuses for the moment and loses answers',
    families: BOTH,
    run: (family, seed) => troubled(family, seed, passingTrouble(seed, 0.15)),
  },
  {
    name: 'a hub that loses every third answer',
    families: ['spree-4.10'],
    run: (family, seed) => troubled(family, seed, lostAnswers(seed, 0.33)),
  },
  {
    name: 'a slow hub',
    families: ['spree-4.10'],
    run: (family, seed) => troubled(family, seed, slowAnswers(seed, 200, 1500)),
  },
  {
    name: 'a hub that hangs, drips, and answers what no hub should',
    families: ['spree-4.10'],
    run: (family, seed) => troubled(family, seed, oddAnswers(seed)),
  },
  {
    name: 'the whole loop: random kills of worker, hub and web, a consumer that fails, hangs and loses answers',
    families: BOTH,
    run: killInTheLoop,
  },
]

/** Things that cost a sender its whole patience (10 s) are rare, so that the run ends. */
function oddAnswers(seed: number): () => Behaviour {
  const random = createRandom(seed)
  const odd: readonly Behaviour[] = [
    { kind: 'hang' },
    { kind: 'drip', everyMs: 200 },
    { kind: 'answer', status: 201, body: '{}', accepted: true },
    { kind: 'answer', status: 200, body: '<html>Welcome</html>', headers: { 'content-type': 'text/html' } },
    { kind: 'answer', status: 500, body: '' },
  ]
  return () => (random.chance(0.02) ? random.pick(odd) : { kind: 'accept' })
}

function troubled(family: StoreFamily, seed: number, decide: () => Behaviour): Promise<Result> {
  return inTrial(family, async (trial) => {
    const met: Record<string, number> = {}
    trial.hub.misbehave(() => {
      const behaviour = decide()
      const name = nameOf(behaviour)
      if (name) met[name] = (met[name] ?? 0) + 1
      return behaviour
    })
    trial.startWorker()
    const workload = await trial.startWorkload({ seed, writers: 4, pauseMs: 100 })
    await pause(20_000)
    await workload.stop()
    trial.hub.misbehave()
    return met
  })
}

async function inTrial(
  family: StoreFamily,
  inject: (trial: Trial) => Promise<Readonly<Record<string, number>>>,
): Promise<Result> {
  const trial = await openTrial(family)
  try {
    const injected = await inject(trial)
    const findings = await trial.comeToRest(120_000)
    const { changes } = await trial.audit.read()
    const pushes = trial.hub.requests.filter(({ method }) => method === 'POST')
    return {
      injected,
      changes: changes.length,
      messages: new Set(pushes.map(({ key }) => key)).size,
      requests: pushes.length,
      findings,
      complaints: trial.complaints(),
    }
  } finally {
    await trial.close()
  }
}
