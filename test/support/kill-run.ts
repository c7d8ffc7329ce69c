import { setTimeout as pause } from 'node:timers/promises'
import type { Finding } from '../checker/evidence.ts'
import { openLoopTrial, type Role } from './loop-trial.ts'
import type { StoreFamily } from './stores.ts'
import { openTrial } from './trial.ts'

export type KillPoint = Readonly<{
  /** `collect.commit:after` */
  step: string
  /** At which passing of the step. */
  count: number
}>

/** How often a step is passed before its worker dies: in the middle of the day, not before it has begun. */
const PASSES: Readonly<Record<string, number>> = {
  'collect.read': 40,
  'collect.seed': 1,
  'lane.read': 6,
  'lane.take': 1,
  'lane.renew': 1,
  'send.push': 8,
  'send.settle': 4,
  'conclude.settle': 8,
  'conclude.commit': 8,
  'deliver.target': 6,
  'deliver.post': 6,
}

/** `step` with or without its side. */
export function passesBeforeKill(step: string): number {
  return PASSES[step.split(':')[0] ?? ''] ?? 3
}

/** The shop does not wait for a worker. */
const ON_AFTER_DEATH_MS = 1000
/** Longer than the heartbeat's 3 s, the rarest of the steps. */
const REACHED_WITHIN_MS = 60_000

/**
 * A worker dies at `point` in the middle of a busy shop's day and another is started in its place: what the checker finds
 * when all has come to rest. Not reaching the point is a finding too.
 */
export async function runToKill(point: KillPoint, family: StoreFamily, seed: number): Promise<Finding[]> {
  const trial = await openTrial(family)
  try {
    const victim = trial.startWorker({ killAt: point })
    // Some points are passed before it says so.
    await Promise.race([victim.line((line) => line.includes('worker started')), victim.ended])
    const workload = await trial.startWorkload({ seed, writers: 3, pauseMs: 150 })
    const giveUp = setTimeout(() => victim.kill(), REACHED_WITHIN_MS)
    const startedAt = Date.now()
    const { signal } = await victim.ended
    clearTimeout(giveUp)
    const diedAt = Date.now()
    trial.disturbed(`kill -9 at ${point.step}`, diedAt)
    trial.startWorker()
    await pause(ON_AFTER_DEATH_MS)
    await workload.stop()
    const findings = await trial.comeToRest()
    if (signal === 'SIGKILL' && diedAt - startedAt < REACHED_WITHIN_MS) return findings
    const text = `the worker did not pass it ${point.count} times: ${victim.lines.slice(-5).join('\n')}`
    return [...findings, { rule: 'reached', about: point.step, text }]
  } finally {
    await trial.close()
  }
}

/** Who dies in the whole loop, and where. */
export type LoopKill = KillPoint & Readonly<{ role: Role }>

/** A hub waits for the lanes of its dead predecessor before it routes and delivers. */
const LEASE_MS = 12_000
/** A hub waits 180 s for an answer before it sends again. What takes so long is lost to nobody. */
const LOOP_AT_REST_WITHIN_MS = 200_000

/**
 * The whole loop, in which one process after the other dies at its point and another is started in its place: what the
 * checker of both directions finds when all has come to rest.
 */
export async function runLoopToKills(
  kills: readonly LoopKill[],
  family: StoreFamily,
  seed: number,
  pauses: Readonly<{ shopMs: number; erpMs: number }>,
): Promise<Finding[]> {
  const trial = await openLoopTrial(family)
  try {
    const running = { hub: trial.hub, web: trial.start('web'), worker: trial.start('worker') }
    // Another web stands by: while none answers, deliveries would pile up attempts and back off for half a minute.
    let heirsToCome = kills.filter(({ role }) => role === 'web').length
    const nextHeir = () => (heirsToCome-- > 0 ? trial.start('web') : running.web)
    let heir = nextHeir()
    await Promise.all([trial.ready('web', running.web), trial.ready('worker', running.worker)])
    const workload = await trial.startWorkload({ seed, writers: 2, pauseMs: pauses.shopMs })
    const erp = trial.startErp(seed, pauses.erpMs)
    const missed: Finding[] = []
    for (const { role, step, count } of kills) {
      const victim = running[role]
      await trial.ready(role, victim)
      if (role === 'web') await trial.ready('web', heir)
      victim.dieAt(step, count)
      const isMissed = await Promise.race([
        victim.ended.then(() => false),
        pause(REACHED_WITHIN_MS + LEASE_MS, true, { ref: false }),
      ])
      await victim.kill()
      trial.killed(role)
      if (isMissed) {
        const text = `the ${role} did not pass it ${count} times: ${victim.lines.slice(-5).join('\n')}`
        missed.push({ rule: 'reached', about: step, text })
      }
      running[role] = role === 'web' ? heir : trial.start(role)
      if (role === 'web') heir = nextHeir()
    }
    await trial.ready('hub', running.hub)
    await pause(ON_AFTER_DEATH_MS)
    await erp.stop()
    await workload.stop()
    const unrest = await trial.comeToRest(LOOP_AT_REST_WITHIN_MS)
    const findings = [...missed, ...unrest, ...(await trial.check())]
    return findings.length > 0 ? [...findings, ...errorsIn(trial.complaints())] : []
  } finally {
    await trial.close()
  }
}

const MOST_COMPLAINTS = 10

/** Whoever reads of findings wants to know what the processes had to say. */
function errorsIn(lines: readonly string[]): Finding[] {
  const errors = lines.filter((line) => line.includes('"level":"error"')).slice(-MOST_COMPLAINTS)
  return errors.map((text) => ({ rule: 'log', about: 'a process', text }))
}

/**
 * Runs `work` on every item, `width` at a time: most of a trial is waiting for a lease to end. Rejects when all have ended
 * and one has failed.
 */
export async function inParallel<T>(
  items: readonly T[],
  width: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const left = [...items]
  const next = async (): Promise<void> => {
    for (let item = left.shift(); item !== undefined; item = left.shift()) await work(item)
  }
  const ends = await Promise.allSettled(Array.from({ length: width }, next))
  for (const end of ends) if (end.status === 'rejected') throw end.reason
}
