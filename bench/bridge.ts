import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { promisify } from 'node:util'
import type { Database, Ground } from './ground.ts'
import { projectFile } from './project-file.ts'
import { until } from './until.ts'

/** The bridge as it is built and as an operator runs it. */
export const MAIN = projectFile('dist/main.js')

/** Runs `spree-bridge migrate` on a store: our schema, and triggers on the store's tables. */
export async function migrate(database: Database, hubUrl: string): Promise<void> {
  await promisify(execFile)(process.execPath, [MAIN, 'migrate'], { env: environment(database, hubUrl) })
}

/** Runs `spree-bridge reconcile`, which fails where anything differs. */
export async function reconcile(database: Database, hubUrl: string): Promise<void> {
  await promisify(execFile)(process.execPath, [MAIN, 'reconcile'], { env: environment(database, hubUrl) })
}

/** Runs `spree-bridge backfill` from the beginning, until all is asked for. */
export async function runBackfill(
  database: Database,
  hubUrl: string,
  options: readonly string[],
): Promise<void> {
  const command = [MAIN, 'backfill', ...options, '--restart']
  await promisify(execFile)(process.execPath, command, { env: environment(database, hubUrl) })
}

export type Worker = Readonly<{
  pid: number
  /** Rejects when the worker ends before it is told to. */
  died: Promise<never>
  /** Stops the process where it stands, and lets it go on. */
  freeze(): void
  thaw(): void
  /** As a crash does. */
  kill(): Promise<void>
  stop(): Promise<void>
}>

/** Runs `spree-bridge worker` on a migrated store. */
export function startWorker(database: Database, hubUrl: string): Worker {
  const worker = spawn(process.execPath, [MAIN, 'worker'], {
    env: environment(database, hubUrl),
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  const endWithUs = () => worker.kill('SIGKILL')
  process.once('exit', endWithUs) // should the bench fail
  const ended = once(worker, 'exit')
  const died = ended.then(() => Promise.reject(new Error('The worker ended, see above.')))
  died.catch(() => {}) // in the end it is meant to
  const end = async (signal: NodeJS.Signals) => {
    worker.kill(signal)
    await ended
    process.off('exit', endWithUs)
  }
  return {
    pid: worker.pid ?? 0,
    died,
    freeze: () => worker.kill('SIGSTOP'),
    thaw: () => worker.kill('SIGCONT'),
    kill: () => end('SIGKILL'),
    stop: () => end('SIGTERM'),
  }
}

/** A copy of the store with our triggers, all of which is known: nothing of it is news any more. */
export async function prepareSeededStore(ground: Ground, name: string): Promise<Database> {
  const database = await ground.createDatabase(name, await ground.storeTemplate())
  await takeIn(ground, database)
  return database
}

/** Our triggers on a store, and all of it known. */
export async function takeIn({ sink }: Ground, database: Database): Promise<void> {
  await migrate(database, sink.hubUrl)
  const worker = startWorker(database, sink.hubUrl)
  await Promise.race([untilSeeded(database), worker.died])
  await worker.stop()
}

export function untilSeeded({ pool }: Database): Promise<void> {
  return until(pool, 'not exists (select from bridge.seeding where finished_at is null)')
}

/** Every message was sent, and its outcome is written. */
export function untilSettled({ pool }: Database): Promise<void> {
  return until(pool, 'not exists (select from bridge.message)')
}

/** Of the processes of a store's bridge. */
export function environment(database: Database, hubUrl: string): NodeJS.ProcessEnv {
  return {
    ...process.env,
    DATABASE_URL: database.url,
    HUB_URL: hubUrl,
    HUB_STORE_ID: 'bench',
    HUB_TOKEN: 'bench-token',
    LOG_LEVEL: 'warn',
    // Waiting for an order to settle is a matter of latency; it takes nobody's time.
    SETTLE_QUIET_MS: '0',
  }
}
