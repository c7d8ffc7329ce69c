import { setTimeout } from 'node:timers/promises'
import type { RequestHandler } from 'express'
import type { Log } from '../observe/log.ts'
import { onceInAWhile, type Seldom } from '../observe/once-in-a-while.ts'

/** Resolves to why the process cannot work, in words fit for anybody to read; to nothing when it can. */
export type ReadyCheck = () => Promise<string | undefined>

export type ReadyChecks = Readonly<Record<string, ReadyCheck>>

// A database that no longer answers must not keep the one who asks about it waiting.
const CHECK_LIMIT_MS = 2000

/** `GET /readyz`: 200 when every check passes, else 503 with the reason of each that does not. */
export function readiness(checks: ReadyChecks, log: Log): RequestHandler {
  const seldom = onceInAWhile(log)
  return async (_request, response) => {
    const answers = await Promise.all(Object.entries(checks).map(([name, check]) => ask(name, check, seldom)))
    const reasons = answers.filter((reason) => reason !== undefined)
    response.status(reasons.length === 0 ? 200 : 503).json({ ready: reasons.length === 0, reasons })
  }
}

async function ask(name: string, check: ReadyCheck, seldom: Seldom): Promise<string | undefined> {
  const limit = new AbortController()
  try {
    const reason = await Promise.race([
      check(),
      setTimeout(CHECK_LIMIT_MS, `no answer within ${CHECK_LIMIT_MS} ms`, { signal: limit.signal }),
    ])
    return reason === undefined ? undefined : `${name}: ${reason}`
  } catch (error) {
    seldom(name, 'warn', 'A readiness check failed.', { check: name, error })
    return `${name}: could not be checked, the log says why`
  } finally {
    limit.abort()
  }
}
