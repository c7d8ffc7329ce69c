import type { Writable } from 'node:stream'
import winston from 'winston'
import { writePretty } from './pretty.ts'
import { maskPasswords, toLoggable } from './redact.ts'

export type LogLevel = 'error' | 'warn' | 'info' | 'debug'

/** What a line tells besides its message: ids, numbers, an `error`; never a payload. */
export type Fields = Readonly<Record<string, unknown>> &
  Readonly<{ time?: never; level?: never; message?: never }>

type Write = (message: string, fields?: Fields) => void

export type Log = Readonly<Record<LogLevel, Write>> & Readonly<{ child(fields: Fields): Log }>

export type LogOptions = Readonly<{
  level: LogLevel
  /** Without one: `pretty` where the stream is a terminal, else `json`. */
  format?: 'json' | 'pretty' | undefined
  /** Where lines go: stderr, because stdout is for data. */
  stream?: Writable
}>

/**
 * The log of one process. `closeLog` resolves when every line has left: to be awaited before the process exits,
 * or the last lines are lost.
 */
export function createLog(options: LogOptions): { log: Log; closeLog: () => Promise<void> } {
  const stream = options.stream ?? process.stderr
  const logger = winston.createLogger({
    level: options.level,
    format: winston.format.printf(
      (options.format ?? defaultFormat(stream)) === 'json' ? JSON.stringify : writePretty,
    ),
    transports: [new winston.transports.Stream({ stream, eol: '\n' })],
  })
  const withStacks = options.level === 'debug'
  let closed: Promise<void> | undefined

  function write(level: LogLevel, message: string, fields: Fields): void {
    // A line written while the process shuts down must not bring it down.
    if (closed) return
    const shown = toLoggable(fields, withStacks)
    logger.log(
      Object.assign({ time: new Date().toISOString(), level, message: maskPasswords(message) }, shown),
    )
  }

  function withFields(own: Fields): Log {
    const at = (level: LogLevel): Write =>
      logger.isLevelEnabled(level)
        ? (message, fields) => write(level, message, { ...own, ...fields })
        : () => {}
    return {
      error: at('error'),
      warn: at('warn'),
      info: at('info'),
      debug: at('debug'),
      child: (fields) => withFields({ ...own, ...fields }),
    }
  }

  return {
    log: withFields({}),
    closeLog() {
      closed ??= endLogger(logger, stream)
      return closed
    },
  }
}

function defaultFormat(stream: Writable): 'json' | 'pretty' {
  return 'isTTY' in stream && stream.isTTY === true ? 'pretty' : 'json'
}

async function endLogger(logger: winston.Logger, stream: Writable): Promise<void> {
  await new Promise<void>((resolve) => {
    logger.once('finish', () => resolve())
    logger.end()
  })
  // winston has handed its lines to the stream; a pipe may still hold them.
  if (stream.writable) await new Promise<void>((resolve) => stream.write('', () => resolve()))
}
