import { setImmediate } from 'node:timers/promises'

import type { Db } from '../postgres/pool.ts'

/** Between two expressions, none of which lets anything else happen. */
export type Breathe = () => Promise<void>

const KEEP_ALIVE_MILLISECONDS = 1_000

/** A process that is deaf for long loses its leases, and a transaction that is idle for long is ended by the server. */
export function breathing(db: Db): Breathe {
  let askedAt = performance.now()
  return async () => {
    await setImmediate()
    if (performance.now() - askedAt < KEEP_ALIVE_MILLISECONDS) return
    await db.query('select')
    askedAt = performance.now()
  }
}
