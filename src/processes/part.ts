import type { Settings } from '../config/settings.ts'
import { type AppOptions, createApp } from '../http/app.ts'
import { type Listening, listen } from '../http/listen.ts'
import type { ReadyChecks } from '../http/readiness.ts'
import type { Log } from '../observe/log.ts'
import { createMetrics, type Metrics } from '../observe/metrics.ts'
import type { DatabaseError } from '../postgres/errors.ts'
import { readVersion } from './version.ts'

/** Something that a process runs: the worker, or the web. Several may share one process, and its port. */
export type Part = Readonly<{
  routers: NonNullable<AppOptions['routers']>
  services?: AppOptions['services']
  /** What these routers answer, for `/openapi.json`. */
  operations?: AppOptions['operations']
  readyChecks: ReadyChecks
  /** Its own, where it does not measure into those that the process gave it. */
  metrics?: AppOptions['metrics']
  /** Resolves with the reason when the part must not go on. */
  ended: Promise<DatabaseError>
  /**
   * Claims nothing more at once, ends or releases what is in flight within 20 s, and closes everything in reverse.
   * `answered` resolves when the port is closed and its last request answered.
   */
  stop(answered: Promise<void>): Promise<void>
}>

export type StartPart = (log: Log, metrics: Metrics) => Promise<Part>

/** Without a port the process answers nobody. */
export type PortSettings = Pick<Settings, 'port' | 'host' | 'operatorToken'> &
  Readonly<{ portVariable?: 'HUB_PORT' }>

/** Parts that run, and the port on which they answer. */
export type Running = Readonly<{
  url: string | undefined
  ended: Promise<DatabaseError>
  stop(): Promise<void>
}>

/** After a signal; then requests in flight are cut off. */
export const STOP_WITHIN_MILLISECONDS = 20_000

/** Starts the parts in order, then opens the port; whatever cannot be started, nothing is left running. */
export async function startParts(
  starts: readonly StartPart[],
  settings: PortSettings,
  log: Log,
): Promise<Running> {
  const metrics = createMetrics()
  const parts: Part[] = []
  let port: Listening | undefined

  async function stop(): Promise<void> {
    // Together, because they share the time: hosts kill after 30 s.
    const answered = port?.close() ?? Promise.resolve()
    await Promise.all([answered, ...parts.map((part) => part.stop(answered))])
  }

  try {
    for (const start of starts) parts.push(await start(log, metrics))
    port = await openPort(parts, settings, log, metrics)
  } catch (error) {
    await stop()
    throw error
  }
  if (port) log.info('listening', { url: port.url })
  return { url: port?.url, ended: Promise.race(parts.map(({ ended }) => ended)), stop }
}

async function openPort(
  parts: readonly Part[],
  { port, host, operatorToken, portVariable }: PortSettings,
  log: Log,
  metrics: Metrics,
): Promise<Listening | undefined> {
  if (port === undefined) return undefined
  const app = createApp({
    log,
    metrics: {
      contentType: metrics.contentType,
      render: async () =>
        (await Promise.all(measured(parts, metrics).map((each) => each.render()))).join('\n'),
    },
    operator: { token: operatorToken, host },
    readyChecks: Object.assign({}, ...parts.map(({ readyChecks }) => readyChecks)),
    routers: parts.flatMap(({ routers }) => routers),
    services: parts.flatMap(({ services = [] }) => services),
    operations: Object.assign({}, ...parts.map(({ operations }) => operations)),
    version: readVersion(),
  })
  return listen(app, { port, host, variable: portVariable, closeWithinMs: STOP_WITHIN_MILLISECONDS })
}

function measured(parts: readonly Part[], shared: Metrics): AppOptions['metrics'][] {
  const own = parts.flatMap((part) => part.metrics ?? [])
  return own.length < parts.length ? [shared, ...own] : own
}

/** A promise that is resolved from outside. */
export function promiseOf<T>(): { promise: Promise<T>; resolve: (value: T) => void } {
  let resolve: (value: T) => void = () => undefined
  const promise = new Promise<T>((settle) => {
    resolve = settle
  })
  return { promise, resolve }
}
