import { HUB_STEPS, WEB_STEPS, WORKER_STEPS } from '../../src/observe/steps.ts'
import type { Finding } from '../checker/evidence.ts'
import {
  inParallel,
  type KillPoint,
  type LoopKill,
  passesBeforeKill,
  runLoopToKills,
  runToKill,
} from '../support/kill-run.ts'
import { createRandom, type Random } from '../support/random.ts'

const KILLS_PER_POINT = 5
const KILLS_AT_ONCE = 12
/** Three processes each, and a hub that waits for a lease most of the time. */
const LOOPS_AT_ONCE = 4
const LEASES_PER_RUN = 3

export const KILL_POINTS = 'kill points of worker, hub and web'

/** Every step of every process, before and after, by `kill -9`: tells what was found, and at the end a summary. */
export async function runKillPoints(nextSeed: () => number, say: (text: string) => void): Promise<Finding[]> {
  const startedAt = Date.now()
  const random = createRandom(nextSeed())
  const ofWorker = killsAt(WORKER_STEPS, random)
  const [ofHub, ofWeb] = [killsAt(HUB_STEPS, random), killsAt(WEB_STEPS, random)]
  const findings: Finding[] = []
  await inParallel(ofWorker, KILLS_AT_ONCE, async (kill) => {
    const seed = nextSeed()
    tell(`kill -9 of the worker at ${nameOf(kill)}`, seed, await runToKill(kill, 'spree-4.10', seed))
  })
  await inParallel(chainsOf(ofHub, ofWeb, random), LOOPS_AT_ONCE, async (kills) => {
    const seed = nextSeed()
    const names = kills.map((kill) => `${kill.role} at ${nameOf(kill)}`).join(', ')
    tell(
      `kill -9 of ${names}`,
      seed,
      await runLoopToKills(kills, 'spree-4.10', seed, { shopMs: 300, erpMs: 250 }),
    )
  })
  function tell(what: string, seed: number, found: readonly Finding[]): void {
    if (found.length > 0) say(`${what}, seed ${seed}:`)
    for (const finding of found) say(describe(finding))
    findings.push(...found)
  }

  const steps = { worker: WORKER_STEPS, hub: HUB_STEPS, web: WEB_STEPS }
  const points = Object.entries(steps).map(([role, { length }]) => `${length * 2} of the ${role}`)
  say(
    `kill points: ${points.join(', ')}, each hit ${KILLS_PER_POINT} times: ` +
      `${ofWorker.length + ofHub.length + ofWeb.length} × kill -9, ${findings.length} findings, ` +
      `${Math.round((Date.now() - startedAt) / 1000)} s`,
  )
  return findings
}

function killsAt(steps: readonly string[], random: Random): KillPoint[] {
  return steps.flatMap((step) =>
    ['before', 'after'].flatMap((side) =>
      Array.from({ length: KILLS_PER_POINT }, () => ({
        step: `${step}:${side}`,
        // Not always at the same moment of the day; those that a quiet worker seldom passes at the first.
        count: step.startsWith('lane.') ? 1 : random.between(1, passesBeforeKill(step) + 2),
      })),
    ),
  )
}

/** Runs of the whole loop. In each step of a run a web dies, a hub that routes and delivers, and one that takes pushes. */
function chainsOf(ofHub: readonly KillPoint[], ofWeb: readonly KillPoint[], random: Random): LoopKill[][] {
  const isPush = ({ step }: KillPoint) => step.startsWith('push.')
  const others = random.shuffle(ofWeb)
  const pushes = random.shuffle(ofHub.filter(isPush))
  const steps = random.shuffle(ofHub.filter((kill) => !isPush(kill))).map((kill) => {
    const [web, push] = [others.pop(), pushes.pop()]
    return [
      ...(web ? [{ ...web, role: 'web' as const }] : []),
      { ...kill, role: 'hub' as const },
      ...(push ? [{ ...push, role: 'hub' as const }] : []),
    ]
  })
  const chains = Array.from({ length: Math.ceil(steps.length / LEASES_PER_RUN) }, (_, place) =>
    steps.slice(place * LEASES_PER_RUN, (place + 1) * LEASES_PER_RUN).flat(),
  )
  if (others.length + pushes.length > 0) throw new Error('There are points that no run hits.')
  return chains
}

function nameOf({ step, count }: KillPoint): string {
  return `${step} (time ${count})`
}

export function describe({ rule, about, text }: Finding): string {
  return `  FINDING ${rule}: ${about}: ${text}`
}
