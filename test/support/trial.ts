import { setTimeout as pause } from 'node:timers/promises'
import type { Disturbance, Finding } from '../checker/evidence.ts'
import { type Audit, startAudit } from './audit.ts'
import { check } from './checker.ts'
import type { TestDatabase } from './postgres.ts'
import { type BridgeProcess, createProcesses, type Ending, type StartOptions } from './processes.ts'
import { type RecordingHub, startRecordingHub } from './recording-hub.ts'
import { createStore, type StoreFamily } from './stores.ts'
import { asHeard, type Way } from './ways.ts'
import { startWorkload, type Workload, type WorkloadOptions } from './workload.ts'

/** One store, one hub and as many workers as one likes, watched by the checker from before the first change. */
export type Trial = Readonly<{
  store: TestDatabase
  hub: RecordingHub
  audit: Audit
  /** Starts `spree-bridge worker`; resolves with it at once, not when it is ready. */
  startWorker(how?: Partial<StartOptions>): BridgeProcess
  /** Runs one of the program's commands to its end, with the workers' settings. */
  run(
    command: readonly string[],
    how?: Partial<StartOptions>,
  ): Promise<Ending & Readonly<{ lines: readonly string[] }>>
  startWorkload(options: WorkloadOptions): Promise<Workload>
  /** Notes that the harness disturbed a sender from `from` until now, so that the checker excuses what follows from it. */
  disturbed(what: string, from: number): void
  /** Waits until everything is told and nothing more comes; then what the checker has found. */
  comeToRest(timeoutMs?: number): Promise<Finding[]>
  /** What the workers had to complain of: their log's warnings and errors. */
  complaints(): string[]
  close(): Promise<void>
}>

/** What stands between the programs, where they do not reach each other directly. */
export type TrialOptions = Readonly<{
  toDatabase?: (url: string) => Promise<Pick<Way, 'url'>>
  toHub?: (url: string) => Promise<Way>
  /** More settings of the bridge. */
  env?: (store: TestDatabase) => Readonly<Record<string, string>>
}>

const LOOK_EVERY_MS = 500
/** Longer than settling (0.5 s), so that what is still to come would have come. */
const QUIET_MS = 1200
/** What may still come right as messages arrive; all other findings stay. */
const PASSING_RULES: ReadonlySet<string> = new Set(['announced', 'stock'])

export async function openTrial(family: StoreFamily, options: TrialOptions = {}): Promise<Trial> {
  const store = await createStore(family, 'fixture')
  const hub = await startRecordingHub()
  const processes = createProcesses()
  const toDatabase = await options.toDatabase?.(store.url)
  const toHub = await options.toHub?.(hub.url)
  const env = {
    DATABASE_URL: toDatabase?.url ?? store.url,
    HUB_URL: toHub?.url ?? hub.url,
    HUB_STORE_ID: hub.storeId,
    HUB_TOKEN: hub.token,
    LOG_FORMAT: 'json',
    ...options.env?.(store),
  }
  const migration = processes.start(['migrate'], { env })
  const { code } = await migration.ended
  if (code !== 0) {
    await hub.close()
    await store.drop()
    throw new Error(`migrate ended with ${code}:\n${migration.lines.join('\n')}`)
  }
  const audit = await startAudit(store.url, family)
  const disturbances: Disturbance[] = []
  const workers: BridgeProcess[] = []
  const look = () => check({ audit, requests: asHeard(hub.requests, toHub?.wire), disturbances })

  return {
    store,
    hub,
    audit,
    startWorker: (how = {}) => {
      const worker = processes.start(['worker'], { ...how, env: { ...env, ...how.env } })
      workers.push(worker)
      return worker
    },
    run: async (command, how = {}) => {
      const running = processes.start(command, { ...how, env: { ...env, ...how.env } })
      return { ...(await running.ended), lines: running.lines }
    },
    startWorkload: (options) => startWorkload(store.url, family, options),
    disturbed: (what, from) => disturbances.push({ what, from, to: Date.now() }),
    comeToRest: async (timeoutMs = 150_000) => {
      const deadline = Date.now() + timeoutMs
      for (;;) {
        // The checker thinks for seconds about a long day, and this process is the hub, which cannot answer meanwhile.
        while (Date.now() < deadline && (await hasMore(store))) await pause(LOOK_EVERY_MS)
        const findings = await look()
        const heard = hub.requests.length
        const open = findings.some(({ rule }) => PASSING_RULES.has(rule))
        await pause(open ? LOOK_EVERY_MS : QUIET_MS)
        if (Date.now() > deadline || (!open && hub.requests.length === heard)) return look()
      }
    },
    complaints: () =>
      workers.flatMap(({ pid, lines }) =>
        lines.filter((line) => !/"level":"(info|debug)"/.test(line)).map((line) => `${pid}: ${line}`),
      ),
    close: async () => {
      await processes.killAll()
      await audit.close()
      await hub.close()
      await store.drop()
    },
  }
}

/** Whether the bridge still has something to tell. */
async function hasMore({ pool }: TestDatabase): Promise<boolean> {
  const { rows } = await pool.query<{ waits: boolean }>(
    "select exists (select from bridge.outbox) or exists (select from bridge.message where state <> 'parked') as waits",
  )
  return rows[0]?.waits ?? true
}
