import type { Settings } from '../config/settings.ts'
import { createLog, type Log } from '../observe/log.ts'
import { explainError } from './exit.ts'

/** Longer than this after a signal, the process ends whatever is still open: hosts kill after 30 s. */
const EXIT_WITHIN_MILLISECONDS = 25_000

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
  const signal = nextSignal()
  try {
    const running = await start(log)
    const reason = await Promise.race([signal, running.ended])
    endOnSecondSignal(log)
    const hard = setTimeout(() => process.exit(1), EXIT_WITHIN_MILLISECONDS)
    hard.unref()
    if (reason instanceof Error) log.error(reason.message, { code: reason.code })
    await running.stop()
    return reason instanceof Error ? 1 : 0
  } catch (error) {
    const explained = explainError(error)
    if (!explained) throw error
    log.error(explained.message)
    return explained.status
  } finally {
    await closeLog()
  }
}

function nextSignal(): Promise<'SIGTERM' | 'SIGINT'> {
  return new Promise((resolve) => {
    for (const name of ['SIGTERM', 'SIGINT'] as const) process.on(name, () => resolve(name))
  })
}

/**
 * Somebody at a terminal does not want to wait. A signal within a second of the first is the same one, which npm and
 * the terminal both hand on.
 */
function endOnSecondSignal(log: Log): void {
  const from = performance.now() + 1_000
  for (const name of ['SIGTERM', 'SIGINT'] as const) {
    process.on(name, () => {
      if (performance.now() < from) return
      log.warn('ended at once: what was in flight is sent again, with the same key')
      setImmediate(() => process.exit(1))
    })
  }
}
