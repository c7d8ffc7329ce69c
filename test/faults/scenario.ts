import type { BridgeProcess } from '../support/processes.ts'
import type { StoreFamily } from '../support/stores.ts'
import { openTrial, type Trial, type TrialOptions } from '../support/trial.ts'
import { findUntried, type Result } from './result.ts'

/** What the suite itself can do to the server that all its stores live in. */
export type Server = Readonly<{
  /** `kill`: `kill -9` of the postmaster. */
  restart(how: 'fast' | 'immediate' | 'kill'): Promise<void>
  /** Kills it, and a standby that had all its commits takes its place. */
  failOver(): Promise<void>
}>

export type Scenario = Readonly<{
  name: string
  families: readonly StoreFamily[]
  run(family: StoreFamily, seed: number, server: Server): Promise<Result>
}>

export const BOTH: readonly StoreFamily[] = ['spree-4.10', 'spree-6.0']
export const LEASE_MS = 12_000
export const HOUR_MS = 3_600_000

const REST_WITHIN_MS = 150_000

/** Faults and how often each was injected; and what was found besides what the checker finds. */
type Injected = Readonly<Record<string, number>>

/** Opens a trial, injects, waits until all has come to rest, and asks the checker. */
export async function inTrial(
  family: StoreFamily,
  inject: (trial: Trial) => Promise<Injected>,
  options: TrialOptions = {},
): Promise<Result> {
  const trial = await openTrial(family, options)
  try {
    const injected = await inject(trial)
    const findings = await trial.comeToRest(REST_WITHIN_MS)
    const { changes } = await trial.audit.read()
    const pushes = trial.hub.requests.filter(({ method }) => method === 'POST')
    return {
      injected,
      changes: changes.length,
      messages: new Set(pushes.map(({ key }) => key)).size,
      requests: pushes.length,
      findings: [...findUntried(injected), ...findings],
      complaints: trial.complaints(),
    }
  } finally {
    await trial.close()
  }
}

/** Workers that do their work: one that cannot begin ends, as whoever looks after it expects, and nobody does so here. */
export function startWorkers(trial: Trial, count: number): Promise<BridgeProcess[]> {
  return Promise.all(
    Array.from({ length: count }, async () => {
      const worker = trial.startWorker()
      await worker.line((line) => line.includes('worker started'))
      return worker
    }),
  )
}

/** Where this machine has not what the scenario needs. */
export function skipped(why: string): Result {
  return { injected: {}, changes: 0, messages: 0, requests: 0, findings: [], complaints: [], skipped: why }
}

/** What must hold in a scenario, and nobody but the scenario knows of: ends it at once. */
export function expectThat(holds: boolean, what: string): void {
  if (!holds) throw new Error(`This must hold and does not: ${what}`)
}
