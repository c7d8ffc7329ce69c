import type { Log } from '../observe/log.ts'

/** node-cron logs in colour to the console unless it is given this. */
export function cronLogger(log: Log, onError: (error: unknown) => void) {
  return {
    info: () => undefined,
    debug: () => undefined,
    warn: (message: string) => log.warn(message),
    error: (error: string | Error) => onError(error),
  }
}
