import type { Log } from '../observe/log.ts'
import { onceInAWhile } from '../observe/once-in-a-while.ts'

/** For a pool: a server that restarts breaks all of its connections at once, and may do so for a while. */
export function lostConnections(log: Log, what = 'an idle database connection'): (error: Error) => void {
  const quietly = onceInAWhile(log)
  return (error) => quietly('connection', 'warn', `${what} was lost`, { error })
}
