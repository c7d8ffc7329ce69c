import v8 from 'node:v8'

import type { Handlers } from '../apply/handlers.ts'
import type { Settings } from '../config/settings.ts'
import { type HubSettings, startHub } from './hub.ts'
import { hubRoutes } from './hub-routes.ts'
import { type StartPart, startParts } from './part.ts'
import { runUntilSignal } from './run-until-signal.ts'
import { startWeb, type WebSettings } from './web.ts'
import { startWorker, type WorkerSettings } from './worker.ts'

export function workerPart(settings: WorkerSettings): StartPart {
  return (log, metrics) => startWorker(settings, log, metrics)
}

export function webPart(settings: WebSettings, handlers: Handlers): StartPart {
  return (log, metrics) => startWeb(settings, handlers, log, metrics)
}

export function hubPart(settings: HubSettings): StartPart {
  const { hubAdminToken: token, host, hubTargets } = settings
  return (log) => startHub(settings, log, hubRoutes({ token, host }, hubTargets))
}

/** Hosts that route to one process type only have the hub answer beside the web. */
export function hubPartIfSet(settings: Settings): StartPart[] {
  const { hubDatabaseUrl } = settings
  return hubDatabaseUrl === undefined ? [] : [hubPart({ ...settings, hubDatabaseUrl })]
}

/**
 * How much garbage may lie about before V8 looks for it, in percent of what lives: some megabytes, whatever waits. On a
 * machine with much memory V8 would let it grow to four times of that, and a daemon beside a shop shall not. But each look
 * takes time from what comes in meanwhile, of an order in a burst up to a quarter. What has a port keeps less, because
 * every request leaves more.
 */
const GARBAGE_PERCENT = 25
export const WORKER_GARBAGE_PERCENT = 45

/** Runs the parts in one process, on one port, until a signal comes or one of them cannot go on. Resolves with the exit status. */
export function runParts(
  starts: readonly StartPart[],
  settings: Settings,
  garbagePercent = GARBAGE_PERCENT,
): Promise<number> {
  v8.setFlagsFromString(`--heap-growing-percent=${garbagePercent}`)
  return runUntilSignal(settings, (log) => startParts(starts, settings, log))
}
