import type { Log } from '../observe/log.ts'
import { createPool, type Pool } from '../postgres/pool.ts'
import { lostConnections } from './lost-connections.ts'

/** How long a worker's registration stands without a heartbeat. */
export const LEASE_MILLISECONDS = 12_000
export const HEARTBEAT_MILLISECONDS = 3_000
/** An answer that takes longer is of no use: the lease is given up by then, two seconds before its end. */
const GIVE_UP_AFTER_MILLISECONDS = 7_000

/**
 * The connection on which a process keeps its lease, whatever else it has queued in front of its pool; a second for as long
 * as the first does not answer.
 */
export function openLeaseConnection(url: string, applicationName: string, log: Log): Pool {
  return createPool(url, {
    applicationName,
    max: 2,
    // Before the second try, which then goes over the pool.
    connectWithinMilliseconds: HEARTBEAT_MILLISECONDS - 1_000,
    answerWithinMilliseconds: GIVE_UP_AFTER_MILLISECONDS,
    onConnectionError: lostConnections(log, 'the database connection of the lease'),
  })
}
