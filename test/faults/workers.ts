import { setTimeout as pause } from 'node:timers/promises'
import { slowAnswers } from '../support/hub-trouble.ts'
import { createRandom } from '../support/random.ts'
import { BOTH, HOUR_MS, inTrial, LEASE_MS, type Scenario } from './scenario.ts'

export const WORKERS: readonly Scenario[] = [
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
    name: 'workers die all the time, wherever they are',
    families: BOTH,
    run: (family, seed) =>
      inTrial(family, async (trial) => {
        const random = createRandom(seed)
        const workers = [trial.startWorker(), trial.startWorker()]
        trial.hub.misbehave(slowAnswers(seed, 0, 200))
        const workload = await trial.startWorkload({ seed, writers: 3, pauseMs: 600 })
        for (let kill = 0; kill < RANDOM_KILLS; kill++) {
          await pause(random.between(200, 4000))
          const from = Date.now()
          await workers.shift()?.kill()
          trial.disturbed('kill -9 at a random moment', from)
          workers.push(trial.startWorker())
        }
        await pause(2000)
        await workload.stop()
        return { 'kill -9 of a worker at a random moment': RANDOM_KILLS }
      }),
  },
  {
    name: 'the clock of a worker jumps ahead and back by two hours',
    families: ['spree-4.10'],
    run: (family, seed) =>
      inTrial(family, async (trial) => {
        const random = createRandom(seed)
        const [first, second] = [trial.startWorker(), trial.startWorker()]
        trial.hub.misbehave(slowAnswers(seed, 0, 200))
        const workload = await trial.startWorkload({ seed, writers: 4, pauseMs: 100 })
        await pause(5000)
        const jumps = random.shuffle([2, -4, 4, -2])
        for (const hours of jumps) {
          const from = Date.now()
          random.pick([first, second]).shiftClock(hours * HOUR_MS)
          await pause(random.between(3000, 6000))
          trial.disturbed(`the clock jumped by ${hours} h`, from)
        }
        await workload.stop()
        return { 'jumps of the clock': jumps.length }
      }),
  },
]

const RANDOM_KILLS = 80
