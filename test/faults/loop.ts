import { setTimeout as pause } from 'node:timers/promises'
import type { Behaviour } from '../support/hub-behaviour.ts'
import { passingTrouble } from '../support/hub-trouble.ts'
import { openLoopTrial, type Role } from '../support/loop-trial.ts'
import { createRandom } from '../support/random.ts'
import type { StoreFamily } from '../support/stores.ts'
import { nameOf, type Result } from './result.ts'

const DYING: readonly Role[] = ['hub', 'web', 'worker', 'hub', 'web', 'worker']
const ORDERLY = 1 / 6
/** The hub waits three minutes for the consumer's one silence, and backs off from what failed. */
const REST_WITHIN_MS = 300_000

/** Somebody dies every few seconds, wherever it is, or is stopped in good order; the consumer is in trouble all the time. */
export async function killInTheLoop(family: StoreFamily, seed: number): Promise<Result> {
  const random = createRandom(seed)
  const injected: Record<string, number> = {}
  const count = (what: string) => {
    injected[what] = (injected[what] ?? 0) + 1
  }
  const trial = await openLoopTrial(family)
  try {
    const running = { hub: trial.hub, web: trial.start('web'), worker: trial.start('worker') }
    await Promise.all([trial.ready('web', running.web), trial.ready('worker', running.worker)])
    const decide = consumersTrouble(seed)
    trial.relays.toConsumer.misbehave(() => {
      const behaviour = decide()
      const name = nameOf(behaviour)
      if (name) count(`${name} of the consumer`)
      return behaviour
    })
    const workload = await trial.startWorkload({ seed, writers: 3, pauseMs: 200 })
    const erp = trial.startErp(seed, 250)
    for (const role of random.shuffle(DYING)) {
      await pause(random.between(500, 4000))
      const orderly = random.chance(ORDERLY)
      await (orderly ? running[role].terminate() : running[role].kill())
      if (!orderly) trial.killed(role)
      count(`${orderly ? 'SIGTERM' : 'kill -9'} of the ${role}`)
      running[role] = trial.start(role)
    }
    await Promise.all([trial.ready('hub', running.hub), trial.ready('web', running.web)])
    await pause(2000)
    await erp.stop()
    await workload.stop()
    trial.relays.toConsumer.misbehave()
    await trial.comeToRest(REST_WITHIN_MS)
    const { outward, toConsumer } = await trial.evidence()
    return {
      injected,
      changes: outward.changes.length,
      messages: new Set(toConsumer.map(({ key }) => key)).size,
      requests: toConsumer.length,
      findings: await trial.check(),
      complaints: trial.complaints(),
    }
  } finally {
    await trial.close()
  }
}

/** A hub waits three minutes for a consumer that hangs: there is one of them, and the run ends after it. */
function consumersTrouble(seed: number): () => Behaviour {
  const decide = passingTrouble(seed, 0.08)
  const hangsAt = createRandom(seed).between(5, 50)
  let requests = 0
  return () => (++requests === hangsAt ? { kind: 'hang' } : decide())
}
