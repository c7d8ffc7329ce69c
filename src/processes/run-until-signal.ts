import { setTimeout as pause } from 'node:timers/promises'

import type { Settings } from '../config/settings.ts'
import { createLog, type Log } from '../observe/log.ts'
import { explainError } from './exit.ts'

/** Longer than this after a signal, the process ends whatever is still open: hosts kill after 30 s. */
const EXIT_WITHIN_MILLISECONDS = 25_000

/** A signal so soon after the first is the same one, which npm and the terminal both hand on. */
const SAME_SIGNAL_MILLISECONDS = 1_000

/** A signal that has come while the process was busy is told within this time. */
const SIGNAL_MILLISECONDS = 50

/** Something that runs until it is stopped, or cannot go on: then `ended` resolves with the reason. */
export type LongRunning = Readonly<{
  ended: Promise<Error & Readonly<{ code?: string }>>
  stop(): Promise<void>
}>

/** Runs until a signal comes or it cannot go on. Resolves with the exit status. */
export async function runUntilSignal(
  settings: Pick<Settings, 'logLevel' | 'logFormat'>,
  start: (log: Log) => Promise<LongRunning>,
): Promise<number> {
  const { log, closeLog } = createLog({ level: settings.logLevel, format: settings.logFormat })
  // From the first moment on, so that a signal during the start is not lost.
  const { signal, came } = awaitSignal(log)
  try {
    const running = await start(log)
    const reason = await Promise.race([signal, running.ended])
    endInTime()
    if (reason instanceof Error) log.error(reason.message, { code: reason.code })
    await running.stop()
    return reason instanceof Error ? 1 : 0
  } catch (error) {
    // Ctrl-C ends whatever the start has just run, too, and may be told only after that: then there is no failure.
    await pause(SIGNAL_MILLISECONDS)
    if (came()) return 0
    const explained = explainError(error)
    if (!explained) throw error
    log.error(explained.message)
    return explained.status
  } finally {
    await closeLog()
  }
}

/** The first signal is told; by a second one somebody at a terminal says that they do not want to wait. */
function awaitSignal(log: Log): { signal: Promise<'signal'>; came: () => boolean } {
  let first: number | undefined
  const signal = new Promise<'signal'>((resolve) => {
    for (const name of ['SIGTERM', 'SIGINT'] as const) {
      process.on(name, () => {
        if (first === undefined) {
          first = performance.now()
          endInTime()
          resolve('signal')
        } else if (performance.now() > first + SAME_SIGNAL_MILLISECONDS) {
          log.warn('ended at once: what was in flight is sent again, with the same key')
          setImmediate(() => process.exit(1))
        }
      })
    }
  })
  return { signal, came: () => first !== undefined }
}

function endInTime(): void {
  setTimeout(() => process.exit(1), EXIT_WITHIN_MILLISECONDS).unref()
}
